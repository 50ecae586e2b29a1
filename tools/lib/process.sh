# shellcheck shell=bash
# Sourced by the lab scripts: ends a process that one of them started, and no other.

# A zombie counts as gone: PID 1 of a container may reap late or never.
process_alive() { grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"; }

# stop_by_pidfile FILE PATTERN: TERM, then KILL after 5 s. Does nothing unless the process's
# command line still matches PATTERN: a pid can have passed to somebody else.
stop_by_pidfile() {
  local pid
  [ -f "$1" ] || return 0
  pid=$(cat "$1")
  grep -qaE "$2" "/proc/$pid/cmdline" 2>/dev/null || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do
    process_alive "$pid" || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}
