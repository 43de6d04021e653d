#!/usr/bin/env bash
# report.html of labs in both worlds: the same page but for the world's name, the same again from `farend report`, every
# link within it leads somewhere, and nothing in it needs the network.
#     tests/system/report.sh BIN_DIR LAB…
# Exit status 3: this machine cannot run namespaces.
set -euo pipefail
bin=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

complain() {
    echo "report: $*" >&2
    exit 1
}

check_page() { # FILE
    comm -23 <(grep -o 'href="#[^"]*"' "$1" | sed 's/href="#//' | sort -u) \
        <(grep -o ' id="[^"]*"' "$1" | sed 's/ id="//' | sort -u) >"$out/dangling"
    [ ! -s "$out/dangling" ] || complain "$1: links to $(head -1 "$out/dangling") lead nowhere"
    grep -q 'href="#i0"' "$1" || complain "$1: no link to the first step"
    ! grep -q '<script\|@import\|src=\|url(' "$1" || complain "$1 needs more than itself"
    ! grep -o 'http[^"]*' "$1" | grep -v '^http://www.w3.org/' || complain "$1 names a place in the network"
    grep -q 'class="topology"' "$1" || complain "$1: no picture of the network"
    grep -q 'class="m c' "$1" || complain "$1: no message"
}

for lab; do
    for world in sim netns; do
        status=0
        "$bin/farend" run "$lab" --world "$world" --out "$out/$world" >"$out/said" 2>&1 || status=$?
        [ "$status" = 0 ] || { cat "$out/said" && exit "$status"; }
        check_page "$out/$world/report.html"
    done
    diff "$out/sim/report.html" <(sed 's|<dd>netns</dd>|<dd>sim</dd>|' "$out/netns/report.html") >"$out/said" ||
        { head -20 "$out/said" && complain "$lab: the worlds give different pages"; }
    cp "$out/sim/report.html" "$out/left.html"
    [ "$("$bin/farend" report "$out/sim")" = "$out/sim/report.html" ] || complain "farend report says another path"
    cmp "$out/left.html" "$out/sim/report.html" || complain "$lab: farend report gives another page than the run left"
    echo "$(basename "$lab"): $(wc -c <"$out/left.html") bytes, the same in both worlds"
    rm -rf "$out/sim" "$out/netns"
done
