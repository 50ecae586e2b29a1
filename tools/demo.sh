#!/bin/bash
# usage: tools/demo.sh [--seconds N] [--output DIR] [--keep]
#
# The main job on one machine, with no account anywhere: starts a private NTP server and client
# (they never touch a clock) and a real S3 server with a versioned bucket, signs three upload URLs,
# runs the logger with a short upload interval, and shows what arrived in the bucket. Installs and
# builds what is missing first. Copies of the arrived files and a plot stay in the output folder.
#
#   --seconds N    how long the logger runs, 10 to 3600 (default 40)
#   --output DIR   where the results go, emptied first if an earlier demo made it (default build/demo)
#   --keep         leave the servers running, and say how to reach and stop them
#   --help         this text
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
python=/usr/bin/python3
bucket=demo
prefix=camera1/

out=$repo/build/demo
seconds=40
keep=0
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --keep) keep=1 ;;
    --seconds | --output)
      [ $# -ge 2 ] || die 2 "$1 needs a value"
      if [ "$1" = --seconds ]; then seconds=$2; else out=$2; fi
      shift
      ;;
    *) die 2 "unknown argument '$1' (see --help)" ;;
  esac
  shift
done
if ! [[ $seconds =~ ^[1-9][0-9]{1,3}$ ]] || [ "$seconds" -gt 3600 ]; then
  die 2 "--seconds is '$seconds': want a whole number from 10 to 3600"
fi
out=$(realpath -m "$out")
mark=.made-by-demo
if [ -e "$out" ] && [ ! -e "$out/$mark" ]; then
  die 2 "--output '$out' exists and no demo made it; give a new folder"
fi
cd "$repo"
# settings in the caller's environment would change the demo
unset "${!NTP_LOGGER_@}"

heading() { printf '\n== %s\n' "$*"; }

logger_pid=
ring_dir=
clean_up() {
  [ -z "$logger_pid" ] || kill "$logger_pid" 2>/dev/null || true
  [ -z "$ring_dir" ] || rm -rf "$ring_dir"
  if [ "$keep" = 1 ] && [ -n "${S3_LAB_DIR:-}" ] && [ -n "${NTP_LAB_DIR:-}" ]; then
    cat <<KEPT

The servers still run. The S3 server is $S3_ENDPOINT; for its keys: source $out/lab.env
To stop them: tools/lab/s3-stop.sh $S3_LAB_DIR; tools/lab/ntp-stop.sh $NTP_LAB_DIR
KEPT
    return
  fi
  [ -z "${S3_LAB_DIR:-}" ] || tools/lab/s3-stop.sh "$S3_LAB_DIR" || true
  [ -z "${NTP_LAB_DIR:-}" ] || tools/lab/ntp-stop.sh "$NTP_LAB_DIR" || true
}

build_logger() {
  local log=build/demo-build.log
  mkdir -p build
  say "building (log: $log)"
  if ! { cmake --preset host &&
    cmake --build --preset host --target ntp_logger -j "$(nproc)"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die 1 "the build failed; the whole log is $log"
  fi
}

# Takes over the export lines of a lab script; a failed start stops the demo.
take_exports() {
  local lines
  lines=$("$@") || die 1 "'$1' failed"
  eval "$lines"
  printf '%s\n' "$lines" >>"$out/lab.env"
}

start_lab() {
  local name
  for name in S3_LAB_DIR NTP_LAB_DIR NTP_SERVER_PORT; do unset $name; done
  take_exports tools/lab/ntp-start.sh server
  # this client believes that its clock is 20 ms fast, so that there is something to see
  take_exports tools/lab/ntp-start.sh client --offset -0.02
  take_exports tools/lab/s3-start.sh --bucket $bucket
}

# The same command that a person types who has an account with AWS.
sign_urls() {
  $python tools/generate_url.py --bucket $bucket --file-prefix $prefix \
    --endpoint-url "$S3_ENDPOINT" --output "$out/s3.env"
}

# A ring of its own in memory, apart from any other logger's. Without /dev/shm there is none.
make_ring_dir() { ring_dir=$(mktemp -d /dev/shm/ntp_logger-demo.XXXXXX 2>/dev/null || true); }

# The URLs are secrets: they go into a file for us only, not into arguments or the environment.
write_config() {
  (
    umask 077
    # shellcheck source=/dev/null
    . "$out/s3.env"
    cat >"$out/config.json" <<JSON
{
  "presigned_url_time_log": "$TIME_LOG_CSV",
  "presigned_url_ntp_status": "$NTP_STATUS_TXT",
  "presigned_url_ntp_failed_status": "$NTP_FAILED_STATUS_TXT",
  "allow_http": true,
  "chrony_address": "$CHRONY_ADDRESS",
  "upload_interval_s": 10,
  "upload_jitter": 0,
  "first_upload_s": 5,
  "commit_interval_s": 5,
  "spool_dir": "$out/spool",
  "ring_dir": "$ring_dir"
}
JSON
  )
}

# One line that is rewritten on a terminal, one line in ten seconds elsewhere.
progress() {
  local text="$1 of $seconds s, $2 rows on disk waiting for the next upload"
  if [ -t 2 ]; then
    printf '\r%s: %s ' "$script_name" "$text" >&2
  elif [ $(($1 % 10)) = 0 ]; then
    say "$text"
  fi
}

rows_on_disk() { cat "$out"/spool/*.csv "$out"/spool/*.csv.part 2>/dev/null | grep -vc '^elapsed' || true; }

run_logger() {
  local elapsed=0
  build/host/ntp_logger --config "$out/config.json" --duration "$seconds" \
    2>"$out/ntp_logger.log" &
  logger_pid=$!
  while kill -0 "$logger_pid" 2>/dev/null; do
    progress "$elapsed" "$(rows_on_disk)"
    sleep 1
    elapsed=$((elapsed + 1))
  done
  [ ! -t 2 ] || printf '\n' >&2
  wait "$logger_pid" || die 1 "the logger failed; it said:
$(cat "$out/ntp_logger.log")"
  logger_pid=
}

show_results() {
  heading "What the logger said"
  cat "$out/ntp_logger.log"
  heading "What arrived in s3://$bucket/$prefix"
  $python tools/lab/s3-fetch.py --bucket $bucket --prefix $prefix --endpoint-url "$S3_ENDPOINT" \
    --output "$out/arrived"
  heading "The last rows of the last time_log.csv"
  newest=$(find "$out/arrived" -name '*time_log.csv' | sort | tail -n 1)
  [ -n "$newest" ] || die 1 "no time_log.csv arrived; see above for what the logger said"
  head -n 1 "$newest"
  tail -n 3 "$newest"
  say "$(rows_on_disk) rows wait in the spool for the next start"
  heading "ntp_status.txt"
  cat "$(find "$out/arrived" -name '*ntp_status.txt' | sort | tail -n 1)"
}

make_plot() {
  heading "The plot, made from the bucket"
  $python tools/plot.py "s3://$bucket/${prefix}time_log.csv" --versions all \
    --endpoint-url "$S3_ENDPOINT" --title "ntp_logger demo" --output "$out/plot.png"
  echo "plot: $out/plot.png"
}

tools/install-deps.sh build lab tools
build_logger
rm -rf "$out"
mkdir -p "$out"
: >"$out/$mark"
trap clean_up EXIT
trap 'exit 130' INT TERM
start_lab
sign_urls
make_ring_dir
write_config
say "the logger runs for $seconds s, one row each second, an upload each 10 s"
run_logger
show_results
make_plot
