"""The grid: uploads, queries and commits cost no row, and no tick drifts."""

import threading

import pytest

from lab import faults
from lab.rows import (
    assert_exactly_once,
    lateness_us,
    missed_ticks,
    without_repeats,
)

KEY = "time_log.csv"


def run_with_a_stall(logger, proxy, duration_s: int, stall_at_s: float, stall_s: float):
    """Runs for the duration; the uploads of the middle stand still for a while."""
    timers = [
        threading.Timer(stall_at_s, proxy.set, [faults.stall(stall_s, times=1, only=KEY)]),
    ]
    for timer in timers:
        timer.start()
    logger.start("--duration", str(duration_s))
    assert logger.wait(duration_s + 60) == 0, logger.said
    stalled = [served for served in proxy.log(KEY) if served.fault.startswith("stall")]
    assert len(stalled) == 1, "no upload was stalled"


def assert_on_the_grid(rows, interval_us: int):
    """No drift: the punctual ticks of the last third are as punctual as those of the first.

    A single late tick is the machine's doing; a loop that sleeps a period after its work would be
    late by more each time.
    """
    late = lateness_us(rows, interval_us)
    third = len(late) // 3
    drift = min(late[-third:]) - min(late[:third])
    assert abs(drift) < 5000, f"{drift} us in {len(rows)} rows; lateness {late}"
    assert max(late) - min(late) < interval_us, f"a tick left its slot: {late}"


def all_rows(bucket, logger):
    rows = logger.all_rows(without_repeats(bucket.versions(KEY)))
    assert_exactly_once(rows)
    return rows


def test_rows_stay_on_their_grid_while_an_upload_stalls(
    make_logger, bucket, proxy, chrony_address
):
    logger = make_logger(
        chrony_address=chrony_address,
        sample_interval_ms=100,
        **bucket.presigned_settings(proxy.endpoint),
    )
    run_with_a_stall(logger, proxy, duration_s=15, stall_at_s=3, stall_s=5)
    rows = all_rows(bucket, logger)
    # on a busy machine a tick may be skipped; then the rows say so
    assert abs(len(rows) + missed_ticks(rows) - 150) <= 1
    assert_on_the_grid(rows, 100_000)


@pytest.mark.slow
def test_two_minutes_at_the_default_rate_give_120_rows(make_logger, bucket, proxy, chrony_address):
    logger = make_logger(
        chrony_address=chrony_address,
        sample_interval_ms=1000,
        upload_interval_s=20,
        first_upload_s=5,
        **bucket.presigned_settings(proxy.endpoint),
    )
    run_with_a_stall(logger, proxy, duration_s=120, stall_at_s=40, stall_s=30)
    rows = all_rows(bucket, logger)
    late = lateness_us(rows, 1_000_000)
    print(f"{len(rows)} rows, {missed_ticks(rows)} missed, lateness {min(late)}..{max(late)} us")
    assert abs(len(rows) - 120) <= 1
    assert_on_the_grid(rows, 1_000_000)
