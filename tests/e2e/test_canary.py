"""Secrets are told to nobody: searched for as canaries in all that a running program leaves."""

import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

from lab import canary, faults
from lab.logger import wait_until

KEY = "time_log.csv"


@dataclasses.dataclass
class Watched:
    """A logger, its secrets, and every place that may not hold them."""

    logger: object
    ring: pathlib.Path
    syslog: pathlib.Path
    hidden: dict[str, str] = dataclasses.field(default_factory=dict)

    def places(self, bucket=None) -> dict[str, bytes]:
        places = {"stderr": self.logger.said.encode(), "syslog": self.syslog.read_bytes()}
        places |= canary.of_folder(self.logger.folder, but=("config.json",))
        places |= canary.of_folder(self.ring)
        if self.logger.process is not None and self.logger.process.poll() is None:
            places |= canary.of_process(self.logger.process.pid)
        return places | (canary.of_bucket(bucket) if bucket else {})

    def assert_silent(self, bucket=None) -> None:
        assert self.hidden, "there is something to look for"
        assert canary.leaks(self.hidden, self.places(bucket)) == []

    def add_urls(self, settings: dict[str, str]) -> dict[str, str]:
        """The same settings, whose signatures are secrets from now on."""
        for name, url in settings.items():
            self.hidden[f"signature {len(self.hidden)} of {name}"] = canary.signature_of(url)
        return settings


@pytest.fixture
def watch(make_logger, tmp_path, monkeypatch):
    """Makes a logger that says all it can, with its ring in memory and its syslog in a file."""
    library = os.environ.get("SYSLOG_FILE_SO")
    assert library and os.access(library, os.R_OK), "SYSLOG_FILE_SO names no file; run by ctest"
    rings = []

    def make(**settings) -> Watched:
        rings.append(pathlib.Path(tempfile.mkdtemp(prefix="canary-", dir="/dev/shm")))
        syslog = tmp_path / f"syslog{len(rings)}"
        syslog.touch()
        monkeypatch.setenv("LD_PRELOAD", library)
        monkeypatch.setenv("SYSLOG_FILE", str(syslog))
        fixed = {"chrony_address": "127.0.0.1:9", "log_level": "debug", "ring_dir": str(rings[-1])}
        return Watched(make_logger(**fixed | settings), rings[-1], syslog)

    yield make
    for ring in rings:
        shutil.rmtree(ring)


# ---- uploads that fail --------------------------------------------------------------------------


def echo(status: int, name: str) -> faults.Fault:
    """An answer that repeats all it was asked, in its body and in its headers."""

    def action(exchange, _upstream) -> None:
        asked = exchange.target + " " + exchange.headers.get("proxy-authorization", "")
        signature = exchange.target.rpartition("=")[2]
        body = f"<Error><Code>{signature}</Code><Message>{asked}</Message></Error>"
        headers = {
            "Location": f"http://127.0.0.1:9{exchange.target}",
            "Retry-After": asked,
            "Date": asked,
            "ETag": f'"{signature}"',
            "Content-Type": "application/xml",
        }
        exchange.answer(status, asked, headers, body.encode())

    return faults.Fault(name, action)


FAULTS = [echo(status, f"echo {status}") for status in (200, 302, 307, 400, 401, 403, 500, 503)]
FAULTS += [faults.portal(), faults.reset(10), faults.cut_answer(), faults.status(500)]


