# shellcheck shell=bash
# Sourced by bench.sh: who runs in which group. Each contest_GROUP prints one contestant a line,
# "label|command"; the label names the measurement, a colon, the contestant, and "ours" is us.
# shellcheck disable=SC2154 # ours, peers, work, quick: bench.sh's

# scaled N: N, or a little of it with --quick.
scaled() { if [ -n "$quick" ]; then echo $(($1 / 50)); else echo "$1"; fi; }

# peer NAME: 0 when it was built.
peer() { [ -x "$peers/peer_$1" ]; }

ring_peers="boost_one boost_all boost_again atomic_queue readerwriter ck urcu dpdk_1 dpdk_32 dpdk_again"

# Everybody polls hard once and backs off once; the better of a peer's forms counts as the peer.
contest_ring() {
  local size slots name count
  count=$(scaled 3000000)
  for size in 8 64 128 168; do
    for slots in 1024 65536; do
      echo "$size B, $slots slots, M/s:ours|$ours ring $size $slots thr $count 512"
      for name in $ring_peers; do
        peer "$name" || continue
        echo "$size B, $slots slots, M/s:$name|$peers/peer_$name $size $slots thr $count 0"
        echo "$size B, $slots slots, M/s:$name +back-off|$peers/peer_$name $size $slots thr $count 512"
      done
      ! peer mutex ||
        echo "$size B, $slots slots, M/s:mutex|$peers/peer_mutex $size $slots thr $((count / 15)) 0"
    done
  done
  # The limit: the same ring, messages so large that only the bytes count.
  echo "16384 B, 64 slots, M/s:ours|$ours ring 16384 64 thr $((count / 100)) 8"
  for size in 8 64 128 168; do
    echo "$size B, round trip, ns:ours|$ours ring $size 1024 rtt $((count / 50))"
    for name in $ring_peers; do
      ! peer "$name" ||
        echo "$size B, round trip, ns:$name|$peers/peer_$name $size 1024 rtt $((count / 50))"
    done
  done
}

contest_rows() {
  local name count
  count=$(scaled 2000000)
  echo "five columns, M rows/s:ours|$ours format five $count"
  echo "nineteen columns, M rows/s:ours|$ours format row $((count / 2))"
  peer format || return 0
  for name in snprintf snprintf_int fprintf to_chars to_chars_int fmt fmt_compiled memcpy; do
    "$peers/peer_format" "$name" 1 >/dev/null 2>&1 || continue
    echo "five columns, M rows/s:$name|$peers/peer_format $name $count"
  done
  echo "nineteen columns, M rows/s:snprintf|$peers/peer_format snprintf_row $((count / 4))"
}

contest_log() {
  local count calls
  count=$(scaled 1000000)
  calls=$(scaled 30000)
  echo "log, five columns, M rows/s:ours|$ours log five thr $count $work/log/ours"
  echo "log, nineteen columns, M rows/s:ours|$ours log row thr $count $work/log/ours"
  echo "one call, five columns, ns:ours|$ours log five lat $calls $work/log/ours"
  ! peer format ||
    echo "log, five columns, M rows/s:memcpy|$peers/peer_format memcpy $count $work/log/file"
  for what in stdio:five spdlog:async spdlog:sync; do
    peer "log_${what%:*}" || continue
    name=$(tr : _ <<<"${what/:five/}")
    echo "log, five columns, M rows/s:$name|$peers/peer_log_${what%:*} ${what#*:} thr $count $work/log/file"
    echo "one call, five columns, ns:$name|$peers/peer_log_${what%:*} ${what#*:} lat $calls $work/log/file"
  done
}

contest_clock() {
  echo "bracket back to back, ns:ours|$ours clock warm $(scaled 1000000)"
  echo "bracket after a sleep, ns:ours|$ours clock cold $(scaled 400)"
}

contest_flat() {
  local rows
  for rows in 1000 10000 100000 1000000 10000000 100000000; do
    [ -z "$quick" ] || [ "$rows" -le 100000 ] || break
    echo "row of nineteen columns, $rows of them, M rows/s:ours|$ours format row $rows"
  done
}

contest_upload() {
  echo "upload, plain, MB/s:ours|$ours upload put $work/object http://127.0.0.1:$plain_port"
  echo "upload, plain, MB/s:sendfile|$ours upload sendfile $work/object http://127.0.0.1:$plain_port"
  ! command -v curl >/dev/null ||
    echo "upload, plain, MB/s:curl|$repo/tests/bench/peers/curl_put.sh $work/object http://127.0.0.1:$plain_port/"
  [ -n "$quick" ] || {
    echo "upload, 1 GB, MB/s:ours|$ours upload put $work/large http://127.0.0.1:$plain_port"
    echo "upload, 1 GB, TLS, MB/s:ours|$ours upload put $work/large https://127.0.0.1:$tls_port $work/ca.pem"
  }
  echo "upload, TLS, MB/s:ours|$ours upload put $work/object https://127.0.0.1:$tls_port $work/ca.pem"
  ! command -v curl >/dev/null ||
    echo "upload, TLS, MB/s:curl|$repo/tests/bench/peers/curl_put.sh $work/object https://127.0.0.1:$tls_port/ $work/ca.pem"
}

# start_sink NAME [ARGUMENTS]: a server on a free port, which goes into NAME_port.
sinks=()
start_sink() {
  local name=$1 text=
  shift
  "$ours" sink "$@" >"$work/sink-$name" &
  sinks+=($!)
  until text=$(sed -n 's/^port //p' "$work/sink-$name") && [ -n "$text" ]; do
    kill -0 "${sinks[-1]}" 2>/dev/null || die 1 "the server for the uploads ended"
    sleep 0.05
  done
  printf -v "${name}_port" %s "$text"
}

stop_sinks() {
  for pid in "${sinks[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  sinks=()
}

prepare_group() {
  [ "$1" = upload ] || return 0
  need lab openssl
  mkdir -p "$work"
  head -c "$(scaled 100000000)" /dev/urandom >"$work/object"
  [ -n "$quick" ] || head -c 1000000000 /dev/urandom >"$work/large"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=bench -keyout "$work/key.pem" \
    -addext subjectAltName=IP:127.0.0.1 -out "$work/ca.pem" 2>/dev/null
  trap stop_sinks EXIT
  start_sink plain
  start_sink tls "$work/ca.pem" "$work/key.pem"
}

finish_group() { [ "$1" != upload ] || stop_sinks; }
