"""What the rows, the status and the probe say of the clock, against real daemons."""

import json
import os
import time

import pytest

from lab.bad_chronyd import ABSURD_STRATUM, GOOD_OFFSET, MANNERS, BadChronyd
from lab.logger import wait_until
from lab.ntp import silent_address
from lab.rows import assert_exactly_once, lateness_us, missed_ticks, parse_files
from lab.witness import Witness

# a server's answer to chronyd's SNTP questions is microseconds old; a busy machine makes it more
NEAR_S = 0.005
HANG_S = 60


def states(rows) -> list[str]:
    return [row.fields["sync_state"] for row in rows]


def changes(rows) -> list[str]:
    return [row.event("state") for row in rows if row.event("state")]


def run_for(logger, seconds: int):
    """Runs it to its end; the rows."""
    logger.start("--duration", str(seconds))
    assert logger.wait() == 0, logger.said
    rows = logger.spooled()
    assert_exactly_once(rows)
    return rows


@pytest.mark.parametrize("offset, diff", [("-0.05", 0.05), ("0.05", -0.05)])
def test_fast_is_positive_and_slow_is_negative_everywhere(
    make_logger, bucket, ntp_lab, offset, diff
):
    word = "fast" if diff > 0 else "slow"
    ntp_lab.start("server")
    logger = make_logger(
        chrony_address=ntp_lab.start("client", offset=offset), **bucket.presigned_settings()
    )
    words = logger.run("--probe").stdout
    probe = json.loads(logger.run("--probe", "--json").stdout)
    with logger:
        wait_until(lambda: len(bucket.versions("ntp_status.txt")) >= 2, "two statuses")
    rows = [
        row
        for row in parse_files(bucket.versions("time_log.csv"))
        if row.fields["source"] == "chrony"
    ]
    assert rows and all(abs(row.number("clock_diff") - diff) < NEAR_S for row in rows)
    assert all(row.number("error_bound_s") >= abs(row.number("clock_diff")) for row in rows)
    status = bucket.versions("ntp_status.txt")[-1].decode()
    system_time = next(line for line in status.splitlines() if line.startswith("System time"))
    assert system_time.endswith(f"seconds {word} of NTP time")
    offset_line = next(line for line in status.splitlines() if line.startswith("Offset"))
    assert offset_line.endswith(f"seconds {word}")
    assert abs(probe["clock_diff_s"] - diff) < NEAR_S and probe["sync_state"] == "synced"
    assert f"s {word}" in words


def test_a_daemon_that_never_synchronised_is_unsynced_without_a_difference(make_logger, ntp_lab):
    rows = run_for(make_logger(chrony_address=ntp_lab.start("unsynced")), 3)
    told = [row for row in rows if row.fields["source"] == "chrony"]
    assert told and set(states(told)) == {"unsynced"}
    assert all(row.fields["status"] == "Not synchronised" for row in told)
    assert all(row.fields["clock_diff"] == "" for row in told)


def test_a_dead_server_is_called_within_four_intervals(make_logger, ntp_lab):
    # polls of 1 s, so an interval is 1 s; chronyd itself says Normal for ever
    ntp_lab.start("server")
    logger = make_logger(chrony_address=ntp_lab.start("client", minpoll="0"))
    logger.start("--duration", "12")
    time.sleep(4)
    ntp_lab.stop("server")
    assert logger.wait() == 0, logger.said
    rows = logger.spooled()
    first = states(rows).index("coasting")
    assert "synced>coasting" in changes(rows)
    assert all(row.fields["status"] == "Normal" for row in rows if row.fields["source"] == "chrony")
    # the age is counted from the last update: the first coasting row is the first beyond 4 of them
    assert 4 <= rows[first].number("ref_age_s") < 5
    assert "coasting" == rows[-1].fields["sync_state"]


def test_without_chrony_the_kernel_and_a_server_speak(make_logger, ntp_lab):
    ntp_lab.start("server")
    logger = make_logger(
        chrony_address=silent_address(),
        chronyc_path="",
        ntp_servers=f"127.0.0.1:{ntp_lab.server_port}",
    )
    rows = run_for(logger, 4)
    sources = {row.fields["source"] for row in rows}
    assert sources == {"kernel", "sntp"}
    measured = [row for row in rows if row.fields["source"] == "sntp"]
    assert all(abs(row.number("clock_diff")) <= row.number("error_bound_s") for row in measured)
    assert all(row.number("error_bound_s") < 0.25 for row in measured)
    assert states(measured) == ["synced"] * len(measured)
    assert "unreachable" in states(rows)  # until the server has spoken


