#!/bin/bash
# usage: tools/check-static.sh [FILE...]
#
# Static analysis of the C sources, which must be without findings: clang-tidy (the checks of
# .clang-tidy), cppcheck, and gcc -fanalyzer. FILEs limit it to these (default: all of src/).
# Prints every finding; exit code 1 if there is any.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/sources.sh
. "$repo/tools/lib/sources.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
need build gcc
need checks clang-tidy cppcheck
cd "$repo"
make_generated_header

# Axis headers exist only in Axis' SDK, so what includes them can't be analysed here.
if [ $# -gt 0 ]; then
  files=("$@")
else
  mapfile -t files < <(c_files src | grep '\.c$' | grep -v '/acap')
fi
jobs=$(nproc)
failed=()

# each COMMAND...: runs it for every file, as many at once as there are processors.
each() { printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" "$@"; }

# The file comes last for xargs, but clang-tidy wants it before its --.
tidy_one() {
  local file=${!#}
  clang-tidy --quiet --warnings-as-errors='*' "$file" -- "${@:1:$#-1}" 2> >(
    grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' >&2
  )
}
export -f tidy_one

say "clang-tidy on ${#files[@]} files"
# shellcheck disable=SC2016 # expanded by the inner shell
each bash -c 'tidy_one "$@"' tidy "${c_flags[@]}" || failed+=(clang-tidy)

say "cppcheck"
cppcheck --quiet --std=c11 -j "$jobs" --enable=warning,performance,portability --inline-suppr \
  --suppress=missingIncludeSystem --error-exitcode=1 -Iinclude "-I$generated" -D_GNU_SOURCE \
  "${files[@]}" || failed+=(cppcheck)

say "gcc -fanalyzer"
each gcc "${c_flags[@]}" -O2 -Wall -Wextra -fanalyzer -Werror -c -o /dev/null || failed+=(gcc)

[ ${#failed[@]} -eq 0 ] || die 1 "findings of: ${failed[*]}"
say "no findings in ${#files[@]} files"
