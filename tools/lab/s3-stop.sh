#!/bin/bash
# usage: tools/lab/s3-stop.sh [--keep] [DIR]
#
# Stops what s3-start.sh started, by the pids it wrote, and removes its folder.
# DIR is the folder that s3-start.sh named (default: $S3_LAB_DIR).
#
#   --keep   leave the folder, for its logs
#   --help   this text
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/process.sh
. "$repo/tools/lib/process.sh"

keep=0
dir=${S3_LAB_DIR:-}
for arg in "$@"; do
  case $arg in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --keep) keep=1 ;;
    -*) die 2 "unknown option '$arg' (see --help)" ;;
    *) dir=$arg ;;
  esac
done
[ -n "$dir" ] || die 2 "set S3_LAB_DIR or give the folder that s3-start.sh named"
[ -f "$dir/ceph.conf" ] || die 2 "'$dir' is not a folder of s3-start.sh"
for name in rgw osd mon; do
  stop_by_pidfile "$dir/$name.pid" 'ceph-mon|ceph-osd|radosgw'
done
[ "$keep" = 1 ] || rm -rf "$dir"
