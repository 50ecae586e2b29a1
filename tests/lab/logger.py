"""Runs the real program: its configuration, its folders, its end."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable

from lab import rows

# Generous: a busy machine must not fail a test.
PATIENCE_S = 60


def binary() -> pathlib.Path:
    """The program under test, named by NTP_LOGGER_BIN."""
    path = os.environ.get("NTP_LOGGER_BIN")
    if not path or not os.access(path, os.X_OK):
        raise RuntimeError(
            f"NTP_LOGGER_BIN is {path!r}: set it to the built ntp_logger "
            "(cmake --preset host && cmake --build --preset host gives build/host/ntp_logger)"
        )
    return pathlib.Path(path).resolve()


def wait_until(ready: Callable[[], object], what: str, timeout_s: float = PATIENCE_S):
    """Polls until `ready` gives something true and returns that."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = ready()
        if result:
            return result
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        time.sleep(0.05)


def environment() -> dict[str, str]:
    """Ours, without what the logger would take for settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith("NTP_LOGGER_")}


class Logger:
    """One ntp_logger with a folder of its own; settings are given as C7 names them."""

    def __init__(self, folder: pathlib.Path, **settings):
        self.folder = folder
        self.spool = folder / "spool"
        self.config = folder / "config.json"
        self.process: subprocess.Popen | None = None
        self._said: list[str] = []
        self._reader: threading.Thread | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ring").mkdir(exist_ok=True)
        self.settings = {
            "sample_interval_ms": 200,
            "upload_interval_s": 3,
            "first_upload_s": 1,
            "upload_jitter": 0,
            "commit_interval_s": 5,
            "allow_http": True,
            "spool_dir": str(self.spool),
            "ring_dir": str(folder / "ring"),
            **settings,
        }
        self.write_config()

    def __enter__(self) -> "Logger":
        self.start()
        return self

    def __exit__(self, *_exc) -> None:
        self.kill()

    def write_config(self, **changes) -> None:
        """Writes the config file whole, as a careful administrator would."""
        self.settings.update(changes)
        new = self.config.with_suffix(".new")
        new.write_text(json.dumps(self.settings, indent=2))
        new.rename(self.config)

    def command(self, *args: str) -> list[str]:
        return [str(binary()), "--config", str(self.config), *args]

    def start(self, *args: str, settings: dict[str, str] | None = None) -> None:
        """Starts it, with SETTINGS in its environment; what it says is collected while it runs."""
        env = environment()
        env |= {f"NTP_LOGGER_{name.upper()}": value for name, value in (settings or {}).items()}
        self.process = subprocess.Popen(
            self.command(*args), stderr=subprocess.PIPE, text=True, env=env, cwd=self.folder
        )
        self._reader = threading.Thread(target=self._collect, args=(self.process,), daemon=True)
        self._reader.start()

    def _collect(self, process: subprocess.Popen) -> None:
        for line in process.stderr:
            self._said.append(line)

    @property
    def said(self) -> str:
        """Everything it said on stderr so far."""
        return "".join(self._said)

    def stop(self, how: int = signal.SIGTERM, timeout_s: float = PATIENCE_S) -> tuple[int, float]:
        """Sends the signal; returns the exit code and the seconds it took."""
        begun = time.monotonic()
        self.process.send_signal(how)
        return self.wait(timeout_s), time.monotonic() - begun

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Waits for its own end; returns the exit code."""
        code = self.process.wait(timeout_s)
        self._reader.join(10)
        return code

    def kill(self) -> None:
        """kill -9, if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.wait()

    def run(self, *args: str, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess:
        """Runs it to its end, for calls that are expected to end by themselves."""
        return subprocess.run(
            self.command(*args), capture_output=True, text=True, env=environment(), timeout=timeout_s
        )

    def sealed(self) -> list[pathlib.Path]:
        """Sealed segments, oldest first."""
        return sorted(self.spool.glob("[0-9]*.csv"))

    def bytes_on_disk(self) -> int:
        """What the spool holds, also while the logger runs."""
        return sum(path.stat().st_size for path in self.spool.glob("[0-9]*"))

    def spooled(self, sent: list[bytes] = ()) -> list[rows.Row]:
        """The rows on disk, oldest first, when nothing writes.

        Segments that are in SENT byte for byte are left out: a stop may cut off a transfer that the
        server completes, and then the segment is rightly kept although it is stored.
        An active segment without a row may still be empty.
        """
        segments = self.sealed() + sorted(self.spool.glob("[0-9]*.csv.part"))
        contents = [path.read_bytes() for path in segments]
        return rows.parse_files(body for body in contents if body and body not in sent)

    def all_rows(self, sent: list[bytes]) -> list[rows.Row]:
        """What was SENT and what still waits here, in order, each row once."""
        return rows.parse_files(sent) + self.spooled(sent)
