#!/bin/bash
# usage: tools/lab/ntp-stop.sh [--keep] [--name NAME] [DIR]
#
# Stops the private chronyd instances of one lab folder, by the pids they wrote, and removes it.
# DIR is the folder that ntp-start.sh named (default: $NTP_LAB_DIR).
#
#   --name NAME  stop only this instance; its folder goes, so the name can be used again
#   --keep       leave the folders, for their logs
#   --help       this text
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/process.sh
. "$repo/tools/lib/process.sh"

keep=0
name=
dir=${NTP_LAB_DIR:-}
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --keep) keep=1 ;;
    --name)
      [ $# -ge 2 ] || die 2 "--name needs a value"
      name=$2
      shift
      ;;
    -*) die 2 "unknown option '$1' (see --help)" ;;
    *) dir=$1 ;;
  esac
  shift
done
[ -n "$dir" ] || die 2 "set NTP_LAB_DIR or give the folder that ntp-start.sh named"
if [ -n "$name" ]; then
  homes=("$dir/$name")
else
  homes=("$dir"/*/)
fi
for home in "${homes[@]}"; do
  home=${home%/}
  [ -f "$home/chronyd.conf" ] || die 2 "'$home' is not a folder of ntp-start.sh"
  stop_by_pidfile "$home/chronyd.pid" chronyd
  [ "$keep" = 1 ] || rm -rf "$home"
done
[ "$keep" = 1 ] || rmdir --ignore-fail-on-non-empty "$dir"
