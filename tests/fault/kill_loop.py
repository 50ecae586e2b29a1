#!/usr/bin/python3
"""kill -9 at a random instant, thousands of times: 0 rows lost, 0 torn, 0 doubled.

The real program samples each 5 ms, commits, seals and uploads to a real S3 server, and is killed
after 0 to 200 ms, now and then after some seconds. At the end one clean run, then every row that
was ever numbered must be in the bucket or in the spool, once.
"""

import random
import sys
import time

from common import Camera, Progress, Store, finish, in_parallel, parser, seed_of
from ledger import Ledger

LONG_SHARE = 0.05
CHECK_EVERY = 1000


def life_s(dice: random.Random) -> float:
    """How long the next run may live: mostly within start and recovery, sometimes an upload."""
    return dice.uniform(0.9, 2.5) if dice.random() < LONG_SHARE else dice.uniform(0, 0.2)


def check(camera: Camera, bucket, produced: dict) -> Ledger:
    ledger = Ledger(produced=produced)
    for body in bucket.versions("time_log.csv"):
        ledger.add_stored(body)
    ledger.add_spool(camera.spool)
    bad = camera.spool / "bad"
    if bad.exists():
        ledger.problem(f"files in bad/: {[path.name for path in bad.iterdir()]}")
    ledger.check()
    return ledger


class Lane:
    """One camera that is killed again and again."""

    def __init__(self, number: int, store: Store, seed: int):
        self.dice = random.Random(f"{seed}-{number}")
        self.bucket, addresses = store.bucket()
        self.camera = Camera(f"kill{number}", **addresses)
        self.ended_early = 0
        self.produced: dict = {}
        self.sabotage = ""
        self.harmed = False

    def do_harm(self, rows_in_ring: int) -> None:
        """What this proof must notice: rows that vanish while nobody runs.

        Only where there are rows to lose, and the first time that there are for certain.
        """
        sealed = list(self.camera.spool.glob("[0-9]*.csv"))
        victim = {"ring": rows_in_ring and self.camera.ring_file(), "segment": sealed and sealed[-1]}
        path = victim.get(self.sabotage)
        if path and (not self.harmed or self.dice.random() < 0.1):
            path.unlink()
            self.harmed = True

    def cycle(self) -> None:
        process = self.camera.start()
        time.sleep(life_s(self.dice))
        if process.poll() is not None:
            self.ended_early += 1
        process.kill()
        process.wait()
        self.do_harm(self.camera.note_ring(self.produced))

    def run(self, cycles: int, progress: Progress) -> list[str]:
        for number in range(cycles):
            self.cycle()
            progress.step()
            if number % CHECK_EVERY == CHECK_EVERY - 1:
                problems = self.verdict().problems
                if problems:
                    return [f"after {number + 1} cycles: {text}" for text in problems]
        return []

    def verdict(self) -> Ledger:
        code = self.camera.run_clean(1.0)
        ledger = check(self.camera, self.bucket, self.produced)
        if code != 0 or self.ended_early:
            ledger.problem(f"clean run ended with {code}, {self.ended_early} runs ended unasked")
        return ledger


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--cycles", type=int, default=10000)
    options.add_argument(
        "--sabotage",
        choices=["ring", "segment"],
        default="",
        help="delete the ring or a segment now and then: the proof must fail",
    )
    args = options.parse_args()
    seed = seed_of(args)
    lanes_wanted = min(args.jobs or 4, args.cycles)
    with Store() as store:
        lanes = [Lane(number, store, seed) for number in range(lanes_wanted)]
        for lane in lanes:
            lane.sabotage = args.sabotage
        progress = Progress("kill -9", args.cycles)
        share = [args.cycles // len(lanes)] * len(lanes)
        share[0] += args.cycles - sum(share)
        quiet = Progress("lanes", len(lanes))
        found = in_parallel(
            len(lanes), lambda pair: pair[0].run(pair[1], progress), zip(lanes, share), quiet
        )
        ledgers = [lane.verdict() for lane in lanes]
    problems = sum(found, []) + sum((ledger.problems for ledger in ledgers), [])
    rows = sum(len(ledger.stored) + len(ledger.spooled) for ledger in ledgers)
    stored = sum(len(ledger.stored) for ledger in ledgers)
    seen = sum(len(ledger.produced) for ledger in ledgers)
    repeats = sum(ledger.repeats for ledger in ledgers)
    for lane in lanes:
        if (problems and not args.sabotage) or args.keep:
            print(f"left for a look: {lane.camera.folder}", file=sys.stderr)
        else:
            lane.camera.remove()
    return finish(
        "kill_loop",
        problems,
        f"{args.cycles} kills, {rows} rows, {seen} of them seen in the ring of a dead process, "
        f"{stored} in S3, "
        f"{repeats} identical re-uploads",
    )


if __name__ == "__main__":
    sys.exit(main())
