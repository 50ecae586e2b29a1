"""A server that refuses for ten intervals: afterwards every row arrives, none twice."""

import time

import pytest

from lab import faults
from lab.logger import wait_until
from lab.rows import assert_exactly_once

KEY = "time_log.csv"
INTERVAL_S = 3


@pytest.mark.parametrize("code", [403, 500])
def test_every_row_arrives_after_ten_refused_intervals(
    make_logger, bucket, proxy, chrony_address, code
):
    proxy.set(faults.status(code))
    logger = make_logger(
        chrony_address=chrony_address,
        upload_interval_s=INTERVAL_S,
        **bucket.presigned_settings(proxy.endpoint),
    )
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 10, "ten intervals", 120)
        assert bucket.versions(KEY) == []
        refused = len(proxy.log(KEY))
        assert 1 <= refused <= 10
        proxy.clear()
        if code == 403:
            # refused credentials are probed rarely; new ones are tried at once
            time.sleep(1)
            logger.write_config(**bucket.presigned_settings(proxy.endpoint))
        backlog = int(logger.sealed()[-1].stem)
        # the backoff has grown to at most 5 s * 2^5, jitter included
        wait_until(
            lambda: logger.sealed() == [] or int(logger.sealed()[0].stem) > backlog,
            "the backlog to be sent",
            240,
        )
        assert logger.stop()[0] == 0
    rows = logger.all_rows(bucket.versions(KEY))
    assert_exactly_once(rows)
    # one line for each change, not one for each refusal
    assert 1 <= logger.said.count(f"{code}") <= 4, logger.said
