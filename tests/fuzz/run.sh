#!/bin/bash
# usage: tests/fuzz/run.sh [SECONDS [TARGET...]]
#
# Fuzzes the parsers of outside bytes and the spool's recovery with libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer, SECONDS each (default 60), starting from tests/data. Needs clang with
# its fuzzer library. A finding is left in build/fuzz/findings; exit code 1 if there is any.
#
# Targets: chrony_wire ntp_wire tracking_parse udp_address url answer supply spool (default: all)
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die 2 "'$seconds' is no number of seconds (see --help)"
[ $# -eq 0 ] || shift
declare -A seeds=([chrony_wire]=chrony [ntp_wire]=ntp [tracking_parse]=chrony
  [udp_address]=addresses [url]=urls [answer]=answers [supply]=supply
  [spool]=spool)
targets=("$@")
[ ${#targets[@]} -gt 0 ] ||
  targets=(chrony_wire ntp_wire tracking_parse udp_address url answer supply spool)
command -v clang >/dev/null || die 2 "clang is missing: apt-get install clang"
cd "$repo"
mkdir -p build
if ! { cmake --preset fuzz && cmake --build --preset fuzz; } >build/fuzz.log 2>&1; then
  die 1 "the build failed; see build/fuzz.log"
fi
findings=build/fuzz/findings
mkdir -p "$findings"
failed=()
for target in "${targets[@]}"; do
  [ -n "${seeds[$target]:-}" ] || die 2 "unknown target '$target' (see --help)"
  corpus=build/fuzz/corpus/$target
  mkdir -p "$corpus"
  say "$target: fuzzing for $seconds s"
  "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=5 \
    -artifact_prefix="$findings/$target-" -print_final_stats=1 "$corpus" \
    "tests/data/${seeds[$target]}" >"build/fuzz/$target.log" 2>&1 || failed+=("$target")
  say "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log") runs"
done
[ ${#failed[@]} -eq 0 ] || die 1 "findings in: ${failed[*]}; see build/fuzz/*.log and $findings"
say "no finding in: ${targets[*]}"
