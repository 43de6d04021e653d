#!/usr/bin/env bash
# A capture of SIP over TLS carries its keys: tshark reads the requests in it as on any other wire, and finds one
# ClientHello on the phone's side, because one connection carries everything (FACTS PH-2).
#     tests/system/decrypt.sh BIN_DIR LAB WORLD PHONE_ADDRESS METHOD…
# Exit status 3: there is no tshark, or this machine cannot run the world.
set -euo pipefail
bin=$1 lab=$2 world=$3 phone=$4
shift 4

tshark --version >/dev/null 2>&1 || { echo "no tshark here" && exit 3; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
status=0
"$bin/farend" run "$lab" --world "$world" --out "$out" || status=$?
[ "$status" = 0 ] || exit "$status"

count() { # FILTER
    tshark -r "$out/capture.pcapng" -Y "$1" 2>/dev/null | wc -l
}

hellos=$(count "ip.src == $phone && tls.handshake.type == 1")
[ "$hellos" = 1 ] || { echo "$hellos ClientHellos from $phone, expected 1" && exit 1; }
for method; do
    n=$(count "ip.addr == $phone && tls && sip.Method == $method")
    [ "$n" -gt 0 ] || { echo "no $method can be read in the capture" && exit 1; }
    echo "$method: $n on the wires of $phone"
done
