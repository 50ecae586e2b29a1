"""The lab's shell scripts, called from Python: one way to start a server, for people and tests."""

import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools" / "lab"


class LabError(Exception):
    """A lab script failed; the text is what it said."""


def exports(command: list, timeout_s: float = 180) -> dict[str, str]:
    """Runs a script that prints `export NAME=value` lines and returns them."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=timeout_s
    )
    if done.returncode != 0:
        raise LabError(f"{shlex.join(map(str, command))}: exit {done.returncode}\n{done.stderr}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("export ")]
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)
