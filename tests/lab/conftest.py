"""Fixtures for the lab's own tests."""

from lab.fixtures import bucket, ntp_lab, proxy, s3_server  # noqa: F401
