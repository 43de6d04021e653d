#!/usr/bin/env bash
# A lab that is up, as somebody works in it: in both worlds, and in namespaces as an ordinary user too, with veth pairs. Nothing
# here depends on how fast the machine is: what takes its time is waited for.
#     up.sh BIN_DIR LAB
# Exit status 3: namespaces are forbidden.
set -uo pipefail
bin=$1 lab=$2
nobody=65534

# In namespaces of the test's own, so that it sees what its labs leave and nothing of what else this machine does.
if [ -z "${FAREND_UP_TEST:-}" ]; then
    as_user=()
    [ "$(id -u)" -eq 0 ] || as_user=(--user --map-root-user)
    unshare "${as_user[@]}" --mount --net --pid --fork --mount-proc -- true || exit 3
    FAREND_UP_TEST=$(mktemp -d)
    FAREND_UP_USER=$([ "$(id -u)" -eq 0 ] && echo yes)
    export FAREND_UP_TEST FAREND_UP_USER
    unshare "${as_user[@]}" --mount --net --pid --fork --mount-proc -- "$0" "$@"
    status=$?
    rm -rf "$FAREND_UP_TEST"
    exit $status
fi
work=$FAREND_UP_TEST
chmod 755 "$work"
mkdir "$work/bin" "$work/root" "$work/user"
mount --bind "$bin" "$work/bin" # where an ordinary user finds it wherever root keeps it
cp "$lab" "$work/double-nat.yaml"
chmod 644 "$work/double-nat.yaml"
PATH=$work/bin:/usr/sbin:/usr/bin:/sbin:/bin # where an ordinary user may look too
as=()

expect() { # STATUS TEXT COMMAND…: what it has to end with, and to print
    local status=$1 text=$2 said ended=0
    shift 2
    said=$("${as[@]}" "$@" 2>&1) || ended=$?
    [ $ended -eq "$status" ] && [[ $said == *"$text"* ]] && return
    printf '%s\nended with %d, not %d; it said:\n%s\nexpected in it: %s\n' "$*" $ended "$status" "$said" "$text"
    exit 1
}

residue() { # what a lab could leave behind; compared as text before and after
    echo "network namespaces: $(readlink /proc/[0-9]*/ns/net | sort -u | wc -l)"
    echo "processes: $(cat /proc/[0-9]*/comm 2>/dev/null | grep -c farend)"
    echo "interfaces: $(ls /sys/class/net | tr '\n' ' ')"
    echo "mounts: $(wc -l </proc/self/mountinfo)"
}

gone() { # waits until no process of farend is left, nor one that has died and is not reaped yet
    local deadline=$((SECONDS + 10))
    while grep -qsh '^farend' /proc/[0-9]*/comm; do
        [ $SECONDS -lt $deadline ] || { echo "processes are left" && ps -eo pid,ppid,stat,args && exit 1; }
        sleep 0.05
    done
}

nothing_left() {
    gone
    [ "$before" = "$(residue)" ] || { diff <(echo "$before") <(residue) && exit 1; }
}

engine() { # the lab's process
    local folder
    for folder in /proc/[0-9]*; do
        [ "$(tr '\0' ' ' <"$folder/cmdline" 2>/dev/null | cut -d' ' -f2)" = up ] && echo "${folder#/proc/}"
    done
}

give_up() { # a step whose command is ended does not keep the next one waiting
    local command deadline=$((SECONDS + 30))
    "${as[@]}" farend inject 'sleep: 1h' &
    command=$!
    until "${as[@]}" farend status | grep -q 'sleep: 1h'; do
        [ $SECONDS -lt $deadline ] || { echo "the step does not begin" && exit 1; }
        sleep 0.05
    done
    kill $command
    wait $command 2>/dev/null
    expect 0 "✓" farend inject 'sleep: 1ms'
    expect 0 "given up" farend status
}

