"""A thousand rows a second, with uploads and a disk that stands still inside: none is lost.

And memory that stays as it is, over a million ticks.
"""

import dataclasses
import os
import statistics
import threading
import time

import pytest

from lab.rows import COLUMNS, without_repeats

KEY = "time_log.csv"
HEADER = ",".join(COLUMNS)


@dataclasses.dataclass
class Count:
    """What a run of rows says of itself, tick by tick."""

    rows: int = 0
    ticks: int = 0  # sampled or declared as missed
    losses: list[str] = dataclasses.field(default_factory=list)
    late_us: list[int] = dataclasses.field(default_factory=list)  # behind the first row's grid

    @property
    def missed(self) -> int:
        return self.ticks - self.rows

    @property
    def drift_us(self) -> float:
        """How much later the last rows came than the first; a late row or two does not count."""
        part = min(1000, len(self.late_us) // 3)
        return statistics.median(self.late_us[-part:]) - statistics.median(self.late_us[:part])


def rows_of(contents: list[bytes]):
    """(seq, elapsed_time, event) of every row; half a million dicts would be too much."""
    for content in contents:
        lines = content.decode("ascii").splitlines()
        assert lines[0] == HEADER
        for line in lines[1:]:
            fields = line.split(",")
            assert len(fields) == len(COLUMNS), line
            yield int(fields[6]), int(fields[0]), fields[-1]


def count_rows(contents: list[bytes], most_ticks: int) -> Count:
    """Counts the rows of the first `most_ticks` ticks; seq has no hole in all of them."""
    count = Count()
    last = elapsed_us = 0
    for seq, row_us, event in rows_of(contents):
        assert last == 0 or seq == last + 1, f"seq goes {last} -> {seq}"
        last = seq
        words = dict(word.partition("=")[::2] for word in event.split(";") if word)
        count.losses += [f"{seq}: {word}" for word in ("dropped", "evicted") if word in words]
        if count.ticks + 1 + int(words.get("gap", 0)) > most_ticks:
            continue
        elapsed_us += row_us
        count.ticks += 1 + int(words.get("gap", 0))
        count.rows += 1
        count.late_us.append(elapsed_us - (count.ticks - 1) * 1000)
    return count


def run(make_logger, bucket, chrony_address, order, duration_s: int):
    logger = make_logger(
        chrony_address=chrony_address,
        sample_interval_ms=1,
        commit_interval_s=5,
        upload_interval_s=max(duration_s // 3, 5),
        first_upload_s=3,
        spool_quota_mib=512,
        **bucket.presigned_settings(),
    )
    stall = threading.Timer(duration_s / 2, order.write_text, ["2000"])
    stall.start()
    logger.start("--duration", str(duration_s + 1))  # the second more is not counted
    assert logger.wait(duration_s + 60) == 0, logger.said
    assert not order.exists(), "the disk never stood still"
    uploaded = without_repeats(bucket.versions(KEY))
    assert len(uploaded) >= 2, "no upload came inside"
    spooled = logger.sealed() + sorted(logger.spool.glob("[0-9]*.csv.part"))
    kept = [content for content in (path.read_bytes() for path in spooled) if content]
    count = count_rows(uploaded + kept, duration_s * 1000)
    print(f"{count.rows} rows, {count.missed} ticks missed, drift {count.drift_us} us")
    assert not count.losses, count.losses
    assert abs(count.ticks - duration_s * 1000) <= 1
    assert abs(count.drift_us) < 1000
    return count


@pytest.fixture(name="order")
def fixture_order(tmp_path, monkeypatch):
    library = os.environ.get("SLOW_DISK_SO", "")
    assert os.access(library, os.R_OK), "SLOW_DISK_SO must name the built library"
    order = tmp_path / "order"
    monkeypatch.setenv("LD_PRELOAD", library)
    monkeypatch.setenv("SLOW_DISK_ORDER", str(order))
    return order


def test_a_thousand_rows_a_second_lose_none_while_the_disk_stands_still(
    make_logger, bucket, chrony_address, order
):
    # a busy machine may skip ticks; then the rows say so, and run() has counted them
    count = run(make_logger, bucket, chrony_address, order, 15)
    assert count.rows > 0


@pytest.mark.slow
def test_ten_minutes_at_a_kilohertz_give_600000_rows(make_logger, bucket, chrony_address, order):
    count = run(make_logger, bucket, chrony_address, order, 600)
    assert abs(count.rows - 600_000) <= 1


def private_kib(pid: int) -> int:
    """The process's own memory: heap, stacks, changed data."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


@pytest.mark.slow
def test_a_million_ticks_leave_the_heap_as_it_was(make_logger, bucket, chrony_address):
    logger = make_logger(
        chrony_address=chrony_address,
        sample_interval_ms=1,
        upload_interval_s=30,
        first_upload_s=3,
        **bucket.presigned_settings(),
    )
    logger.start()
    time.sleep(60)  # with two uploads behind it nothing is used for the first time any more
    sizes = [private_kib(logger.process.pid)]
    for _ in range(94):
        time.sleep(10)
        sizes.append(private_kib(logger.process.pid))
    code, _ = logger.stop()
    assert code == 0, logger.said
    uploaded = without_repeats(bucket.versions(KEY))
    count = count_rows(uploaded + [path.read_bytes() for path in logger.sealed()], 1_000_000)
    print(f"{count.ticks} ticks, {count.rows} rows, RssAnon {sizes[0]} KiB, then {sizes[-1]} KiB")
    assert count.ticks == 1_000_000
    assert max(sizes) - sizes[0] <= 16
