"""The package on an emulated camera: install, run, upload, kill, upgrade, stop; nothing is lost."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest
from emulated import running_as_root

from lab import rows
from lab.certs import Authority
from lab.fault_proxy import FaultProxy
from lab.logger import wait_until
from lab.ntp import silent_address

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).resolve().parents[2]
CROSS = {"aarch64": "aarch64-linux-gnu-gcc", "armv7hf": "arm-linux-gnueabihf-gcc"}
TIME64 = ["-D_TIME_BITS=64", "-D_FILE_OFFSET_BITS=64"]
KEY = "time_log.csv"
DAY_2038_US = 2**31 * 10**6
YEAR_S = 31557600


def lab_settings(camera, chrony_address, **more) -> dict:
    """What differs in a laboratory; URLs and interval come with the package."""
    return {
        "sample_interval_ms": 250, "commit_interval_s": 5, "first_upload_s": 1, "upload_jitter": 0,
        "chrony_address": chrony_address, "ring_dir": str(camera.shm), **more,
    }


def readable_ca(camera, ca: pathlib.Path) -> str:
    copy = camera.root / "ca.pem"
    shutil.copy(ca, copy)
    copy.chmod(0o644)
    return str(copy)


@pytest.fixture
def installed(camera, make_package, bucket, s3_server, chrony_address):
    """A camera with the package, uploading over TLS to the real radosgw every three seconds."""
    config = {**bucket.presigned_settings(s3_server.endpoint_https), "upload_interval_s": 3}
    camera.package_config = config
    camera.install(make_package(camera.arch, config))
    ca = readable_ca(camera, s3_server.ca)
    camera.configure(**lab_settings(camera, chrony_address, ca_bundle=ca))
    return camera


def wait_for_uploads(bucket, camera, count: int, key: str = KEY) -> None:
    wait_until(lambda: len(bucket.versions(key)) >= count, f"{count} versions of {key}", 180)


def everything(bucket, camera) -> list[rows.Row]:
    """Each row that left the camera or waits there."""
    sent = rows.without_repeats(bucket.versions(KEY))
    return rows.parse_files(sent) + camera.spooled()


def test_rows_and_status_arrive_over_tls(installed, bucket, record_property):
    camera = installed
    camera.start()
    wait_for_uploads(bucket, camera, 3)
    wait_for_uploads(bucket, camera, 2, "ntp_status.txt")
    code, took_s = camera.stop()
    assert code == 0, camera.said
    found = everything(bucket, camera)
    rows.assert_exactly_once(found)
    assert any(row.fields["source"] == "chrony" for row in found)
    assert any(row.fields["sync_state"] == "synced" for row in found)
    status = bucket.versions("ntp_status.txt")[-1].decode()
    assert status.startswith("Reference ID    : ")
    peak = camera.most_memory_kib
    print(f"figures {camera.arch}: peak {peak} KiB with qemu, stop {took_s:.2f} s")


def test_killed_upgraded_and_stopped_it_loses_no_row(installed, make_package, bucket):
    camera = installed
    for _ in range(3):
        camera.start()
        seen = len(bucket.versions(KEY))
        wait_for_uploads(bucket, camera, seen + 1)
        camera.kill()
    camera.start()
    wait_for_uploads(bucket, camera, len(bucket.versions(KEY)) + 1)
    assert camera.stop()[0] == 0, camera.said
    kept = [row.seq for row in camera.spooled()]
    camera.install(make_package(camera.arch, camera.package_config, "1.0.1"))
    assert [row.seq for row in camera.spooled()] == kept, "the upgrade did not keep localdata"
    camera.start()
    wait_for_uploads(bucket, camera, len(bucket.versions(KEY)) + 2)
    assert camera.stop()[0] == 0, camera.said
    found = everything(bucket, camera)
    rows.assert_exactly_once(found)
    starts = [row.seq for row in found if "start" in row.events]
    assert len(starts) == 5, f"{len(starts)} starts: one each for four runs and the upgrade"


def test_rows_that_were_only_in_the_ring_survive_a_kill(camera, make_package, chrony_address):
    """Nothing is committed between the first row and the kill: the ring alone has the rest."""
    camera.install(make_package(camera.arch, {"upload_interval_s": 86400}))
    camera.configure(**lab_settings(camera, chrony_address, commit_interval_s=900,
                                    first_upload_s=3600))
    camera.start()
    wait_until(lambda: "rows survive a kill" in camera.said, "the ring in memory", 60)
    time.sleep(5)  # rows to lose
    camera.kill()
    on_disk = {row.seq for row in camera.spooled()}
    camera.start()
    told = re.compile(r"rows survive a kill; ([1-9]\d*) rows found")
    found = wait_until(lambda: told.search(camera.said), "rows found in the ring", 60)
    assert camera.stop()[0] == 0, camera.said
    rows_now = camera.spooled()
    rows.assert_exactly_once(rows_now)
    second_start = [row.seq for row in rows_now if "start" in row.events][1]
    saved = {row.seq for row in rows_now if row.seq < second_start} - on_disk
    assert len(saved) >= 5, f"{found[1]} rows found, {len(saved)} of them new on disk"


def test_sigterm_while_the_server_is_gone_keeps_everything(camera, make_package, chrony_address):
    nowhere = "https://127.0.0.1:9/log?X-Amz-Date=20260101T000000Z&X-Amz-Expires=60"
    config = {"presigned_url_time_log": nowhere, "upload_interval_s": 3}
    camera.install(make_package(camera.arch, config))
    camera.configure(**lab_settings(camera, chrony_address))
    camera.start()
    camera.wait_for_rows(8)
    code, took_s = camera.stop(timeout_s=30)
    assert code == 0, camera.said
    rows.assert_exactly_once(camera.spooled())
    print(f"figures {camera.arch}: stop without a server {took_s:.2f} s")


def test_an_unprivileged_user_with_nothing_optional_still_logs(camera, make_package):
    """No chronyd, no tmpfs for the ring, no trust store, no parameter library, no URL."""
    camera.install(make_package(camera.arch, {}))
    camera.configure(sample_interval_ms=250, commit_interval_s=5, chrony_address=silent_address(),
                     ring_dir="/nonexistent", ca_bundle="")
    camera.start()
    camera.wait_for_rows(8)
    assert camera.stop()[0] == 0, camera.said
    found = camera.spooled()
    rows.assert_exactly_once(found)
    assert {row.fields["source"] for row in found} <= {"kernel", "none"}


@pytest.mark.skipif(not running_as_root(), reason="only root can give files to another user")
def test_it_writes_nowhere_but_in_localdata(installed, bucket):
    camera = installed
    before = {path: path.stat().st_mtime_ns for path in camera.app.rglob("*")
              if camera.local not in path.parents and path != camera.local}
    camera.start()
    wait_for_uploads(bucket, camera, 2)
    assert camera.stop()[0] == 0, camera.said
    after = {path: path.stat().st_mtime_ns for path in camera.app.rglob("*")
             if camera.local not in path.parents and path != camera.local}
    assert before == after
    owners = {path.stat().st_uid for path in camera.local.rglob("*")}
    assert 0 not in owners, "root owns a file that the application made"


def build_for(camera, name: str, source: str) -> pathlib.Path:
    folder = camera.root / "extra"
    folder.mkdir(exist_ok=True)
    library = folder / name
    subprocess.run(
        [CROSS[camera.arch], "-D_GNU_SOURCE", *TIME64, "-w", "-O1", "-shared", "-fPIC",
         ROOT / source, "-o", library],
        check=True,
    )
    return library


def test_the_camera_s_parameters_beat_the_package_s_values(camera, make_package):
    camera.install(make_package(camera.arch, {"upload_interval_s": 86400, "log_level": "warning"}))
    plain = camera.run("--print-config").stdout
    assert "upload_interval_s               = 86400  (config.json)" in plain
    library = build_for(camera, "libaxparameter.so.1", "tests/unit/platform/fake_axparameter.c")
    camera.guest = {
        "LD_LIBRARY_PATH": str(library.parent), "AX_UploadIntervalS": "1234",
        "AX_LogLevel": "default",
    }
    shown = camera.run("--print-config").stdout
    assert "upload_interval_s               = 1234  (device parameter)" in shown
    assert "log_level                       = warning  (config.json)" in shown


def test_the_version_is_the_package_s(camera, make_package):
    camera.install(make_package(camera.arch, {}))
    done = camera.run("--version")
    assert done.returncode == 0 and "1.0.0" in done.stdout


def test_a_clock_past_2038_is_logged_and_uploaded_over_tls(
    camera, make_package, bucket, s3_server, chrony_address, tmp_path
):
    authority = Authority(tmp_path / "ca")
    camera.guest = {
        "LD_PRELOAD": str(build_for(camera, "wrong_clock.so", "tests/e2e/wrong_clock.c")),
        "WRONG_CLOCK_OFFSET_S": str(14 * YEAR_S),
    }
    certificate = authority.issue("far", to_days=20 * 365 - 30)
    with FaultProxy(s3_server.address, certificate=certificate) as front:
        config = {**bucket.presigned_settings(front.endpoint), "upload_interval_s": 3}
        camera.install(make_package(camera.arch, config))
        ca = readable_ca(camera, authority.ca)
        camera.configure(**lab_settings(camera, chrony_address, ca_bundle=ca))
        camera.start()
        wait_for_uploads(bucket, camera, 2)
        assert camera.stop()[0] == 0, camera.said
    found = everything(bucket, camera)
    rows.assert_exactly_once(found)
    times = [int(row.fields["current_system_time"]) for row in found]
    assert min(times) > DAY_2038_US, "the clock was not past 2038"
    assert times == sorted(times)
