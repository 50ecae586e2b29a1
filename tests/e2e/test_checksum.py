"""The checksum is counted behind the commits: one read less, and a changed file shows."""

import re
import shutil

import pytest

from lab.logger import wait_until
from lab.rows import assert_exactly_once, without_repeats

KEY = "time_log.csv"
FIXED_BYTES = 4096  # of its first and last row, for the look before and for the name


def trace(logger, path):
    """From its next start on each pread of LOGGER is told to PATH; it stays our child."""
    strace = ["strace", "-D", "-f", "-y", "-e", "trace=pread64", "-o", str(path)]
    logger.command = lambda *args: strace + type(logger).command(logger, *args)


def bytes_read(path) -> list[int]:
    """From each sealed segment, in their order."""
    sums: dict[str, int] = {}
    pattern = re.compile(r"pread64\(\d+<[^>]*/(\d{10}\.csv)>.*\) = (\d+)$", re.MULTILINE)
    for name, count in pattern.findall(path.read_text()):
        sums[name] = sums.get(name, 0) + int(count)
    return [sums[name] for name in sorted(sums)]


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace: tools/install-deps.sh lab")
def test_a_segment_of_this_run_is_read_once_and_one_of_a_former_run_twice(
    make_logger, bucket, chrony_address
):
    logger = make_logger(
        chrony_address=chrony_address, sample_interval_ms=10, **bucket.presigned_settings()
    )
    first, second = logger.folder / "first.strace", logger.folder / "second.strace"
    trace(logger, first)
    with logger:
        wait_until(lambda: len(bucket.versions(KEY)) >= 3, "three uploads")
        rows_since = logger.bytes_on_disk()
        wait_until(lambda: logger.bytes_on_disk() > rows_since + 4 * FIXED_BYTES, "rows on disk")
        logger.kill()
    stored = len(bucket.versions(KEY))
    sizes = [len(body) for body in bucket.versions(KEY)]
    for size, read in list(zip(sizes, bytes_read(first)))[1:3]:
        assert size > 2 * FIXED_BYTES
        assert size <= read < size + FIXED_BYTES

    trace(logger, second)
    with logger:
        wait_until(lambda: len(bucket.versions(KEY)) > stored, "the recovered segment")
        assert logger.stop()[0] == 0
    size = len(bucket.versions(KEY)[stored])
    assert size > 2 * FIXED_BYTES
    assert 2 * size <= bytes_read(second)[0] < 2 * size + FIXED_BYTES


def test_a_segment_that_the_disk_changed_arrives_and_is_told(
    make_logger, bucket, proxy, chrony_address
):
    proxy.down()
    logger = make_logger(
        chrony_address=chrony_address, **bucket.presigned_settings(proxy.endpoint)
    )
    with logger:
        wait_until(lambda: len(logger.sealed()) >= 2, "two sealed segments")
        damaged = logger.sealed()[0]
        body = damaged.read_bytes()
        at = body.rindex(b"Normal,")
        with open(damaged, "r+b") as file:
            file.seek(at - 2)  # the last digit of clock_diff
            file.write(b"7" if body[at - 2 : at - 1] != b"7" else b"8")
        changed = damaged.read_bytes()
        assert len(changed) == len(body) and changed != body
        proxy.up()
        wait_until(lambda: not damaged.exists(), "the damaged segment to be sent")
        wait_until(lambda: len(bucket.versions(KEY)) >= 2, "the next one")
        assert logger.stop()[0] == 0
    sent = without_repeats(bucket.versions(KEY))
    assert sent[0] == changed
    assert logger.said.count("not what was written") == 1, logger.said
    assert_exactly_once(logger.all_rows(sent))
