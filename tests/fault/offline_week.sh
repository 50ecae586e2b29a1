#!/bin/bash
# usage: tests/fault/offline_week.sh PROGRAM [DAYS]
#
# Runs the built offline_week in a folder of its own, in memory.
set -eu
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tools/lib/common.sh
. "$here/../../tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
[ -x "${1:-}" ] || die 2 "PROGRAM '${1:-}' is missing; build it: cmake --build --preset host"
work=$(mktemp -d /dev/shm/ntp-logger-week-XXXXXX)
trap 'rm -rf "$work"' EXIT
"$1" "$work/spool" "${2:-7}"
