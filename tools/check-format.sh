#!/bin/bash
# usage: tools/check-format.sh [--fix]
#
# Checks that every C file is formatted as .clang-format says. --fix formats them.
# Prints the first difference of each file; exit code 1 if there is any.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/sources.sh
. "$repo/tools/lib/sources.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
need checks clang-format
cd "$repo"

mapfile -t files < <(c_files src include tests)
[ ${#files[@]} -gt 0 ] || die 1 "no C files found"
if [ "${1:-}" = --fix ]; then
  clang-format -i "${files[@]}"
  exit 0
fi
clang-format --dry-run -Werror --ferror-limit=1 "${files[@]}" ||
  die 1 "some files are not formatted; run tools/check-format.sh --fix"
say "${#files[@]} files are formatted"
