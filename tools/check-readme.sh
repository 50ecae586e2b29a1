#!/bin/bash
# usage: tools/check-readme.sh [--write] PROGRAM
#
# Checks that the README's table of settings is the program's own. Shows the difference; exit code 1
# if there is any.
#
#   --write   put the program's table into the README
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
write=0
if [ "${1:-}" = --write ]; then
  write=1
  shift
fi
[ $# = 1 ] || die 2 "give the built program, as build/host/ntp_logger (see --help)"
[ -x "$1" ] || die 2 "'$1' is no program; build it first: cmake --build --preset host"
program=$(readlink -f "$1")
cd "$repo"

made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$program" --print-settings | awk -v begin='<!-- settings: ' -v end='<!-- end of settings -->' '
  FILENAME == "-" { table = table $0 "\n"; next }
  index($0, begin) == 1 { print; print ""; printf "%s", table; print ""; skip = 1; next }
  index($0, end) == 1 { skip = 0 }
  !skip { print }' - README.md >"$made"
if [ "$write" = 1 ]; then
  cat "$made" >README.md
elif ! diff -u README.md "$made"; then
  die 1 "README.md has another table of settings; run tools/check-readme.sh --write $1"
fi
