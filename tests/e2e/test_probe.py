"""--probe: one reading in words; the exit code says how the clock stands."""

from lab.ntp import silent_address


def test_synchronised_and_slow_gives_0(make_logger, chrony_address):
    done = make_logger(chrony_address=chrony_address).run("--probe")
    assert done.returncode == 0, done.stderr
    assert "synced" in done.stdout
    assert "slow" in done.stdout and "fast" not in done.stdout
    assert "0.05" in done.stdout or "0.049" in done.stdout or "50" in done.stdout


def test_fast_clock_is_called_fast(make_logger, ntp_lab):
    ntp_lab.start("server")
    address = ntp_lab.start("client", offset="-0.25")
    done = make_logger(chrony_address=address).run("--probe")
    assert done.returncode == 0, done.stderr
    assert "fast" in done.stdout and "slow" not in done.stdout


def test_not_synchronised_gives_1(make_logger, ntp_lab):
    done = make_logger(chrony_address=ntp_lab.start("unsynced")).run("--probe")
    assert done.returncode == 1, done.stderr
    assert "unsynced" in done.stdout


def test_nobody_answering_gives_2(make_logger):
    address = silent_address()
    done = make_logger(chrony_address=address).run("--probe")
    assert done.returncode == 2
    assert "unreachable" in done.stdout + done.stderr


def test_a_frozen_daemon_gives_2_and_does_not_hang(make_logger, ntp_lab):
    ntp_lab.start("server")
    address = ntp_lab.start("client")
    ntp_lab.freeze("client")
    try:
        done = make_logger(chrony_address=address).run("--probe", timeout_s=30)
    finally:
        ntp_lab.thaw("client")
    assert done.returncode == 2


def test_probe_leaves_no_spool_behind(make_logger, chrony_address):
    logger = make_logger(chrony_address=chrony_address)
    logger.run("--probe")
    assert not logger.spool.exists()


def test_help_and_version_need_no_config(make_logger):
    logger = make_logger()
    logger.config.unlink()
    for option in ("--help", "--version"):
        done = logger.run(option)
        assert done.returncode == 0 and done.stdout
