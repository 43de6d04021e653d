# shellcheck shell=bash
# For the tests that run many labs at once (sourced).

labs_in() { # FOLDER-OR-LAB…: the labs, one a line
    find "$@" -name '*.yaml' | LC_ALL=C sort
}

# Those that promise no more than their verdict have the kernel's own NAT in them: no simulated run, no trace to compare.
labs_with_traces() { # LAB…
    grep -L '^promises: *verdict' "$@"
}

# Runs farend; on a failure says what it printed, and ends the test with its status (3: this machine cannot do it).
run_or_end() { # COMMAND…
    local log status=0
    log=$("$@" 2>&1) || status=$?
    [ $status -eq 0 ] && return
    printf '%s\n' "$log"
    exit $status
}

# Where several labs are run, each has its name and its world in its folder's name.
folder_of() { # RUNS LAB WORLD
    echo "$1/$(basename "$2" .yaml)-$3"
}

# Labs left the same traces in two folders of runs.
same_traces() { # RUNS WORLD OTHER-RUNS OTHER-WORLD LAB…
    local runs=$1 world=$2 others=$3 other=$4 lab
    shift 4
    for lab; do
        cmp "$(folder_of "$runs" "$lab" "$world")/trace.jsonl" "$(folder_of "$others" "$lab" "$other")/trace.jsonl" || return 1
    done
    echo "$# traces are the same"
}
