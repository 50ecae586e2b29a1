"""Manifest, environment, -D: where config.json gets its values, and that nobody else sees them."""

import json
import subprocess

import pytest
from kit import ROOT

MARK = "X-Amz-Signature=0123456789abcdef"
URL = f"https://b.example/log.csv?a=$HOME;b=\"c\"&d=\\e%2F#&{MARK}"


def configure(folder, *options: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["cmake", "-S", str(ROOT), "-B", str(folder), "-DNTP_LOGGER_TESTS=OFF", *options],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", **env},
    )


def config_of(folder) -> dict:
    return json.loads((folder / "config.json").read_text())


@pytest.mark.parametrize(
    "manifest, interval", [("fixedit-manifest.json", 86400), ("fixedit-manifest.hourly.json", 3600)]
)
def test_the_manifest_gives_the_interval(tmp_path, manifest, interval):
    done = configure(tmp_path, f"-DFIXEDIT_MANIFEST={manifest}")
    assert done.returncode == 0, done.stderr
    assert config_of(tmp_path) == {"upload_interval_s": interval}


def test_the_environment_beats_the_manifest_and_stays_out_of_log_and_cache(tmp_path):
    done = configure(tmp_path, PRESIGNED_URL_TIME_LOG=URL, UPLOAD_INTERVAL_S="900")
    assert done.returncode == 0, done.stderr
    assert config_of(tmp_path) == {"presigned_url_time_log": URL, "upload_interval_s": 900}
    assert MARK not in done.stdout + done.stderr
    holders = subprocess.run(["grep", "-rlF", MARK, str(tmp_path)], capture_output=True, text=True)
    assert holders.stdout.split() == [str(tmp_path / "config.json")]
    assert (tmp_path / "config.json").stat().st_mode & 0o077 == 0


def test_the_command_line_beats_the_environment(tmp_path):
    done = configure(tmp_path, "-DUPLOAD_INTERVAL_S=60", UPLOAD_INTERVAL_S="900")
    assert done.returncode == 0, done.stderr
    assert config_of(tmp_path)["upload_interval_s"] == 60


def test_an_empty_variable_leaves_the_manifest_s_value(tmp_path):
    configure(tmp_path, UPLOAD_INTERVAL_S="")
    assert config_of(tmp_path) == {"upload_interval_s": 86400}


def test_an_interval_that_is_none_is_named(tmp_path):
    done = configure(tmp_path, UPLOAD_INTERVAL_S="hourly")
    assert done.returncode != 0
    assert "UPLOAD_INTERVAL_S is 'hourly': want a whole number of seconds" in done.stderr


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    done = configure(tmp_path, "-DFIXEDIT_MANIFEST=fixedit-manifest.weekly.json")
    assert done.returncode != 0 and "fixedit-manifest.weekly.json" in done.stderr


def test_a_broken_entry_is_named_by_number_not_by_value(tmp_path):
    manifest = tmp_path / "m.json"
    manifest.write_text(json.dumps({"build": {"build_arg": [f"presigned {URL}"]}}))
    relative = "/".join([".."] * (len(ROOT.parts) - 1) + list(manifest.parts[1:]))
    done = configure(tmp_path / "b", f"-DFIXEDIT_MANIFEST={relative}")
    assert done.returncode != 0 and "build_arg number 0 is not KEY=VALUE" in done.stderr
    assert MARK not in done.stdout + done.stderr


def test_missing_libraries_are_named_with_the_command_that_makes_them(tmp_path):
    done = configure(tmp_path / "b", f"-DNTP_LOGGER_DEPS={tmp_path}/aarch64")
    said = " ".join(done.stderr.split())
    assert done.returncode != 0 and "run tools/cross-deps.sh aarch64 first" in said
