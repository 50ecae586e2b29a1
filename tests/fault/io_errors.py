#!/usr/bin/python3
"""Each call to the disk fails once and for ever with ENOSPC, EIO, EROFS, EDQUOT and EMFILE.

The real program under strace, which makes the call fail without making it. Never a crash, and as
soon as the disk is well again every row that was in the ring or in the spool must be there.
"""

import random
import sys

from common import Store, finish, parser, seed_of
from traced import WHOLE, Lane, Point, count_twice, need_strace, sweep

ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EMFILE")
# What touches the spool and the ring, from when the spool is first touched: a dynamic linker that
# can not read a library is none of ours.
DISK_CALLS = (
    "openat writev pwrite64 pread64 ftruncate fdatasync fsync renameat2 unlinkat mkdir flock "
    "getdents64 newfstatat fstatfs fchmod dup3 lseek"
).split()


def all_points(lane: Lane) -> list[Point]:
    points = []
    for target in (WHOLE, "writer", "uploader"):
        calls = count_twice(lane.camera, target)
        for syscall in DISK_CALLS:
            numbers = range(calls.before[syscall] + 1, calls.most[syscall] + 1)
            points += [
                Point(target, syscall, f"error={error}:when={number}{ever}")
                for number in numbers
                for ever in ("", "+")
                for error in ERRORS
            ]
    return points


def fail_at(lane: Lane, point: Point) -> None:
    """0: went on; 1: could not start or could not save the last rows, and said so."""
    lane.try_point(point, allowed={0, 1}, hit_codes={0, 1})


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--points", type=int, default=0, help="a random sample; 0 = all")
    args = options.parse_args()
    need_strace()
    dice = random.Random(seed_of(args))
    with Store() as store:
        counter = Lane("count", store)
        points = all_points(counter)
        counter.close(False)
        total = len(points)
        dice.shuffle(points)
        if args.points:
            points = points[: args.points]
        problems, lanes = sweep(store, points, args.jobs or 6, "fail-at", fail_at)
    for lane in lanes:
        lane.close(args.keep)
    return finish("io_errors", problems, f"{len(points)} of {total} failures, 0 crashes")


if __name__ == "__main__":
    sys.exit(main())
