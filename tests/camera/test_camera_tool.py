"""tools/camera.py against a stand-in of the cameras' interface."""

import pathlib
import subprocess
import sys

import pytest
from stand_in import StandIn

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "camera.py"
sys.path.insert(0, str(ROOT / "tools"))

from vapix.answers import CONTROL, UPLOAD  # noqa: E402

URL = "https://bucket.example/log?X-Amz-Signature=0123456789abcdef&n="
ENV = "".join(
    f"{name}='{URL}{number}'\n"
    for number, name in enumerate(("TIME_LOG_CSV", "NTP_STATUS_TXT", "NTP_FAILED_STATUS_TXT"))
)


@pytest.fixture
def cameras():
    """Makes stand-ins; closes them at the end."""
    made = []

    def make(**how) -> StandIn:
        made.append(StandIn(**how))
        return made[-1]

    yield make
    for camera in made:
        camera.close()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A package for each architecture; the stand-in does not run what is in them."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "program").write_bytes(b"\x7fELF")
    (folder / "config.json").write_text("{}\n")
    for arch in ("aarch64", "armv7hf"):
        subprocess.run(
            [sys.executable, ROOT / "tools" / "make_eap.py", "--arch", arch,
             "--manifest", ROOT / "app" / "manifest.json", "--app", ROOT / "app",
             "--binary", folder / "program", "--config", folder / "config.json",
             "--output", folder],
            check=True, capture_output=True,
        )
    return sorted(folder.glob("*.eap"))


def run(cameras, *args, password="camera-secret", options=()):
    named = [f"--camera=c{number}={camera.address}" for number, camera in enumerate(cameras)]
    return subprocess.run(
        [sys.executable, TOOL, *named, *options, *map(str, args)], capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "CAMERA_PASSWORD": password, "LC_ALL": "C.UTF-8"},
        timeout=120,
    )


def test_install_picks_the_package_of_each_camera_and_starts_it(cameras, packages):
    pair = [cameras(arch="aarch64", firmware="11.11.150"), cameras(arch="armv7hf", firmware="11.8")]
    done = run(pair, "install", *packages)
    assert done.returncode == 0, done.stderr
    assert "c0: installed, 1.0.0 is running" in done.stdout
    assert "c1: installed, 1.0.0 is running" in done.stdout
    assert all(camera.apps["ntp_logger"]["status"] == "Running" for camera in pair)


def test_installing_again_is_an_upgrade(cameras, packages):
    camera = cameras(firmware="11.11.150")
    run([camera], "install", *packages)
    done = run([camera], "install", *packages)
    assert done.returncode == 0 and "upgraded from 1.0.0, 1.0.0 is running" in done.stdout


def test_an_unsigned_package_needs_leave_on_axis_os_12(cameras, packages):
    camera = cameras(firmware="12.6.100")
    done = run([camera], "install", *packages)
    assert done.returncode == 1
    assert "not signed" in done.stderr and "--allow-unsigned" in done.stderr
    assert run([camera], "install", "--allow-unsigned", *packages).returncode == 0


def test_axis_os_13_takes_no_leave(cameras, packages):
    done = run([cameras(firmware="13.0.1")], "install", "--allow-unsigned", *packages)
    assert done.returncode == 1 and "AXIS OS 13 takes signed packages only" in done.stderr


def test_no_package_of_the_architecture_is_said_before_uploading(cameras, packages):
    camera = cameras(arch="armv7hf", firmware="11.11")
    done = run([camera], "install", packages[0])
    assert done.returncode == 1 and "its architecture is armv7hf" in done.stderr
    assert not any("upload" in request for request in camera.requests)


def test_one_camera_that_fails_does_not_stop_the_others(cameras, packages):
    pair = [cameras(firmware="11.11"), cameras(firmware="13.0.1")]
    done = run(pair, "install", *packages)
    assert done.returncode == 1
    assert "c0: installed" in done.stdout and "c1: Error:" in done.stderr
    assert "1 of 2 cameras failed" in done.stderr


def test_a_program_that_ends_at_once_is_not_called_running(cameras, packages):
    camera = cameras(firmware="11.11")
    camera.crashes = True
    done = run([camera], "install", "--wait", "1", *packages)
    assert done.returncode == 1 and "started but does not run" in done.stderr


@pytest.mark.parametrize("number", sorted(UPLOAD))
def test_every_upload_error_is_a_sentence_with_a_next_step(cameras, packages, number):
    camera = cameras(firmware="11.11")
    camera.upload_error = number
    done = run([camera], "install", *packages)
    assert done.returncode == 1
    assert UPLOAD[number][0] in done.stderr and UPLOAD[number][1] in done.stderr
    assert f"(error {number})" in done.stderr


def test_an_unknown_error_still_names_its_number(cameras, packages):
    camera = cameras(firmware="11.11")
    camera.upload_error = 99
    assert "the camera answered error 99" in run([camera], "install", *packages).stderr


def test_start_stop_restart_remove(cameras, packages):
    camera = cameras(firmware="11.11")
    run([camera], "install", "--no-start", *packages)
    steps = [
        ("start", "started"), ("start", "runs already"), ("restart", "restarted"),
        ("stop", "stopped"), ("stop", "is stopped already"),
    ]
    for action, sentence in steps:
        done = run([camera], action)
        assert done.returncode == 0 and f"c0: {sentence}" in done.stdout, done.stderr
    assert run([camera], "remove", "--yes").returncode == 0
    done = run([camera], "start")
    assert done.returncode == 1 and CONTROL[4][0] in done.stderr


