"""TLS: a server that can't prove who it is gets not one byte; a wrong clock alone is no obstacle."""

import os
import pathlib
import re
import subprocess
import threading
import time

import pytest

from lab.certs import Authority
from lab.fault_proxy import FaultProxy
from lab.logger import wait_until
from lab.rows import assert_exactly_once, parse_files

KEY = "time_log.csv"
DAY_S = 86400


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture
def wrong_clock(monkeypatch):
    """Sets the wall clock of the programs started from now on, as seconds since the epoch."""
    library = os.environ.get("WRONG_CLOCK_SO")
    assert library and os.access(library, os.R_OK), "WRONG_CLOCK_SO names no file; run by ctest"

    def set_clock(seconds: float) -> None:
        monkeypatch.setenv("LD_PRELOAD", library)
        monkeypatch.setenv("WRONG_CLOCK_OFFSET_S", str(int(seconds - time.time())))

    return set_clock


class Listener:
    """openssl s_server: notes every decrypted byte that a client sends."""

    def __init__(self, certificate: tuple[str, str], *options: str):
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1000"]
        command += ["-cert", certificate[0], "-key", certificate[1], *options]
        # its stdin stays open: at the end of it, it would end, too
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.output = b""
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()
        found = wait_until(
            lambda: re.search(rb"ACCEPT 127\.0\.0\.1:(\d+)", self.output), "s_server to listen"
        )
        self.url = f"https://localhost:{int(found[1])}/bucket/{KEY}"

    def _collect(self) -> None:
        while chunk := os.read(self._process.stdout.fileno(), 65536):
            self.output += chunk

    @property
    def got_data(self) -> bool:
        """Did a request get through? Its head alone would betray the URL."""
        return b"PUT /" in self.output or b"Host:" in self.output

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join(10)


@pytest.fixture
def listen():
    started = []

    def start(certificate, *options) -> Listener:
        started.append(Listener(certificate, *options))
        return started[-1]

    yield start
    for listener in started:
        listener.stop()


def refusal_of(logger) -> str:
    """The reason it gives for the first upload that was not stored."""
    found = wait_until(
        lambda: re.search(r"time_log\.csv not stored: (.*)", logger.said), "an upload to fail"
    )
    return found[1]


def attempt(make_logger, url, ca) -> tuple[str, list]:
    logger = make_logger(
        chrony_address="", allow_http=False, ca_bundle=str(ca), presigned_url_time_log=url
    )
    with logger:
        reason = refusal_of(logger)
        assert logger.stop()[0] == 0
    assert_exactly_once(logger.spooled())
    assert logger.spooled(), "refused rows stay on disk"
    return reason


def test_the_listener_does_see_what_a_trusting_client_sends(make_logger, listen, authority):
    """The control of the tests below: with a good certificate the request gets through."""
    listener = listen(authority.issue("good"))
    logger = make_logger(
        chrony_address="",
        allow_http=False,
        ca_bundle=str(authority.ca),
        presigned_url_time_log=listener.url,
    )
    with logger:
        wait_until(lambda: listener.got_data, "the request")


def test_an_expired_certificate_is_refused(make_logger, listen, authority):
    listener = listen(authority.issue("expired", from_days=-30, to_days=-1))
    reason = attempt(make_logger, listener.url, authority.ca)
    assert "expired" in reason and "certificate is not valid on " in reason
    assert not listener.got_data


def test_a_certificate_not_valid_yet_is_refused(make_logger, listen, authority):
    listener = listen(authority.issue("future", from_days=1, to_days=30))
    reason = attempt(make_logger, listener.url, authority.ca)
    assert "not yet valid" in reason
    assert not listener.got_data


def test_an_unknown_authority_is_refused(make_logger, listen, authority, tmp_path):
    listener = listen(Authority(tmp_path / "other").issue("stranger"))
    reason = attempt(make_logger, listener.url, authority.ca)
    assert "could not prove who it is" in reason
    assert not listener.got_data


def test_a_wrong_name_is_refused(make_logger, listen, authority):
    listener = listen(authority.issue("elsewhere", name="s3.example.com"))
    reason = attempt(make_logger, listener.url, authority.ca)
    assert "could not prove who it is" in reason
    assert not listener.got_data


