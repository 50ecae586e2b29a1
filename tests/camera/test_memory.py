"""Peak memory of the program with the packages' own libraries, native: an emulator adds its own."""

import pathlib

import pytest

from lab.logger import Logger, wait_until

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_KIB = 6 * 1024


def status_of(pid: int) -> dict[str, str]:
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":", 1) for line in text.splitlines())


@pytest.mark.parametrize("compress", ["none", "gzip"])
def test_peak_memory_with_tls_loaded(
    tmp_path, monkeypatch, bucket, s3_server, chrony_address, compress
):
    program = ROOT / "build" / "static" / "ntp_logger"
    if not program.exists():
        pytest.fail(f"no {program}: run cmake --build --preset static")
    monkeypatch.setenv("NTP_LOGGER_BIN", str(program))
    urls = bucket.presigned_settings(s3_server.endpoint_https)
    logger = Logger(tmp_path / "logger", chrony_address=chrony_address,
                    ca_bundle=str(s3_server.ca), compress=compress, **urls)
    with logger:
        wait_until(lambda: len(bucket.versions("time_log.csv")) >= 3, "three uploads over TLS")
        status = status_of(logger.process.pid)
        code, _ = logger.stop()
    assert code == 0, logger.said
    peak = int(status["VmHWM"].split()[0])
    threads = status["Threads"].strip()
    print(f"figures static: peak {peak} KiB, {threads} threads, TLS loaded, compress {compress}")
    assert peak <= MOST_KIB, f"peak {peak} KiB, allowed {MOST_KIB}"
