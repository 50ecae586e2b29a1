"""The interactive page: zoom from months to seconds, without a network."""

from __future__ import annotations

import base64
import json
from html import escape

import numpy as np

from desk import markup
from desk import words as w
from desk.downsample import extreme_rows
from desk.facts import Facts, first_line
from desk.figure import COLOURS, Curves, curves_of
from desk.spans import GAP_CAUSES

_FULL = 120000  # rows up to here are all in the page
_BUCKETS = 12000
_MOST_EVENTS = 300
_CURVES = ("adjust_s", "slew_s", "diff_s", "low_s", "high_s", "error_s")


def write_page(facts: Facts, title: str, path: str) -> None:
    curves = curves_of(facts)
    rows = _kept_rows(curves)
    whole = len(rows) == len(curves.x_us)
    data = {
        "n": len(rows),
        "t": _packed(curves.x_us[rows] / 1e3, np.float64),  # ms, as JavaScript counts
        "curves": {name: _packed(getattr(curves, name)[rows], np.float32) for name in _CURVES},
        "penUp": _packed(_pen_up(curves.pen_up, rows), np.uint8),
        "spans": _spans(facts, curves),
        "events": _events(facts, curves),
        "colours": COLOURS,
        "signed": facts.series.signed,
        "whole": whole,
    }
    detail = (
        ""
        if whole
        else (
            " Zoomed far in, points may be missing between the extremes; choose a shorter time with"
            " --since and --until for every row."
        )
    )
    body = (
        f"<h1>{escape(title)}</h1>\n<p class='told'>{escape(first_line(facts))}</p>\n<div"
        " id='chart'><canvas id='canvas' height='640'></canvas></div>\n<p id='readout'"
        " class='small'>&nbsp;</p>\n<p class='small screen'>Drag to zoom, wheel to zoom at the"
        " pointer, shift-drag to move, double-click for everything. <label><input type='checkbox'"
        " id='log'> logarithmic</label>. Times are the camera's own stamps, in"
        f" UTC.{detail}</p>\n<h2>Events</h2>\n<div id='events'></div>"
    )
    script = f"const DATA = {json.dumps(data, allow_nan=False)};\n{markup.asset('page.js')}"
    markup.write(path, markup.page(title, body, script.replace("</", "<\\/")))


def _kept_rows(curves: Curves) -> np.ndarray:
    """All rows, or of each bucket and curve the extremes; ends and breaks always."""
    size = len(curves.x_us)
    if size <= _FULL:
        return np.arange(size)
    breaks = np.flatnonzero(curves.pen_up)
    chosen = [np.array([0, size - 1]), breaks[:_BUCKETS], np.maximum(breaks[:_BUCKETS] - 1, 0)]
    for name in _CURVES:
        values = getattr(curves, name)
        if np.isfinite(values).any():
            chosen.append(extreme_rows(values, _BUCKETS))
    return np.unique(np.concatenate(chosen))


def _pen_up(pen_up: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """True where a break lies between a kept row and the kept row before."""
    passed = np.cumsum(pen_up)[rows]
    return np.concatenate(([True], np.diff(passed) > 0))


def _packed(values: np.ndarray, dtype) -> str:
    little = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode()


def _spans(facts: Facts, curves: Curves) -> list[list]:
    """Bad states: from, to (ms), name; the longest when there are too many."""
    longest = sorted(facts.spans, key=lambda span: span.first - span.last)[:5000]
    found = []
    for span in longest:
        ends = np.sort(curves.x_us[[span.first, span.last]]) / 1e3
        if np.isfinite(ends).all():
            found.append([float(ends[0]), float(ends[1]), span.name])
    return found


def _events(facts: Facts, curves: Curves) -> list[dict]:
    """Steps, reboots, losses and the longest bad spans, in the order of the rows."""
    found = []
    for step in facts.clock.steps:
        kind = "leap second" if step.leap else "step"
        found.append((step.row, kind, w.seconds(step.size_s, True), abs(step.size_s) + 1e6))
    for gap in facts.gaps:
        lost = f" ({w.count(gap.lost_rows, 'row')})" if gap.lost_rows else ""
        found.append((gap.row, "gap", GAP_CAUSES[gap.cause] + lost, 1e5 + gap.lost_rows))
    for span in facts.spans:
        spent = float(facts.covered[span.first : span.last + 1].sum())
        found.append((span.first, span.name, w.duration(spent), spent))
    heaviest = sorted(found, key=lambda event: -event[3])[:_MOST_EVENTS]
    return [
        {"t": float(curves.x_us[row] / 1e3), "kind": kind, "text": text,
         "stamp": w.moment(facts.series.t_us[row], 3), "place": facts.series.place(row)}
        for row, kind, text, _ in sorted(heaviest)
        if np.isfinite(curves.x_us[row])
    ]  # fmt: skip
