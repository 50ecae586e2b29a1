"""Bad input: a clear error that names the thing and the value, exit code not 0, nothing lost."""

import json
import os

import pytest

from lab.logger import wait_until
from lab.rows import assert_exactly_once

BAD_SETTINGS = [
    ("sample_interval_ms", 0),
    ("sample_interval_ms", -1),
    ("sample_interval_ms", 10**12),
    ("sample_interval_ms", "soon"),
    ("sample_interval_ms", 0.5),
    ("upload_interval_s", 0),
    ("upload_interval_s", -1),
    ("upload_interval_s", "daily"),
    ("upload_interval_s", 10**12),
    ("commit_interval_s", 0),
    ("commit_interval_s", 10**12),
    ("upload_jitter", 7),
    ("presigned_url_time_log", "ftp://example.org/time_log.csv?X-Amz-Signature=abc"),
    ("presigned_url_time_log", "time_log.csv"),
    ("presigned_url_ntp_status", "file:///etc/passwd"),
    ("allow_http", "perhaps"),
    ("chrony_address", "127.0.0.1:99999"),
    ("csv_format", "poor"),
    ("compress", "zstd"),
    ("sample_intervall_ms", 1000),
]


@pytest.fixture
def used_spool(make_logger, chrony_address):
    """A logger that has rows on disk already."""
    logger = make_logger(chrony_address=chrony_address)
    with logger:
        wait_until(lambda: logger.sealed(), "a sealed segment")
        assert logger.stop()[0] == 0
    assert_exactly_once(logger.spooled())
    return logger


def content(folder):
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name[0].isdigit()
    }


def assert_refused(logger, *words, args=()):
    before = content(logger.spool)
    done = logger.run(*args)
    assert done.returncode not in (0, -6, -11), done.stderr
    for word in words:
        assert str(word) in done.stderr, f"{word!r} is not in: {done.stderr}"
    assert "Signature=abc" not in done.stderr
    assert content(logger.spool) == before


def test_each_bad_setting_is_named_with_its_value(used_spool):
    for setting, value in BAD_SETTINGS:
        used_spool.settings.pop("sample_intervall_ms", None)
        good = used_spool.settings.get(setting)
        used_spool.write_config(**{setting: value})
        shown = () if setting.startswith("presigned") or "intervall" in setting else (value,)
        assert_refused(used_spool, setting, *shown)
        assert_refused(used_spool, setting, args=["--check-config"])
        if good is None:
            used_spool.settings.pop(setting)
        else:
            used_spool.settings[setting] = good
    used_spool.write_config()
    assert used_spool.run("--check-config").returncode == 0


def test_plain_http_is_refused_unless_it_is_allowed(used_spool):
    used_spool.write_config(
        allow_http=False, presigned_url_time_log="http://127.0.0.1:9/x?X-Amz-Signature=abc"
    )
    assert_refused(used_spool, "presigned_url_time_log", "allow_http")


@pytest.mark.parametrize(
    "text, where",
    [
        ('{\n  "upload_interval_s": 60,\n  "spool_dir": \n}\n', ("line 4", "column")),
        ('{"upload_interval_s": 60,}', ("line 1", "column")),
        ('{"upload_interval_s": 60', ("line 1", "column")),
        ("", ("config.json",)),
        ("[1, 2]", ("config.json",)),
    ],
    ids=["value missing", "comma too many", "not closed", "empty", "no object"],
)
def test_malformed_json_is_shown_with_its_place(used_spool, text, where):
    used_spool.config.write_text(text)
    assert_refused(used_spool, "config.json", *where)


def test_a_missing_config_file_is_named(used_spool):
    used_spool.config.unlink()
    assert_refused(used_spool, "config.json")


@pytest.mark.parametrize(
    "args, word",
    [
        (["--set", "upload_interval_s=0"], "upload_interval_s"),
        (["--set", "no_such_thing=1"], "no_such_thing"),
        (["--set", "upload_interval_s"], "upload_interval_s"),
        (["--duration", "0"], "duration"),
        (["--duration", "long"], "long"),
        (["--frobnicate"], "frobnicate"),
        (["surplus"], "surplus"),
    ],
    ids=" ".join,
)
def test_bad_arguments_are_named(used_spool, args, word):
    assert_refused(used_spool, word, args=args)


def test_spool_folder_that_is_a_file_is_named(make_logger, tmp_path):
    occupied = tmp_path / "occupied"
    occupied.write_text("precious")
    done = make_logger(spool_dir=str(occupied)).run()
    assert done.returncode > 0 and str(occupied) in done.stderr
    assert occupied.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_spool_folder_without_write_permission_is_named(make_logger, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = make_logger(spool_dir=str(closed / "spool")).run()
    assert done.returncode > 0 and str(closed) in done.stderr


def test_spool_folder_in_proc_is_named(make_logger):
    # nobody can make a folder there, not even root
    done = make_logger(spool_dir="/proc/ntp_logger/spool").run()
    assert done.returncode > 0 and "/proc/ntp_logger/spool" in done.stderr


def test_second_instance_on_one_spool_is_refused(make_logger, chrony_address):
    first = make_logger(chrony_address=chrony_address)
    with first:
        wait_until(lambda: list(first.spool.glob("*.part")), "the first to own the spool")
        done = first.run()
        assert done.returncode > 0 and str(first.spool) in done.stderr
        wait_until(lambda: first.sealed(), "the first to go on")
        assert first.stop()[0] == 0
    assert_exactly_once(first.spooled())


def test_print_config_shows_where_each_value_came_from_and_no_secret(make_logger):
    logger = make_logger(
        presigned_url_time_log="https://example.org/b/time_log.csv?X-Amz-Signature=abc123",
        s3_endpoint="https://s3.example.org",
        s3_region="eu-north-1",
        s3_bucket="my.bucket",
        s3_access_key_id="AKIAEXAMPLE",
        s3_secret_access_key="verysecretindeed",
    )
    done = logger.run("--set", "upload_interval_s=77", "--print-config")
    assert done.returncode == 0, done.stderr
    assert "abc123" not in done.stdout + done.stderr
    assert "verysecretindeed" not in done.stdout + done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("upload_interval_s"))
    assert "77" in line
    for setting in json.loads(logger.config.read_text()):
        assert setting in done.stdout
