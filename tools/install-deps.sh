#!/bin/bash
# usage: tools/install-deps.sh [--check] [SET...]
#
# Installs what building, testing and the demo need on Debian 12 or Ubuntu 22.04 and later.
# It says what it will do before it does it, and does nothing when nothing is missing.
#
# Sets (default: all but the last)
#   build    compiler, CMake, libcurl, cJSON, OpenSSL, cmocka
#   lab      a private S3 server (Ceph radosgw), a private chronyd, boto3
#   tools    Python modules of the desk tools, pytest
#   checks   clang-tidy, clang-format, cppcheck, gcovr, ctags, shellcheck, spin
#   package  cross compilers and emulators for the cameras' architectures
#   bench    the peers of tools/bench.sh; only when named
#
#   --check  only report what is missing; exit code 1 if anything is
#   --help   this text
#
# No service is started: packages go in under a /usr/sbin/policy-rc.d that forbids it, and yours
# is put back afterwards. chrony is never installed, since that would replace this machine's own
# time daemon: its package is unpacked privately in build/lab/chrony, and DPDK's headers, which
# would bring two hundred packages along, in build/bench/dpdk. Needs root only when packages are
# missing.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"

declare -A packages=(
  [build]="gcc libc6-dev make cmake pkg-config
           libcurl4-openssl-dev libcjson-dev libssl-dev zlib1g-dev libcmocka-dev"
  [lab]="radosgw ceph-mon ceph-osd openssl curl strace libfaketime python3-boto3"
  [tools]="python3 python3-boto3 python3-click python3-pandas python3-matplotlib python3-requests
           python3-pytest"
  [checks]="clang-tidy clang-format cppcheck gcovr universal-ctags shellcheck spin"
  [package]="gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf libc6-dev-arm64-cross
             libc6-dev-armhf-cross qemu-user-static binutils make perl patch xz-utils python3"
  [bench]="g++ libboost-dev libck-dev liburcu-dev libatomic-queue-dev libreaderwriterqueue-dev
           libfmt-dev libspdlog-dev curl openssl strace"
)
chrony_dir=$repo/build/lab/chrony
dpdk_dir=$repo/build/bench/dpdk
log=$repo/build/install-deps.log
policy=/usr/sbin/policy-rc.d
policy_saved=$policy.before-ntp_logger

# Debian and Ubuntu only: elsewhere the names differ, so name what is needed and stop.
require_apt() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && return
  die 2 "no apt-get here: this script knows Debian and Ubuntu only. Install the equivalents of:" \
    "${packages[*]}"
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing_packages() {
  local set name
  for set in "$@"; do
    for name in ${packages[$set]}; do
      installed "$name" || echo "$name"
    done
  done | sort -u
}

chrony_runs() { "$chrony_dir/usr/sbin/chronyd" -v >/dev/null 2>&1; }

# Presets of version 3 need CMake 3.21; Debian 12 has 3.25.
check_cmake() {
  local version oldest
  version=$(cmake --version | sed -n 's/^cmake version //p')
  oldest=$(printf '%s\n3.21\n' "$version" | sort -V | head -n 1)
  [ "$oldest" = 3.21 ] || die 2 "cmake is $version, 3.21 or later is needed; use Debian 12 or later"
}

# A killed earlier run may have left its refusal behind; the saved file tells.
restore_policy() {
  if [ -e "$policy_saved" ]; then
    mv -f "$policy_saved" "$policy"
  elif [ -e "$policy" ] && grep -qs 'ntp_logger install-deps' "$policy"; then
    rm -f "$policy"
  fi
}

forbid_services() {
  local rc=0
  restore_policy
  if [ -x "$policy" ]; then
    "$policy" ceph start >/dev/null 2>&1 || rc=$?
    [ "$rc" != 101 ] || return 0 # already forbids
    mv "$policy" "$policy_saved"
  fi
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\n# ntp_logger install-deps: no service starts during this install\nexit 101\n' \
    >"$policy"
  chmod 755 "$policy"
}

boot_units() { find /etc/systemd/system -name '*.wants' -type d -exec ls {} + 2>/dev/null | sort -u; }

# Shows how far apt is: one line in five seconds, or one that is rewritten on a terminal.
show_progress() {
  local line text last=0 got=0 set_up=0 total='' end=$'\n'
  [ ! -t 2 ] || end=$'\r'
  while IFS= read -r line; do
    case $line in
      Get:*) got=$((got + 1)) ;;
      'Setting up '*) set_up=$((set_up + 1)) ;;
      *' newly installed, '*) total=$(sed -E 's/.* ([0-9]+) newly.*/\1/' <<<"$line") ;;
    esac
    if [ $((SECONDS - last)) -ge 5 ] || { [ -t 2 ] && [ $SECONDS != "$last" ]; }; then
      last=$SECONDS
      text='reading the package lists'
      [ -z "$total" ] || text="$total packages: $got fetched, $set_up set up"
      printf '%s: %s%s' "$script_name" "$text" "$end" >&2
    fi
  done
  [ ! -t 2 ] || printf '\n' >&2
}

