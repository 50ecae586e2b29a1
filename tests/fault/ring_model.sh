#!/bin/bash
# usage: tests/fault/ring_model.sh
#
# Checks the ring's protocol with Spin, over every interleaving: as it is it must hold, and each of
# its memory orders weakened, or its check for a full ring off by one, must break it. See ring.pml.
set -eu
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tools/lib/common.sh
. "$here/../../tools/lib/common.sh"
case ${1:-} in
  --help | -h) usage_of "$0" && exit 0 ;;
  '') ;;
  *) die 2 "unknown argument '$1' (see --help)" ;;
esac
need checks spin gcc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# check MACRO: prints "holds" or "breaks", and the number of states.
check() {
  spin -a ${1:+"-D$1"} "$here/ring.pml" >spin.log 2>&1 || die 1 "spin: $(cat spin.log)"
  gcc -O2 -w -DSAFETY -DMEMLIM=1024 -o pan pan.c || die 1 "the model does not compile"
  ./pan -m100000 >pan.log
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
  grep -q 'max search depth too small\|reached limit' pan.log && die 1 "search not complete"
  if grep -q 'errors: 0' pan.log; then verdict=holds; else verdict=breaks; fi
}

failed=0
expect() { # MACRO WANTED
  check "$1"
  say "${1:-as it is}: $verdict (${states:-?} states)"
  [ "$verdict" = "$2" ] || failed=1
}

expect '' holds
all=$states
for macro in RELAX_PUBLISH RELAX_WAITING RELAX_RELEASE RELAX_RESERVE FULL_TOO_LATE; do
  expect "$macro" breaks
done
[ "$failed" = 0 ] || {
  echo "RESULT FAILED ring_model: see above"
  exit 1
}
echo "RESULT passed ring_model: holds in all $all states, 5 weakenings break it"
