"""The picture: adjustments and slews above, the clock's error below, events on a lane over both."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Optional

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from desk import axes, lane
from desk import words as w
from desk.columns import SYNCED
from desk.downsample import envelope, min_max
from desk.facts import Facts, first_line
from desk.files import replace_whole
from desk.slew import slewed

BUCKETS = 3000  # more than the pixels of a wide picture
COLOURS = {
    "adjust": "#1f4e79",
    "slew": "#c77c02",
    "diff": "#1f4e79",
    "bound": "#9cc3e6",
    "error": "#b3001b",
    "step": "#111111",
    "coasting": "#f2c14e",
    "unsynced": "#e07a7a",
    "unreachable": "#a97bc4",
    "unknown": "#9a9a9a",
}
_ODD_BEFORE_US = 946684800 * 10**6  # a stamp before 2000: the clock had not been set yet
_DAY_S = 86400.0


@dataclass
class Curves:
    """What is drawn, at full detail: one value a row, in the order of the rows."""

    x_us: np.ndarray  # NaN: not drawn
    adjust_s: np.ndarray  # NaN in the rows of steps
    slew_s: np.ndarray  # by how much the client slewed the clock in this interval
    diff_s: np.ndarray
    low_s: np.ndarray  # the error bound's band
    high_s: np.ndarray
    error_s: np.ndarray  # only where it says more than diff_s
    pen_up: np.ndarray  # True where no line comes from the row before


def curves_of(facts: Facts) -> Curves:
    series, clock = facts.series, facts.clock
    adjust = series.adjust_us * 1e-6
    pen_up = series.new_run.copy()
    adjust[pen_up] = np.nan
    for step in clock.steps:
        adjust[step.row] = np.nan
        pen_up[step.row] = True
    half = np.maximum(series.bound_s - np.abs(series.diff_s), 0.0).astype(np.float32)
    return Curves(
        x_us=_drawn_at(facts),
        adjust_s=adjust.astype(np.float32),
        slew_s=slewed(series).astype(np.float32),
        diff_s=series.diff_s,
        low_s=(series.diff_s - half).astype(np.float32),
        high_s=(series.diff_s + half).astype(np.float32),
        error_s=_telling_error(facts),
        pen_up=pen_up,
    )


def _drawn_at(facts: Facts) -> np.ndarray:
    """The camera's own stamps; where its clock was days off, the true time if that is known."""
    series, clock = facts.series, facts.clock
    x = series.t_us.astype(np.float64)
    far = np.abs(np.nan_to_num(clock.error_s)) > _DAY_S
    x[far] = clock.true_us(series)[far]
    odd = (x < _ODD_BEFORE_US) & ~np.isfinite(clock.error_s)
    if not odd.all():
        x[odd] = np.nan
    return x


def _telling_error(facts: Facts) -> np.ndarray:
    """The reconstructed error where the client's difference is absent or tells another story."""
    series, clock = facts.series, facts.clock
    apart = np.abs(clock.error_s - series.diff_s)
    small = 1e-3 + np.nan_to_num(series.bound_s) + clock.slack_s
    telling = (series.state != SYNCED) | ~np.isfinite(series.diff_s) | (apart > small)
    beside = telling.copy()  # one row more on either side, so that the line joins the other
    beside[1:] |= telling[:-1] & ~series.new_run[1:]
    beside[:-1] |= telling[1:] & ~series.new_run[1:]
    return np.where(beside, clock.error_s, np.nan)


