"""The main job: rows from a real chronyd arrive in a real S3 bucket, each exactly once."""

import re

from lab.logger import wait_until
from lab.rows import assert_exactly_once, parse_files

TRACKING_LABELS = [
    "Reference ID",
    "Stratum",
    "Ref time (UTC)",
    "System time",
    "Last offset",
    "RMS offset",
    "Frequency",
    "Residual freq",
    "Skew",
    "Root delay",
    "Root dispersion",
    "Update interval",
    "Leap status",
]


def uploads(bucket, key="time_log.csv"):
    return bucket.versions(key)


def wait_for_uploads(bucket, count, key="time_log.csv"):
    wait_until(lambda: len(uploads(bucket, key)) >= count, f"{count} versions of {key}")


def test_every_sampled_row_arrives_exactly_once(make_logger, bucket, chrony_address):
    logger = make_logger(chrony_address=chrony_address, **bucket.presigned_settings())
    with logger:
        wait_for_uploads(bucket, 4)
        code, _ = logger.stop()
    assert code == 0, logger.said
    sent = uploads(bucket)
    rows = logger.all_rows(sent)
    assert_exactly_once(rows)
    assert len(sent) >= 4
    assert "start" in rows[0].events and rows[0].elapsed_us == 0
    assert not any("start" in row.events for row in rows[1:])


def test_rows_carry_what_chronyd_says(make_logger, bucket, chrony_address):
    logger = make_logger(chrony_address=chrony_address, **bucket.presigned_settings())
    with logger:
        wait_for_uploads(bucket, 2)
    rows = parse_files(uploads(bucket))
    answered = [row for row in rows if row.fields["source"] == "chrony"]
    # a busy machine may let an answer miss its deadline, never most of them
    assert len(answered) > len(rows) / 2
    for row in answered:
        assert row.fields["status"] == "Normal" and row.fields["sync_state"] == "synced"
        # the client believes that it is 50 ms slow: slow is negative
        assert abs(row.number("clock_diff") + 0.05) < 0.005
        assert row.number("stratum") == 4
        assert row.number("error_bound_s") >= abs(row.number("clock_diff"))


def test_status_starts_with_the_tracking_lines(make_logger, bucket, chrony_address):
    logger = make_logger(chrony_address=chrony_address, **bucket.presigned_settings())
    with logger:
        wait_for_uploads(bucket, 2, "ntp_status.txt")
    lines = uploads(bucket, "ntp_status.txt")[-1].decode().splitlines()
    assert [line.partition(":")[0].rstrip() for line in lines[:13]] == TRACKING_LABELS
    assert lines[0] == "Reference ID    : 7F000001 (127.0.0.1)"
    assert lines[1] == "Stratum         : 4"
    assert re.fullmatch(r"System time     : 0\.0[45]\d{7} seconds slow of NTP time", lines[3])
    assert lines[12] == "Leap status     : Normal"
    assert uploads(bucket, "ntp_failed_status.txt") == []


def test_failed_status_is_sent_until_acknowledged_and_no_longer(make_logger, bucket, ntp_lab):
    address = ntp_lab.start("unsynced", name="camera")
    logger = make_logger(chrony_address=address, **bucket.presigned_settings())
    with logger:
        wait_for_uploads(bucket, 1, "ntp_failed_status.txt")
        ntp_lab.stop("camera")
        ntp_lab.start("server")
        ntp_lab.restart("camera", "client")
        settled = len(uploads(bucket, "ntp_status.txt")) + 2
        wait_for_uploads(bucket, settled, "ntp_status.txt")
        failures = len(uploads(bucket, "ntp_failed_status.txt"))
        wait_for_uploads(bucket, settled + 2, "ntp_status.txt")
        assert len(uploads(bucket, "ntp_failed_status.txt")) == failures
    rows = parse_files(uploads(bucket))
    unsynced = [row for row in rows if row.fields["status"] == "Not synchronised"]
    assert unsynced and all(row.fields["clock_diff"] == "" for row in unsynced)
    assert rows[-1].fields["sync_state"] == "synced"


def test_rows_go_on_while_chronyd_is_away(make_logger, bucket, ntp_lab):
    ntp_lab.start("server")
    address = ntp_lab.start("client", name="camera")
    logger = make_logger(chrony_address=address, **bucket.presigned_settings())

    def states():
        return {row.fields["sync_state"] for row in parse_files(uploads(bucket))}

    with logger:
        wait_until(lambda: "synced" in states(), "a synchronised row")
        ntp_lab.stop("camera")
        wait_until(lambda: "unreachable" in states(), "a row that says unreachable")
        ntp_lab.restart("camera", "client")
        wait_for_uploads(bucket, len(uploads(bucket)) + 3)
        assert logger.stop()[0] == 0
    rows = logger.all_rows(uploads(bucket))
    assert_exactly_once(rows)
    changes = [row.event("state") for row in rows if row.event("state")]
    assert "synced>unreachable" in changes
    assert rows[-1].fields["sync_state"] == "synced"
    away = [row for row in rows if row.fields["sync_state"] == "unreachable"]
    assert all(row.fields["source"] in ("kernel", "none") for row in away)


def test_a_restart_goes_on_where_it_was(make_logger, bucket, chrony_address):
    logger = make_logger(chrony_address=chrony_address, **bucket.presigned_settings())
    for run in range(3):
        with logger:
            wait_for_uploads(bucket, 2 * run + 2)
            assert logger.stop()[0] == 0
    rows = logger.all_rows(uploads(bucket))
    assert_exactly_once(rows)
    assert sum("start" in row.events for row in rows) == 3