def test_configure_sets_the_urls_of_each_camera_and_shows_none(cameras, packages, tmp_path):
    pair = [cameras(firmware="11.11"), cameras(firmware="11.11")]
    run(pair, "install", *packages)
    for name in ("c0", "c1"):
        (tmp_path / f"s3.{name}.env").write_text(ENV.replace("n=", f"{name}="))
    done = run(pair, "configure", "--urls", tmp_path / "s3.{name}.env", "--set",
               "upload_interval_s=900")
    assert done.returncode == 0, done.stderr
    for name, camera in zip(("c0", "c1"), pair):
        want = URL.replace("n=", f"{name}=0")
        assert camera.params["root.Ntp_logger.PresignedUrlTimeLog"] == want
        assert camera.params["root.Ntp_logger.UploadIntervalS"] == "900"
        assert not any("X-Amz" in request for request in camera.requests), "a URL in a log line"
    assert "X-Amz" not in done.stdout + done.stderr
    assert "travel unencrypted" in done.stderr


def test_configure_a_url_source(cameras, packages, tmp_path):
    camera = cameras(firmware="11.11")
    run([camera], "install", *packages)
    (tmp_path / "source").write_text("https://urls.example/secret\n")
    done = run([camera], "configure", "--url-source-file", tmp_path / "source", "--no-restart")
    assert done.returncode == 0 and "takes effect at the next start" in done.stdout
    assert camera.params["root.Ntp_logger.UrlSource"] == "https://urls.example/secret"
    assert "urls.example" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "args, complaint",
    [
        (["--set", "url_source=https://a.example"], "is a secret"),
        (["--set", "colour=blue"], "no parameter of the camera"),
        (["--set", "log_level"], "no NAME=VALUE"),
        ([], "nothing to set"),
        (["--urls", "/nonexistent/s3.env"], "No such file"),
    ],
)
def test_bad_settings_are_named(cameras, args, complaint):
    done = run([cameras()], "configure", *args)
    assert done.returncode == 1 and complaint in done.stderr
    assert "Traceback" not in done.stderr and "a.example" not in done.stderr


def test_a_file_that_lacks_a_url_is_named(cameras, tmp_path):
    (tmp_path / "s3.env").write_text("TIME_LOG_CSV=https://a.example/secret\n")
    done = run([cameras()], "configure", "--urls", tmp_path / "s3.env")
    assert "lacks NTP_FAILED_STATUS_TXT, NTP_STATUS_TXT" in done.stderr
    assert "a.example" not in done.stderr


def test_configuring_what_is_not_installed_says_so(cameras):
    done = run([cameras()], "configure", "--set", "log_level=debug")
    assert done.returncode == 1 and "keeps no parameters" in done.stderr


def test_state_and_log(cameras, packages):
    pair = [cameras(firmware="11.11.150"), cameras(arch="armv7hf", firmware="10.12")]
    run(pair[:1], "install", *packages)
    done = run(pair, "state")
    assert "c0: AXIS OS 11.11.150, aarch64; 1.0.0 running, signature unsigned" in done.stdout
    assert "c1: AXIS OS 10.12, armv7hf; not installed" in done.stdout
    done = run(pair[:1], "log", "--lines", "1")
    assert done.stdout == "c0: ntp_logger[8]: start\n"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_both_kinds_of_digest_login(cameras, algorithm):
    assert run([cameras(algorithm=algorithm)], "state").returncode == 0


def test_a_wrong_password_is_said_and_not_shown(cameras):
    done = run([cameras()], "state", password="wrong-secret")
    assert done.returncode == 1 and "user 'root' may not use param.cgi (HTTP 401)" in done.stderr
    assert "wrong-secret" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run([ROOT / "tools" / "lab" / "make-ca.sh", folder], check=True)
    return folder


def test_tls_is_verified_unless_one_says_otherwise(cameras, authority):
    camera = cameras(tls=(authority / "server.pem", authority / "server.key"))
    done = run([camera], "state")
    assert done.returncode == 1 and "--ca FILE" in done.stderr and "--insecure" in done.stderr
    assert run([camera], "state", options=("--ca", str(authority / "ca.pem"))).returncode == 0
    done = run([camera], "state", options=("--insecure",))
    assert done.returncode == 0 and "Warning" not in done.stderr


def test_what_is_no_camera_says_so(cameras):
    camera = cameras()
    camera.answer = lambda *_args: (_ for _ in ()).throw(FileNotFoundError())
    done = run([camera], "state")
    assert done.returncode == 1 and "is this an Axis camera" in done.stderr


def test_a_list_of_cameras_from_a_file(cameras, tmp_path):
    pair = [cameras(), cameras()]
    listed = tmp_path / "site.txt"
    listed.write_text(f"# site\ngate={pair[0].address}\n\nyard = {pair[1].address}  # north\n")
    done = run([], "state", options=("--cameras", str(listed)))
    assert done.returncode == 0, done.stderr
    assert {line.split(":")[0] for line in done.stdout.splitlines()} == {"gate", "yard"}
    listed.write_text("gate=10.0.0.1\nbad camera\n")
    done = run([], "state", options=("--cameras", str(listed)))
    assert done.returncode == 1 and "line 2" in done.stderr
    listed.write_text("gate=10.0.0.1\ngate=10.0.0.2\n")
    assert "given twice" in run([], "state", options=("--cameras", str(listed))).stderr
