#!/bin/bash
# usage: tools/coverage.sh [--no-build] [--without TEST]
#
# Branch coverage of the code that must not lose a row: builds the preset coverage, runs its unit
# tests, and prints how many branches of each file were taken. Exit code 1 when a branch of a
# required file never was, or a test failed; the branches are named, as FILE:LINE.
#
#   required   the ring (ring.h, ring.c, ring_storage.c), the spool's recovery (spool_recover.c,
#              spool_rescue.c, spool_dir.c, spool_name.c), the outcome table (outcome.c) and what
#              it leads to (aside.c, backoff.c, lane.c): 100 %
#   reported   the rest of the spool
#
#   --no-build      only run the tests of what is built already
#   --without TEST  leave one out (such as unit.core.ring): what does it alone cover?
#   --help          this text
#
# The compiler's and the tests' words go to build/coverage.log.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"

required=(include/core/ring.h src/core/ring.c src/pipeline/ring_storage.c
  src/pipeline/spool_recover.c src/pipeline/spool_rescue.c src/pipeline/spool_dir.c
  src/pipeline/spool_name.c src/pipeline/aside.c src/upload/outcome.c src/upload/backoff.c
  src/upload/lane.c)
reported=(src/pipeline/spool.c src/pipeline/spool_quota.c src/pipeline/spool_sealed.c)
build=1
without=none
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --no-build) build=0 ;;
    --without)
      [ $# -gt 1 ] || die 2 "--without wants the name of a test (see --help)"
      without=$2
      shift
      ;;
    *) die 2 "unknown argument '$1' (see --help)" ;;
  esac
  shift
done
need build cmake gcc
need checks gcovr
cd "$repo"
folder=build/coverage
log=build/coverage.log
mkdir -p build
: >"$log"

# logged WHAT COMMAND...: its words to the log; when it fails, the last of them here.
logged() {
  local what=$1
  shift
  say "$what (log: $log)"
  "$@" >>"$log" 2>&1 && return
  tail -n 40 "$log" >&2
  die 1 "$what: failed; the whole log is $log"
}

if [ "$build" = 1 ]; then
  logged "setting the build up" cmake --preset coverage
  logged "building" cmake --build --preset coverage -j "$(nproc)"
fi
[ -e "$folder/CTestTestfile.cmake" ] || die 2 "nothing is built in $folder; leave --no-build away"

if [ "$without" != none ]; then
  ctest --test-dir "$folder" -N -R "^${without//./\\.}\$" | grep -q ' Test ' ||
    die 2 "no test is called '$without'; ctest --test-dir $folder -N -L unit lists them"
fi
# The counters of former runs would hide a test that is gone.
find "$folder" -name '*.gcda' -delete
logged "running the unit tests" ctest --test-dir "$folder" -L '^unit$' \
  -R '^unit\.(core|pipeline|upload)\.' -E "^${without//./\\.}\$" --output-on-failure \
  --no-tests=error -j "$(nproc)"

# The layers' objects alone are asked: what the tests' own files count says nothing.
filters=()
for file in "${required[@]}" "${reported[@]}"; do
  filters+=(--filter "$repo/$file")
done
say "counting"
gcovr --root "$repo" --object-directory "$folder" "${filters[@]}" --json "$folder/branches.json" \
  "$folder/src" >>"$log" 2>&1 ||
  die 1 "gcovr failed; its words are in $log"
exec /usr/bin/python3 "$repo/tools/lib/branches.py" "$folder/branches.json" "${required[@]}" \
  -- "${reported[@]}"
