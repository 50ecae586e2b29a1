#!/usr/bin/python3
"""Each allocation of a run fails once: start, sampling, upload, stop.

The real program with a malloc that fails at the N-th call, for every N. It may refuse to start or
lose an upload, never crash or hang, and no row that was in the ring or in the spool may be lost.
Every tenth point, memory stays short from there on. With --https, OpenSSL's allocations are among
them, for the handshake, the check of the certificate and each record.
"""

import random
import subprocess
import sys

from common import BUILD, Store, finish, parser, seed_of
from traced import RUN_S, Lane, Point, sweep

SHIM = BUILD / "libfailing_malloc.so"
FOR_EVER_SHARE = 0.1
HANG_S = 30
# The program's own: 0 went on, 1 could not start or save, 2 settings; the dynamic linker says 127.
ALLOWED = {0, 1, 2, 127}


def run(lane: Lane, env: dict[str, str]) -> int | None:
    process = lane.camera.start(
        "--duration", str(RUN_S), env={"LD_PRELOAD": str(SHIM), **env}
    )
    try:
        return process.wait(HANG_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def count(lane: Lane) -> int:
    """Allocations of a run over a dirty spool, with an upload."""
    out = lane.camera.folder / "count"
    most = 0
    for _ in range(3):
        run(lane, {"MALLOC_COUNT_TO": str(out)})
        most = max(most, int(out.read_text()))
    return most


def fail_at(lane: Lane, point: Point) -> None:
    env = {"MALLOC_FAIL_AT": point.what.rstrip("+")}
    if point.what.endswith("+"):
        env["MALLOC_FAIL_EVER"] = "1"
    code = run(lane, env)
    lane.points += 1
    lane.camera.note_ring(lane.produced)
    if code not in ALLOWED:
        how = "hung" if code is None else f"ended with {code}"
        lane.problems.append(f"allocation {point.what}: {how}: {lane.camera.said()[-300:]}")


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--points", type=int, default=0, help="a random sample; 0 = all")
    options.add_argument("--https", action="store_true", help="upload through TLS")
    args = options.parse_args()
    dice = random.Random(seed_of(args))
    with Store(args.https) as store:
        counter = Lane("count", store)
        total = count(counter)
        counter.close(False)
        numbers = list(range(1, total + 1))
        dice.shuffle(numbers)
        if args.points:
            numbers = numbers[: args.points]
        points = [
            Point("process", "malloc", f"{n}{'+' if dice.random() < FOR_EVER_SHARE else ''}")
            for n in numbers
        ]
        problems, lanes = sweep(store, points, args.jobs or 12, "malloc", fail_at)
    for lane in lanes:
        lane.close(args.keep)
    way = "https" if args.https else "http"
    return finish("malloc_fails", problems, f"{len(points)} of {total} allocations over {way}")


if __name__ == "__main__":
    sys.exit(main())
