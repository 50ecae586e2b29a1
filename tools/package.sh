#!/bin/bash
# usage: tools/package.sh [--packages-only] [--full]
#
# Makes every camera package and proves it: builds the libraries, packs both architectures for both
# manifests with the bundled and the camera's own libcurl, runs the checklist on each, then
#   - the packager's tests with every fault planted, and whole builds compared byte for byte,
#   - the steps of both Dockerfiles in an imitation of the vendor's SDK,
#   - the unit tests and the ring's stress test under qemu for both architectures,
#   - the emulated camera, and the end-to-end tests of the main job and the end under qemu,
#   - the peak memory of a native build with the packages' libraries.
# Ends with a summary. The packages are in build/packages. Takes about 20 minutes on two cores; the
# first time 10 more for the libraries.
#
#   --packages-only   stop after the packages and their checklist (a minute)
#   --full            also build the libraries a second time in another folder and compare packages
#                     made with these
#   --help            this text
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
cd "$repo"

packages_only=0 full=0
for arg in "$@"; do
  case $arg in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --packages-only) packages_only=1 ;;
    --full) full=1 ;;
    *) die 2 "unknown argument '$arg' (see --help)" ;;
  esac
done

python=/usr/bin/python3
logs=$repo/build/packages/logs
summary=$repo/build/packages/summary.txt
begun=$(now_ms)
failed=0
mkdir -p "$logs"
: >"$summary"

note() { printf '%s\n' "$*" | tee -a "$summary" >&2; }

# step NAME COMMAND...: a line of progress; the words go to a log; a failure does not stop the rest.
step() {
  local name=$1 log=$logs/${1// /-}.log start code
  shift
  start=$(now_ms)
  say "$name ..."
  # not in a condition: the shell would then ignore what fails inside a function
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1
  code=$?
  set -e
  if [ "$code" = 0 ]; then
    note "ok    $name ($(since_s "$start") s)"
    results "$log" | tee -a "$summary" >&2
  else
    note "FAIL  $name: see $log"
    failed=$((failed + 1))
  fi
}

# What the tests and ctest have to say, a line each.
results() {
  sed -n -E 's/^\.*figures (.*)/        \1/p; s/^([0-9]+ passed.*|100% tests passed.*)/        \1/p' "$1"
}

# pack ARCH LIBCURL MANIFEST: into build/packages/LIBCURL-v1|v2, checked by the target itself.
pack() {
  local arch=$1 libcurl=$2 manifest=$3 version=v1 dir target
  [ "$manifest" = app/manifest.json ] || version=v2
  dir=build/packages/work/$arch-$libcurl
  target=build/packages/$libcurl-$version
  cmake --preset "$arch" -B "$dir" -DNTP_LOGGER_WERROR=ON -DNTP_LOGGER_TESTS=OFF \
    -DNTP_LOGGER_LIBCURL="$libcurl" -DNTP_LOGGER_MANIFEST="$manifest"
  cmake --build "$dir" -j2 --target eap
  mkdir -p "$target"
  rm -f "$target"/*_"$arch".eap*
  cp "$dir"/*_"$arch".eap "$dir"/*_"$arch".eap.spdx.json "$target/"
  "$python" tools/check_eap.py --libcurl "$libcurl" "$target"/*_"$arch".eap
}

pack_all() {
  local arch libcurl manifest package
  for arch in aarch64 armv7hf; do
    for libcurl in bundled device; do
      for manifest in app/manifest.json app/manifest.v2.json; do
        step "package $arch $libcurl $(basename "$manifest")" pack "$arch" "$libcurl" "$manifest"
      done
    done
  done
  for package in build/packages/*/*.eap; do
    note "        $package: $("$python" tools/check_eap.py --quiet "$package" | sed -n 's/^     //p')"
  done
}

build_all() {
  cmake --preset "$1" -DNTP_LOGGER_WERROR=ON
  cmake --build --preset "$1" -j2
  cmake --build --preset "$1" --target eap
}

build_static() {
  cmake --preset static -DNTP_LOGGER_WERROR=ON -DNTP_LOGGER_TESTS=OFF
  cmake --build --preset static -j2
}

pytest_slow() { (cd "$1" && "$python" -m pytest -q -s -m slow "${@:2}"); }

# Under qemu a minute is easily lost to a busy machine: one test at a time.
emulated_ctest() { ctest --preset "$1" -L '^(unit|stress)$' -j1; }

emulated_e2e() {
  local arch=$1 wrapper=$repo/build/packages/work/run-$1 emulator
  case $arch in
    aarch64) emulator="qemu-aarch64-static -cpu cortex-a53 -L /usr/aarch64-linux-gnu" ;;
    armv7hf) emulator="qemu-arm-static -cpu cortex-a9 -L /usr/arm-linux-gnueabihf" ;;
  esac
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$emulator" "$repo/build/$arch/ntp_logger" >"$wrapper"
  chmod 755 "$wrapper"
  (cd tests/e2e && NTP_LOGGER_BIN=$wrapper "$python" -m pytest -q -m "not slow" \
    test_main_job.py test_stop.py)
}

tools/install-deps.sh
for arch in aarch64 armv7hf host-static; do
  tools/cross-deps.sh "$arch"
done
if [ "$full" = 1 ]; then
  for arch in aarch64 armv7hf; do
    tools/cross-deps.sh "$arch" --prefix "build/deps-again/$arch"
  done
fi

step "sources" "$python" tools/check_eap.py --sources .
pack_all
if [ "$packages_only" = 0 ]; then
  step "planted faults" sh -c "cd tests/package && $python -m pytest -q -m 'not slow'"
  step "builders" pytest_slow tests/package test_builders.py
  step "same bytes everywhere" pytest_slow tests/package test_whole_build.py
  step "build static" build_static
  for preset in aarch64 armv7hf; do
    step "build $preset" build_all "$preset"
  done
  step "memory" pytest_slow tests/camera test_memory.py
  step "camera tool" sh -c "cd tests/camera && $python -m pytest -q -m 'not slow'"
  step "emulated camera" pytest_slow tests/camera test_emulated_camera.py
  for arch in aarch64 armv7hf; do
    step "unit and stress tests on $arch" emulated_ctest "$arch"
    step "end to end on $arch" emulated_e2e "$arch"
  done
fi
note "$([ "$failed" = 0 ] && echo "all good" || echo "$failed steps failed"), $(since_s "$begun") s"
say "this summary: $summary"
[ "$failed" = 0 ]
