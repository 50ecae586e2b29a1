"""pytest fixtures over the lab; a test folder's conftest.py imports what it uses."""

import itertools

import pytest

from lab.fault_proxy import FaultProxy
from lab.logger import Logger
from lab.ntp import NtpLab
from lab.s3 import S3Server
from lab.url_source import UrlSource

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_server():
    """One radosgw for the whole run; each test has a bucket of its own."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server):
    """A fresh versioned bucket."""
    return s3_server.bucket(f"test-{next(_numbers)}")


@pytest.fixture
def proxy(s3_server):
    """A fault proxy in front of the radosgw, without a fault at first."""
    with FaultProxy(s3_server.address) as running:
        yield running


@pytest.fixture(scope="session")
def chrony_address():
    """A synchronised chronyd whose clock seems 50 ms slow; shared, so leave it alone."""
    lab = NtpLab()
    lab.start("server")
    yield lab.start("client", offset="0.05")
    lab.stop()


@pytest.fixture
def ntp_lab():
    """An empty NTP lab for tests that stop or freeze daemons."""
    lab = NtpLab()
    yield lab
    lab.stop()


@pytest.fixture
def url_source():
    """Hands out what the test tells it to."""
    source = UrlSource()
    yield source
    source.stop()


@pytest.fixture
def make_logger(tmp_path):
    """Makes loggers with folders of their own; kills what still runs at the end."""
    made: list[Logger] = []

    def make(**settings) -> Logger:
        logger = Logger(tmp_path / f"logger{len(made)}", **settings)
        made.append(logger)
        return logger

    yield make
    for logger in made:
        logger.kill()
        print(f"--- {logger.folder.name} said:\n{logger.said}")
