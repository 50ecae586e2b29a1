"""Keys that outlive a week: a new URL by the settings, by url_source, or none at all (direct)."""

import gzip
import re
import signal
import time

import pytest

from lab import faults
from lab.logger import wait_until
from lab.rows import assert_exactly_once, parse_files, without_repeats

KEY = "time_log.csv"


def assert_all_there(stored: list[bytes], logger) -> None:
    """Every row is stored or still in the spool. A stop may cut off the answer to an upload: then
    the same file is, rightly, in both."""
    waiting = [path.read_bytes() for path in logger.sealed()]
    active = [path.read_bytes() for path in logger.spool.glob("[0-9]*.csv.part")]
    files = without_repeats(stored + waiting + [body for body in active if body])
    assert_exactly_once(parse_files(files))


def expired(bucket, endpoint=None) -> str:
    url = bucket.presign(KEY, endpoint, expires_s=1)
    time.sleep(2.1)
    return url


# ---- by the settings ----------------------------------------------------------------------------


def test_an_expired_url_is_probed_once_and_says_until_when_it_was_valid(
    make_logger, bucket, proxy, chrony_address
):
    url = expired(bucket, proxy.endpoint)
    logger = make_logger(chrony_address=chrony_address, presigned_url_time_log=url)
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 3, "several intervals with the dead URL")
        assert logger.stop()[0] == 0
    assert len(proxy.log(KEY)) == 1
    assert re.search(r"time_log\.csv not stored: HTTP 403 AccessDenied: .* valid until 20", logger.said)
    assert "next try in 900 s" in logger.said
    assert bucket.versions(KEY) == []
    assert_exactly_once(logger.spooled())


@pytest.mark.parametrize("how", ["by itself", "SIGHUP"])
def test_a_new_url_in_the_settings_sends_the_whole_backlog(
    make_logger, bucket, chrony_address, how
):
    logger = make_logger(chrony_address=chrony_address, presigned_url_time_log=expired(bucket))
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 3, "a backlog")
        assert bucket.versions(KEY) == []
        logger.write_config(presigned_url_time_log=bucket.presign(KEY))
        if how == "SIGHUP":
            logger.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(bucket.versions(KEY)) >= 3, "the backlog to leave")
        assert logger.stop()[0] == 0
    assert parse_files(bucket.versions(KEY))[0].seq == 1, "oldest first, from the first row on"
    assert_all_there(bucket.versions(KEY), logger)


# ---- url_source ---------------------------------------------------------------------------------


def test_url_source_alone_is_enough(make_logger, bucket, chrony_address, url_source):
    url_source.hand_out(bucket)
    logger = make_logger(chrony_address=chrony_address, url_source=url_source.url)
    with logger:
        wait_until(lambda: len(bucket.versions(KEY)) >= 2, "uploads")
        wait_until(lambda: bucket.versions("ntp_status.txt"), "the status")
        assert logger.stop()[0] == 0
    assert len(url_source.asked) == 1, "good URLs are used until they come near their end"
    assert_all_there(bucket.versions(KEY), logger)
    status = bucket.versions("ntp_status.txt")[-1].decode()
    assert "URL source      : http://127.0.0.1" in status
    assert "canary-token" not in status + logger.said
    assert "X-Amz-Signature" not in status + logger.said


def test_an_expired_url_is_replaced_from_url_source_at_once(
    make_logger, bucket, proxy, chrony_address, url_source
):
    # handed out as if it were good, and refused
    url_source.answer = {"version": 1, "time_log": expired(bucket, proxy.endpoint)}
    logger = make_logger(chrony_address=chrony_address, url_source=url_source.url)
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 2, "a backlog")
        assert bucket.versions(KEY) == []
        url_source.hand_out(bucket)
        # a source that has just answered is left in peace for a minute
        wait_until(lambda: len(bucket.versions(KEY)) >= 2, "the backlog to leave", 120)
        assert logger.stop()[0] == 0
    assert len(url_source.asked) == 2
    assert_all_there(bucket.versions(KEY), logger)


def test_fresh_urls_are_fetched_before_the_old_ones_die(
    make_logger, bucket, chrony_address, url_source
):
    # 66 s of life: the last tenth begins 59 s after, behind the minute in which nobody asks
    url_source.hand_out(bucket, expires_s=66)
    logger = make_logger(chrony_address=chrony_address, url_source=url_source.url)
    with logger:
        wait_until(lambda: len(url_source.asked) >= 1, "the first question")
        url_source.hand_out(bucket)
        wait_until(lambda: len(url_source.asked) >= 2, "a second question", 120)
        stored = len(bucket.versions(KEY))
        wait_until(lambda: len(bucket.versions(KEY)) > stored, "uploads going on")
        assert logger.stop()[0] == 0
    assert "not stored" not in logger.said
    assert_all_there(bucket.versions(KEY), logger)


@pytest.mark.parametrize(
    "status, answer, word",
    [
        (500, b"", "HTTP 500"),
        (403, b"", "HTTP 403"),
        (200, b"<html>login</html>", "not a JSON object"),
        (200, b'{"version": 2}', "version"),
        (200, b'{"version": 1, "time_log": "file:///etc/passwd"}', "http://"),
    ],
)
def test_a_source_of_no_use_loses_nothing_and_is_named(
    make_logger, chrony_address, url_source, status, answer, word
):
    url_source.status, url_source.answer = status, answer
    logger = make_logger(chrony_address=chrony_address, url_source=url_source.url)
    with logger:
        found = wait_until(
            lambda: re.search(r"time_log\.csv not stored: (url_source: .*)", logger.said), "a word"
        )
        wait_until(lambda: len(logger.sealed()) >= 2, "a second segment")
        assert logger.stop()[0] == 0
    assert word in found[1]
    assert "canary-token" not in logger.said
    assert_exactly_once(logger.spooled())


