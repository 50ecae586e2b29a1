#!/bin/bash
# usage: tests/bench/short.sh NTP_BENCH
#
# Runs each mode of ntp_bench briefly. The queue modes check their own sums; the bytes of rows and
# log files are compared with the reference formatter's. One gate on speed, so wide that only a
# broken build misses it: our rows come at least twice as fast as the reference's.
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
[ $# -eq 1 ] || die 2 "want the path of ntp_bench (see --help)"
bench=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/ntp_bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# value KEY TEXT: what ntp_bench said of KEY.
value() { sed -n "s/^$1 //p" <<<"$2"; }

run() { "$bench" "$@" || die 1 "ntp_bench $* failed"; }

expect_same() { [ "$2" = "$3" ] || die 1 "$1: got $2, want $3"; }

cores=$(nproc)
run clock warm 1000 >/dev/null
run idle bare 10 5 >/dev/null

ours=$(run format row 100000)
reference=$(run format reference_row 100000)
expect_same "hash of rows" "$(value hash "$ours")" "$(value hash "$reference")"
awk -v a="$(value rate "$ours")" -v b="$(value rate "$reference")" 'BEGIN { exit !(a > 2 * b) }' ||
  die 1 "rows: ours $(value rate "$ours") M/s, reference $(value rate "$reference") M/s, want 2 times"
five=$(run format five 100000)
expect_same "hash of five columns" "$(value hash "$five")" \
  "$(value hash "$(run format reference_five 1000)")"

if [ "$cores" -lt 2 ]; then
  say "one core only: the modes with two threads are left out"
  exit 0
fi
for bytes in 8 64 128 168; do
  run ring "$bytes" 1024 thr 200000 512 >/dev/null
  run ring "$bytes" 65536 thr 200000 512 >/dev/null
  run ring "$bytes" 1024 rtt 5000 >/dev/null
done
run probe >/dev/null
for what in five row; do
  logged=$(run log "$what" thr 4096 "$work/$what")
  expect_same "hash of the log, $what" "$(value hash "$logged")" \
    "$(value hash "$(run format "$what" 1000)")"
done
run log five lat 200 "$work/lat" >/dev/null

head -c 3000000 /dev/zero >"$work/object"
"$bench" sink >"$work/sink" &
sink=$!
trap 'kill "$sink" 2>/dev/null; rm -rf "$work"' EXIT
until [ -s "$work/sink" ]; do
  kill -0 "$sink" 2>/dev/null || die 1 "ntp_bench sink ended"
  sleep 0.05
done
url=http://127.0.0.1:$(value port "$(cat "$work/sink")")
run upload put "$work/object" "$url" >/dev/null
run upload sendfile "$work/object" "$url" >/dev/null
say "every mode ran, all bytes and sums are right"
