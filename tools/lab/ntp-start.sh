#!/bin/bash
# usage: eval "$(tools/lab/ntp-start.sh ROLE [options])"
#
# Starts one private chronyd on loopback and waits until it is in the state its role names. It
# always runs with -x, so it never touches a clock, with ports, folder and socket of its own. Call
# it once for each instance; instances with the same --dir are stopped together by ntp-stop.sh.
#
# Roles
#   server     serves NTP from its own clock (local stratum)
#   client     synchronises to a server
#   unsynced   asks a port where nobody answers: never synchronised
#
# Options
#   --dir DIR       lab folder (default: $NTP_LAB_DIR, else a new one under TMPDIR)
#   --name NAME     instance name, folder DIR/NAME (default: the role)
#   --server PORT   client: the server's port (default: $NTP_SERVER_PORT)
#   --offset S      client: pretend that its clock is S seconds slow (negative: fast)
#   --minpoll N     client: poll every 2^N s (default -4)
#   --stratum N     server: its stratum (default 3)
#   --cmdport PORT  command port (default: a free one)
#   --no-wait       do not wait for the state
#   --help          this text
#
# NTP_LAB_CHRONY names a folder with another chrony's sbin/chronyd and bin/chronyc.
#
# stdout holds only `export` lines: NTP_LAB_DIR, NTP_SERVER_PORT (server), and CHRONY_ADDRESS, the
# host:port where this instance answers chronyd's command protocol.
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/lib/process.sh
. "$repo/tools/lib/process.sh"
chrony=${NTP_LAB_CHRONY:-$repo/build/lab/chrony/usr}
python=/usr/bin/python3

free_udp_port() {
  $python -c 'import socket as s; k = s.socket(s.AF_INET, s.SOCK_DGRAM); k.bind(("127.0.0.1", 0)); print(k.getsockname()[1])'
}

is_number() { [[ $1 =~ ^[-+]?[0-9]+([.][0-9]+)?$ ]]; }

role_config() {
  case $role in
    server) printf '%s\n' "port $ntp_port" 'allow all' "local stratum $stratum" noclientlog ;;
    client)
      # a short window of samples settles at once; the skew limit would refuse the first updates
      printf '%s\n' "server 127.0.0.1 port $server iburst minpoll $minpoll maxpoll $minpoll \
minsamples 6 maxsamples 32 offset $offset" 'port 0' 'maxupdateskew 10000'
      ;;
    unsynced) printf '%s\n' "server 127.0.0.1 port $(free_udp_port) iburst" 'port 0' ;;
  esac
}

write_config() {
  {
    role_config
    printf '%s\n' 'bindaddress 127.0.0.1' 'bindcmdaddress 127.0.0.1' "cmdport $cmdport" \
      "bindcmdaddress $home/chronyd.sock" "pidfile $home/chronyd.pid" "user $(id -un)"
  } >"$home/chronyd.conf"
}

tracking() { "$chrony/bin/chronyc" -n -h 127.0.0.1 -p "$cmdport" tracking 2>&1; }

# What chronyc must say before an instance of this role is ready.
ready_words() {
  if [ "$role" = unsynced ]; then echo 'Not synchronised'; else echo 'Normal'; fi
}

wait_for_state() {
  local begun
  begun=$(now_ms)
  until tracking | grep -q "^Leap status *: $(ready_words)"; do
    [ $(($(now_ms) - begun)) -lt 20000 ] ||
      die 1 "$name is not '$(ready_words)' after 20 s; see $home/chronyd.log. chronyc says:
$(tracking)"
    sleep 0.05
  done
  say "$name ($role) ready after $(since_s "$begun") s on command port $cmdport"
}

# A failed start leaves no daemon behind; its folder stays, for the log.
ready=
stop_unless_ready() { [ -n "$ready" ] || stop_by_pidfile "$home/chronyd.pid" chronyd; }

role=
dir=${NTP_LAB_DIR:-}
name=
server=${NTP_SERVER_PORT:-}
offset=0
minpoll=-4
stratum=3
cmdport=
wait=1
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --no-wait) wait=0 ;;
    --dir | --name | --server | --offset | --minpoll | --stratum | --cmdport)
      [ $# -ge 2 ] || die 2 "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    server | client | unsynced) role=$1 ;;
    *) die 2 "unknown argument '$1' (see --help)" ;;
  esac
  shift
done
[ -n "$role" ] || die 2 "give a role: server, client or unsynced (see --help)"
[ "$role" != client ] || [ -n "$server" ] || die 2 "a client needs --server PORT"
for value in "$offset" "$minpoll" "$stratum"; do
  is_number "$value" || die 2 "'$value' is not a number (see --help)"
done
[ -x "$chrony/sbin/chronyd" ] || die 2 "no private chronyd; run tools/install-deps.sh lab"

dir=${dir:-$(mktemp -d "${TMPDIR:-/tmp}/ntp_logger-ntp.XXXXXX")}
name=${name:-$role}
mkdir -p "$dir"
dir=$(readlink -f "$dir")
home=$dir/$name
[ ${#home} -lt 90 ] || die 2 "'$home' is too long for a Unix socket's address; use a shorter --dir"
[ ! -e "$home" ] || die 2 "'$home' exists; choose another --name or stop that lab first"
# chronyd wants a folder that nobody else can enter, else it makes no socket
mkdir -m 0750 "$home"
cmdport=${cmdport:-$(free_udp_port)}
ntp_port=
[ "$role" != server ] || ntp_port=$(free_udp_port)
write_config
trap stop_unless_ready EXIT
trap 'exit 130' INT TERM
unprivileged=()
[ "$(id -u)" = 0 ] || unprivileged=(-U)
"$chrony/sbin/chronyd" -x "${unprivileged[@]}" -l "$home/chronyd.log" -f "$home/chronyd.conf" ||
  die 1 "chronyd did not start; see $home/chronyd.log"
[ "$wait" = 0 ] || wait_for_state
ready=1

echo "export NTP_LAB_DIR=$dir"
[ "$role" != server ] || echo "export NTP_SERVER_PORT=$ntp_port"
echo "export CHRONY_ADDRESS=127.0.0.1:$cmdport"