def headless(size: tuple[float, float] = (13.0, 8.0), dpi: int = 110) -> Figure:
    """A figure that needs no display."""
    figure = Figure(figsize=size, dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def draw(facts: Facts, title: str, figure: Figure, told: bool = True) -> Figure:
    """Fills FIGURE: event lane, adjustments, differences; with TOLD a title and the first line."""
    curves = curves_of(facts)
    grid = figure.add_gridspec(3, 1, height_ratios=[0.5, 1.5, 2.3], hspace=0.05)
    below = figure.add_subplot(grid[2])
    above = figure.add_subplot(grid[1], sharex=below)
    events = figure.add_subplot(grid[0], sharex=below)
    above.tick_params(labelbottom=False)
    inch = 1.0 / figure.get_figheight()
    figure.subplots_adjust(
        left=0.085, right=0.985, top=1 - (1.05 if told else 0.1) * inch, bottom=1.2 * inch
    )
    _draw_adjustments(above, curves, facts)
    _draw_differences(below, curves, facts)
    axes.fit_time(below, curves.x_us, facts.series.interval_s)
    for axis in (above, below):
        _shade(axis, facts, curves.x_us)
    rows = lane.draw(events, lane.items_of(facts, curves.x_us, COLOURS), [above, below])
    grid.set_height_ratios([0.16 * rows, 1.5, 2.3])
    _legend(figure, above, below, facts)
    if told:
        _titles(figure, facts, title)
    return figure


def _titles(figure: Figure, facts: Facts, title: str) -> None:
    inch = 1.0 / figure.get_figheight()
    figure.text(
        0.085, 1 - 0.25 * inch, title or facts.series.name, fontsize=13, weight="bold", va="top"
    )
    told = textwrap.fill(first_line(facts), width=int(figure.get_figwidth() * 13.5))
    figure.text(
        0.085, 1 - 0.53 * inch, "\n".join(told.split("\n")[:4]), fontsize=8, color="#444", va="top"
    )


def _days(us: np.ndarray) -> np.ndarray:
    return us / 86400e6


def _line(axis, curves: Curves, values: np.ndarray, **style) -> bool:
    """One curve, downsampled piece by piece; False when it has no value."""
    if not np.isfinite(values).any():
        return False
    x, y = _pieces(_days(curves.x_us), values, curves.pen_up)
    marker = "." if len(y) < 60 else _lonely_marker(y)
    axis.plot(x, y, marker=marker, markersize=3, **style)
    return True


def _lonely_marker(y: np.ndarray) -> str:
    """Dots when much of a curve is single values that no line would show."""
    known = np.isfinite(y)
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    return "." if alone.sum() > 0.3 * known.sum() else ""


def _pieces(x: np.ndarray, y: np.ndarray, pen_up: np.ndarray):
    """X and Y with a NaN wherever the pen is up, no more points than a picture can show."""
    starts = np.flatnonzero(pen_up)
    starts = starts[starts > 0]
    if len(starts) > BUCKETS:  # too many to draw apart
        starts = starts[:0]
    xs, ys = [], []
    for a, b in zip(np.append(0, starts), np.append(starts, len(y))):
        buckets = max(8, int(BUCKETS * (b - a) / len(y)))
        px, py = min_max(x[a:b], y[a:b], buckets)
        xs += [px, x[b - 1 : b]]
        ys += [py, [np.nan]]
    return np.concatenate(xs), np.concatenate(ys)


def _draw_adjustments(axis, curves: Curves, facts: Facts) -> None:
    interval = w.duration(facts.series.interval_s)
    _line(
        axis, curves, curves.slew_s, color=COLOURS["slew"], lw=0.8,
        label="above: slewed (MONOTONIC against RAW, less the crystal's steady rate)",
    )  # fmt: skip
    _line(
        axis, curves, curves.adjust_s, color=COLOURS["adjust"], lw=0.8,
        label="above: wall clock against MONOTONIC (moves in steps only)",
    )  # fmt: skip
    axis.set_ylabel(f"adjustment\nper {interval}")
    axes.fit_values(axis, [curves.adjust_s, curves.slew_s], [], least=2e-6)


def _draw_differences(axis, curves: Curves, facts: Facts) -> None:
    lower, upper = curves.low_s, curves.high_s
    if np.isfinite(upper).any():
        x, low, high = envelope(_days(curves.x_us), lower, upper, BUCKETS // 2)
        axis.fill_between(
            x,
            low,
            high,
            color=COLOURS["bound"],
            alpha=0.45,
            lw=0,
            label="below: error bound around it, as reported",
        )
    name = "below: difference, as the NTP client reports it"
    if not facts.series.signed:
        name += " (size only)"
    _line(axis, curves, curves.diff_s, color=COLOURS["diff"], lw=0.9, label=name)
    _line(
        axis, curves, curves.error_s, color=COLOURS["error"], lw=1.3, ls=(0, (4, 1.5)),
        label="below: error reconstructed from steps, slews and differences",
    )  # fmt: skip
    axis.set_ylabel("clock minus NTP time\n(+ is fast)")
    axes.fit_values(axis, [curves.diff_s, lower, upper], [curves.error_s], least=1e-5)


def _shade(axis, facts: Facts, x_us: np.ndarray) -> None:
    """Bad states as one collection a state, however many spans there are."""
    left, right = axis.get_xlim()
    least = (right - left) / 1500
    for name in facts.state_s:
        bars = lane.bars(facts, x_us, name, least)
        if name != "synced" and bars:
            axis.broken_barh(
                bars, (0, 1), transform=axis.get_xaxis_transform(), color=COLOURS[name],
                alpha=0.28, lw=0, zorder=0, gid=f"state:{name}",
            )  # fmt: skip


def _legend(figure: Figure, above, below, facts: Facts) -> None:
    """One legend under both panels: curves, then states with their totals."""
    handles = below.get_legend_handles_labels()[0] + above.get_legend_handles_labels()[0]
    for name, spent in facts.state_s.items():
        if name == "synced":
            continue
        number = sum(span.name == name for span in facts.spans)
        text = f"{name}: {w.count(number, 'span')}, {w.duration(spent)}"
        handles.append(Patch(color=COLOURS[name], alpha=0.45, lw=0, label=text))
    figure.legend(handles=handles, fontsize=8, frameon=False, loc="lower center", ncol=3)


def save(figure: Figure, path: str) -> None:
    """PNG, SVG or PDF, by the name's end; whole or not at all."""
    kind = path.rsplit(".", 1)[-1].lower()
    matplotlib.rcParams["svg.hashsalt"] = "ntp_logger"  # the same data, the same file
    matplotlib.rcParams["svg.fonttype"] = "none"
    with replace_whole(path) as file:
        figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)


def window_backend() -> Optional[str]:
    """The name of a backend that can open a window here, or None."""
    import matplotlib.pyplot as plt

    backend = plt.get_backend()
    windowless = {"agg", "pdf", "ps", "svg", "cairo", "template"}
    return None if backend.lower() in windowless else backend
