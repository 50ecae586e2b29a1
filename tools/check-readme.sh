#!/usr/bin/env bash
# Holds the README's table of settings to the program's own.
# usage: tools/check-readme.sh PROGRAM          compare; exit 1 when they differ
#        tools/check-readme.sh --write PROGRAM  put the program's table into the README
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
write=
if [ "${1:-}" = --write ]; then
  write=1
  shift
fi
program=${1:?usage: tools/check-readme.sh [--write] PROGRAM}
begin='<!-- settings: '
end='<!-- end of settings -->'
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$program" --print-settings |
  awk -v begin="$begin" -v end="$end" '
    FILENAME == "-" { table = table $0 "\n"; next }
    index($0, begin) == 1 { print; print ""; printf "%s", table; print ""; skip = 1; next }
    index($0, end) == 1 { skip = 0 }
    !skip { print }' - README.md >"$made"
if [ -n "$write" ]; then
  cat "$made" >README.md
elif ! diff -u README.md "$made"; then
  echo "README.md: its table of settings is not the program's; run tools/check-readme.sh --write $program" >&2
  exit 1
fi
