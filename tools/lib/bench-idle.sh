# shellcheck shell=bash
# Sourced by bench.sh: what the program costs while it does its daily work, beside a bare loop, one
# that asks chronyd each second and nothing else, and a program that starts chronyc each second, all
# in the same minutes.
# shellcheck disable=SC2154 # repo, ours, build, work, results: bench.sh's

idle_pids=()
idle_lab=

stop_idle() {
  local pid
  for pid in "${idle_pids[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  [ -z "$idle_lab" ] || "$repo/tools/lab/ntp-stop.sh" "$idle_lab" 2>/dev/null || true
}

# keep LABEL: the "key value" lines on stdin become results of that contestant.
keep() {
  local key value
  while read -r key value; do
    printf 'idle\t1\tidle:%s\t%s\t%s\n' "$1" "$key" "$value" >>"$results"
  done
}

# memory_of PID
memory_of() {
  awk '/^VmRSS:/ { print "rss_kib", $2 } /^RssAnon:/ { print "rss_anon_kib", $2 }
       /^VmHWM:/ { print "peak_kib", $2 }' "/proc/$1/status"
}

start_daemon() {
  local out
  idle_lab=$(mktemp -d "${TMPDIR:-/tmp}/bench-ntp.XXXXXX")
  out=$("$repo/tools/lab/ntp-start.sh" server --dir "$idle_lab") || die 1 "no private NTP server"
  eval "$out"
  out=$("$repo/tools/lab/ntp-start.sh" client --minpoll 4 --dir "$idle_lab") ||
    die 1 "no private chronyd"
  eval "$out"
}

# start_empty LABEL [URL]: the empty program's memory.
start_empty() {
  local label=$1
  shift
  "$build/tests/bench/empty_program" "$@" >"$work/empty" &
  idle_pids+=($!)
  until grep -q ready "$work/empty"; do
    kill -0 "${idle_pids[-1]}" 2>/dev/null || die 1 "the empty program ended"
    sleep 0.05
  done
  memory_of "${idle_pids[-1]}" | keep "$label"
}

# count_calls PID SECONDS: system calls a sample and processes started, by strace.
count_calls() {
  command -v strace >/dev/null || { say "note: no strace, so no count of system calls" && return 0; }
  timeout -s INT "$2" strace -f -qq -c -U calls,name -p "$1" -o "$work/strace" 2>/dev/null || true
  awk -v seconds="$2" '$2 == "total" { print "syscalls_per_sample", $1 / seconds }
      $2 ~ /^(fork|vfork|execve)$/ { forks += $1 } END { print "forks", forks + 0 }' "$work/strace"
}

# wait_for_upload LOG
wait_for_upload() {
  local begun
  begun=$(now_ms)
  until grep -q 'time_log.csv' "$1"; do
    [ $(($(now_ms) - begun)) -lt 90000 ] || die 1 "no upload came; see $1"
    sleep 0.5
  done
  sleep 3
}

# wait_for_phase MS: until that far into a second. Loops that wake at one instant find the processor
# awake already and its caches warm, or wait for each other: each has its own part of the second.
wait_for_phase() {
  local left=$(((1000 + $1 - $(now_ms) % 1000) % 1000))
  sleep "$(printf '0.%03d' "$left")"
}

# run_leg SECONDS PHASE PHASE PHASE: the three loops for that long, each at its part of the second.
run_leg() {
  local seconds=$1 pids=()
  shift
  wait_for_phase "$1"
  "$ours" idle bare 1000 "$seconds" >>"$work/bare" &
  pids+=($!)
  wait_for_phase "$2"
  "$ours" idle ask 1000 "$seconds" "$port" >>"$work/ask" &
  pids+=($!)
  wait_for_phase "$3"
  "$ours" idle spawn 1000 "$seconds" "$chronyc" -h 127.0.0.1 -p "$port" tracking >>"$work/spawn" &
  pids+=($!)
  wait "${pids[@]}" || die 1 "a loop beside the program failed"
}

# Whoever comes right after the program that was started finds the caches it left: in three legs each
# loop comes after each other one, and so does ours, which keeps its place at the full second.
run_legs() {
  run_leg "$1" 250 500 750
  run_leg "$1" 750 250 500
  run_leg "$1" 500 750 250
}

# mean_of FILE: of each key over the legs.
mean_of() {
  awk '{ sum[$1] += $2; legs[$1]++ } END { for (key in sum) print key, sum[key] / legs[key] }' "$1"
}

run_idle() {
  local seconds=$1 program plain_port port chronyc=$repo/build/lab/chrony/usr/bin/chronyc
  trap stop_idle EXIT
  [ -x "$chronyc" ] || die 2 "no private chronyd; run tools/install-deps.sh lab"
  start_daemon
  "$ours" sink >"$work/sink" &
  idle_pids+=($!)
  until [ -s "$work/sink" ]; do sleep 0.05; done
  plain_port=$(sed -n 's/^port //p' "$work/sink")
  port=${CHRONY_ADDRESS#*:}
  wait_for_phase 0
  "$build/ntp_logger" --set "chrony_address=$CHRONY_ADDRESS" --set "spool_dir=$work/spool" \
    --set allow_http=true --set "presigned_url_time_log=http://127.0.0.1:$plain_port/t" \
    --set upload_jitter=0 --set "first_upload_s=$((seconds + 40))" >"$work/logger" 2>&1 &
  program=$!
  idle_pids+=("$program")
  start_empty "empty program"
  start_empty "empty program after a PUT" "http://127.0.0.1:$plain_port/t"
  sleep 4
  say "idle: $seconds s side by side"
  rm -f "$work/bare" "$work/ask" "$work/spawn"
  run_legs $((seconds / 3)) &
  local legs=$!
  "$ours" idle watch 1000 "$seconds" "$program" >"$work/watch" || die 1 "the program ended: $(tail -n 3 "$work/logger")"
  wait "$legs"
  mean_of "$work/bare" | keep "bare loop"
  mean_of "$work/ask" | keep "asking loop"
  mean_of "$work/spawn" | keep "chronyc each second"
  keep ours <"$work/watch"
  count_calls "$program" 20 | keep ours
  wait_for_upload "$work/logger"
  memory_of "$program" | keep "ours after a PUT"
}
