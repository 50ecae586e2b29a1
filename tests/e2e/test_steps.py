"""Steps and slews of the wall clock, made by libfaketime for the whole program."""

import pathlib
import time

import pytest

from lab.logger import wait_until
from lab.rows import assert_exactly_once

LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
FIFTY_YEARS_S = 1577880000


class FakeClock:
    """The wall clock of one program; MONOTONIC stays the machine's own."""

    def __init__(self, file: pathlib.Path):
        self._file = file
        self.set("+0")

    def set(self, offset: str) -> None:
        """Offset from the true time as libfaketime reads it, at once and whole."""
        new = self._file.with_suffix(".new")
        new.write_text(offset + "\n")
        new.rename(self._file)

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def clock(tmp_path):
    assert LIBRARIES, "libfaketime is missing; run tools/install-deps.sh lab"
    return FakeClock(tmp_path / "clock")


@pytest.fixture
def start(monkeypatch, clock):
    """Starts a logger under the fake clock; nothing else gets it."""

    def start_logger(logger, *args):
        with monkeypatch.context() as patch:
            for key, value in clock.environment().items():
                patch.setenv(key, value)
            logger.start(*args)

    return start_logger


def steps(rows) -> list[float]:
    return [float(row.event("step")) for row in rows if row.event("step")]


def test_each_step_is_told_once_with_its_size(make_logger, bucket, chrony_address, clock, start):
    offsets = [0.1, 0.1 - 3600, 0.1 - 3600 + FIFTY_YEARS_S, 0]
    logger = make_logger(
        chrony_address=chrony_address, sample_interval_ms=500, **bucket.presigned_settings()
    )
    start(logger)
    time.sleep(2)
    for offset in offsets:
        clock.set(f"{offset:+.9f}")
        time.sleep(2)
    statuses = len(bucket.versions("ntp_status.txt"))
    wait_until(lambda: len(bucket.versions("ntp_status.txt")) > statuses + 1, "a status after it")
    assert logger.stop()[0] == 0, logger.said
    rows = logger.all_rows(bucket.versions("time_log.csv"))
    assert_exactly_once(rows)
    wanted = [0.1, -3600, FIFTY_YEARS_S, 3600 - 0.1 - FIFTY_YEARS_S]
    found = steps(rows)
    assert len(found) == len(wanted), found
    for step, size in zip(found, wanted):
        # to the accuracy of the reads: libfaketime alone makes a window of some microseconds
        assert abs(step - size) < 0.0005, found
    assert_ledger_tells(bucket.versions("ntp_status.txt")[-1].decode(), rows, wanted)


def assert_ledger_tells(status: str, rows, wanted) -> None:
    """The table in the status names the same steps, with the rows that tell them."""
    lines = status.split("time_steps.csv\n", 1)[1].splitlines()
    assert lines[0] == "instant_before,instant_after,size_s,direction,sync_state,boot_id,seq"
    entries = [line.split(",") for line in lines[1 : 1 + len(wanted)]]
    stepped = [row for row in rows if row.event("step")]
    for entry, row, size in zip(entries, stepped, wanted):
        before, after, told, direction, _state, boot_id, seq = entry
        assert abs(float(told) - size) < 0.0005
        assert direction == ("forward" if size > 0 else "backward")
        assert (before < after) == (size > 0)
        assert (boot_id, seq) == (row.fields["boot_id"], row.fields["seq"])


def test_a_slew_of_100_ppm_is_no_step(make_logger, chrony_address, clock, start):
    logger = make_logger(chrony_address=chrony_address, sample_interval_ms=200)
    start(logger, "--duration", "12")
    time.sleep(3)
    clock.set("+0 x1.0001")
    time.sleep(6)
    assert logger.wait() == 0, logger.said
    rows = logger.spooled()
    assert_exactly_once(rows)
    slewed_us = sum(
        int(row.fields["elapsed_system_time"]) - int(row.fields["elapsed_time"]) for row in rows
    )
    assert slewed_us > 300, "libfaketime did not slew"
    assert steps(rows) == []


def test_small_steps_are_told_too(make_logger, chrony_address, clock, start):
    logger = make_logger(chrony_address=chrony_address, sample_interval_ms=200)
    start(logger, "--duration", "7")
    time.sleep(2)
    clock.set("+0.002")
    time.sleep(2)
    clock.set("-0.003")
    assert logger.wait() == 0, logger.said
    found = steps(logger.spooled())
    assert len(found) == 2, found
    assert abs(found[0] - 0.002) < 0.0005 and abs(found[1] + 0.005) < 0.0005, found


def test_a_step_is_on_disk_at_once(make_logger, chrony_address, clock, start):
    logger = make_logger(chrony_address=chrony_address, commit_interval_s=900)
    start(logger)
    time.sleep(2)
    clock.set("+100")

    def is_there():
        return any(b";step=" in path.read_bytes() or b",step=" in path.read_bytes() for path in logger.spool.glob("[0-9]*"))

    wait_until(is_there, "the step's row on disk", timeout_s=20)
    assert logger.process.poll() is None  # nothing was closed to get there
    assert logger.stop()[0] == 0
