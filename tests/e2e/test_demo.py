"""The README's first command, with a short run: what it promises is there when it ends."""

import pathlib
import subprocess

import pytest

from lab.rows import assert_exactly_once, parse_files
from lab.shell import ROOT

DEMO = ROOT / "tools" / "demo.sh"


def run(*args):
    return subprocess.run([DEMO, *args], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    output = tmp_path_factory.mktemp("demo") / "results"
    done = run("--seconds", "17", "--output", str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    return done, output


def test_rows_and_status_arrive_in_the_bucket(demo):
    done, output = demo
    logs = sorted((output / "arrived").glob("*-camera1-time_log.csv"))
    assert len(logs) >= 2
    assert_exactly_once(parse_files(log.read_bytes() for log in logs))
    assert "camera1/ntp_status.txt" in done.stdout
    assert "Leap status     : Normal" in done.stdout
    assert (output / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_it_shows_progress_and_tells_no_secret(demo):
    done, _ = demo
    assert "10 of 17 s" in done.stderr
    assert "X-Amz-Signature" not in done.stdout + done.stderr
    assert "\033" not in done.stdout + done.stderr


def test_it_stops_what_it_started(demo):
    _, output = demo
    env = dict(
        line.removeprefix("export ").split("=", 1)
        for line in (output / "lab.env").read_text().splitlines()
    )
    folders = (env["S3_LAB_DIR"], env["NTP_LAB_DIR"])
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # ended meanwhile
        assert not any(folder in command for folder in folders), command
    assert not any(pathlib.Path(folder).exists() for folder in folders)


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path):
    (tmp_path / "precious").write_text("mine")
    done = run("--output", str(tmp_path))
    assert done.returncode == 2 and str(tmp_path) in done.stderr
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("seconds", ["0", "9", "-1", "3601", "long", "10.5", ""])
def test_bad_seconds_are_refused(seconds):
    done = run("--seconds", seconds)
    assert done.returncode == 2 and f"'{seconds}'" in done.stderr
