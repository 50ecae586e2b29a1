"""Finds the steps: jumps of the wall clock against CLOCK_MONOTONIC, which no slew can make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desk.series import Series

SMALLEST_S = 1e-3  # smaller jumps move the reconstruction but get no line of their own
_GLITCH_S = 0.5  # two clocks read without a bracket may differ by a preemption, and differ back
_DAY_US = 86400 * 10**6


@dataclass
class Step:
    """One jump; SIZE_S + is forward. ROW is the first row after it."""

    row: int
    size_s: float
    before_us: int  # what the clock showed at the row before
    after_us: int
    leap: bool = False


def find_steps(series: Series) -> list[Step]:
    """All steps of at least SMALLEST_S, in the order of the rows."""
    adjust = series.adjust_us * 1e-6
    large = np.abs(adjust) >= SMALLEST_S
    large &= series.elapsed_us > 0
    large[:1] = False
    _drop_doubtful(series, adjust, large)
    told = [row for row, words in series.events if _told_size(words) >= SMALLEST_S]
    large[[row for row in told if row > 0 and series.elapsed_us[row] > 0]] = True
    return [_step(series, int(row)) for row in np.flatnonzero(large)]


def _told_size(words: dict[str, str]) -> float:
    """The size of a row's step= event, 0 without one."""
    try:
        return abs(float(words.get("step", "0")))
    except ValueError:
        return 0.0


def _drop_doubtful(series: Series, adjust: np.ndarray, large: np.ndarray) -> None:
    """Jumps within the read windows, and in legacy rows those that the next row takes back."""
    rows = np.flatnonzero(large)
    window = np.nan_to_num(series.window_us) * 1e-6
    large[rows[np.abs(adjust[rows]) <= window[rows] + window[rows - 1]]] = False
    last = len(adjust) - 1
    for near in (-1, 1):
        other = adjust[np.clip(rows + near, 0, last)]
        back = np.abs(other + adjust[rows]) < 0.2 * np.abs(adjust[rows]) + 5e-5
        back &= (series.boot[rows] < 0) & (np.abs(adjust[rows]) < _GLITCH_S)
        large[rows[back]] = False


def _step(series: Series, row: int) -> Step:
    size = float(series.adjust_us[row]) * 1e-6
    after = int(series.t_us[row])
    # By the row's own columns: the row before may be lost.
    before = after - int(series.elapsed_us[row] + series.adjust_us[row])
    return Step(row, size, before, after, _is_leap(series, row, size, before))


def _is_leap(series: Series, row: int, size: float, before_us: int) -> bool:
    """A second inserted or deleted at midnight UTC, announced by the status before it."""
    announced = {-1: 1, 1: 2}.get(round(size))
    if announced is None or abs(size - round(size)) > 0.05:
        return False
    from_midnight = (before_us + _DAY_US // 2) % _DAY_US - _DAY_US // 2
    near = abs(from_midnight) < 3 * 10**6
    return near and announced in series.status[max(0, row - 2) : row + 1]
