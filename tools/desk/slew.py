"""Slews: the clock led evenly, which only CLOCK_MONOTONIC_RAW shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desk.series import Series

_RATE = 20e-6  # s/s; a client in good contact steers by less


@dataclass
class Slew:
    """The clock was led back (or astray) evenly between two rows."""

    first: int
    last: int
    total_s: float


def slewed(series: Series) -> np.ndarray:
    """CLOCK_MONOTONIC against CLOCK_MONOTONIC_RAW, without the crystal's steady correction."""
    steady = -series.freq_ppm.astype(np.float64) * 1e-6
    unknown = ~np.isfinite(steady)
    rate = series.slew_s / np.maximum(series.elapsed_us * 1e-6, 1e-9)
    if unknown.any() and np.isfinite(series.slew_s).any():
        steady[unknown] = np.nanmedian(np.where(series.elapsed_us > 0, rate, np.nan)[:200000])
    slew = series.slew_s - steady * series.elapsed_us * 1e-6
    slew[series.new_run] = np.nan
    return slew


def slews(series: Series, least_s: float) -> list[Slew]:
    """Stretches that moved the clock by at least LEAST_S without a step."""
    slew = slewed(series)
    rate = slew / np.maximum(series.elapsed_us * 1e-6, 1e-9)
    with np.errstate(invalid="ignore"):
        fast = np.abs(rate) > _RATE
    sign = np.where(fast, np.sign(rate), 0.0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0.0], sign, [0.0]))))
    total = np.concatenate(([0.0], np.cumsum(np.nan_to_num(slew))))
    found = []
    for a, b in zip(edges[:-1], edges[1:]):
        if a < len(sign) and sign[a] and abs(total[b] - total[a]) >= least_s:
            found.append(Slew(int(a), int(b) - 1, float(total[b] - total[a])))
    return found
