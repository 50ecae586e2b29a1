"""Axes that fit: seconds in their natural unit from ns to years, time from 10 s to months."""

from __future__ import annotations

import math

import numpy as np
from matplotlib import dates as mdates
from matplotlib import ticker

from desk import words as w

# Round values for people, a decade or so apart.
_LADDER = tuple(10.0**power for power in range(-9, 2)) + (
    60.0, 600.0, 3600.0, 36000.0, 86400.0, 864000.0,
    31557600.0, 315576000.0, 3155760000.0,
)  # fmt: skip
_STEPS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def short(value: float, _position: int = 0) -> str:
    """A tick's label: 61.8 s, 10 ms, 0."""
    size = abs(value)
    if size < 5e-13:
        return "0"
    if size >= 3600:
        for scale, unit in ((31557600.0, "years"), (86400.0, "d"), (3600.0, "h")):
            if size >= scale:
                return f"{value / scale:.4g} {unit}"
    if size >= 60 and size % 60 == 0:
        return f"{value / 60:g} min"
    for scale, unit in _STEPS:
        if size >= 0.9995 * scale:
            return f"{value / scale:.4g} {unit}"
    return f"{value * 1e9:.3g} ns"


def fit_time(axis, x_us: np.ndarray, interval_s: float) -> None:
    """The axis in UTC, from the first to the last stamp, with as many ticks as have room."""
    known = x_us[np.isfinite(x_us)]
    first, last = (float(known.min()), float(known.max())) if len(known) else (0.0, 1e6)
    margin = max(0.01 * (last - first), interval_s * 0.5e6)
    axis.set_xlim((first - margin) / 86400e6, (last + margin) / 86400e6)
    locator = mdates.AutoDateLocator(minticks=4, maxticks=11, interval_multiples=True)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(
        mdates.ConciseDateFormatter(
            locator,
            formats=["%Y", "%b %Y", "%b %d", "%H:%M", "%H:%M", "%H:%M:%S.%f"],
            zero_formats=["", "%b %Y", "%b %d", "%b %d", "%H:%M", "%H:%M:%S.%f"],
            show_offset=False,
        )
    )
    days = [w.moment(us)[:10] for us in (first, last)]
    axis.tick_params(labelsize=9)
    axis.set_xlabel("UTC, " + " to ".join(dict.fromkeys(days)), fontsize=9, color="#444")
    axis.grid(True, axis="x", color="#e4e4e4", lw=0.6)


def fit_values(axis, ordinary: list[np.ndarray], rare: list[np.ndarray], least: float) -> None:
    """Linear as long as it shows the ORDINARY as well as the RARE; else logarithmic both ways."""
    low, high = _range(ordinary + rare, least)
    typical = max([least] + [_typical(values) for values in ordinary])
    axis.tick_params(labelsize=9)
    axis.yaxis.set_label_coords(-0.06, 0.5)
    axis.axhline(0, color="#888", lw=0.6, zorder=1)
    axis.grid(True, axis="y", color="#e4e4e4", lw=0.6)
    if max(-low, high) <= 300 * typical:
        room = 0.08 * (high - low)
        axis.set_ylim(low - room, high + room)
        axis.yaxis.set_major_locator(ticker.MaxNLocator(7))
    else:
        small = 10.0 ** math.floor(math.log10(typical))
        axis.set_yscale("symlog", linthresh=small, linscale=0.6)
        axis.set_ylim(_beyond(low, small), _beyond(high, small))
        axis.yaxis.set_major_locator(ticker.FixedLocator(_decades(low, high, small)))
        axis.yaxis.set_minor_locator(ticker.NullLocator())
    axis.yaxis.set_major_formatter(ticker.FuncFormatter(short))


def _range(curves: list[np.ndarray], least: float) -> tuple[float, float]:
    """Lowest and highest of all curves; never less than LEAST apart from 0."""
    low, high = -least, least
    for values in curves:
        if np.isfinite(values).any():
            low, high = min(low, float(np.nanmin(values))), max(high, float(np.nanmax(values)))
    return low, high


def _typical(values: np.ndarray) -> float:
    """The size that three quarters of the values do not exceed."""
    sample = values[:: max(1, len(values) // 20000)]
    sample = np.abs(sample[np.isfinite(sample)])
    return float(np.percentile(sample, 75)) if len(sample) else 0.0


def _beyond(value: float, small: float) -> float:
    """A limit a little further out than VALUE, on the logarithmic side or the linear middle."""
    if abs(value) <= small:
        return math.copysign(1.3 * small, value)
    return value * 2.2


def _decades(low: float, high: float, small: float) -> list[float]:
    """0 and round values on each side, about four a side."""
    ticks = [0.0]
    for limit, sign in ((high, 1.0), (-low, -1.0)):
        rungs = [rung for rung in _LADDER if 0.99 * small <= rung <= 1.5 * limit]
        stride = max(1, math.ceil(len(rungs) / 4))
        ticks += [sign * rung for rung in rungs[::-1][::stride]]
    return sorted(ticks)
