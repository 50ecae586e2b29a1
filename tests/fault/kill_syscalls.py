#!/usr/bin/python3
"""kill -9 at every single system call of a run: start, recovery, commit, seal, upload, stop.

First each thread's calls are counted, then the program is run once for each of them and killed by
strace there. Each run begins with what the one before has left. The books are kept as in
kill_loop.py.
"""

import random
import sys

from common import Store, finish, parser, seed_of
from traced import THREADS, WHOLE, Lane, Point, count_twice, need_strace, sweep

# Calls that a tick repeats again and again: these many of them are as good as all.
SAMPLER_TICKS = 4


def all_points(lane: Lane) -> list[Point]:
    """Every call of every thread; counted twice over a dirty spool, the larger count is taken."""
    points = []
    for target in (WHOLE, *THREADS):
        for syscall, count in sorted(count_twice(lane.camera, target).most.items()):
            count = min(count, SAMPLER_TICKS) if target == "sampler" else count
            points += [
                Point(target, syscall, f"signal=KILL:when={number}")
                for number in range(1, count + 1)
            ]
    return points


def kill_at(lane: Lane, point: Point) -> None:
    lane.try_point(point, allowed={0, -9}, hit_codes={-9})


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
        problems, lanes = sweep(store, points, args.jobs or 6, "kill-at", kill_at)
    killed = sum(lane.hit for lane in lanes)
    if killed < len(points) * 0.8:
        problems.append(f"only {killed} of {len(points)} runs were killed: this proves little")
    for lane in lanes:
        lane.close(args.keep)
    return finish(
        "kill_syscalls",
        problems,
        f"{len(points)} of {total} system calls, {killed} runs killed there",
    )


if __name__ == "__main__":
    sys.exit(main())
