"""Memory of the statically linked program, native: an emulator adds its own."""

import pathlib

import pytest

from lab.logger import Logger, wait_until

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_BEFORE_KIB = 3 * 1024
MOST_KIB = 6 * 1024
FIRST_UPLOAD_S = 12


def status_of(pid: int) -> dict[str, str]:
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":", 1) for line in text.splitlines())


@pytest.mark.parametrize("compress", ["none", "gzip"])
def test_memory_before_an_upload_and_at_its_peak(
    tmp_path, monkeypatch, bucket, s3_server, chrony_address, compress
):
    program = ROOT / "build" / "static" / "ntp_logger"
    if not program.exists():
        pytest.fail(f"no {program}: run cmake --build --preset static")
    monkeypatch.setenv("NTP_LOGGER_BIN", str(program))
    urls = bucket.presigned_settings(s3_server.endpoint_https)
    logger = Logger(tmp_path / "logger", chrony_address=chrony_address,
                    ca_bundle=str(s3_server.ca), compress=compress,
                    first_upload_s=FIRST_UPLOAD_S, **urls)
    with logger:
        wait_until(lambda: logger.bytes_on_disk() > 0, "rows on disk")
        before = int(status_of(logger.process.pid)["VmHWM"].split()[0])
        assert not bucket.versions("time_log.csv"), "an upload came first"
        wait_until(lambda: len(bucket.versions("time_log.csv")) >= 3, "three uploads over TLS")
        status = status_of(logger.process.pid)
        code, _ = logger.stop()
    assert code == 0, logger.said
    peak = int(status["VmHWM"].split()[0])
    threads = status["Threads"].strip()
    print(f"figures static: {before} KiB before the first upload, peak {peak} KiB with TLS, "
          f"{threads} threads, compress {compress}")
    assert before <= MOST_BEFORE_KIB, f"{before} KiB, allowed {MOST_BEFORE_KIB}"
    assert peak <= MOST_KIB, f"peak {peak} KiB, allowed {MOST_KIB}"
