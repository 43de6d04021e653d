# shellcheck shell=bash
# For the tests that run many labs at once (sourced).

labs_in() { # FOLDER-OR-LAB…: the labs, one a line
    find "$@" -name '*.yaml' | LC_ALL=C sort
}

# Those that promise no more than their verdict have the kernel's own NAT in them: no simulated run, no trace to compare.
labs_with_traces() { # LAB…
    grep -L '^promises: *verdict' "$@"
}

# Runs farend in a folder, where its runs leave their files; on a failure says what it printed, and ends the test with its
# status (3: this machine cannot do it).
run_in() { # FOLDER COMMAND…
    local folder=$1 log status=0
    shift
    mkdir -p "$folder"
    log=$(cd "$folder" && "$@" 2>&1) || status=$?
    [ $status -eq 0 ] && return
    printf '%s\n' "$log"
    exit $status
}

files_of() { # FOLDER LAB WORLD
    echo "$1/runs/$(basename "$2" .yaml)-$3"
}

# Labs left the same traces in two folders.
same_traces() { # FOLDER WORLD OTHER-FOLDER OTHER-WORLD LAB…
    local folder=$1 world=$2 other_folder=$3 other_world=$4 lab
    shift 4
    for lab; do
        cmp "$(files_of "$folder" "$lab" "$world")/trace.jsonl" \
            "$(files_of "$other_folder" "$lab" "$other_world")/trace.jsonl" || return 1
    done
    echo "$# traces are the same"
}
