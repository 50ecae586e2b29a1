"""A thousand rows a second, with uploads and a disk that stands still inside: none is lost."""

import os
import threading

import pytest

from lab.rows import COLUMNS, without_repeats

KEY = "time_log.csv"
HEADER = ",".join(COLUMNS)


def rows_of(contents: list[bytes]):
    """(seq, event) of every row; half a million dicts would be too much."""
    for content in contents:
        lines = content.decode("ascii").splitlines()
        assert lines[0] == HEADER
        for line in lines[1:]:
            fields = line.split(",")
            assert len(fields) == len(COLUMNS), line
            yield int(fields[6]), fields[-1]


def count_rows(contents: list[bytes]) -> tuple[int, int, list[str]]:
    """Rows, ticks that were never sampled, and events that tell of a loss; seq has no hole."""
    rows = missed = last = 0
    losses = []
    for seq, event in rows_of(contents):
        assert last == 0 or seq == last + 1, f"seq goes {last} -> {seq}"
        last = seq
        rows += 1
        for word in event.split(";") if event else []:
            name, _, value = word.partition("=")
            missed += int(value) if name == "gap" else 0
            losses += [f"{seq}: {word}"] if name in ("dropped", "evicted") else []
    return rows, missed, losses


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
    logger.start("--duration", str(duration_s))
    assert logger.wait(duration_s + 60) == 0, logger.said
    assert not order.exists(), "the disk never stood still"
    uploaded = without_repeats(bucket.versions(KEY))
    assert len(uploaded) >= 2, "no upload came inside"
    spooled = logger.sealed() + sorted(logger.spool.glob("[0-9]*.csv.part"))
    kept = [content for content in (path.read_bytes() for path in spooled) if content]
    return count_rows(uploaded + kept)


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
    rows, missed, losses = run(make_logger, bucket, chrony_address, order, 15)
    print(f"{rows} rows, {missed} ticks missed")
    assert not losses, losses
    # a busy machine may skip ticks; then the rows say so
    assert abs(rows + missed - 15_000) <= 1


@pytest.mark.slow
def test_ten_minutes_at_a_kilohertz_give_600000_rows(make_logger, bucket, chrony_address, order):
    rows, missed, losses = run(make_logger, bucket, chrony_address, order, 600)
    print(f"{rows} rows, {missed} ticks missed")
    assert not losses, losses
    assert abs(rows - 600_000) <= 1