def test_tls_1_1_is_refused(make_logger, listen, authority):
    options = ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    listener = listen(authority.issue("old"), *options)
    port = listener.url.split(":")[2].split("/")[0]
    # the control: a client that takes TLS 1.1 is served
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_1"]
    spoken = subprocess.run(
        [*client, "-cipher", "ALL:@SECLEVEL=0"],
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"TLSv1.1" in spoken.stdout
    attempt(make_logger, listener.url, authority.ca)
    assert not listener.got_data


def test_plain_http_is_refused_unless_allowed(make_logger, proxy):
    logger = make_logger(allow_http=False, presigned_url_time_log=f"{proxy.endpoint}/bucket/{KEY}")
    done = logger.run()
    assert done.returncode != 0
    assert "presigned_url_time_log" in done.stderr and "allow_http" in done.stderr
    assert proxy.log() == []


def test_a_ca_file_that_is_missing_is_named_as_a_setting(make_logger, listen, authority, tmp_path):
    listener = listen(authority.issue("good2"))
    reason = attempt(make_logger, listener.url, tmp_path / "nowhere.pem")
    assert "CA file" in reason
    assert not listener.got_data


# ---- the clock --------------------------------------------------------------------------------


@pytest.fixture
def tls_proxy(s3_server, authority):
    """The real S3 behind a certificate that became valid a day ago."""
    with FaultProxy(s3_server.address, certificate=authority.issue("day", from_days=-1)) as running:
        yield running


def upload_settings(bucket, tls_proxy, authority) -> dict:
    return {
        "allow_http": False,
        "ca_bundle": str(authority.ca),
        "presigned_url_time_log": bucket.presign(KEY, tls_proxy.endpoint),
    }


def write_last_good_time(logger, seconds: float) -> pathlib.Path:
    path = logger.folder / "last_good_time"
    path.write_text(f"{int(seconds)}\n")
    return path


def test_a_clock_in_1970_uploads_by_the_last_time_known_to_be_good(
    make_logger, bucket, tls_proxy, authority, wrong_clock
):
    logger = make_logger(chrony_address="", **upload_settings(bucket, tls_proxy, authority))
    write_last_good_time(logger, time.time())
    wrong_clock(30 * DAY_S)
    with logger:
        wait_until(lambda: len(bucket.versions(KEY)) >= 2, "uploads with the clock in 1970")
        assert logger.stop()[0] == 0
    sent = bucket.versions(KEY)
    rows = parse_files(sent)
    assert_exactly_once(logger.all_rows(sent))
    assert all(row.number("current_system_time") < 60 * DAY_S * 10**6 for row in rows)


def test_a_clock_in_1970_uploads_by_the_build_time_alone(
    make_logger, bucket, s3_server, authority, wrong_clock
):
    # a first start: no file tells the time, but this program exists
    certificate = authority.issue("long", from_days=-3650, to_days=3650)
    with FaultProxy(s3_server.address, certificate=certificate) as old_proxy:
        settings = upload_settings(bucket, old_proxy, authority)
        logger = make_logger(chrony_address="", **settings)
        wrong_clock(30 * DAY_S)
        with logger:
            wait_until(lambda: bucket.versions(KEY), "an upload with the clock in 1970")
            assert logger.stop()[0] == 0


def test_a_clock_in_1970_does_not_excuse_an_expired_certificate(
    make_logger, listen, authority, wrong_clock
):
    # valid in 1970's eyes only if the start, not the end, were all that counts
    listener = listen(authority.issue("expired2", from_days=-3000, to_days=-1))
    logger = make_logger(
        chrony_address="",
        allow_http=False,
        ca_bundle=str(authority.ca),
        presigned_url_time_log=listener.url,
    )
    write_last_good_time(logger, time.time())
    wrong_clock(30 * DAY_S)
    with logger:
        assert "expired" in refusal_of(logger)
    assert not listener.got_data


def test_a_clock_in_2036_waits_and_says_so(
    make_logger, bucket, tls_proxy, authority, wrong_clock
):
    logger = make_logger(chrony_address="", **upload_settings(bucket, tls_proxy, authority))
    wrong_clock(time.time() + 3650 * DAY_S)
    with logger:
        reason = refusal_of(logger)
        assert logger.stop()[0] == 0
    assert "expired" in reason and "certificate is not valid on " in reason
    assert "next try in 900 s" in reason
    assert bucket.versions(KEY) == []
    assert_exactly_once(logger.spooled())


def test_a_synchronised_clock_is_noted_for_the_next_start(
    make_logger, bucket, tls_proxy, authority, chrony_address
):
    settings = upload_settings(bucket, tls_proxy, authority)
    logger = make_logger(chrony_address=chrony_address, **settings)
    path = logger.folder / "last_good_time"
    begun = time.time()
    with logger:
        wait_until(path.exists, "last_good_time")
        assert logger.stop()[0] == 0
    assert begun - 2 <= int(path.read_text()) <= time.time() + 2
