#!/bin/bash
# usage: tools/bench.sh [--rounds N] [--quick] [GROUP...]
#        tools/bench.sh --idle [SECONDS]
#
# Measures the program's own parts beside their peers and prints, for each group, the median, the
# least and the most over the rounds, and the ratio of ours to each peer round by round.
#
# Groups (default: all but flat)
#   ring     64 and 128 bytes and our record, in 1024 and 65536 slots; the round trip
#   rows     the formatters, five columns and nineteen
#   log      to a flushed file; the producer's latency
#   clock    our clock brackets
#   upload   100 MB by our put, by sendfile, by curl; memory
#   flat     the cost of a row from 10^3 to 10^8 rows
#
#   --rounds N   rounds of each group (default 5); contestants run in turn, every second round
#                backwards; a round in which a bare cache line travels at another pace is dropped
#   --quick      one short round of everything: does it run?
#   --idle       a bare loop, one that asks chronyd and does no more, `chronyc tracking` each second,
#                and the program itself, side by side for SECONDS (default 600) beside a private
#                chronyd: CPU, switches, system calls, memory
#   --out FILE   keep the raw results there (default build/bench/results.tsv)
#   --help       this text
#
# Peers are those whose packages are installed: tools/install-deps.sh bench. As root the contestants
# run with real-time priority, so that nothing else gets between; say so with the figures if not.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/bench-groups.sh
. "$repo/tools/lib/bench-groups.sh"

build=$repo/build/host
ours=$build/tests/bench/ntp_bench
peers=$build/tests/bench/peers
work=$repo/build/bench/work
python=/usr/bin/python3

build_all() {
  local log=$repo/build/bench/build.log
  say "building (log: ${log#"$repo"/})"
  (cd "$repo" && cmake --preset host && cmake --build --preset host -j 2 --target ntp_logger \
    ntp_bench bench_peers empty_program) >"$log" 2>&1 ||
    die 1 "the build failed: $(tail -n 5 "$log")"
}

# The scheduler's highest class, where we may: each run is short.
prefix=()
use_real_time() {
  if chrt -f 20 true 2>/dev/null; then
    prefix=(chrt -f 20)
  else
    say "note: no real-time priority here; what else runs on this machine is in the figures"
  fi
}

# record GROUP ROUND LABEL COMMAND...: its "key value" lines go into the results.
record() {
  local group=$1 round=$2 label=$3 text
  shift 3
  text=$(timeout 120 "${prefix[@]}" "$@" 2>"$work/stderr") ||
    die 1 "$label failed: $(tail -n 2 "$work/stderr")"
  while read -r key value; do
    printf '%s\t%s\t%s\t%s\t%s\n' "$group" "$round" "$label" "$key" "$value" >>"$results"
  done <<<"$text"
}

# run_group GROUP: rounds over the contestants that the function contest_GROUP prints.
run_group() {
  local group=$1 round line label command lines=() order
  mapfile -t lines < <("contest_$group")
  for round in $(seq "$rounds"); do
    record "$group" "$round" probe_before "$ours" probe
    order=$(seq 0 $((${#lines[@]} - 1)))
    [ $((round % 2)) = 1 ] || order=$(tac <<<"$order")
    for index in $order; do
      line=${lines[index]}
      label=${line%%|*}
      read -ra command <<<"${line#*|}"
      rm -rf "$work/log"
      mkdir -p "$work/log"
      record "$group" "$round" "$label" "${command[@]}"
    done
    record "$group" "$round" probe_after "$ours" probe
    say "$group: round $round of $rounds"
  done
}

rounds=5
quick=
idle=
results=$repo/build/bench/results.tsv
groups=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --quick) quick=1 ;;
    --idle)
      idle=600
      if [[ ${2:-} =~ ^[0-9]+$ ]]; then
        idle=$2
        shift
      fi
      ;;
    --rounds | --out)
      [ $# -ge 2 ] || die 2 "$1 needs a value"
      if [ "$1" = --rounds ]; then rounds=$2; else results=$2; fi
      shift
      ;;
    ring | rows | log | clock | upload | flat) groups+=("$1") ;;
    *) die 2 "unknown argument '$1'; groups: ring rows log clock upload flat (see --help)" ;;
  esac
  shift
done
[[ $rounds =~ ^[1-9][0-9]*$ ]] || die 2 "--rounds is '$rounds': want a whole number from 1"
[ -z "$quick" ] || rounds=1
[ ${#groups[@]} -gt 0 ] || groups=(ring rows log clock upload)

need build cmake gcc
[ -x "$python" ] || die 2 "no $python; run tools/install-deps.sh tools"
mkdir -p "$work"
: >"$results"
build_all
if [ -n "$idle" ]; then
  # shellcheck source=tools/lib/bench-idle.sh
  . "$repo/tools/lib/bench-idle.sh"
  run_idle "$idle"
else
  use_real_time
  for group in "${groups[@]}"; do
    prepare_group "$group"
    run_group "$group"
    finish_group "$group"
  done
fi
rm -rf "$work"
"$python" "$repo/tests/bench/report.py" "$results"