# apt ARGS: its words go to the log, how far it is to stderr.
apt() {
  apt-get -o DPkg::Lock::Timeout=300 -q "$@" 2>&1 </dev/null | tee -a "$log" | show_progress
  return "${PIPESTATUS[0]}"
}

install_packages() {
  local before new
  forbid_services
  export DEBIAN_FRONTEND=noninteractive
  apt update || say "warning: apt-get update had errors ($log); going on with the lists at hand"
  before=$(boot_units)
  apt -y install --no-install-recommends "$@" || {
    tail -n 20 "$log" >&2
    die 1 "apt-get could not install all of: $* (the whole log is $log)"
  }
  restore_policy
  new=$(comm -13 <(echo "$before") <(boot_units) | grep -E '^(ceph|radosgw).*\.(service|target)$' |
    tr '\n' ' ' || true)
  [ -z "$new" ] || say "note: these units would start at the next boot, and nothing here needs" \
    "them: systemctl disable $new"
}

# Shared libraries of chrony, as its package names them (the names differ between releases).
chrony_libraries() { apt-cache depends chrony 2>/dev/null | sed -n 's/^ *Depends: \(lib.*\)/\1/p'; }

# unpack PACKAGE FOLDER
unpack() {
  local work
  mkdir -p "$2"
  work=$(mktemp -d)
  chmod 755 "$work"
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$1" >&2) ||
    die 1 "could not download the package $1; run 'apt-get update' as root and try again"
  dpkg -x "$work/$1"_*.deb "$2"
  rm -r "$work"
}

provide_chrony() {
  local libraries lacking=()
  unpack chrony "$chrony_dir"
  mapfile -t libraries < <(chrony_libraries)
  for name in "${libraries[@]}"; do
    installed "$name" || lacking+=("$name")
  done
  if [ ${#lacking[@]} -gt 0 ]; then
    require_root "${lacking[*]}"
    say "installing the libraries of chrony: ${lacking[*]}"
    install_packages "${lacking[@]}"
  fi
  chrony_runs || die 1 "$chrony_dir/usr/sbin/chronyd does not run: $("$chrony_dir"/usr/sbin/chronyd \
    -v 2>&1 | head -n 1)"
}

# Under sudo what was made here becomes the caller's.
give_back() {
  [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$repo/build"
}

require_root() {
  [ "$(id -u)" = 0 ] || die 2 "packages are missing ($1) and you are not root; run:" \
    "sudo $repo/tools/install-deps.sh ${sets[*]}"
}

report() {
  local bad=0 missing
  mapfile -t missing < <(missing_packages "${sets[@]}")
  if [ ${#missing[@]} -gt 0 ]; then
    say "missing packages: ${missing[*]}"
    bad=1
  fi
  if [ "$want_chrony" = 1 ] && ! chrony_runs; then
    say "missing: a private chronyd in build/lab/chrony"
    bad=1
  fi
  [ "$bad" = 1 ] || say "nothing is missing for: ${sets[*]}"
  return "$bad"
}

check_only=0
sets=()
for arg in "$@"; do
  case $arg in
    --check) check_only=1 ;;
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    build | lab | tools | checks | package | bench) sets+=("$arg") ;;
    all) sets+=(build lab tools checks package) ;;
    *) die 2 "unknown argument '$arg'; sets: build lab tools checks package bench (see --help)" ;;
  esac
done
[ ${#sets[@]} -gt 0 ] || sets=(build lab tools checks package)
want_chrony=0
[[ " ${sets[*]} " != *" lab "* ]] || want_chrony=1

require_apt
mapfile -t missing < <(missing_packages "${sets[@]}")
if [ "$check_only" = 1 ]; then
  report
  exit
fi
mkdir -p "$repo/build"
if [ ${#missing[@]} -gt 0 ]; then
  require_root "${missing[*]}"
  say "will install with apt-get, starting no service (log: $log): ${missing[*]}"
  install_packages "${missing[@]}"
fi
if [ "$want_chrony" = 1 ] && ! chrony_runs; then
  say "will unpack chrony privately in build/lab/chrony"
  provide_chrony
fi
if [[ " ${sets[*]} " == *" bench "* ]] && [ ! -e "$dpdk_dir/usr/include/dpdk/rte_ring.h" ]; then
  say "will unpack DPDK's headers privately in build/bench/dpdk"
  unpack libdpdk-dev "$dpdk_dir"
fi
[[ " ${sets[*]} " != *" build "* ]] || check_cmake
give_back
report
