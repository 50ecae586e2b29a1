#!/bin/bash
# usage: tools/torture.sh [--quick] [PROOF...]
#
# Runs the proofs that no row is lost, in their long form, and prints a table. Exit code 0 only if
# all of them passed. Needs the built program: cmake --preset host && cmake --build --preset host.
#
#   kill_loop      kill -9 at a random instant, 10,000 times
#   kill_syscalls  kill -9 at each system call of a run
#   io_errors      each disk call fails once and for ever, with five errors
#   power_cut      50,000 power cuts, with faulty writers as controls
#   malloc_fails   each allocation of a run fails, over http and over https
#   scenarios      1,000 random scenarios and their books
#   ring_model     the ring's protocol in every interleaving (Spin)
#   ring_arm64     the ring as ARM code under QEMU
#   offline_week   seven days without a server
#   many_segments  a start over 100,000 segments
#   flash_wear     writes and syncs a minute at the default rate
#   fuzz           the spool's recovery under libFuzzer
#
#   --quick  short forms: some minutes instead of some hours
#   --help   this text
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"

quick=0
proofs=()
for arg in "$@"; do
  case $arg in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --quick) quick=1 ;;
    -*) die 2 "unknown argument '$arg' (see --help)" ;;
    *) proofs+=("$arg") ;;
  esac
done
all=(kill_loop kill_syscalls io_errors power_cut malloc_fails scenarios ring_model ring_arm64
  offline_week many_segments flash_wear fuzz)
[ ${#proofs[@]} -gt 0 ] || proofs=("${all[@]}")

build=$repo/build/host
export NTP_LOGGER_BIN=${NTP_LOGGER_BIN:-$build/ntp_logger}
export FAULT_BUILD=${FAULT_BUILD:-$build/tests/fault}
export PYTHONDONTWRITEBYTECODE=1
[ -x "$NTP_LOGGER_BIN" ] ||
  die 2 "no program '$NTP_LOGGER_BIN'; run cmake --preset host && cmake --build --preset host"

# pick LONG SHORT: the argument for this run.
pick() { if [ "$quick" = 1 ]; then echo "$2"; else echo "$1"; fi; }

proof() { /usr/bin/python3 "$repo/tests/fault/$1.py" "${@:2}"; }

run() {
  case $1 in
    kill_loop) proof kill_loop --cycles "$(pick 10000 300)" ;;
    kill_syscalls) proof kill_syscalls --points "$(pick 0 60)" ;;
    io_errors) proof io_errors --points "$(pick 0 100)" ;;
    power_cut) proof power_cut --cuts "$(pick 50000 5000)" ;;
    malloc_fails)
      proof malloc_fails --points "$(pick 0 200)" &&
        proof malloc_fails --https --points "$(pick 0 200)"
      ;;
    scenarios) proof scenarios --count "$(pick 1000 30)" ;;
    many_segments) proof many_segments --files "$(pick 100000 20000)" ;;
    flash_wear) proof flash_wear --minutes "$(pick 10 2)" ;;
    ring_model) "$repo/tests/fault/ring_model.sh" ;;
    ring_arm64) "$repo/tests/fault/ring_arm64.sh" "$(pick 5000000 500000)" ;;
    offline_week) "$repo/tests/fault/offline_week.sh" "$FAULT_BUILD/offline_week" ;;
    fuzz)
      "$repo/tests/fuzz/run.sh" "$(pick 600 30)" spool &&
        echo "RESULT passed fuzz: no finding in $(pick 600 30) s"
      ;;
    *) die 2 "unknown proof '$1' (see --help)" ;;
  esac
}

logs=$(mktemp -d)
failed=0
table=()
number=0
for name in "${proofs[@]}"; do
  number=$((number + 1))
  say "$name ($number of ${#proofs[@]})"
  begun=$(now_ms)
  verdict=passed
  run "$name" >"$logs/$name" || verdict=FAILED
  [ "$verdict" = passed ] || failed=1
  figures=$(sed -n 's/^RESULT [A-Za-z]* [a-z_0-9]*: //p' "$logs/$name" | paste -sd ';' -)
  table+=("$(printf '%-14s %-7s %8s s  %s' "$name" "$verdict" "$(since_s "$begun")" "${figures:-no result}")")
done
printf '%s\n' "${table[@]}"
if [ "$failed" = 1 ]; then
  say "the output of each proof is in $logs"
  exit 1
fi
rm -rf "$logs"
