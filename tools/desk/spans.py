"""Spans of equal state, and the places where rows are missing with what the log says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desk import columns as col
from desk.series import Series
from desk.slew import slewed


@dataclass
class Span:
    """Rows FIRST..LAST (both included) in one state."""

    first: int
    last: int
    state: int

    @property
    def name(self) -> str:
        return col.STATES[self.state]


@dataclass
class Gap:
    """No rows before ROW, although time passed or numbers were used."""

    row: int
    cause: str  # a word of GAP_CAUSES
    lost_rows: int  # by seq; 0 where seq cannot tell
    seconds: float  # as the stamps show it; NaN where they do not
    hidden_step_s: float = 0.0  # how far the clock moved beyond what the lost rows account for


GAP_CAUSES = {
    "reboot": "the camera restarted",
    "restart": "the logger restarted",
    "dropped": "the ring was full: storage could not keep up",
    "evicted": "the spool was full: the oldest rows were given up",
    "unsampled": "ticks were not sampled: the camera slept or was overloaded",
    "missing": "the rows are in none of the files read: an upload is missing, late or was cut",
    "break": "rows are missing or the logger restarted; this format cannot tell",
}


def state_spans(state: np.ndarray, breaks: np.ndarray | None = None) -> list[Span]:
    """Runs of equal state; a break ends a run as well."""
    if not len(state):
        return []
    new = np.ones(len(state), bool)
    new[1:] = state[1:] != state[:-1]
    if breaks is not None:
        new |= breaks
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(state)) - 1
    return [Span(int(a), int(b), int(state[a])) for a, b in zip(first, last)]


def bad_spans(series: Series) -> list[Span]:
    """Runs in which the clock was not known to be in contact; a gap within does not split them."""
    return [span for span in state_spans(series.state) if span.state != col.SYNCED]


def find_gaps(series: Series) -> list[Gap]:
    """Every place with missing rows or time, in order."""
    words = dict(series.events)
    evicted = _evicted(series)
    found = []
    rows = set(np.flatnonzero(series.new_run)[1:].tolist())
    rows.update(row for row, said in series.events if row and ("gap" in said or "dropped" in said))
    if len(series) > 1:
        lost = (np.diff(series.seq) > 1) & (series.boot[1:] == series.boot[:-1])
        rows.update((np.flatnonzero(lost) + 1).tolist())
    for row in sorted(rows):
        found += _gaps_at(series, row, words.get(row, {}), evicted)
    return found


def _gaps_at(series: Series, row: int, said: dict, evicted: list) -> list[Gap]:
    before = row - 1
    apart = (int(series.t_us[row]) - int(series.t_us[before])) * 1e-6
    away = apart - series.interval_s
    boot = int(series.boot[row])
    if boot != series.boot[before]:
        # A boot's numbers begin at 1; what the boot before lost at its end shows nowhere.
        lost = max(0, int(series.seq[row]) - 1) if boot >= 0 else 0
        return [Gap(row, "reboot" if boot >= 0 else "break", lost, away)]
    if boot < 0:
        return [Gap(row, "break", 0, away)]
    lost = int(series.seq[row] - series.seq[before]) - 1
    gaps = []
    if "gap" in said:
        ticks = _number(said["gap"])
        gaps.append(Gap(row, "unsampled", 0, ticks * series.interval_s))
    if lost > 0:
        cause = _cause_of_loss(series, row, lost, said, evicted)
        hidden = _hidden_step(series, row, lost) if series.new_run[row] else 0.0
        gaps.append(Gap(row, cause, lost, lost * series.interval_s, hidden))
    elif not gaps and series.new_run[row]:
        gaps.append(Gap(row, "restart", 0, away))
    return gaps


def _cause_of_loss(series: Series, row: int, lost: int, said: dict, evicted: list) -> str:
    if _number(said.get("dropped", "0")) >= lost:
        return "dropped"
    first, last = int(series.seq[row]) - lost, int(series.seq[row]) - 1
    for boot, a, b in evicted:
        if boot == series.boot[row] and a <= last and first <= b:
            return "evicted"
    return "missing"


def _hidden_step(series: Series, row: int, lost: int) -> float:
    """Ticks keep their grid, so lost rows have a known length; what the clock shows beyond it."""
    apart = (int(series.t_us[row]) - int(series.t_us[row - 1])) * 1e-6
    own = (int(series.elapsed_us[row]) + int(series.adjust_us[row])) * 1e-6
    hidden = apart - own - lost * series.interval_s
    return hidden if abs(hidden) > 0.5 * series.interval_s else 0.0


def _evicted(series: Series) -> list[tuple[int, int, int]]:
    """What the rows declare as given up: boot, first and last seq."""
    found = []
    for row, said in series.events:
        if "evicted" in said:
            first, _, last = said["evicted"].partition("-")
            found.append((int(series.boot[row]), _number(first), _number(last or first)))
    return found


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def missing_rows(gaps: list[Gap]) -> int:
    """Rows known to be lost, by seq."""
    return sum(gap.lost_rows for gap in gaps)


def covered_s(series: Series) -> np.ndarray:
    """Seconds that each row stands for: its own interval, never the time of missing rows."""
    # CLOCK_MONOTONIC is slewed as well; without that it is the true time to some ppm
    spent = series.elapsed_us * 1e-6 - np.nan_to_num(slewed(series))
    normal = (spent > 0) & (spent <= 1.5 * series.interval_s)
    return np.where(normal, spent, series.interval_s)
