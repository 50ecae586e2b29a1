"""The end: orderly by a signal even while an upload hangs, and by kill -9 without losing a row."""

import signal
import socket

import pytest

from lab import faults
from lab.logger import wait_until
from lab.rows import assert_exactly_once, without_repeats

KEY = "time_log.csv"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_three_seconds_while_an_upload_hangs(
    make_logger, bucket, proxy, chrony_address, how
):
    proxy.set(faults.hang())
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    with logger:
        wait_until(lambda: proxy.in_progress(KEY), "an upload that hangs")
        wait_until(lambda: len(logger.sealed()) >= 1, "a sealed segment")
        code, took_s = logger.stop(how)
    assert code == 0, logger.said
    assert took_s < 3, f"stopping took {took_s:.1f} s"
    # the transfer was ended, not abandoned at the last moment
    assert "left behind" not in logger.said
    rows = logger.spooled()
    assert_exactly_once(rows)


@pytest.fixture
def deaf_endpoint():
    """An address where connecting neither works nor fails: its queue of one is taken."""
    with socket.socket() as listener, socket.socket() as occupant:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        occupant.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_signal_ends_it_while_connecting_hangs(
    make_logger, bucket, chrony_address, deaf_endpoint
):
    settings = bucket.presigned_settings(deaf_endpoint)
    logger = make_logger(chrony_address=chrony_address, **settings)
    with logger:
        wait_until(lambda: logger.sealed(), "a sealed segment")
        code, took_s = logger.stop()
    assert code == 0, logger.said
    assert took_s < 3, f"stopping took {took_s:.1f} s"
    assert_exactly_once(logger.spooled())


def test_duration_ends_it_by_itself_with_everything_on_disk(make_logger, chrony_address):
    logger = make_logger(chrony_address=chrony_address)
    done = logger.run("--duration", "3")
    assert done.returncode == 0, done.stderr
    assert_exactly_once(logger.spooled())


def test_killed_while_uploading_it_loses_no_row_on_disk(make_logger, bucket, proxy, chrony_address):
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    for _ in range(3):
        with logger:
            wait_until(lambda: logger.sealed(), "a sealed segment")
            wait_until(lambda: not logger.sealed(), "its upload")
            proxy.set(faults.hang())
            wait_until(lambda: proxy.in_progress(KEY), "an upload that hangs")
            on_disk = [row.seq for row in logger.spooled()]
            logger.kill()
        proxy.clear()
        assert {row.seq for row in logger.spooled()} >= set(on_disk)
    with logger:
        wait_until(lambda: not logger.sealed(), "the rest to be sent")
        assert logger.stop()[0] == 0
    seqs = [row.seq for row in logger.all_rows(without_repeats(bucket.versions(KEY)))]
    assert len(seqs) == len(set(seqs)), "a row came twice"
    assert seqs == sorted(seqs)
    assert set(seqs) >= set(on_disk)