steps() {
    expect 0 "✓" farend inject 'wait: {for: alice registered, within: 30s}'
    expect 0 "✓" farend inject double-nat 'wait: {for: bob registered, within: 30s}'
    expect 0 "call: from bob, to alice" farend inject 'call: {from: bob, to: alice, talk: 200ms, within: 30s}'
    expect 0 "✓" farend inject 'expect: {message: {sent by: bob, is: BYE, at least: 1}}'
    expect 1 "alice is registered" farend inject runs/double-nat-up 'expect: alice not registered'
    expect 2 'inject:1:8: "form" is not known here; did you mean "from"?' farend inject 'call: {form: bob, to: alice}'
    expect 2 'inject:1:1: there is no step "cal"; did you mean "call"?' farend inject 'cal: {from: bob}'
    give_up
    expect 0 "✓" farend inject 'fault: {on: bob, do: crash}'
    expect 0 "  off" farend status
    expect 0 "✗" farend status double-nat
}

namespaces() { # commands in a node's namespace: through both NATs, on the caller's terminal, with the command's status
    expect 0 "192.168.1.20" farend exec alice ip -4 address show dev on
    expect 7 "$work" farend exec double-nat bob sh -c 'pwd; exit 7'
    expect 127 "No such file" farend exec alice no-such-command
    expect 2 'did you mean "alice"?' farend exec alise true
    # Nobody has that port: the ICMP error comes back through both NATs, and the next datagram hears of it.
    expect 0 "Connection refused" farend exec alice timeout 30 bash -c \
        'exec 3>/dev/udp/203.0.113.10/9; while echo hello >&3; do sleep 0.1; done'
    expect 0 "✓" farend inject 'expect: {icmp: {type: port-unreachable, from: sbc, at least: 1}}'
    expect 0 "1 received" farend exec alice ping -c1 -W10 203.0.113.10
}

session() { # WORLD
    local before
    gone
    before=$(residue)
    expect 0 "double-nat is up: $1" farend up "$work/double-nat.yaml" --world "$1"
    expect 2 "a lab is up in runs/double-nat-up already" farend up "$work/double-nat.yaml" --world "$1"
    steps
    if [ "$1" = netns ]; then
        namespaces
    else
        expect 2 "alice is simulated" farend exec alice true
    fi
    expect 0 "is up" farend up "$work/double-nat.yaml" --world "$1" --out runs/second
    expect 2 "several labs are up" farend inject 'sleep: 1ms'
    expect 0 "runs/second" farend status
    expect 0 "" farend inject runs/second 'sleep: 1ms'
    expect 0 "runs/second" farend down runs/second
    expect 0 "did not" farend down
    grep -q '"failed_count": 2' runs/double-nat-up/verdict.json || { echo "verdict.json does not tell" && exit 1; }
    [ -s runs/double-nat-up/trace.jsonl ] && [ ! -e runs/double-nat-up/control ] || { ls runs/double-nat-up && exit 1; }
    nothing_left

    expect 0 "is up" farend up "$work/double-nat.yaml" --world "$1"
    kill -9 "$(engine)"
    nothing_left
    expect 2 "no lab is up here" farend inject 'sleep: 1ms'
    expect 0 "no lab is up here" farend status
    [ ! -e runs/double-nat-up/control ] || { echo "a dead lab's socket is left" && exit 1; }
    expect 0 "is up" farend up "$work/double-nat.yaml" --world "$1"
    expect 0 "down after" farend down --all
    nothing_left
}

cd "$work/root" || exit 1
expect 2 "no lab is up here" farend down
session sim
session netns
[ -n "$FAREND_UP_USER" ] || exit 0
[ ! -d /dev/net ] || mount -t tmpfs -o mode=755 tmpfs /dev/net # so with veth pairs
chown $nobody:$nobody "$work/user"
cd "$work/user" || exit 1
as=(setpriv "--reuid=$nobody" "--regid=$nobody" --clear-groups --no-new-privs env "HOME=$work/user")
"${as[@]}" unshare --user --map-root-user --net true 2>/dev/null || { echo "an ordinary user may not have namespaces" && exit 0; }
session netns