def test_a_wrong_server_is_contradicted_by_a_second_one(make_logger, ntp_lab):
    # this daemon believes that it is 50 ms fast; the server, asked directly, says otherwise
    ntp_lab.start("server")
    logger = make_logger(
        chrony_address=ntp_lab.start("client", offset="-0.05"),
        ntp_servers=f"127.0.0.1:{ntp_lab.server_port}",
    )
    rows = run_for(logger, 4)
    assert "synced>unsynced" in changes(rows) or rows[0].fields["sync_state"] == "unsynced"
    assert rows[-1].fields["sync_state"] == "unsynced"
    assert rows[-1].fields["status"] == "Normal"


def hang(make_logger, ntp_lab, seconds: int):
    """Rows of a second each, before, during and after chronyd hangs."""
    ntp_lab.start("server")
    logger = make_logger(
        chrony_address=ntp_lab.start("client"), sample_interval_ms=1000, chronyc_path=""
    )
    logger.start("--duration", str(seconds + 10))
    time.sleep(4)
    ntp_lab.freeze("client")
    try:
        time.sleep(seconds)
    finally:
        ntp_lab.thaw("client")
    assert logger.wait() == 0, logger.said
    rows = logger.spooled()
    assert_exactly_once(rows)
    return rows


def assert_hang_was_survived(rows, seconds: int):
    away = [n for n, state in enumerate(states(rows)) if state == "unreachable"]
    assert seconds - 2 <= len(away) <= seconds + 2, states(rows)
    assert away == list(range(away[0], away[0] + len(away))), states(rows)
    # the first answer after the hang is a right one, though all the late ones came before it
    assert "synced" in states(rows)[away[-1] + 1 : away[-1] + 3], states(rows)
    assert {row.fields["source"] for row in rows if row.fields["sync_state"] == "synced"} == {
        "chrony"
    }


def test_a_hung_daemon_is_unreachable_and_comes_back(make_logger, ntp_lab):
    assert_hang_was_survived(hang(make_logger, ntp_lab, 8), 8)


@pytest.mark.slow
def test_a_daemon_that_hangs_for_a_minute_delays_no_row(make_logger, ntp_lab):
    with Witness() as machine:
        rows = hang(make_logger, ntp_lab, HANG_S)
    assert_hang_was_survived(rows, HANG_S)
    late = lateness_us(rows, 1_000_000)
    spread_s = (max(late) - min(late)) / 1e6
    print(f"{len(rows)} rows, late by {spread_s} s at most, the machine by {machine.worst_s} s")
    assert missed_ticks(rows) == 0 and abs(len(rows) - (HANG_S + 10)) <= 1
    assert spread_s <= 0.25 + machine.worst_s


def test_dead_dns_delays_no_row(make_logger, chrony_address, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", os.environ["DEAD_DNS_SO"])
    monkeypatch.setenv("DEAD_DNS_S", "30")
    logger = make_logger(
        chrony_address=chrony_address,
        sample_interval_ms=1000,
        ntp_servers="one.example two.example three.example:1123",
    )
    rows = run_for(logger, 8)
    # a tick that waited for DNS would cost all the rows of these seconds
    assert len(rows) >= 7 and missed_ticks(rows) <= 1
    assert states(rows).count("synced") >= len(rows) - 1


def test_spoilt_replies_never_make_a_wrong_row(make_logger, bucket):
    with BadChronyd(MANNERS) as daemon:
        logger = make_logger(
            chrony_address=daemon.address,
            chronyc_path="",
            sample_interval_ms=100,
            **bucket.presigned_settings(),
        )
        with logger:
            wait_until(lambda: len(daemon.served) > 8 * len(MANNERS), "every manner, often")
            wait_until(lambda: len(bucket.versions("ntp_status.txt")) >= 2, "two statuses")
            assert logger.stop()[0] == 0, logger.said
    texts = bucket.versions("time_log.csv") + bucket.versions("ntp_status.txt")
    texts += bucket.versions("ntp_failed_status.txt")
    for text in texts:
        assert b"nan" not in text.lower() and b"inf" not in text.lower()
    rows = logger.all_rows(bucket.versions("time_log.csv"))
    answered = [row for row in rows if row.fields["source"] == "chrony"]
    right = [row for row in answered if row.fields["stratum"] == "4"]
    absurd = [row for row in answered if row.fields["stratum"] == str(ABSURD_STRATUM)]
    assert right and absurd and len(right) + len(absurd) == len(answered)
    assert {row.fields["clock_diff"] for row in right} == {GOOD_OFFSET}
    for column in ("clock_diff", "last_offset_s", "freq_ppm", "root_delay_s", "error_bound_s"):
        assert {row.fields[column] for row in absurd} == {""}
    status = bucket.versions("ntp_status.txt")[-1].decode()
    assert int(status.split("Rejected        : ")[1].split()[0]) > 0
