#!/bin/bash
# usage: tools/test.sh [--quick]
#
# Everything a fresh Debian 12 or Ubuntu needs to run every test: installs what is missing, builds
# the release, the AddressSanitizer and the ThreadSanitizer variants with warnings as errors, and
# runs all their tests and the checks of the source as one ctest run, whose summary comes last.
# Exit code 0 only if everything was built and every test passed.
#
#   --quick   only the release build, without the tests that take minutes
#   --help    this text
#
# The compilers' words go to build/test-*.log. Takes about 15 minutes on two cores (--quick: 5).
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"

quick=0
for arg in "$@"; do
  case $arg in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --quick) quick=1 ;;
    *) die 2 "unknown argument '$arg' (see --help)" ;;
  esac
done
cd "$repo"
begun=$(now_ms)
jobs=$(nproc)
presets=(host asan tsan)
filter=()
if [ "$quick" = 1 ]; then
  presets=(host)
  filter=(--label-exclude '^(slow|stress|bench)$')
fi

# One ctest over several build folders, so that one summary covers them all.
gather() {
  local preset
  mkdir -p build/all-tests
  for preset in "${presets[@]}"; do
    printf 'subdirs("%s")\n' "$repo/build/$preset"
  done >build/all-tests/CTestTestfile.cmake
}

build() {
  local preset=$1 log=build/test-$1.log
  say "building $preset (log: $log)"
  if ! { cmake --preset "$preset" -DNTP_LOGGER_WERROR=ON &&
    cmake --build --preset "$preset" -j "$jobs"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die 1 "the $preset build failed; the whole log is $log"
  fi
}

# gcc 12's ThreadSanitizer cannot live with the address layout that newer kernels choose at random.
fixed_layout=()
if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ] &&
  setarch "$(uname -m)" -R true 2>/dev/null; then
  fixed_layout=(setarch "$(uname -m)" -R)
fi

tools/install-deps.sh
mkdir -p build
for preset in "${presets[@]}"; do
  build "$preset"
done
gather
say "built after $(since_s "$begun") s; running the tests of: ${presets[*]}"
# stdout after this line is ctest's alone, so that its summary is the last thing printed
exec "${fixed_layout[@]}" ctest --test-dir build/all-tests --output-on-failure --no-tests=error \
  -j "$jobs" "${filter[@]}"