def test_presigned_urls_are_told_to_nobody_whatever_the_server_does(watch, bucket, proxy):
    watched = watch(**bucket.presigned_settings(proxy.endpoint))
    logger = watched.logger
    watched.add_urls(bucket.presigned_settings(proxy.endpoint))
    with logger:
        for number, fault in enumerate(FAULTS):
            proxy.set(fault)
            fresh = {
                name: bucket.presign(key, proxy.endpoint, expires_s=3000 + number)
                for name, key in (
                    ("presigned_url_time_log", KEY),
                    ("presigned_url_ntp_status", "ntp_status.txt"),
                    ("presigned_url_ntp_failed_status", "ntp_failed_status.txt"),
                )
            }
            logger.write_config(**watched.add_urls(fresh))
            wait_until(
                lambda name=fault.name: any(s.fault == name for s in proxy.log()), fault.name
            )
        proxy.clear()
        last = bucket.presigned_settings(proxy.endpoint)
        logger.write_config(**watched.add_urls(last))
        wait_until(lambda: bucket.versions(KEY), "the rows")
        wait_until(lambda: bucket.versions("ntp_failed_status.txt"), "the failure's status", 120)
        watched.assert_silent(bucket)
        assert logger.stop()[0] == 0
    assert "not stored" in logger.said and "not stored" in watched.syslog.read_text()
    watched.assert_silent(bucket)


def test_a_host_that_is_not_there_and_settings_that_are_not_taken(watch):
    watched = watch()
    watched.hidden = {"secret": canary.new()}
    secret, logger = watched.hidden["secret"], watched.logger
    logger.write_config(
        presigned_url_time_log=f"http://no-such-host.invalid/k?X-Amz-Signature={secret}"
    )
    with logger:
        wait_until(lambda: "time_log.csv not stored" in logger.said, "the unknown host")
        for number, url in enumerate(canary.bad_urls(secret)):
            logger.write_config(url_source=url)
            wait_until(
                lambda count=number: logger.said.count("settings not taken over") > count, url[:40]
            )
        taken = logger.said.count("settings not taken over")
        logger.config.write_text('{"s3_secret_access_key": "%s' % secret)
        wait_until(lambda: logger.said.count("settings not taken over") > taken, "broken JSON")
        watched.assert_silent()
        assert logger.stop()[0] == 0
    watched.assert_silent()


# ---- the other ways -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["refused", "login page", "malformed", "good"])
def test_the_token_of_url_source_and_what_it_hands_out(watch, bucket, url_source, case):
    secret = canary.new()
    watched = watch(url_source=url_source.url + secret)
    watched.hidden = {"token": "canary-token" + secret, "handed out": canary.new()}
    handed = watched.hidden["handed out"]
    url_source.hand_out(bucket)
    if case == "refused":
        url_source.status = 403
    elif case == "login page":
        url_source.answer = f"<html>{url_source.url}{secret}</html>".encode()
    elif case == "malformed":
        url_source.answer = {"version": 1, "time_log": f"https://user:{handed}@h/k?{handed}"}
    with watched.logger as logger:
        if case == "good":
            wait_until(lambda: bucket.versions("ntp_status.txt"), "the status")
            names = ("time_log", "ntp_status")
            watched.add_urls({name: url_source.answer[name] for name in names})
        else:
            wait_until(lambda: "url_source: " in logger.said, "a word about the source")
        watched.assert_silent(bucket)
        assert logger.stop()[0] == 0
    watched.assert_silent(bucket)


def direct(bucket, endpoint: str, **changes) -> dict:
    credentials = bucket.server.credentials
    return {
        "s3_endpoint": endpoint,
        "s3_region": credentials["AWS_DEFAULT_REGION"],
        "s3_bucket": bucket.name,
        "s3_access_key_id": credentials["AWS_ACCESS_KEY_ID"],
        "s3_secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
        **changes,
    }


def test_the_key_of_direct_mode_right_or_wrong(watch, bucket, proxy):
    wrong = canary.new()
    watched = watch(**direct(bucket, proxy.endpoint, s3_secret_access_key=wrong))
    right = bucket.server.credentials["AWS_SECRET_ACCESS_KEY"]
    watched.hidden = {"wrong key": wrong, "right key": right}
    with watched.logger as logger:
        wait_until(lambda: "SignatureDoesNotMatch" in logger.said, "the refusal")
        logger.write_config(s3_secret_access_key=right)
        wait_until(lambda: bucket.versions("ntp_status.txt"), "the status")
        watched.assert_silent(bucket)
        assert logger.stop()[0] == 0
    watched.assert_silent(bucket)


