#!/usr/bin/env bash
# SIGKILL at random moments of a run in the netns world, of the command or of any process it made: afterwards nothing is left,
# no process, network namespace, interface, mount, or file outside the run's folder.
#     kill.sh BIN_DIR LAB TIMES
set -uo pipefail
bin=$1 lab=$2 times=$3

# In namespaces of the test's own, so that it sees what its runs leave and nothing of what else this machine does.
if [ -z "${FAREND_KILL_TEST:-}" ]; then
    as_user=()
    [ "$(id -u)" -eq 0 ] || as_user=(--user --map-root-user)
    FAREND_KILL_TEST=$(mktemp -d)
    export FAREND_KILL_TEST # also marks every process of ours, through its environment
    unshare "${as_user[@]}" --mount --net --pid --fork --mount-proc -- "$0" "$@"
    status=$?
    rm -rf "$FAREND_KILL_TEST"
    exit $status
fi
work=$FAREND_KILL_TEST
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm || exit 1
mkdir "$work/cwd" "$work/tmp"
cd "$work/cwd" || exit 1
export TMPDIR=$work/tmp
RANDOM=20 # the same victims and delays in every run of the test

ours() { # pids of the processes that came from our runs: farend and its programs, by name and by our mark
    local folder name
    for folder in /proc/[0-9]*; do
        { read -r name <"$folder/comm"; } 2>/dev/null || continue
        [[ $name == farend* ]] && grep -qzxF "FAREND_KILL_TEST=$work" "$folder/environ" 2>/dev/null && echo "${folder#/proc/}"
    done
}

residue() { # what a run could leave behind; compared as text before and after
    echo "network namespaces: $(readlink /proc/[0-9]*/ns/net | sort -u | wc -l)"
    echo "processes: $(cat /proc/[0-9]*/comm 2>/dev/null | grep -c farend)"
    echo "interfaces: $(ls /sys/class/net | tr '\n' ' ')"
    echo "mounts: $(wc -l </proc/self/mountinfo)"
    echo "files: $(find /run /dev/shm "$work/cwd" "$work/tmp" | tr '\n' ' ')"
}

run() { exec "$bin/farend" run "$lab" --world netns --out "$work/run" >"$work/log" 2>&1; }

gone() { # waits until no process of ours is left, nor one that has died and is not reaped yet, which has no environment
    local deadline=$((SECONDS + 10))
    while grep -qsh '^farend' /proc/[0-9]*/comm; do
        [ $SECONDS -lt $deadline ] || return 1
    done
}

(run) || { cat "$work/log"; echo "the lab does not pass to begin with"; exit 1; }
start=$(date +%s%N)
(run)
duration_us=$((($(date +%s%N) - start) / 1000))
before=$(residue)

for ((i = 1; i <= times; i++)); do
    run &
    shell=$!
    delay_us=$((RANDOM * 32768 + RANDOM))
    delay_us=$((delay_us % duration_us))
    sleep "$(printf '%d.%06d' $((delay_us / 1000000)) $((delay_us % 1000000)))"
    mapfile -t victims < <(ours)
    if [ ${#victims[@]} -gt 0 ]; then
        # Every other time the command itself (the lowest pid), else any of its processes.
        pick=0
        [ $((i % 2)) -eq 0 ] && pick=$((RANDOM % ${#victims[@]}))
        kill -9 "${victims[$pick]}" 2>/dev/null
    fi
    wait $shell 2>/dev/null # the shell's own word on the killed run is not wanted
    if ! gone; then
        echo "kill $i: processes are left 10 s after the kill:"
        ps -eo pid,ppid,stat,args | grep farend
        exit 1
    fi
done

after=$(residue)
if [ "$before" != "$after" ]; then
    diff <(echo "$before") <(echo "$after")
    echo "something is left behind"
    exit 1
fi
echo "killed $times runs of $((duration_us / 1000)) ms: nothing is left"
