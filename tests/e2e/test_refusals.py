"""Whatever is not a clean acknowledgement deletes nothing, and the rows arrive once it heals."""

import pytest

from lab import faults
from lab.logger import wait_until
from lab.rows import assert_exactly_once, parse_files, without_repeats

KEY = "time_log.csv"

REFUSALS = {
    "403": faults.status(403),
    "404 NoSuchBucket": faults.status(404, s3_code="NoSuchBucket"),
    "500": faults.status(500),
    "503 with seconds": faults.status(503, retry_after="1"),
    "503 with a date": faults.status(503, retry_after="Wed, 21 Oct 2065 07:28:00 GMT"),
    "503 with nonsense": faults.status(503, retry_after="soon"),
    "cut after the status line": faults.cut_answer(),
    "cut inside the head": faults.cut_answer(kept=b"HTTP/1.1 200 OK\r\nContent-Le"),
    "success without an ETag": faults.cut_answer(kept=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "portal": faults.portal(),
    "redirect": faults.redirect(),
    "reset in mid body": faults.reset(after_bytes=100),
    "hang": faults.hang(),
}


@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS.keys())
def test_refused_rows_stay_on_disk_and_arrive_later(
    make_logger, bucket, proxy, chrony_address, fault
):
    proxy.set(fault)
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    with logger:
        wait_until(lambda: proxy.log(KEY) or proxy.in_progress(KEY), "an attempt to upload")
        attempted_at = logger.bytes_on_disk()
        wait_until(lambda: logger.bytes_on_disk() > attempted_at + 1000, "more rows on disk")
        assert logger.stop()[0] == 0
    assert bucket.versions(KEY) == []
    kept = logger.spooled()
    assert_exactly_once(kept)
    proxy.clear()
    with logger:
        arrive_all(bucket, kept[-1].seq)
        assert logger.stop()[0] == 0
    assert_exactly_once(logger.all_rows(without_repeats(bucket.versions(KEY))))


def arrive_all(bucket, last_seq, timeout_s=60):
    def arrived():
        rows = parse_files(bucket.versions(KEY))
        return rows and rows[-1].seq >= last_seq

    wait_until(arrived, f"row {last_seq} to arrive", timeout_s)


def test_nobody_listening_deletes_nothing(make_logger, bucket, proxy, chrony_address):
    proxy.down()
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 2, "a second sealed segment")
        assert logger.stop()[0] == 0
    kept = logger.spooled()
    assert_exactly_once(kept)
    proxy.up()
    with logger:
        arrive_all(bucket, kept[-1].seq)
        assert logger.stop()[0] == 0
    assert_exactly_once(logger.all_rows(without_repeats(bucket.versions(KEY))))


def test_a_lost_answer_stores_the_same_file_twice_and_loses_none(
    make_logger, bucket, proxy, chrony_address
):
    proxy.set(faults.lost_answer(times=1, only=KEY))
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    with logger:
        wait_until(lambda: len(bucket.versions(KEY)) >= 4, "the upload after the lost answer")
        assert logger.stop()[0] == 0
    versions = bucket.versions(KEY)
    assert versions[0] == versions[1]
    assert_exactly_once(logger.all_rows(without_repeats(versions)))


def test_a_connection_gone_stale_loses_none(make_logger, bucket, proxy, chrony_address):
    proxy.set(faults.stale())
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    with logger:
        wait_until(lambda: len(bucket.versions(KEY)) >= 3, "three uploads")
        assert logger.stop()[0] == 0
    assert_exactly_once(logger.all_rows(without_repeats(bucket.versions(KEY))))


def test_no_url_means_no_upload_and_the_rows_stay(make_logger, proxy, chrony_address):
    logger = make_logger(chrony_address=chrony_address)
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 2, "a second sealed segment")
        assert logger.stop()[0] == 0
    assert_exactly_once(logger.spooled())
    assert proxy.log() == []