# ---- direct mode --------------------------------------------------------------------------------


def direct_settings(bucket, endpoint=None) -> dict:
    credentials = bucket.server.credentials
    return {
        "s3_endpoint": endpoint or bucket.server.endpoint,
        "s3_region": credentials["AWS_DEFAULT_REGION"],
        "s3_bucket": bucket.name,
        "s3_prefix": "site 1/camera+7/",
        "s3_access_key_id": credentials["AWS_ACCESS_KEY_ID"],
        "s3_secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
    }


def keys_of(bucket) -> list[str]:
    listed = bucket.server.client().list_objects_v2(Bucket=bucket.name)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def segments_of(bucket) -> list[str]:
    return sorted(key for key in keys_of(bucket) if "/time_log-" in key)


def test_direct_mode_gives_each_segment_its_own_key(make_logger, bucket, chrony_address):
    logger = make_logger(chrony_address=chrony_address, **direct_settings(bucket))
    with logger:
        wait_until(lambda: len(segments_of(bucket)) >= 3, "three segments")
        wait_until(lambda: "site 1/camera+7/ntp_status.txt" in keys_of(bucket), "the status")
        assert logger.stop()[0] == 0
    keys = segments_of(bucket)
    for key in keys:
        assert len(bucket.versions(key)) == 1
        part = parse_files(bucket.versions(key))
        boot = part[0].fields["boot_id"]
        name = f"time_log-{boot}-{part[0].seq:010}-{part[-1].seq:010}.csv"
        assert key == f"site 1/camera+7/{name}"
    assert_all_there([bucket.versions(key)[0] for key in keys], logger)
    secret = bucket.server.credentials["AWS_SECRET_ACCESS_KEY"]
    status = bucket.versions("site 1/camera+7/ntp_status.txt")[-1].decode()
    assert secret not in logger.said + status


def test_direct_mode_with_a_lost_answer_overwrites_the_same_key(
    make_logger, bucket, proxy, chrony_address
):
    proxy.set(faults.lost_answer(times=1, only="time_log-"))
    logger = make_logger(
        chrony_address=chrony_address, **direct_settings(bucket, proxy.endpoint)
    )
    with logger:
        wait_until(lambda: len(segments_of(bucket)) >= 3, "three segments", 120)
        assert logger.stop()[0] == 0
    versions = [bucket.versions(key) for key in segments_of(bucket)]
    assert len(versions[0]) == 2 and versions[0][0] == versions[0][1]
    assert all(len(bodies) == 1 for bodies in versions[1:])
    assert_all_there([bodies[0] for bodies in versions], logger)


def test_a_wrong_secret_is_probed_not_hammered_and_mended_by_the_settings(
    make_logger, bucket, proxy, chrony_address
):
    settings = direct_settings(bucket, proxy.endpoint)
    good = settings["s3_secret_access_key"]
    settings["s3_secret_access_key"] = "canary-secret"
    logger = make_logger(chrony_address=chrony_address, **settings)
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 3, "several intervals")
        # at most two requests: the second one without Content-MD5, which a signer may dislike
        assert len(proxy.log("time_log-")) <= 2
        assert "HTTP 403 SignatureDoesNotMatch" in logger.said
        logger.write_config(s3_secret_access_key=good)
        wait_until(lambda: len(segments_of(bucket)) >= 3, "the backlog to leave")
        assert logger.stop()[0] == 0
    assert "canary-secret" not in logger.said
    assert_all_there([bucket.versions(key)[0] for key in segments_of(bucket)], logger)


def test_direct_mode_over_tls(make_logger, bucket, chrony_address):
    settings = direct_settings(bucket, bucket.server.endpoint_https)
    logger = make_logger(
        chrony_address=chrony_address, allow_http=False, ca_bundle=str(bucket.server.ca), **settings
    )
    with logger:
        wait_until(lambda: segments_of(bucket), "a segment")
        assert logger.stop()[0] == 0


# ---- packed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["presigned", "direct"])
def test_packed_uploads_hold_the_same_rows(make_logger, bucket, chrony_address, way):
    settings = direct_settings(bucket) if way == "direct" else bucket.presigned_settings()
    logger = make_logger(chrony_address=chrony_address, compress="gzip", **settings)

    def stored() -> list[bytes]:
        if way == "presigned":
            return bucket.versions(KEY)
        return [bucket.versions(key)[0] for key in segments_of(bucket)]

    with logger:
        wait_until(lambda: len(stored()) >= 3, "three packed uploads")
        assert logger.stop()[0] == 0
    assert_all_there([gzip.decompress(body) for body in stored()], logger)
    key = KEY if way == "presigned" else segments_of(bucket)[0]
    head = bucket.server.client().head_object(Bucket=bucket.name, Key=key)
    assert head["ContentEncoding"] == "gzip"
    status = KEY.replace("time_log.csv", "ntp_status.txt")
    if way == "presigned":
        assert b"Reference ID" in bucket.versions(status)[-1], "the status stays readable"
