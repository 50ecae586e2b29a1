#!/bin/bash
# usage: tools/check-size.sh
#
# Checks that no C or Python function is longer than 80 lines and no C, Python or shell file longer
# than 450. Prints each that is; exit code 1 if there is any.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
need checks ctags
cd "$repo"
longest_function=80
longest_file=450

mapfile -t files < <(find src include tests tools .ci \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' \
  -o -path '.ci/*' \) -type f | sort)
[ ${#files[@]} -gt 0 ] || die 1 "no files found"

long_functions=$(ctags -x --c-kinds=f --python-kinds=fm --fields=+ne --_xformat='%e %n %F %N' \
  --languages=C,Python "${files[@]}" |
  awk -v most=$longest_function '$1 != "" && $1 - $2 + 1 > most {
    print $3 ":" $2 ": function " $4 " has " $1 - $2 + 1 " lines (at most " most ")" }')
long_files=$(wc -l "${files[@]}" |
  awk -v most=$longest_file '$2 != "total" && $1 > most { print $2 ": " $1 " lines (at most " most ")" }')
printf '%s' "${long_functions:+$long_functions
}${long_files:+$long_files
}"
[ -z "$long_functions$long_files" ] || die 1 "too long: split by what they do"
say "${#files[@]} files and their functions are within bounds"
