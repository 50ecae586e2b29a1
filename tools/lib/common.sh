# shellcheck shell=bash
# Sourced by the shell tools: one voice for messages, one way to stop.

export LC_ALL=C.UTF-8

# The script that sources this, for its messages.
script_name=$(basename "$0")

# Everything said goes to stderr: stdout stays free for results.
say() { printf '%s: %s\n' "$script_name" "$*" >&2; }

# die CODE MESSAGE: says what is wrong and what to do next, then ends the script.
die() {
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}

# usage_of FILE: the comment block at the top of a script is its help text.
usage_of() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$1"; }

# now_ms: milliseconds since the epoch, without a helper program.
now_ms() {
  local t=$EPOCHREALTIME
  echo $((${t//[.,]/} / 1000))
}

# since_s START_MS: seconds since then, one decimal.
since_s() {
  local d=$(($(now_ms) - $1))
  printf '%d.%d' $((d / 1000)) $((d % 1000 / 100))
}

# need PACKAGE-SET PROGRAM...: stops with the command that installs what is missing.
need() {
  local set=$1 program
  shift
  for program in "$@"; do
    command -v "$program" >/dev/null && continue
    die 2 "'$program' is missing; run tools/install-deps.sh $set (as root or with sudo)"
  done
}
