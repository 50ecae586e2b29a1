"""Times without contact to the NTP server, and whether the error bound reported in them held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from desk import columns as col
from desk.facts import Facts
from desk.spans import Span

_MARGIN_S = 0.001  # of what a contact can measure over a network


@dataclass
class Outage:
    """Rows FIRST..LAST were not in contact, possibly in several states."""

    first: int
    last: int
    seconds: float  # by rows
    states: dict[str, float]  # seconds in each
    contact_before: Optional[int]  # row of the last news before, in the same boot
    contact_after: Optional[int]  # row of the first news after, in the same boot
    silence_s: Optional[float]  # from contact to contact
    error_at_end_s: float  # what the first contact showed the error to have been; NaN without one
    bound_at_end_s: float  # what the last row had claimed; NaN without a claim
    never_before: bool  # no contact in this boot before

    @property
    def bound_held(self) -> Optional[bool]:
        """None when there is nothing to compare."""
        if not np.isfinite(self.error_at_end_s) or not np.isfinite(self.bound_at_end_s):
            return None
        return abs(self.error_at_end_s) <= self.bound_at_end_s + _MARGIN_S


@dataclass
class BoundBreach:
    """Rows in which the error was larger than the bound that they report."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    seconds: float = 0.0
    worst_row: int = -1


def outages(facts: Facts) -> list[Outage]:
    """Neighbouring spans of bad state make one outage; a new boot begins another."""
    groups: list[list[Span]] = []
    boot = facts.series.boot
    for span in facts.spans:
        for part in _by_boot(span, boot):
            before = groups[-1][-1] if groups else None
            if before and before.last + 1 == part.first and boot[before.last] == boot[part.first]:
                groups[-1].append(part)
            else:
                groups.append([part])
    contacts = np.flatnonzero(facts.clock.contact)
    return [_outage(facts, group, contacts) for group in groups]


def _by_boot(span: Span, boot: np.ndarray) -> list[Span]:
    cuts = np.flatnonzero(boot[span.first + 1 : span.last + 1] != boot[span.first : span.last])
    edges = [span.first, *(cuts + span.first + 1).tolist(), span.last + 1]
    return [Span(a, b - 1, span.state) for a, b in zip(edges, edges[1:])]


def _outage(facts: Facts, group: list[Span], contacts: np.ndarray) -> Outage:
    series = facts.series
    first, last = group[0].first, group[-1].last
    boot = series.boot[first]
    place = np.searchsorted(contacts, first)
    before = (
        int(contacts[place - 1]) if place and series.boot[contacts[place - 1]] == boot else None
    )
    after = None
    if place < len(contacts) and series.boot[contacts[place]] == boot:
        after = int(contacts[place])
    states: dict[str, float] = {}
    for span in group:
        spent = float(facts.covered[span.first : span.last + 1].sum())
        states[span.name] = states.get(span.name, 0.0) + spent
    silence = None
    if before is not None and after is not None:
        silence = float(facts.covered[before + 1 : after + 1].sum())
    return Outage(
        first, last, sum(states.values()), states, before, after, silence,
        _error_at_end(facts, last, after), _claimed(series, first, last), before is None,
    )  # fmt: skip


def _error_at_end(facts: Facts, last: int, after: Optional[int]) -> float:
    """The error just before contact returned, by what that contact showed.

    A step in the very row of contact was the correction; what it took away was the error before.
    """
    if after is None:
        return float("nan")
    error = float(facts.clock.error_s[after])
    stepped = sum(s.size_s for s in facts.clock.steps if last < s.row <= after and not s.leap)
    return error - stepped


def _claimed(series, first: int, last: int) -> float:
    bound = series.bound_s[first : last + 1]
    known = np.flatnonzero(np.isfinite(bound))
    return float(bound[known[-1]]) if len(known) else float("nan")


def bound_breaches(facts: Facts) -> BoundBreach:
    """Where the reconstruction shows more error than the row itself had admitted."""
    series, clock = facts.series, facts.clock
    excess = np.abs(clock.error_s) - clock.slack_s - series.bound_s - _MARGIN_S
    with np.errstate(invalid="ignore"):
        broken = excess > 0
    found = BoundBreach()
    if not broken.any():
        return found
    edges = np.flatnonzero(np.diff(np.concatenate(([0], broken.view(np.int8), [0]))))
    found.spans = [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2])]
    found.seconds = float(facts.covered[broken].sum())
    found.worst_row = int(np.nanargmax(np.where(broken, excess, np.nan)))
    return found


def never_synchronised(outage: Outage) -> bool:
    """Whether the client had no contact at all since its boot, as far as the rows tell."""
    return outage.never_before and outage.contact_after is None and "unsynced" in outage.states


def silent_server(outage: Outage) -> bool:
    return col.STATES[col.COASTING] in outage.states
