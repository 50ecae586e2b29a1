"""What the proofs share: the real program in a folder of its own, progress, one way to report."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from ledger import waiting_records  # noqa: E402
from lab.logger import binary  # noqa: E402
from lab.s3 import S3Server  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
os.environ.setdefault("NTP_LOGGER_BIN", str(HERE.parents[1] / "build" / "host" / "ntp_logger"))
# where the shims and the driver are built
BUILD = pathlib.Path(os.environ.get("FAULT_BUILD", HERE.parents[1] / "build" / "host" / "tests" / "fault"))
PATIENCE_S = 60


def parser(doc: str) -> argparse.ArgumentParser:
    """Options that every proof has."""
    options = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seed", type=int, default=None, help="repeat a run (printed by it)")
    options.add_argument("--jobs", type=int, default=None, help="how many at a time")
    options.add_argument("--keep", action="store_true", help="leave the folders for a look")
    return options


def seed_of(args: argparse.Namespace) -> int:
    """The seed of this run, printed before anything can go wrong."""
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed} (repeat with --seed {seed})", flush=True)
    return seed


class Progress:
    """One line on a terminal, a line each ten seconds elsewhere."""

    def __init__(self, what: str, total: int):
        self.what, self.total, self.done = what, total, 0
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (0 if self._terminal else 10)
        self._lock = threading.Lock()

    def step(self, count: int = 1) -> None:
        with self._lock:
            self.done += count
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + (0.5 if self._terminal else 10)
            end = "\r" if self._terminal else "\n"
            print(f"{self.what}: {self.done}/{self.total}", end=end, file=sys.stderr, flush=True)


def finish(name: str, problems: list[str], figures: str) -> int:
    """Prints what was found and the line that torture.sh collects; the exit code."""
    for text in problems[:20]:
        print(f"{name}: error: {text}", file=sys.stderr)
    if len(problems) > 20:
        print(f"{name}: and {len(problems) - 20} more", file=sys.stderr)
    print(f"RESULT {'FAILED' if problems else 'passed'} {name}: {figures}", flush=True)
    return 1 if problems else 0


def tmpfs() -> pathlib.Path:
    """Where the ring can live: the proofs need it, so that a kill costs nothing."""
    place = pathlib.Path("/dev/shm")
    if not os.access(place, os.W_OK):
        sys.exit("the proofs need a writable tmpfs at /dev/shm")
    return place


_running: weakref.WeakSet = weakref.WeakSet()


class Camera:
    """A folder with spool, ring and configuration, in which the real program is run."""

    def __init__(self, name: str, disk: bool = False, **settings):
        base = tempfile.gettempdir() if disk else tmpfs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ntp-logger-{name}-", dir=base))
        self.ring = pathlib.Path(tempfile.mkdtemp(prefix="ntp-logger-ring-", dir=tmpfs()))
        self.spool = self.folder / "spool"
        self.log = self.folder / "log"
        self.settings = {
            "sample_interval_ms": 5,
            "commit_interval_s": 5,
            "first_upload_s": 1,
            "upload_interval_s": 1,
            "upload_jitter": 0,
            "allow_http": True,
            "spool_keep_free_mib": 1,
            "chrony_address": "127.0.0.1:9",  # nobody: the kernel's own answer will do
            "spool_dir": str(self.spool),
            "ring_dir": str(self.ring),
            **settings,
        }
        self.log.touch()
        self.configure()

    def configure(self, **changes) -> None:
        self.settings.update(changes)
        config = self.folder / "config.json"
        new = config.with_suffix(".new")
        new.write_text(json.dumps(self.settings))
        new.rename(config)

    def command(self, *args: str) -> list[str]:
        return [str(binary()), "--config", str(self.folder / "config.json"), *args]

    def start(self, *args: str, wrapper: list[str] | None = None, env=None) -> subprocess.Popen:
        """The program, or a wrapper around it such as strace; stderr goes to the log."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("NTP_LOGGER_")}
        clean.update(env or {})
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                (wrapper or []) + self.command(*args), stdout=log, stderr=log, env=clean
            )
        _running.add(process)
        return process

    def run_clean(self, seconds: float = 0.3) -> int:
        """A run without any fault, ended by SIGTERM: recovers, drains the ring, seals."""
        process = self.start()
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE_S)

    def ring_file(self) -> pathlib.Path | None:
        """The ring's file, if there is one."""
        return next(self.ring.glob("ntp_logger-*/ring-" + "[0-9a-f]" * 16), None)

    def note_ring(self, produced: dict) -> int:
        """Adds what waits in the ring of the dead process to PRODUCED; says how many rows."""
        ring = self.ring_file()
        waiting = list(waiting_records(ring)) if ring else []
        for boot, seq, wall_us in waiting:
            produced[(boot, seq)] = wall_us
        return len(waiting)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.ring, ignore_errors=True)


class Store:
    """A real S3 server for a whole proof; it ends with the proof, also when that is told to stop."""

    def __init__(self, https: bool = False):
        self.server = S3Server()
        self.https = https
        self._made = 0
        self._lock = threading.Lock()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._stopped)

    def _stopped(self, number, _frame) -> None:
        for process in list(_running):
            process.kill()
        self.server.stop()
        print(f"stopped by signal {number}", file=sys.stderr)
        os._exit(128 + number)  # the worker threads would go on

    def bucket(self, endpoint: str | None = None):
        """A new bucket and the settings that send to it. boto3 makes clients one at a time only."""
        with self._lock:
            self._made += 1
            made = self.server.bucket(f"proof-{self._made}")
            if not self.https:
                return made, made.presigned_settings(endpoint)
            urls = made.presigned_settings(endpoint or self.server.endpoint_https)
            return made, {**urls, "allow_http": False, "ca_bundle": str(self.server.ca)}

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_exc) -> None:
        self.server.stop()


def in_parallel(jobs: int, work, items, progress: Progress) -> list:
    """Runs work(item) for each item, JOBS at a time; the results in order."""

    def one(item):
        result = work(item)
        progress.step()
        return result

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, items))
