#!/bin/bash
# usage: tools/check-shell.sh
#
# Checks every shell script with shellcheck. Exit code 1 if it finds anything.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/sources.sh
. "$repo/tools/lib/sources.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
need checks shellcheck
cd "$repo"

mapfile -t files < <(script_files | sort)
[ ${#files[@]} -gt 0 ] || die 1 "no scripts found"
shellcheck -x "${files[@]}" || die 1 "shellcheck found something"
say "${#files[@]} scripts are clean"
