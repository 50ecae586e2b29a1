#!/bin/bash
# usage: tests/bench/peers/curl_put.sh FILE URL [CA]
#
# Uploads FILE with the curl program and prints its own figure as "rate", in MB/s.
set -eu
if [ "${1:-}" = --help ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0"
  exit 0
fi
rate=$(curl -sS -o /dev/null --noproxy '*' ${3:+--cacert "$3"} -T "$1" -w '%{speed_upload}' "$2")
awk -v bytes="$rate" 'BEGIN { printf "rate %.6g\n", bytes / 1e6 }'
