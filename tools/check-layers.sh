#!/bin/bash
# usage: tools/check-layers.sh
#
# Checks the includes of src/ and include/: each layer knows only those below it, siblings never
# include each other, modules form no cycle, and each outside world has one file that knows it.
# Prints every violation; exit code 1 if there is any.
set -eu
repo=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
[ "${1:-}" != --help ] || { usage_of "$0" && exit 0; }
cd "$repo"

# What each layer may include. Here is the architecture; see docs/ARCHITECTURE.md.
declare -A may_include=(
  [base]="base"
  [core]="base core"
  [pipeline]="base core pipeline"
  [timesource]="base core timesource"
  [upload]="base core upload"
  [platform]="base core platform"
  [app]="base core pipeline timesource upload platform app"
  [main]="base core pipeline timesource upload platform app"
)

# Outside worlds: a pattern of their headers, and what to call them.
worlds=(
  'curl/.*=libcurl'
  'cjson/.*|cJSON.h=cJSON'
  'sys/timex.h=the kernel clock (sys/timex.h)'
  'zlib.h=zlib'
  'openssl/md5.h=OpenSSL (MD5)'
  'openssl/evp.h=OpenSSL (base64)'
  'openssl/(ssl|x509).*=OpenSSL (TLS)'
  'ax[a-z]*/.*|axsdk/.*|vdo-.*=Axis headers'
)

violations=0
violation() {
  printf '%s\n' "$*"
  violations=$((violations + 1))
}

# src/pipeline/spool.c -> pipeline; src/main.c -> main
layer_of() {
  case $1 in
    src/*/* | include/*/*) cut -d/ -f2 <<<"$1" ;;
    *) echo main ;;
  esac
}

# One line for each include of our own: FILE LINE HEADER
own_includes() {
  grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' src include --include='*.[ch]' |
    sed -E 's/^([^:]+):([0-9]+):[^"]*"([^"]+)".*/\1 \2 \3/'
}

check_directions() {
  local file line header layer target
  while read -r file line header; do
    layer=$(layer_of "$file")
    if [ -z "${may_include[$layer]:-}" ]; then
      violation "$file: '$layer' is no layer; the layers are: ${!may_include[*]}"
    elif [[ $header != */* ]]; then
      # a private header lies beside its body; the generated one is for those who wire
      [ -f "$(dirname "$file")/$header" ] || [ "$header" = build_config.h ] ||
        violation "$file:$line: \"$header\" is not beside it; write \"layer/$header\""
    else
      target=${header%%/*}
      [[ " ${may_include[$layer]} " == *" $target "* ]] ||
        violation "$file:$line: $layer must not include \"$header\" (only: ${may_include[$layer]})"
      [ -f "include/$header" ] || violation "$file:$line: no file include/$header"
    fi
  done < <(own_includes)
}

# src/pipeline/spool.c, include/pipeline/spool.h and src/pipeline/spool_private.h are one module,
# pipeline/spool.
check_cycles() {
  local file header module loops
  loops=$(
    own_includes | while read -r file _ header; do
      [[ $header == */* ]] || header=$(layer_of "$file")/$header
      module=$(layer_of "$file")/$(basename "${file%.*}")
      header=${header%.h}
      echo "${module%_private} ${header%_private}"
    done | tsort 2>&1 >/dev/null | sed 's/^tsort: //' | tr '\n' ' '
  ) || true
  [ -z "$loops" ] || violation "modules include each other in a cycle: $loops"
}

check_worlds() {
  local world pattern files
  for world in "${worlds[@]}"; do
    pattern=${world%%=*}
    files=$(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)[>\"]" src include \
      --include='*.[ch]' | sort | tr '\n' ' ' || true)
    [ "$(wc -w <<<"$files")" -le 1 ] ||
      violation "more than one file knows ${world#*=}: $files"
  done
}

check_directions
check_cycles
check_worlds
[ "$violations" = 0 ] || die 1 "$violations violations of the layering"
say "the layers hold"
