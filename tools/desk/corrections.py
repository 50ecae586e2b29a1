"""The correction table: what to add to recorded time stamps, also where that changes with time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from desk.clock import HOW, MEASURED
from desk.downsample import simplify
from desk.facts import Facts
from desk.verdict import OUTSIDE

_THIN = 4000  # points of a piece that are looked at; extremes always are


@dataclass
class Twice:
    """These stamps occur twice, since the clock went back; WHICH pass is meant."""

    from_us: int
    to_us: int
    which: str


@dataclass
class Correction:
    """Recordings stamped FROM..TO: add ADD_FROM_S, changing evenly to ADD_TO_S."""

    from_us: int
    to_us: int
    add_from_s: float
    add_to_s: float
    first_row: int
    last_row: int
    known: str  # how the error is known
    twice: Optional[Twice] = None

    @property
    def constant(self) -> bool:
        return self.add_from_s == self.add_to_s


def corrections(facts: Facts, rows: np.ndarray, limit_s: float) -> list[Correction]:
    """Straight pieces that put every second outside the limit right, to a quarter of the limit."""
    outside = rows == OUTSIDE
    repeats = _repeated_stamps(facts)
    table = []
    for first, last in _pieces(facts, outside):
        table += _piece(facts, first, last, limit_s / 4.0)
    for line in table:
        line.twice = _twice(line, repeats)
    return table


def _pieces(facts: Facts, outside: np.ndarray) -> list[tuple[int, int]]:
    """Runs of rows outside the limit, cut where the clock jumped or rows are missing."""
    cut = facts.series.new_run.copy()
    cut[[step.row for step in facts.clock.steps]] = True
    begins = outside.copy()
    begins[1:] &= ~outside[:-1] | cut[1:]
    ends = outside.copy()
    ends[:-1] &= ~outside[1:] | cut[1:]
    return list(zip(np.flatnonzero(begins).tolist(), np.flatnonzero(ends).tolist()))


def _piece(facts: Facts, first: int, last: int, tolerance: float) -> list[Correction]:
    t = facts.series.t_us[first : last + 1].astype(np.float64)
    add = -facts.clock.error_s[first : last + 1]
    shown = _thinned(add)
    corners = shown[simplify(t[shown], add[shown], tolerance)]
    if len(corners) == 1 or np.ptp(add) <= tolerance:
        middle = float((add.min() + add.max()) / 2)
        return [_line(facts, first, last, middle, middle)]
    lines = []
    for a, b in zip(corners[:-1].tolist(), corners[1:].tolist()):
        begin, end = float(add[a]), float(add[b])
        if abs(begin - end) <= tolerance:
            begin = end = (begin + end) / 2
        lines.append(_line(facts, first + a, first + b, begin, end))
    return lines


def _thinned(values: np.ndarray) -> np.ndarray:
    """Row numbers that are enough to see the shape: evenly spread ones and bucket extremes."""
    if len(values) <= _THIN:
        return np.arange(len(values))
    starts = np.unique(np.linspace(0, len(values), _THIN // 4, endpoint=False).astype(np.int64))
    picked = [starts, [len(values) - 1]]
    for a, b in zip(starts, np.append(starts[1:], len(values))):
        picked.append([a + int(np.argmin(values[a:b])), a + int(np.argmax(values[a:b]))])
    return np.unique(np.concatenate(picked)).astype(np.int64)


def _line(facts: Facts, first: int, last: int, add_from: float, add_to: float) -> Correction:
    how = facts.clock.how[first : last + 1]
    blind = facts.clock.error_s[first : last + 1] - facts.series.diff_s[first : last + 1]
    said = np.isfinite(blind) & (np.abs(blind) < 0.01 + 0.02 * abs(add_from))
    if (how == MEASURED).all():
        known = "measured" if said.all() else "reconstructed from the steps"
    else:
        known = "reconstructed " + HOW[int(np.bincount(how).argmax())]
    t = facts.series.t_us
    return Correction(int(t[first]), int(t[last]), add_from, add_to, first, last, known)


def _repeated_stamps(facts: Facts) -> list[tuple[int, int, int]]:
    """Where the clock went back: row, and the first and last stamp that occur twice."""
    t = facts.series.t_us
    back = np.flatnonzero(t[1:] <= t[:-1]) + 1
    return [(int(row), int(t[row]), int(t[row - 1])) for row in back[:1000]]


def _twice(line: Correction, repeats: list[tuple[int, int, int]]) -> Optional[Twice]:
    for row, begin, end in repeats:
        if line.from_us <= end and begin <= line.to_us:
            common = max(begin, line.from_us), min(end, line.to_us)
            if row <= line.first_row:
                return Twice(*common, "second")
            if row > line.last_row:
                return Twice(*common, "first")
    return None
