#!/bin/bash
# usage: tools/cross-deps.sh ARCH [--prefix DIR]
#        tools/cross-deps.sh --update-pins
#
# Builds what goes into a package, static and small, from pinned Debian sources: libcurl (HTTP and
# HTTPS only), OpenSSL, zlib and cJSON, and cmocka for the tests. ARCH is aarch64, armv7hf or
# host-static (this machine with the same libraries). The result is build/deps/ARCH; nothing happens
# when it is up to date. One architecture takes about two minutes on two cores.
#
# The sources are the Debian 12 source packages of tools/cross-deps.pins, checked by SHA256. They
# are fetched through an apt configuration of their own: this machine's package sources,
# architectures and installed packages stay as they are.
#
#   --prefix DIR    build into DIR instead
#   --update-pins   rewrite tools/cross-deps.pins to Debian's present versions
#   --help          this text
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
# shellcheck source=tools/cross-deps-recipes.sh
. "$repo/tools/cross-deps-recipes.sh"
pins=$repo/tools/cross-deps.pins
downloads=$repo/build/deps/downloads

# An apt of our own: the machine's mirrors as deb-src lines, and state in a private folder. The main
# archive comes first: what is in both is complete there.
apt_options=()
apt_prepare() {
  local dir=$downloads/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
  apt-get indextargets --format \
    "\$(ORIGIN) deb-src [signed-by=$keyring] \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
    'Created-By: Packages' | sed -n 's/^Debian //p' | sort -ru >"$dir/sources.list"
  grep -q ' bookworm' "$dir/sources.list" ||
    die 1 "this machine's apt knows no Debian 12 (bookworm) mirror: run 'apt-get update' first," \
      "or build in a Debian 12 container"
  apt_options=(-q -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State=$dir/state" -o "Dir::Cache=$dir/cache" -o Dir::State::status=/dev/null
    -o "APT::Sandbox::User=$(id -un)")
  say "reading Debian's index of sources"
  apt-get "${apt_options[@]}" update >"$dir/update.log" 2>&1 ||
    die 1 "apt-get update failed; see $dir/update.log"
}

pinned_sources() { awk '!/^#/ && NF { print $1 }' "$pins" | uniq; }
pinned_version() { awk -v s="$1" '$1 == s { print $2; exit }' "$pins"; }
pinned_files() { awk -v s="$1" '$1 == s { print $3 }' "$pins"; }
# without Debian's epoch and revision
upstream_version() { pinned_version "$1" | sed 's/^[0-9]*://; s/-[^-]*$//'; }

file_is_good() {
  local want
  want=$(awk -v f="$1" '$3 == f { print $4 }' "$pins")
  [ -f "$downloads/$1" ] && echo "$want  $downloads/$1" | sha256sum --check --status
}

source_is_good() {
  local file
  for file in $(pinned_files "$1"); do
    file_is_good "$file" || return 1
  done
}

