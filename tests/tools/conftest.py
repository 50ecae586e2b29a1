"""Fixtures: logs of known truth, and a real S3 server."""

from __future__ import annotations

import helpers  # noqa: F401  the tools on the path, and no credentials of this machine
import make_log
import pytest
from lab.fixtures import bucket, s3_server  # noqa: F401


@pytest.fixture(scope="session")
def logs():
    """Rows of a scenario by name; each is made once."""
    made = {}

    def rows(name: str):
        if name not in made:
            made[name] = make_log.run(make_log.SCENARIOS[name])
        return made[name]

    return rows
