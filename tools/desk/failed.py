"""The uploads of ntp_failed_status.txt that lie beside a log: when, what, and to which incident."""

from __future__ import annotations

import re

import numpy as np

from desk import s3
from desk import words as w
from desk.answer import Answer, FailedStatus
from desk.errors import DeskError, warn
from desk.sources import Wanted, find

_MOST = 50
_LATEST_S = 8 * 86400  # an upload may wait a week for new URLs
_FIELDS = ("Leap status", "Reference ID", "Stratum", "System time", "Root dispersion")


def failed_statuses(
    path: str, wanted: Wanted, place: s3.Place, found: Answer
) -> list[FailedStatus]:
    """Versions uploaded within the period or soon after, oldest first."""
    parts = find(path, wanted, place).failed_statuses()
    begin = found.verdict.begin_us * 1e-6 - 60
    end = found.verdict.end_us * 1e-6 + _LATEST_S
    read = []
    for part in [p for p in parts if begin <= p.modified_s <= end][-_MOST:]:
        try:
            with part.open() as stream:
                text = stream.read(1 << 20).decode("utf-8", "replace")
        except DeskError as error:
            warn(f"{part.name} is left out: {error.message}")
            continue
        read.append(
            FailedStatus(part.modified_s, summary_of(text), _near(part.modified_s, found), text)
        )
    return read


def summary_of(text: str) -> str:
    """The telling lines of `chronyc tracking`, on one line."""
    said = dict(re.findall(r"^([A-Z][A-Za-z0-9 ()]*?)\s*: (.*)$", text, re.MULTILINE))
    named = [f"{name} {said[name].strip()}" for name in _FIELDS if name in said]
    first = text.strip().splitlines()[0][:80] if text.strip() else "empty"
    return "; ".join(named) or first


def _near(uploaded_s: float, found: Answer) -> str:
    """The last incident before the upload: it is what made the camera send this."""
    true = found.facts.clock.true_us(found.facts.series) * 1e-6
    best, name = -np.inf, ""
    for outage in found.outages:
        if best < true[outage.first] <= uploaded_s:
            states = " and ".join(outage.states)
            best = true[outage.first]
            name = f"{states} from {w.moment(found.facts.series.t_us[outage.first])}"
    return name