def test_the_password_of_the_proxy_whether_it_answers_or_is_not_there(watch, bucket, proxy):
    secret = canary.new()
    urls = bucket.presigned_settings()
    here = proxy.endpoint.removeprefix("http://")
    watched = watch(proxy=f"http://user:{secret}@{here}", **urls)
    watched.hidden = {"password": secret}
    proxy.set(echo(407, "echo 407"))
    with watched.logger as logger:
        wait_until(lambda: proxy.log(), "the proxy to be asked")
        wait_until(lambda: "not stored" in logger.said, "its refusal")
        # the last one is what libcurl quotes when it can make no sense of it
        for place in ("@no-such-host.invalid:3128", "@127.0.0.1:9", "/x@127.0.0.1:9"):
            failures = logger.said.count("not stored")
            logger.write_config(proxy=f"http://user:{secret}{place}")
            wait_until(lambda n=failures: logger.said.count("not stored") > n, place)
        watched.assert_silent(bucket)
        assert logger.stop()[0] == 0
    watched.assert_silent(bucket)


def test_values_from_the_command_line_and_the_environment_are_blanked_and_stay_known(watch):
    watched = watch()
    secret = canary.new()
    watched.hidden = {"secret": secret}
    given = canary.all_secrets(secret)
    words = [word for name in list(given)[:5] for word in ("--set", f"{name}={given[name]}")]
    rest = {name: given[name] for name in list(given)[5:]}
    logger = watched.logger
    logger.start(*words, settings=rest)
    wait_until(lambda: list(logger.spool.glob("*.part")), "the spool")
    watched.assert_silent()
    shown = canary.of_process(logger.process.pid)
    assert any(b"--set\0url_source=***" in content for content in shown.values())
    assert any(b"NTP_LOGGER_PROXY=***" in content for content in shown.values())
    logger.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "settings read again: no change" in logger.said, "the same settings again")
    assert logger.stop()[0] == 0
    watched.assert_silent()


# ---- the search itself --------------------------------------------------------------------------


def test_the_search_finds_what_is_planted_in_each_place(watch, bucket):
    """The control of all tests above."""
    secret = canary.new()
    watched = watch()
    watched.hidden = {"secret": secret}
    with watched.logger as logger:
        wait_until(lambda: list(logger.spool.glob("*.part")), "the spool")
        watched.assert_silent(bucket)
        plants = [watched.syslog, logger.spool / "planted", watched.ring / "planted"]
        for path in plants:
            path.write_text(f"said by mistake: {secret}")
        (logger.folder / f"name-{secret}").touch()
        logger._said.append(secret)  # pylint: disable=protected-access
        key = "ntp_status.txt"
        bucket.server.client().put_object(Bucket=bucket.name, Key=key, Body=secret.encode())
        found = canary.leaks(watched.hidden, watched.places(bucket))
    told = [line.removeprefix("secret is in ") for line in found]
    expected = ["stderr", "syslog", f"names in {logger.folder}", f"object {key} version 0"]
    assert sorted(told) == sorted(expected + [str(path) for path in plants[1:]])


def test_the_search_finds_what_a_process_shows():
    secret = canary.new()
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", secret]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "CANARY": secret}
    ) as process:
        process.stdout.readline()
        found = canary.leaks({"secret": secret}, canary.of_process(process.pid))
        process.kill()
    assert [line.rpartition("/")[2] for line in found] == ["cmdline", "environ"]


def test_the_search_finds_parts_and_encoded_forms():
    secret = canary.new()
    encoded = "".join(f"%{ord(letter):02x}" for letter in secret)
    assert canary.is_in(secret, f"x={secret}&".encode())
    assert canary.is_in(secret, secret[5:17].encode())
    assert canary.is_in(secret, secret.upper().encode())
    assert canary.is_in(secret, encoded.encode())
    for user in ("u", "us", "use"):
        assert canary.is_in(secret, canary.base64.b64encode(f"{user}:{secret}".encode()))
    assert not canary.is_in(secret, canary.new().encode() * 50)
