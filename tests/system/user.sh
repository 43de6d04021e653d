#!/usr/bin/env bash
# Labs as an ordinary user, through a user namespace: nothing but what such a user has, so with veth pairs for want of
# /dev/net/tun. The traces are those of the simulated runs, as root's are.
#     user.sh BIN_DIR FOLDER-OR-LAB…
# Exit status 3: this is not root, and every lab runs as an ordinary user already; or namespaces are forbidden.
set -euo pipefail
bin=$1
shift
. "$(dirname "$0")/traces.sh"
nobody=65534

# In a mount namespace of the test's own: there the user finds the programs and the labs wherever root keeps them.
if [ -z "${FAREND_USER_TEST:-}" ]; then
    [ "$(id -u)" -eq 0 ] || { echo "not root: every lab runs as an ordinary user already" && exit 3; }
    unshare --mount -- true || exit 3
    FAREND_USER_TEST=$(mktemp -d)
    export FAREND_USER_TEST
    status=0
    unshare --mount -- "$0" "$bin" "$@" || status=$?
    rm -rf "$FAREND_USER_TEST"
    exit $status
fi
work=$FAREND_USER_TEST
mapfile -t labs < <(labs_in "$@")
mapfile -t traced < <(labs_with_traces "${labs[@]}")
jobs=$((2 * $(nproc)))

run_in "$work/simulated" "$bin/farend" run "${traced[@]}" --world sim --jobs $jobs

[ ! -d /dev/net ] || mount -t tmpfs -o mode=755 tmpfs /dev/net
top=$(cd "$(dirname "$0")/../../topologies" && pwd)
mkdir "$work/bin" "$work/topologies" "$work/home"
mount --bind "$bin" "$work/bin"
mount --bind "$top" "$work/topologies"
chmod 755 "$work"
chown $nobody:$nobody "$work/home"
as_user=(setpriv --reuid="$nobody" --regid="$nobody" --clear-groups --no-new-privs env "HOME=$work/home" "TMPDIR=$work/home")
run_in "$work/home" "${as_user[@]}" "$work/bin/farend" run "${labs[@]/#$top/$work/topologies}" --world netns --jobs $jobs
same_traces "$work/home" netns "$work/simulated" sim "${traced[@]}"
echo "${#labs[@]} labs as an ordinary user: the answers are the simulator's and root's"
