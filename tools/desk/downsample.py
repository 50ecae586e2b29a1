"""Fewer points, the same picture: each bucket keeps its lowest and its highest value.

A spike of a single row survives, whatever the reduction. NaN means "pen up" and survives as well.
"""

from __future__ import annotations

import numpy as np


def min_max(x: np.ndarray, y: np.ndarray, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """At most 2 * BUCKETS points, and the pen-up marks between them, in the order of rows."""
    if len(y) <= 2 * buckets or buckets < 1:
        return x, y
    rows = extreme_rows(y, buckets)
    return _with_pen_up(x[rows], y[rows], _has_gap(np.isfinite(y), rows))


def extreme_rows(y: np.ndarray, buckets: int) -> np.ndarray:
    """The rows that hold the lowest and the highest value of each bucket."""
    starts = np.unique(np.linspace(0, len(y), buckets, endpoint=False).astype(np.int64))
    known = np.isfinite(y)
    low = np.minimum.reduceat(np.where(known, y, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, y, -np.inf), starts)
    some = np.isfinite(low)
    low_at, high_at = _positions(y, starts, low, high)
    return np.unique(np.stack((low_at, high_at), axis=1)[some].ravel())


def _positions(y, starts, low, high) -> tuple[np.ndarray, np.ndarray]:
    """Row of the first occurrence of each bucket's extremes."""
    sizes = np.diff(np.append(starts, len(y)))
    number = np.repeat(np.arange(len(starts)), sizes)
    found = []
    for extreme in (low, high):
        hits = np.flatnonzero(y == extreme[number])
        place = np.full(len(starts), 0, np.int64)
        place[number[hits][::-1]] = hits[::-1]
        found.append(place)
    return found[0], found[1]


def _has_gap(known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """True where an unknown value lies between a kept row and the next."""
    unknown = np.cumsum(~known)
    return np.append(unknown[rows[1:]] > unknown[rows[:-1]], False) if len(rows) else rows > 0


def _with_pen_up(x: np.ndarray, y: np.ndarray, gap_after: np.ndarray):
    if not gap_after.any():
        return x, y
    places = np.flatnonzero(gap_after) + 1
    return np.insert(x, places, x[places - 1]), np.insert(y.astype(float), places, np.nan)


def envelope(x: np.ndarray, low: np.ndarray, high: np.ndarray, buckets: int):
    """X, the lowest LOW and the highest HIGH of each bucket; NaN where a bucket knows none."""
    if len(x) <= 2 * buckets:
        return x, low, high
    starts = np.unique(np.linspace(0, len(x), buckets, endpoint=False).astype(np.int64))
    lows = np.fmin.reduceat(low, starts)
    highs = np.fmax.reduceat(high, starts)
    return x[starts], lows, highs


def simplify(x: np.ndarray, y: np.ndarray, tolerance: float) -> np.ndarray:
    """Rows of the corners of a polyline that stays within TOLERANCE of all points."""
    keep = np.zeros(len(x), bool)
    if len(x):
        keep[[0, -1]] = True
    stack = [(0, len(x) - 1)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        line = np.interp(x[a : b + 1], [x[a], x[b]], [y[a], y[b]])
        off = np.abs(y[a : b + 1] - line)
        worst = int(np.argmax(off))
        if off[worst] > tolerance:
            keep[a + worst] = True
            stack += [(a, a + worst), (a + worst, b)]
    return np.flatnonzero(keep)
