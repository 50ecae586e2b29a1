"""The real program under strace, which kills it at one system call or makes that call fail.

A target is the whole process from its start, or one thread that strace is attached to: strace
counts calls thread by thread, and the main thread's many would hide those of the others.
"""

import collections
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time

from common import PATIENCE_S, Camera, Progress, in_parallel
from ledger import Ledger

THREADS = ("writer", "uploader", "sampler")
WHOLE = "process"
RUN_S = 2


@dataclasses.dataclass(frozen=True)
class Point:
    """One injection: `syscall` of `target`, in strace's own words."""

    target: str
    syscall: str
    what: str  # "signal=KILL:when=3", "error=EIO:when=2+"

    def __str__(self) -> str:
        return f"{self.target} {self.syscall}:{self.what}"


def need_strace() -> None:
    if shutil.which("strace") is None:
        sys.exit("strace is missing; run tools/install-deps.sh (as root or with sudo)")


def thread_id(pid: int, name: str) -> str | None:
    """The thread's id once it runs, None when the process ended before."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            task = f"/proc/{pid}/task"
            for tid in os.listdir(task):
                with open(f"{task}/{tid}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == name:
                        return tid
        except (FileNotFoundError, ProcessLookupError):
            pass
        if not os.path.exists(f"/proc/{pid}/exe"):
            return None
        time.sleep(0.002)
    return None


def run(camera: Camera, point: Point, out: str = "/dev/null") -> int:
    """One run of RUN_S seconds with the injection; the program's exit code, negative = signal."""
    inject = ["-e", f"trace={point.syscall}", "-e", f"inject={point.syscall}:{point.what}"]
    if not point.what:
        inject = []
    if point.target == WHOLE:
        wrapper = ["strace", "-f", "-qq", "-o", out, *inject]
        return camera.start("--duration", str(RUN_S), wrapper=wrapper).wait(PATIENCE_S)
    process = camera.start("--duration", str(RUN_S))
    tid = thread_id(process.pid, point.target)
    tracer = None
    if tid is not None:
        tracer = subprocess.Popen(
            ["strace", "-qq", "-o", out, "-p", tid, *inject], stderr=subprocess.DEVNULL
        )
    code = process.wait(PATIENCE_S)
    if tracer is not None:
        tracer.wait(PATIENCE_S)
    return code


@dataclasses.dataclass
class Calls:
    """How often each system call is made, by one thread at most; before the spool is touched, too."""

    most: collections.Counter
    before: collections.Counter


def count_calls(camera: Camera, target: str) -> Calls:
    """Counts the calls of one run of TARGET."""
    out = camera.folder / "strace.out"
    run(camera, Point(target, "all", ""), str(out))
    by_thread: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    before = None if target == WHOLE else collections.Counter()
    for line in out.read_text(errors="replace").splitlines():
        found = re.match(r"(?:(\d+) +)?(\w+)\(", line)
        if not found:
            continue
        if before is None and str(camera.spool) in line:
            before = by_thread[found[1] or ""].copy()
        by_thread[found[1] or ""][found[2]] += 1
    most: collections.Counter = collections.Counter()
    for calls in by_thread.values():
        most |= calls
    return Calls(most, before or collections.Counter())


def count_twice(camera: Camera, target: str) -> Calls:
    """Over a fresh and over a dirty spool: the larger counts."""
    first, second = count_calls(camera, target), count_calls(camera, target)
    return Calls(first.most | second.most, first.before | second.before)


class Lane:
    """A camera that goes from one injection to the next, as the former one left it."""

    def __init__(self, name: str, store):
        # few ticks, so that what each of them does is not repeated too often
        self.bucket, addresses = store.bucket()
        self.camera = Camera(name, sample_interval_ms=200, **addresses)
        self.produced: dict = {}
        self.problems: list[str] = []
        self.points = 0
        self.hit = 0

    def verdict(self) -> Ledger:
        ledger = Ledger(produced=self.produced)
        code = self.camera.run_clean(0.5)
        if code != 0:
            ledger.problem(f"a clean run ended with {code}: {self.camera.said()[-300:]}")
        for body in self.bucket.versions("time_log.csv"):
            ledger.add_stored(body)
        ledger.add_spool(self.camera.spool)
        ledger.check()
        return ledger

    def try_point(self, point: Point, allowed: set[int], hit_codes: set[int]) -> None:
        """Runs one injection; any exit code that is not allowed is a problem."""
        code = run(self.camera, point)
        self.points += 1
        self.hit += code in hit_codes
        self.camera.note_ring(self.produced)
        if code not in allowed:
            self.problems.append(f"{point}: exit code {code}: {self.camera.said()[-200:]}")

    def close(self, keep: bool) -> None:
        if keep or self.problems:
            print(f"left for a look: {self.camera.folder}", file=sys.stderr)
        else:
            self.camera.remove()


def sweep(store, points: list[Point], jobs: int, name: str, try_one) -> tuple[list[str], list[Lane]]:
    """Spreads the points over JOBS cameras; the books are checked now and then and at the end."""
    lanes = [Lane(f"{name}{number}", store) for number in range(jobs)]
    progress = Progress(name, len(points))

    def work(pair) -> None:
        lane, mine = pair
        for number, point in enumerate(mine, start=1):
            try_one(lane, point)
            progress.step()
            if number % 25 == 0 or number == len(mine):
                problems = lane.verdict().problems
                if problems:
                    lane.problems += [f"by {point} at the latest: {text}" for text in problems]
                    return

    shares = [points[number::jobs] for number in range(jobs)]
    in_parallel(jobs, work, zip(lanes, shares), Progress("lanes", jobs))
    return sum((lane.problems for lane in lanes), []), lanes
