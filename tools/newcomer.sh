#!/bin/bash
# usage: tools/newcomer.sh [--keep] [--mirror URL] [COMMAND...]
#
# Proves what the README promises a newcomer: makes a minimal Debian 12 in a temporary folder, with
# nothing but git, clones the last commit into it and runs there, as root, each COMMAND (default:
# 'tools/demo.sh' and 'tools/test.sh --quick'). Root only. Nothing outside the folder is changed:
# the mounts and processes live in namespaces of their own and end with the script.
#
#   --keep        leave the folder, and say where it is
#   --mirror URL  Debian mirror (default http://deb.debian.org/debian)
#   --help        this text
#
# Needs debootstrap, 4 GiB of disk under TMPDIR, and about 8 minutes.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"

keep=0
mirror=http://deb.debian.org/debian
commands=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --keep) keep=1 ;;
    --mirror)
      [ $# -ge 2 ] || die 2 "--mirror needs a URL"
      mirror=$2
      shift
      ;;
    -*) die 2 "unknown option '$1' (see --help)" ;;
    *) commands+=("$1") ;;
  esac
  shift
done
[ ${#commands[@]} -gt 0 ] || commands=('tools/demo.sh' 'tools/test.sh --quick')
[ "$(id -u)" = 0 ] || die 2 "making a Debian root needs root; run it with sudo"
command -v debootstrap >/dev/null || die 2 "debootstrap is missing; run: apt-get install debootstrap"

root=$(mktemp -d "${TMPDIR:-/tmp}/ntp_logger-newcomer.XXXXXX")
chmod 755 "$root"
clean_up() {
  if [ "$keep" = 1 ]; then say "the Debian is in $root"; else rm -rf --one-file-system "$root"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say "making a minimal Debian 12 in $root"
debootstrap --variant=minbase --include=git bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
  die 1 "debootstrap failed; see $root.log"
rm -f "$root.log"
git clone -q --no-hardlinks "$repo" "$root/root/ntp_logger"

# Runs in the namespaces: /proc and /dev for the chroot, gone with the last process.
inside() {
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  exec chroot "$1" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c "cd /root/ntp_logger && $2"
}
export -f inside

for command in "${commands[@]}"; do
  begun=$(now_ms)
  say "running there: $command"
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount --pid --fork --kill-child bash -eu -c 'inside "$@"' inside "$root" "$command" ||
    die 1 "'$command' failed on a fresh Debian 12 after $(since_s "$begun") s"
  say "done: $command, $(since_s "$begun") s"
done
