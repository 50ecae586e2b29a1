"""The NTP lab: each role reaches the state that it names, and stops by its own pid."""

import os
import pathlib
import subprocess

import pytest

from lab.ntp import silent_address
from lab.shell import ROOT, LabError

CHRONY = pathlib.Path(os.environ.get("NTP_LAB_CHRONY", ROOT / "build" / "lab" / "chrony" / "usr"))
CHRONYC = CHRONY / "bin" / "chronyc"


def tracking(address: str) -> str:
    host, _, port = address.rpartition(":")
    done = subprocess.run(
        [CHRONYC, "-n", "-h", host, "-p", port, "tracking"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout


def test_client_is_synchronised_with_the_chosen_offset(ntp_lab):
    ntp_lab.start("server")
    text = tracking(ntp_lab.start("client", offset="0.05"))
    assert "Leap status     : Normal" in text
    assert "seconds slow of NTP time" in text
    fast = tracking(ntp_lab.start("client", name="fast", offset="-0.25"))
    assert "seconds fast of NTP time" in fast


def test_unsynced_client_says_so(ntp_lab):
    assert "Not synchronised" in tracking(ntp_lab.start("unsynced"))


def test_stopped_instance_answers_no_more_and_can_come_back(ntp_lab):
    address = ntp_lab.start("server")
    ntp_lab.stop("server")
    assert tracking(address) == "506 Cannot talk to daemon\n"
    assert ntp_lab.restart("server", "server") == address
    assert "Stratum         : 3" in tracking(address)


def test_bad_offset_is_refused(ntp_lab):
    ntp_lab.start("server")
    with pytest.raises(LabError, match="'abc' is not a number"):
        ntp_lab.start("client", offset="abc")


def test_silent_address_is_loopback():
    assert silent_address().startswith("127.0.0.1:")
