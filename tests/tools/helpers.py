"""What the tests share: series out of text, tools run as a person runs them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(HERE)]

# One backend without a window; credentials only from what a test sets, never from the machine.
os.environ["MPLBACKEND"] = "Agg"
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"

from desk.rows import Rows, read_part  # noqa: E402
from desk.series import Series, join  # noqa: E402


def series_of(*texts: str) -> Series:
    """The series of some files' texts."""
    rows = Rows()
    for number, text in enumerate(texts):
        read_part(io.BytesIO(text.encode()), f"part {number}", rows)
    return join(rows, "test")


def run_tool(name: str, *arguments, env: dict | None = None, cwd=None, check: bool = True):
    """A tool as a person starts it; stdout and stderr as text."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / name), *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    if check:
        assert done.returncode == 0, done.stderr
    return done
