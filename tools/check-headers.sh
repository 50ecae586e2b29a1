#!/bin/bash
# usage: tools/check-headers.sh
#
# Checks that each header compiles alone, and twice in a row (its guard), without warnings.
# Prints what the compiler says; exit code 1 if any does not.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/sources.sh
. "$repo/tools/lib/sources.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
need build gcc
cd "$repo"
make_generated_header

failed=0
count=0
while read -r header; do
  count=$((count + 1))
  printf '#include "%s"\n#include "%s"\n' "$PWD/$header" "$PWD/$header" |
    gcc "${c_flags[@]}" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c - || {
    say "$header does not compile alone"
    failed=$((failed + 1))
  }
done < <(c_files include src | grep '\.h$')
[ "$failed" = 0 ] || die 1 "$failed of $count headers do not compile alone"
[ "$count" -gt 0 ] || die 1 "no headers found"
say "$count headers compile alone"
