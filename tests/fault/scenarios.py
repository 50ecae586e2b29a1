#!/usr/bin/python3
"""Random troubles in random order, then the books: produced = in S3 + in the spool + declared lost.

Each scenario has its own camera, bucket and fault proxy before the real S3 server, and some seconds
of: server errors, hangs, resets, portals, lost answers; kills, stops, freezes; a disk that refuses
writes; a quota that evicts; a ring that overflows. Its seed is printed when it fails.
"""

import random
import resource
import signal
import subprocess
import sys
import time

from common import PATIENCE_S, Camera, Progress, Store, finish, in_parallel, parser, seed_of
from lab import faults
from lab.fault_proxy import FaultProxy
from lab.logger import wait_until
from ledger import Ledger

ACTS = (4, 9)
FAST_SHARE = 0.1
UNLIMITED = resource.RLIM_INFINITY


def random_fault(dice: random.Random) -> faults.Fault:
    times = dice.choice([None, 1, 2, 5])
    make = dice.choice(
        [
            lambda: faults.status(dice.choice([403, 404, 408, 429, 500, 502, 504]), times=times),
            lambda: faults.status(503, retry_after=dice.choice(["1", "2", "soon"]), times=times),
            lambda: faults.portal(times=times),
            lambda: faults.redirect(times=times),
            lambda: faults.hang(times=times),
            lambda: faults.reset(dice.choice([0, 100, 5000]), times=times),
            lambda: faults.lost_answer(times=times),
            lambda: faults.cut_answer(times=times),
            lambda: faults.stall(0.5, times=times),
            lambda: faults.slow(20000, times=times),
            lambda: faults.stale(times=times),
        ]
    )
    return make()


class Scenario:
    """One camera's bad day."""

    def __init__(self, seed: int, store: Store):
        self.seed = seed
        self.dice = random.Random(seed)
        self.proxy = FaultProxy(store.server.address)
        self.bucket, addresses = store.bucket(self.proxy.endpoint)
        # now and then so fast that a refusing disk overflows the ring and offline evicts
        fast = self.fast = self.dice.random() < FAST_SHARE
        self.camera = Camera(
            f"scenario{seed}",
            sample_interval_ms=1 if fast else self.dice.choice([5, 20, 50]),
            spool_quota_mib=1 if fast else 64,
            upload_interval_s=self.dice.choice([1, 2, 3]),
            **addresses,
        )
        self.process: subprocess.Popen | None = None
        self.produced: dict = {}
        self.problems: list[str] = []
        self.done: list[str] = []

    # ---- acts ----

    def start(self) -> None:
        if self.process is None or self.process.poll() is not None:
            starts = self.camera.said().count(" starts\n")
            self.process = self.camera.start()
            # from here on it has taken over the signals
            wait_until(lambda: self.camera.said().count(" starts\n") > starts, "the start")

    def live(self) -> None:
        time.sleep(self.dice.uniform(0.05, 1.5))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.camera.note_ring(self.produced)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        code = self.process.wait(PATIENCE_S)
        took = time.monotonic() - begun
        if code not in (0, 1):
            self.problems.append(f"SIGTERM: exit code {code} after {took:.1f} s")
        self.camera.note_ring(self.produced)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.1, 0.7))
        self.process.send_signal(signal.SIGCONT)

    def refuse_writes(self, seconds: float | None = None) -> None:
        """The disk takes nothing (EFBIG) for a while; the ring is memory and goes on."""
        pid = self.process.pid
        try:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, UNLIMITED))
            time.sleep(seconds or self.dice.uniform(0.2, 2.5))
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
        except ProcessLookupError:
            pass

    def overflow(self) -> None:
        """Longer than the ring can hold (8 s)."""
        self.refuse_writes(self.dice.uniform(8.5, 11))

    def evict(self) -> None:
        """Nobody there until the quota is full."""
        self.proxy.set(faults.status(503))
        time.sleep(self.dice.uniform(10, 14))

    def trouble(self) -> None:
        self.proxy.set(random_fault(self.dice))

    def no_trouble(self) -> None:
        self.proxy.clear()

    def act(self) -> None:
        self.start()
        acts = [self.live, self.live, self.kill, self.kill, self.stop, self.freeze]
        acts += [self.refuse_writes, self.trouble, self.trouble, self.no_trouble]
        act = self.dice.choice(acts + [self.overflow, self.evict] * (3 if self.fast else 0))
        self.done.append(act.__name__)
        act()

    # ---- the end ----

    def finish(self) -> Ledger:
        self.proxy.clear()
        if self.process is not None and self.process.poll() is None:
            self.stop()
        code = self.camera.run_clean(1.5)
        ledger = Ledger(produced=self.produced)
        if code != 0:
            ledger.problem(f"the clean run at the end: exit code {code}")
        for body in self.bucket.versions("time_log.csv"):
            ledger.add_stored(body)
        ledger.add_spool(self.camera.spool)
        ledger.problems += self.problems
        ledger.check()
        return ledger

    def play(self) -> Ledger:
        for _ in range(self.dice.randint(*ACTS)):
            self.act()
        ledger = self.finish()
        self.proxy.stop()
        if not ledger.problems:
            self.camera.remove()
        return ledger


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--count", type=int, default=1000)
    args = options.parse_args()
    seed = seed_of(args)
    # one scenario: --seed is its own
    seeds = [seed] if args.count == 1 else [seed * 100000 + n for n in range(args.count)]
    problems: list[str] = []
    figures = {"stored": 0, "spooled": 0, "lost": 0, "repeats": 0}

    with Store() as store:

        def work(number: int) -> None:
            scenario = Scenario(number, store)
            ledger = scenario.play()
            figures["stored"] += len(ledger.stored)
            figures["spooled"] += len(ledger.spooled)
            figures["lost"] += sum(len(seqs) for seqs in ledger.lost.values())
            figures["repeats"] += ledger.repeats
            for text in ledger.problems[:3]:
                acts = " ".join(scenario.done)
                problems.append(
                    f"--count 1 --seed {number}: {text} [{acts}] in {scenario.camera.folder}"
                )

        in_parallel(args.jobs or 6, work, seeds, Progress("scenarios", args.count))
    return finish(
        "scenarios",
        problems,
        f"{args.count} scenarios: {figures['stored']} rows in S3, {figures['spooled']} in spools, "
        f"{figures['lost']} declared lost, {figures['repeats']} files repeated identically",
    )


if __name__ == "__main__":
    sys.exit(main())
