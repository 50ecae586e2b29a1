"""An emulated camera: installs a package as the device does and runs its program under qemu.

The package's files belong to root and cannot be written; only localdata/ belongs to the user that
the program runs as, and only it survives an upgrade. The program's environment is nearly empty and
what it prints goes to the camera's log.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import time

from lab import rows
from lab.logger import PATIENCE_S, wait_until

APP = "ntp_logger"
APP_ID = 23001  # user and group of the application: nobody else's
# with the oldest processor that cameras of the architecture have
EMULATOR = {
    "aarch64": ["qemu-aarch64-static", "-cpu", "cortex-a53", "-L", "/usr/aarch64-linux-gnu"],
    "armv7hf": ["qemu-arm-static", "-cpu", "cortex-a9", "-L", "/usr/arm-linux-gnueabihf"],
}


def running_as_root() -> bool:
    return os.geteuid() == 0


class EmulatedCamera:
    """A camera with one application slot."""

    def __init__(self, arch: str):
        self.arch = arch
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="ntpl-camera-"))
        self.root.chmod(0o755)
        self.app = self.root / "usr" / "local" / "packages" / APP
        self.local = self.app / "localdata"
        self.log = self.root / "app.log"
        # where the ring goes: tmpfs, as on a camera
        self.shm = pathlib.Path(tempfile.mkdtemp(prefix="ntpl-camera-", dir="/dev/shm"))
        self.give_to_app(self.shm)
        self.guest: dict[str, str] = {}  # environment of the program alone, not of the emulator
        self.process: subprocess.Popen | None = None
        self.most_memory_kib = 0

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.root)
        shutil.rmtree(self.shm)

    @staticmethod
    def give_to_app(path: pathlib.Path) -> None:
        if running_as_root():
            os.chown(path, APP_ID, APP_ID)

    # ---- installing ---------------------------------------------------------------------------

    def install(self, package: pathlib.Path) -> None:
        """Installs or upgrades: all files are new, localdata stays."""
        kept = self.root / "kept"
        if self.local.exists():
            self.local.rename(kept)
        shutil.rmtree(self.app, ignore_errors=True)
        self.app.mkdir(parents=True)
        with tarfile.open(package) as archive:
            archive.extractall(self.app, numeric_owner=True)
        self._forbid_writing()
        if kept.exists():
            kept.rename(self.local)
        else:
            self.local.mkdir(mode=0o750)
            self.give_to_app(self.local)

    def _forbid_writing(self) -> None:
        """The app's own folder is not its to write, whoever runs these tests."""
        for path in [self.app, *self.app.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222 if path.is_file() else 0o755)
            if running_as_root():
                os.chown(path, 0, 0)

    def configure(self, **settings) -> None:
        """Writes localdata/config.json, as an integrator with access to the camera would."""
        new = self.local / "config.json.new"
        new.write_text(json.dumps(settings))
        self.give_to_app(new)
        new.rename(self.local / "config.json")

    # ---- running ------------------------------------------------------------------------------

    def command(self, *args: str) -> list[str]:
        given = [word for name, value in self.guest.items() for word in ("-E", f"{name}={value}")]
        return [*EMULATOR[self.arch], *given, str(self.app / APP), *args]

    def _how(self) -> dict:
        how = {
            "cwd": self.app,
            "env": {"PATH": "/usr/bin:/bin", "G_SLICE": "always-malloc"},
        }
        if running_as_root():
            how |= {"user": APP_ID, "group": APP_ID, "extra_groups": []}
        return how

    def start(self, *args: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(*args), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._how()
            )

    def run(self, *args: str, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess:
        """To its end, for --version and the like."""
        return subprocess.run(
            self.command(*args), capture_output=True, text=True, timeout=timeout_s, **self._how()
        )

    def stop(self, timeout_s: float = PATIENCE_S) -> tuple[int, float]:
        """SIGTERM; exit code and seconds."""
        self._note_memory()
        begun = time.monotonic()
        self.process.terminate()
        return self.process.wait(timeout_s), time.monotonic() - begun

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None and self.process.poll() is None:
            self._note_memory()
            self.process.kill()
            self.process.wait()

    def _note_memory(self) -> None:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
        if peak:
            self.most_memory_kib = max(self.most_memory_kib, int(peak.split()[1]))

    # ---- looking ------------------------------------------------------------------------------

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def spool(self) -> pathlib.Path:
        return self.local / "spool"

    def spooled(self) -> list[rows.Row]:
        """The rows that wait on the camera, oldest first; for a stopped program."""
        parts = sorted(self.spool.glob("[0-9]*.csv")) + sorted(self.spool.glob("[0-9]*.csv.part"))
        contents = [path.read_bytes() for path in parts]
        return rows.parse_files(content for content in contents if content)

    def wait_for_rows(self, count: int) -> None:
        """Rows reach the disk with each commit; a sealed segment shows the first of them."""
        wait_until(lambda: self._lines() >= count, f"{count} rows in {self.spool}")

    def _lines(self) -> int:
        total = 0
        for path in self.spool.glob("[0-9]*"):
            try:
                total += max(0, path.read_bytes().count(b"\n") - 1)
            except FileNotFoundError:  # uploaded meanwhile
                continue
        return total
