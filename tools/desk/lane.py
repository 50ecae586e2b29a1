"""The lane over the panels: one label for each step, span, reboot and loss, none over another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desk import columns as col
from desk import words as w
from desk.facts import Facts

_ROWS = 4
_MOST = 8  # labels of one kind; the legend has the totals
_LINES = 400  # marks through the panels, with or without a label


@dataclass
class Item:
    """One label; X in days, WEIGHT decides who stays when there is no room."""

    left: float
    right: float
    text: str
    colour: str
    weight: float
    line: bool  # a mark through the panels
    kind: str


def bars(facts: Facts, x_us: np.ndarray, state: str, least: float) -> list[tuple[float, float]]:
    """(left, width) in days of all spans of STATE; those closer than LEAST are one."""
    half = facts.series.interval_s / 86400 / 2
    merged: list[list[float]] = []
    for span in facts.spans:
        if span.name != state:
            continue
        x = x_us[[span.first, span.last]]
        if not np.isfinite(x).all():
            continue
        left, right = x.min() / 86400e6 - half, x.max() / 86400e6 + half
        if merged and 0 <= left - merged[-1][1] <= least:
            merged[-1][1] = right
        else:
            merged.append([left, right])
    return [(a, max(b - a, least)) for a, b in merged]


def items_of(facts: Facts, x_us: np.ndarray, colours: dict[str, str]) -> list[Item]:
    """Everything worth a label, the weightiest first."""
    items = _of_spans(facts, x_us, colours) + _of_steps(facts, x_us, colours)
    items += _of_gaps(facts, x_us)
    items = [item for item in items if np.isfinite(item.left)]
    # Equals in weight are labelled here and there, not all in one corner.
    spread = {id(item): number * 0.618034 % 1 for number, item in enumerate(items)}
    return sorted(items, key=lambda item: (-float(f"{item.weight:.1g}"), spread[id(item)]))


def _of_spans(facts: Facts, x_us: np.ndarray, colours: dict[str, str]) -> list[Item]:
    found = []
    for state in col.STATES[1:]:
        spans = [span for span in facts.spans if span.name == state]
        for span in spans:
            spent = float(facts.covered[span.first : span.last + 1].sum())
            x = np.sort(x_us[[span.first, span.last]]) / 86400e6
            text = f"{state} {w.duration(spent)}"
            found.append(Item(x[0], x[1], text, colours[state], spent, False, state))
    return found


def _of_steps(facts: Facts, x_us: np.ndarray, colours: dict[str, str]) -> list[Item]:
    found = []
    for step in facts.clock.steps:
        x = x_us[step.row] / 86400e6
        name = "leap second" if step.leap else "step"
        text = f"{name} {w.seconds(step.size_s, True)}"
        found.append(Item(x, x, text, colours["step"], 1e9 + abs(step.size_s), True, "step"))
    return found


def _of_gaps(facts: Facts, x_us: np.ndarray) -> list[Item]:
    found = []
    names = {"reboot": "reboot", "restart": "logger restarted", "break": "break"}
    for gap in facts.gaps:
        text = names.get(gap.cause, gap.cause)
        if gap.lost_rows:
            text = (
                f"{w.count(gap.lost_rows, 'row')} {'lost' if gap.cause == 'reboot' else gap.cause}"
            )
        elif gap.cause == "unsampled":
            text = f"{w.duration(gap.seconds)} not sampled"
        x = x_us[gap.row] / 86400e6
        weight = 1e8 if gap.cause == "reboot" else 1e3 + gap.lost_rows
        found.append(Item(x, x, text, "#666666", weight, True, gap.cause))
    return found


def draw(axis, items: list[Item], panels: list) -> float:
    """Places what has room; says how many labels had none. Returns the rows used."""
    axis.axis("off")
    figure = axis.figure
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
    left_out, kinds = 0, {}
    for item in items:
        kinds[item.kind] = kinds.get(item.kind, 0) + 1
        if kinds[item.kind] > _MOST or not _place(axis, item, taken, renderer):
            left_out += 1
    for colour in {item.colour for item in items if item.line}:
        marks = [item.left for item in items if item.line and item.colour == colour][:_LINES]
        for panel in panels:
            panel.vlines(marks, 0, 1, transform=panel.get_xaxis_transform(), color=colour, lw=0.8,
                         alpha=0.6, zorder=2)  # fmt: skip
    rows = max(0.2, sum(bool(used) for used in taken))
    axis.set_ylim(0, rows)
    if left_out:
        axis.text(
            1.0, 1.02, f"+ {left_out} more without room for a label", transform=axis.transAxes,
            ha="right", va="bottom", fontsize=7.5, color="#666",
        )  # fmt: skip
    return rows


def _place(axis, item: Item, taken: list, renderer) -> bool:
    """Writes ITEM into the lowest row where nothing is in its way."""
    width = _width_px(axis, item.text, renderer)
    middle = axis.transData.transform(((item.left + item.right) / 2, 0))[0]
    box = axis.get_window_extent()
    begin = min(max(middle - width / 2, box.x0), max(box.x1 - width, box.x0))
    end = begin + width
    for row, used in enumerate(taken):
        if all(end + 6 < a or b + 6 < begin for a, b in used):
            used.append((begin, end))
            _write(axis, item, row, (begin + end) / 2)
            return True
    return False


def _width_px(axis, text: str, renderer) -> float:
    if renderer is None:
        return len(text) * 8 * axis.figure.dpi / 72 * 0.58
    probe = axis.text(0, 0, text, fontsize=8)
    width = probe.get_window_extent(renderer).width
    probe.remove()
    return width


def _write(axis, item: Item, row: int, middle_px: float) -> None:
    x = axis.transData.inverted().transform((middle_px, 0))[0]
    axis.text(
        x, row + 0.5, item.text, fontsize=8, ha="center", va="center", color="#111", zorder=4,
        gid="label", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip
    narrow = item.right - item.left < 0.004 * np.ptp(axis.get_xlim())
    if item.line or narrow:
        axis.plot([item.left] * 2, [0, row + 0.3], color=item.colour, lw=0.8, zorder=2)
    if not item.line:
        axis.plot([item.left, item.right], [0.04] * 2, color=item.colour, lw=4,
                  solid_capstyle="butt", zorder=3)  # fmt: skip
