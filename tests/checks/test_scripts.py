"""Every script that people call explains itself and refuses what it does not know."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*ROOT.glob("tools/*.sh"), *ROOT.glob("tools/lab/*.sh")])
# a part that others source has no run bit
CALLED = [path for path in SCRIPTS if path.stat().st_mode & 0o100]


def run(path, *args):
    return subprocess.run([path, *args], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("path", CALLED, ids=lambda path: path.name)
def test_help_is_given_and_nothing_else_is_done(path):
    done = run(path, "--help")
    assert done.returncode == 0, done.stderr
    assert path.name in done.stdout.splitlines()[0]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "name",
    ["install-deps", "test", "demo", "newcomer", "lab/s3-start", "lab/s3-stop", "lab/ntp-start",
     "lab/ntp-stop"],
)
def test_an_unknown_option_is_named(name):
    done = run(ROOT / "tools" / f"{name}.sh", "--frobnicate")
    assert done.returncode == 2
    assert "--frobnicate" in done.stderr


def test_missing_packages_are_only_reported_by_check():
    done = run(ROOT / "tools" / "install-deps.sh", "--check", "build")
    assert done.returncode in (0, 1)
    assert "missing" in done.stderr
