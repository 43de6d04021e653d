#!/usr/bin/env bash
# Labs beside busy loops on every core: the answer and every byte of the trace are the same as on an idle machine.
#     load.sh BIN_DIR WORLD TIMES FOLDER-OR-LAB…
set -uo pipefail
bin=$1 world=$2 times=$3
shift 3
mapfile -t labs < <(find "$@" -name '*.yaml' | LC_ALL=C sort)
work=$(mktemp -d)
busy=()
finish() {
    kill "${busy[@]}" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

failed=0
"$bin/farend" run "${labs[@]}" --world "$world" --out "$work/idle" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for ((i = 0; i <= $(nproc); i++)); do
    (while :; do :; done) &
    busy+=($!)
done
"$bin/farend" run "${labs[@]}" --world "$world" --repeat "$times" --out "$work/busy" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

while read -r idle; do
    loaded=$work/busy/${idle#"$work/idle/"}
    cmp "$idle" "$loaded" || failed=1
done < <(find "$work/idle" -name trace.jsonl)
[ $failed -eq 0 ] && echo "${#labs[@]} labs, $times times under load: the traces are those of the idle machine"
exit $failed
