#!/usr/bin/env bash
# Labs beside busy loops on every core, and beside each other: every verdict holds, and every byte of the trace is that of
# the simulated run on the machine without load, which is the same in both worlds.
#     load.sh BIN_DIR WORLD TIMES MEGABYTES FOLDER-OR-LAB…
# Under load a packet takes long: labs whose capture is larger than MEGABYTES are left out.
set -euo pipefail
bin=$1 world=$2 times=$3 megabytes=$4
shift 4
. "$(dirname "$0")/traces.sh"
mapfile -t all < <(labs_in "$@")
mapfile -t traced < <(labs_with_traces "${all[@]}")
work=$(mktemp -d)
busy=()
finish() {
    [ ${#busy[@]} -eq 0 ] || kill "${busy[@]}"
    rm -rf "$work"
}
trap finish EXIT

cores=$(nproc)
run_in "$work/idle" "$bin/farend" run "${traced[@]}" --world sim --jobs "$cores"

compared=()
for lab in "${traced[@]}"; do
    size=$(stat -c %s "$(files_of "$work/idle" "$lab" sim)/capture.pcapng")
    [ "$size" -gt $((megabytes * 1000000)) ] || compared+=("$lab")
done
labs=("${compared[@]}")
if [ "$world" = netns ]; then # those without a simulated run too
    mapfile -t -O ${#labs[@]} labs < <(LC_ALL=C comm -23 <(printf '%s\n' "${all[@]}") <(printf '%s\n' "${traced[@]}"))
fi

for ((i = 0; i <= cores; i++)); do
    (while :; do :; done) &
    busy+=($!)
done
run_in "$work/busy" "$bin/farend" run "${labs[@]}" --world "$world" --repeat "$times" --jobs $((12 * cores))
same_traces "$work/busy" "$world" "$work/idle" sim "${compared[@]}"
echo "${#labs[@]} of ${#all[@]} labs, $times times under load: the answers are those of the idle machine"
