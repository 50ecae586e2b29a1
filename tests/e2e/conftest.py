"""Fixtures of the end-to-end tests: real chronyd, real radosgw, the real program."""

from lab.fixtures import (  # noqa: F401
    bucket,
    chrony_address,
    make_logger,
    ntp_lab,
    proxy,
    s3_server,
    url_source,
)
