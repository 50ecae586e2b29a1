"""Secrets in settings that are looked at or mistyped, and in a process that others look at."""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from lab import canary
from lab.logger import PATIENCE_S, binary, environment, wait_until

NOBODY = 65534


@pytest.mark.parametrize("action", ["--print-config", "--check-config", "--probe"])
def test_looking_at_good_settings(make_logger, action):
    secret = canary.new()
    logger = make_logger(chrony_address="127.0.0.1:9", log_level="debug", **canary.all_secrets(secret))
    done = logger.run(action)
    assert "proxy" in done.stdout or action != "--print-config"
    assert not canary.is_in(secret, (done.stdout + done.stderr).encode())


NAMES = ["presigned_url_time_log", "url_source", "s3_endpoint", "upload_interval_s", "csv_format"]


@pytest.mark.parametrize("name", NAMES)
def test_bad_settings_are_named_and_not_told(make_logger, name):
    secret = canary.new()
    for url in canary.bad_urls(secret):
        logger = make_logger(**{name: url})
        for action in ("--check-config", "--print-config", "--duration=1"):
            done = logger.run(action)
            assert done.returncode == 2, f"{url} was taken"
            assert name in done.stderr
            assert not canary.is_in(secret, (done.stdout + done.stderr).encode()), done.stderr


@pytest.mark.parametrize(
    "name, value",
    [
        ("s3_secret_access_key", "SECRET\n"),
        ("s3_secret_access_key", 600 * "SECRET"),
        ("proxy", "http://user:SECRET@h:3128\n"),
        ("proxy", f"http://user:{600 * 'SECRET'}@h:3128"),
        ("proxy", "http://user:SECRET@h:99999"),
        ("proxy", "user:SECRET@h:port"),
        ("proxy", "http://user:SECRET@"),
        ("proxy", "ftp://user:SECRET@h:3128"),
        ("proxy", "http://user:SEC?RET@h:99999"),
    ],
)
def test_bad_keys_and_proxies_are_named_and_not_told(make_logger, name, value):
    secret = canary.new()
    text = value.replace("SECRET", secret).replace("SEC?RET", f"{secret}?{secret}")
    done = make_logger(**{name: text}).run("--check-config")
    assert done.returncode == 2 and name in done.stderr
    assert not canary.is_in(secret, done.stderr.encode()), done.stderr


def test_a_mistyped_command_line_is_not_repeated(make_logger):
    secret = canary.new()
    url = f"https://h/k?X-Amz-Signature={secret}"
    logger = make_logger()
    for words in (
        [url],
        ["--set", "presigned_url_time_log", url],
        ["--set", url],
        ["--set", f"presigned_url_time_log:{url}"],
        ["--set", f"presigned_url_timelog={url}"],
        [f"--seturl_source={url}"],
        [f"--json={url}"],
        [f"-{url}"],
        ["--duration", url],
    ):
        done = logger.run(*words)
        assert done.returncode == 2, words
        assert done.stderr.startswith("ntp_logger: ")
        assert not canary.is_in(secret, (done.stdout + done.stderr).encode()), done.stderr


# ---- from outside -------------------------------------------------------------------------------


def unlimited_cores() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def end_by(command: list[str], number: int, cwd, ready) -> int:
    """Starts it with cores allowed, kills it by that signal; the kernel's word on its end."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(),
        preexec_fn=unlimited_cores,
        stderr=subprocess.DEVNULL,
    )
    wait_until(ready, "the program to run")
    process.send_signal(number)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -number
    return status


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_no_crash_leaves_a_core(make_logger, tmp_path, number):
    control = end_by(["sleep", "60"], number, tmp_path, lambda: time.sleep(0.2) or True)
    if not os.WCOREDUMP(control):
        pytest.skip("this machine writes no cores at all")
    logger = make_logger(**canary.all_secrets(canary.new()))
    status = end_by(
        logger.command(), number, logger.folder, lambda: list(logger.spool.glob("*.part"))
    )
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number
    assert not os.WCOREDUMP(status)
    assert [path for path in logger.folder.rglob("*core*")] == []


READ = """
import sys
for name in ("environ", "mem", "maps", "auxv"):
    try:
        with open(f"/proc/{sys.argv[1]}/{name}", "rb") as file:
            name != "mem" and file.read()
        print("opened", name)
    except PermissionError:
        print("refused", name)
"""


def test_its_memory_is_closed_to_the_very_user_that_it_runs_as(make_logger):
    as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

    def look_at(pid: int) -> str:
        command = ["/usr/bin/python3", "-c", READ, str(pid)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True, **as_user
        ).stdout

    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        place = pathlib.Path(folder)
        program = shutil.copy(binary(), place)
        logger = make_logger(spool_dir=str(place / "spool"), ring_dir="", **canary.all_secrets("x"))
        shutil.copy(logger.config, place)
        if as_user:
            for path in (place, *place.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        control = subprocess.Popen(["sleep", "60"], **as_user)
        process = subprocess.Popen(
            [program, "--config", str(place / "config.json")],
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment(),
            **as_user,
        )
        try:
            wait_until(lambda: list(place.glob("spool/*.part")), "the program to run")
            assert "opened environ" in look_at(control.pid), "the control can be looked at"
            assert "opened" not in look_at(process.pid)
        finally:
            for started in (control, process):
                started.kill()
                started.wait(PATIENCE_S)
