"""What a series says at large: time covered, states, worst errors; and the first line in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from desk import columns as col
from desk import words as w
from desk.clock import BEHIND, Clock, reconstruct
from desk.series import Series
from desk.spans import Gap, Span, bad_spans, covered_s, find_gaps, missing_rows


@dataclass
class Worst:
    """The largest size of something: its row and its value with sign."""

    row: int
    value_s: float


@dataclass
class Facts:
    """A series with everything that was worked out about it."""

    series: Series
    clock: Clock
    gaps: list[Gap]
    spans: list[Span]
    covered: np.ndarray  # seconds each row stands for
    state_s: dict[str, float] = field(default_factory=dict)  # seconds in each state, with rows only
    worst_error: Optional[Worst] = None  # reconstructed; rows before a first contact apart
    worst_before: Optional[Worst] = None  # rows before a boot's first contact
    worst_diff: Optional[Worst] = None  # what the NTP client itself reported

    @property
    def covered_s(self) -> float:
        return float(self.covered.sum())

    @property
    def missing(self) -> int:
        return missing_rows(self.gaps)


def facts_of(series: Series) -> Facts:
    clock = reconstruct(series)
    covered = covered_s(series)
    return summarise(Facts(series, clock, find_gaps(series), bad_spans(series), covered))


def summarise(facts: Facts) -> Facts:
    """Fills in the totals and the worst values."""
    series, clock, covered = facts.series, facts.clock, facts.covered
    seconds = np.bincount(series.state, weights=covered, minlength=len(col.STATES))
    facts.state_s = {name: float(s) for name, s in zip(col.STATES, seconds) if s > 0}
    error = clock.error_s
    facts.worst_error = worst_of(np.where(clock.how == BEHIND, np.nan, error))
    facts.worst_before = worst_of(np.where(clock.how == BEHIND, error, np.nan))
    facts.worst_diff = worst_of(series.diff_s)
    return facts


def worst_of(values: np.ndarray) -> Optional[Worst]:
    size = np.abs(values)
    if not np.isfinite(size).any():
        return None
    row = int(np.argmax(size >= 0.9999 * np.nanmax(size)))  # where it began, not where noise peaks
    return Worst(row, float(values[row]))


def period_text(series: Series) -> str:
    """First and last stamp; in file order, since the clock may have gone back."""
    t = series.t_us
    return f"{w.moment(t[0])} to {w.moment(t[-1])} UTC"


def first_line(facts: Facts) -> str:
    """The log in one paragraph: what it covers, what state, how wrong, which steps."""
    series = facts.series
    known = ", ".join(f"{name} {w.share(s, facts.covered_s)}" for name, s in facts.state_s.items())
    if not series.rich:
        known += " (older format: a lost server does not show)"
    lines = [
        (
            f"{period_text(series)}: {w.count(len(series), 'row')} covering"
            f" {w.duration(facts.covered_s)}"
        ),
        _missing_text(facts),
        f"of that time {known}",
        worst_text(facts),
        steps_text(facts),
    ]
    return "; ".join(lines) + "."


def _missing_text(facts: Facts) -> str:
    series = facts.series
    if not series.rich:
        breaks = sum(gap.cause == "break" for gap in facts.gaps)
        found = w.count(breaks, "break") if breaks else "no break"
        return f"missing rows cannot be counted in this format ({found} in the times)"
    text = f"{facts.missing:,} missing by seq"
    boots = sum(gap.cause == "reboot" for gap in facts.gaps)
    if boots:
        text += f", and what {w.count(boots, 'reboot')} may have lost, which seq cannot show"
    return text


def worst_text(facts: Facts) -> str:
    """The worst error, and the worst that the NTP client itself reported when that differs."""
    error, diff, before = facts.worst_error, facts.worst_diff, facts.worst_before
    if error is None and before is None:
        return "the error is unknown throughout: never in contact with an NTP server"
    text = ""
    if error is not None:
        text = f"worst error {w.seconds(error.value_s, True)} at {_stamp(facts, error)}"
        if not facts.series.signed:
            text += " (this format keeps no sign)"
        if not facts.clock.contact.any():
            text += " (the client's own reckoning: no contact with a server in these rows)"
    if diff is not None and (error is None or _apart(error.value_s, diff.value_s)):
        text += f"{', ' if text else ''}worst difference that the NTP client reported "
        text += f"{w.seconds(diff.value_s, facts.series.signed)} at {_stamp(facts, diff)}"
    if before is not None and (error is None or abs(before.value_s) > abs(error.value_s)):
        wrong = f"up to {w.seconds(before.value_s, True)} before the first contact"
        text = f"{text}, {wrong}" if text else f"wrong by {wrong}"
    return text


def _stamp(facts: Facts, worst: Worst) -> str:
    return w.moment(facts.series.t_us[worst.row])


def _apart(a: float, b: float) -> bool:
    """Whether two sizes differ by more than a tenth (and a millisecond)."""
    return abs(abs(a) - abs(b)) > 0.1 * max(abs(a), abs(b)) + 1e-3


def steps_text(facts: Facts, most: int = 4) -> str:
    steps = facts.clock.steps
    if not steps:
        return "no step"
    shown = sorted(steps, key=lambda s: -abs(s.size_s))[:most]
    listed = ", ".join(
        f"{w.seconds(s.size_s, True)} at {w.moment(s.before_us)}"
        + (" (leap second)" if s.leap else "")
        for s in sorted(shown, key=lambda s: s.row)
    )
    more = f" and {len(steps) - most} smaller" if len(steps) > most else ""
    return f"{w.count(len(steps), 'step')}: {listed}{more}"
