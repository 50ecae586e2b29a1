#!/bin/bash
# usage: tests/fault/ring_arm64.sh [RECORDS]
#
# The ring's stress test (tests/stress/ring_stress.c) built for 64-bit ARM and run under QEMU, with
# RECORDS records (default 1000000) in each mode. The emulator orders memory as this machine does,
# so this shows the ARM code right, not the weak order harmless: that is what ring_model.sh is for.
set -eu
here=$(dirname "$(readlink -f "$0")")
repo=$(dirname "$(dirname "$here")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
records=${1:-1000000}
[[ $records =~ ^[1-9][0-9]*$ ]] || die 2 "RECORDS is '$records', want a number"
need package aarch64-linux-gnu-gcc
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) ||
  die 2 "qemu-aarch64 is missing; run tools/install-deps.sh package (as root or with sudo)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
aarch64-linux-gnu-gcc -std=c11 -O2 -static -pthread -D_GNU_SOURCE -I"$repo/include" \
  -o "$work/ring_stress" "$repo/tests/stress/ring_stress.c" "$repo/src/core/ring.c" ||
  die 1 "the stress test does not compile for aarch64"
for mode in waiting losing; do
  say "$mode, $records records"
  "$emulator" "$work/ring_stress" "$mode" "$records" >&2 || {
    echo "RESULT FAILED ring_arm64: $mode"
    exit 1
  }
done
echo "RESULT passed ring_arm64: $records records in each of 2 modes, aarch64 under QEMU"