# A source pinned without its Debian part is fetched without it.
download() {
  local source=$1 version=$2 scope=() log=$downloads/$1.log
  pinned_files "$source" | grep -q '\.debian\.tar\.' || scope=(--tar-only)
  [ ${#apt_options[@]} -gt 0 ] || apt_prepare
  say "fetching $source $version"
  (cd "$downloads" && apt-get "${apt_options[@]}" source --download-only "${scope[@]}" \
    "$source=$version") >"$log" 2>&1
}

fetch() {
  local source=$1 version file
  version=$(pinned_version "$source")
  source_is_good "$source" && return
  for file in $(pinned_files "$source"); do
    rm -f "${downloads:?}/$file"
  done
  if ! download "$source" "$version"; then
    tail -n 3 "$downloads/$source.log" >&2
    die 1 "$source $version cannot be fetched. Debian has probably moved on; now it has:" \
      "$(newest_version "$source"). Run 'tools/cross-deps.sh --update-pins', read the" \
      "changelog, test, and commit tools/cross-deps.pins"
  fi
  for file in $(pinned_files "$source"); do
    file_is_good "$file" || die 1 "$downloads/$file: SHA256 is" \
      "$(sha256sum <"$downloads/$file" | cut -d' ' -f1), not the one in" \
      "tools/cross-deps.pins. Do not build from it before you know why"
  done
}

newest_version() {
  apt-cache "${apt_options[@]}" showsrc "$1" | sed -n 's/^Version: //p' | sort -V | tail -n 1
}

update_pins() {
  local source version file new=$pins.new
  mkdir -p "$downloads"
  apt_prepare
  grep '^#' "$pins" >"$new"
  for source in $(pinned_sources); do
    version=$(newest_version "$source")
    download "$source" "$version" || die 1 "fetching $source $version failed; see" \
      "$downloads/$source.log"
    for file in $(new_files "$source" "$version"); do
      echo "$source $version $file $(sha256sum <"$downloads/$file" | cut -d' ' -f1)" >>"$new"
    done
  done
  mv "$new" "$pins"
  say "wrote $pins; see 'git diff' for what changed"
}

# The files of the pins with the new version in their names.
new_files() {
  local old new
  old=$(pinned_version "$1") new=${2#*:}
  old=${old#*:} # file names have no epoch
  pinned_files "$1" | sed "s/_${old%-*}\.orig/_${new%-*}.orig/; s/_$old\.debian/_$new.debian/"
}

unpack() {
  local source=$1 file patch
  rm -rf "${work:?}/$source"
  mkdir -p "$work/$source"
  for file in $(pinned_files "$source"); do
    case $file in
    *.orig.*) tar -xf "$downloads/$file" -C "$work/$source" --strip-components=1 ;;
    *.debian.tar.*) tar -xf "$downloads/$file" -C "$work/$source" ;;
    esac
  done
  [ -f "$work/$source/debian/patches/series" ] || return 0
  sed 's/[[:space:]]*#.*//; /^[[:space:]]*$/d' "$work/$source/debian/patches/series" |
    while read -r patch _; do
      patch -d "$work/$source" -p1 -s --no-backup-if-mismatch \
        <"$work/$source/debian/patches/$patch" || die 1 "$source: patch $patch does not apply"
    done
}

# One line per bundled component, for the bill of materials of the package.
write_components() {
  local source file
  for source in $(pinned_sources); do
    for file in $(pinned_files "$source"); do
      printf '%s\t%s\t%s\t%s\n' "$source" "$(pinned_version "$source")" "$file" \
        "$(sha256sum <"$downloads/$file" | cut -d' ' -f1)"
    done
  done >"$prefix/share/components.tsv"
}

fingerprint() {
  { cat "$pins" "$repo/tools/cross-deps-recipes.sh" && "${cross}gcc" --version && echo "$arch"; } | sha256sum
}

# run_recipe FOLDER FUNCTION: in FOLDER, to its first failing command. Not in a condition or with
# ||: the shell would then ignore what fails inside.
run_recipe() {
  local log=$work/$2.log failed
  set +e
  (
    set -e
    cd "$1"
    "$2"
  ) >"$log" 2>&1
  failed=$?
  set -e
  [ "$failed" = 0 ] && return
  tail -n 20 "$log" >&2
  die 1 "$2 failed for $arch; see $log"
}

build_all() {
  local source
  if [ "$(cat "$prefix/.fingerprint" 2>/dev/null)" = "$(fingerprint)" ]; then
    say "$prefix is up to date"
    return
  fi
  rm -rf "${prefix:?}" "${work:?}"
  mkdir -p "$prefix/include" "$prefix/lib/pkgconfig" "$prefix/share/licenses" "$work"
  for source in openssl zlib curl cjson cmocka; do
    fetch "$source"
    unpack "$source"
    say "building $source $(upstream_version "$source") for $arch"
    run_recipe "$work/$source" "build_$source"
  done
  run_recipe "$work" build_device_stubs
  write_components
  fingerprint >"$prefix/.fingerprint"
  rm -rf "${work:?}"
  say "$prefix is ready"
}

arch='' prefix=''
while [ $# -gt 0 ]; do
  case $1 in
  -h | --help)
    usage_of "$0"
    exit 0
    ;;
  --update-pins)
    need package apt-get apt-cache sha256sum
    update_pins
    exit 0
    ;;
  --prefix)
    prefix=${2:?--prefix needs a folder}
    shift
    ;;
  -*) die 2 "unknown option '$1'; see --help" ;;
  *)
    [ -z "$arch" ] || die 2 "one ARCH at a time: got '$arch' and '$1'"
    arch=$1
    ;;
  esac
  shift
done
[ -n "$arch" ] || die 2 "want one of aarch64, armv7hf, host-static; see --help"
select_arch "$arch"
prefix=$(realpath -m "${prefix:-$repo/build/deps/$arch}")
work=$prefix.work
case $prefix in
*[[:space:]]*) die 2 "'$prefix' has a blank, which curl's configure cannot take; give another" \
  "folder with --prefix and to CMake with -DNTP_LOGGER_DEPS=" ;;
esac
need package apt-get sha256sum make perl patch cmake tar xz "${cross}gcc" "${cross}ar" "${cross}nm"
mkdir -p "$downloads"
build_all
