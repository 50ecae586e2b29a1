"""Two or more cameras: how far apart they were, and whether they moved together or alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from desk import words as w
from desk.errors import DeskError
from desk.facts import Facts, Worst, first_line, worst_of

_GRID = 200000  # at most so many instants
_SAME_STEP_S = 120.0  # clients of one server react to it within this time
_SAME_POLL_S = 2100.0  # or at their next poll, at most 1024 s apart for each
_SIZE = 0.1


@dataclass
class Pair:
    """A minus B at the same true instants; NaN where one of them is unknown."""

    first: int
    second: int
    skew_s: np.ndarray
    worst: Optional[Worst] = None  # row is the place on the grid


@dataclass
class Movement:
    """Something that moved one camera's error at once: a step, or a jump of its server."""

    camera: int
    true_us: float
    size_s: float
    kind: str  # step or server


@dataclass
class Shared:
    """Movements of the same kind and size at the same time."""

    members: list[Movement]

    @property
    def cameras(self) -> list[int]:
        return sorted({m.camera for m in self.members})


@dataclass
class Comparison:
    names: list[str]
    cameras: list[Facts]
    limit_s: float
    grid_us: np.ndarray
    errors_s: list[np.ndarray]
    pairs: list[Pair]
    shared: list[Shared] = field(default_factory=list)


def compare(cameras: list[Facts], limit_s: float) -> Comparison:
    begin = max(float(f.clock.true_us(f.series)[0]) for f in cameras)
    end = min(float(np.max(f.clock.true_us(f.series))) for f in cameras)
    if end <= begin:
        periods = "; ".join(f"{f.series.name}: {w.moment(f.series.t_us[0])} to "
                            f"{w.moment(f.series.t_us[-1])}" for f in cameras)  # fmt: skip
        raise DeskError(
            f"the logs have no time in common ({periods}).", "choose logs of the same period."
        )
    step_us = max(max(f.series.interval_s for f in cameras) * 1e6, (end - begin) / _GRID)
    grid = np.arange(begin, end, step_us)
    errors = [_error_on(facts, grid) for facts in cameras]
    pairs = [_pair(a, b, errors) for a, b in itertools.combinations(range(len(cameras)), 2)]
    found = Comparison(
        _short_names([f.series.name for f in cameras]), cameras, limit_s, grid, errors, pairs
    )
    found.shared = _shared(cameras, float(grid[0]), float(grid[-1]))
    return found


def _short_names(paths: list[str]) -> list[str]:
    """The part of each path that tells it from the others."""
    split = [path.rstrip("/").split("/") for path in paths]
    depth = min(len(parts) for parts in split)
    for place in range(-1, -depth - 1, -1):
        names = [parts[place] for parts in split]
        if len(set(names)) == len(names):
            return names
    return paths


def _error_on(facts: Facts, grid_us: np.ndarray) -> np.ndarray:
    """The error at each instant: of the row just before it, if that is near and known."""
    true = np.maximum.accumulate(facts.clock.true_us(facts.series))
    place = np.searchsorted(true, grid_us, side="right") - 1
    near = (place >= 0) & (grid_us - true[place] <= 2.5e6 * facts.series.interval_s)
    return np.where(near, facts.clock.error_s[np.maximum(place, 0)], np.nan)


def _pair(a: int, b: int, errors: list[np.ndarray]) -> Pair:
    skew = errors[a] - errors[b]
    pair = Pair(a, b, skew)
    if np.isfinite(skew).any():
        pair.worst = worst_of(skew)
    return pair


def _movements(camera: int, facts: Facts) -> list[Movement]:
    true = facts.clock.true_us(facts.series)
    found = [
        Movement(camera, float(true[s.row]), s.size_s, "step")
        for s in facts.clock.steps
        if not s.leap
    ]
    found += [Movement(camera, float(true[j.row]), j.size_s, "server") for j in facts.clock.jumps]
    return found


def _shared(cameras: list[Facts], begin_us: float, end_us: float) -> list[Shared]:
    """Groups movements of the common time; what has no partner stands alone in its group."""
    loose = [m for number, facts in enumerate(cameras) for m in _movements(number, facts)]
    loose = [m for m in loose if begin_us <= m.true_us <= end_us]
    loose.sort(key=lambda m: m.true_us)
    groups = []
    while loose:
        first = loose.pop(0)
        group = [first]
        for other in list(loose):
            taken = other.camera in {m.camera for m in group}
            if not taken and _same(first, other):
                group.append(other)
                loose.remove(other)
        groups.append(Shared(group))
    return groups


def _same(a: Movement, b: Movement) -> bool:
    apart = abs(a.true_us - b.true_us) * 1e-6
    near = _SAME_POLL_S if "server" in (a.kind, b.kind) else _SAME_STEP_S
    size = max(abs(a.size_s), abs(b.size_s))
    return a.kind == b.kind and apart <= near and abs(a.size_s - b.size_s) <= _SIZE * size + 0.02


def common_part(found: Comparison) -> np.ndarray:
    """The median of all cameras at each instant where at least two are known."""
    stack = np.vstack(found.errors_s)
    enough = np.isfinite(stack).sum(axis=0) >= 2
    median = np.full(stack.shape[1], np.nan)
    if enough.any():
        median[enough] = np.nanmedian(stack[:, enough], axis=0)
    return median


def render(found: Comparison) -> str:
    """The comparison as text."""
    grid = found.grid_us
    lines = [
        (
            f"{len(found.names)} cameras from {w.moment(grid[0])} to {w.moment(grid[-1])} UTC (true"
            " time, one instant each"
            f" {w.duration((grid[1] - grid[0]) * 1e-6) if len(grid) > 1 else '-'})"
        ),
        "",
    ]
    lines += [f"{name}: {first_line(f)}" for name, f in zip(found.names, found.cameras)]
    lines += ["", "Pairwise skew", "-------------"]
    lines += [pair_text(found, pair) for pair in found.pairs]
    lines += ["", "Together or alone", "-----------------"]
    lines += [shared_text(found, group) for group in found.shared] or [
        "no step and no jump of a server"
    ]
    return "\n".join(lines) + "\n"


def pair_text(found: Comparison, pair: Pair) -> str:
    names = f"{found.names[pair.first]} minus {found.names[pair.second]}"
    known = np.abs(pair.skew_s[np.isfinite(pair.skew_s)])
    whole = len(found.grid_us)
    if not len(known):
        return f"{names}: unknown throughout"
    within = int((known <= found.limit_s).sum())
    at = w.moment(found.grid_us[pair.worst.row])
    return (
        f"{names}: within {w.limit(found.limit_s)} at {w.share(within, len(known))} of the"
        f" {len(known):,} instants at which both errors are known ({w.share(len(known), whole)} of"
        f" all {whole:,}); half of them within {w.seconds(float(np.median(known)))}, worst"
        f" {w.seconds(pair.worst.value_s, True)} at {at}"
    )


def shared_text(found: Comparison, group: Shared) -> str:
    first = group.members[0]
    who = ", ".join(found.names[c] for c in group.cameras)
    what = "was stepped" if first.kind == "step" else "came apart from its NTP server"
    size = w.seconds(first.size_s, True)
    when = w.moment(first.true_us)
    if len(group.cameras) == len(found.names):
        cause = (
            "all of them together, so the cause is common: their server or something that sets"
            " them all"
        )
    elif len(group.cameras) > 1:
        cause = "together, the others not: look at what these cameras share"
    else:
        cause = "alone, so the cause is this camera or its own network path"
    return f"{when}: {who} {what} by {size}, {cause}"


def to_json(found: Comparison) -> dict:
    return {
        "cameras": found.names,
        "limit_s": found.limit_s,
        "begin": w.rfc3339(found.grid_us[0]),
        "end": w.rfc3339(found.grid_us[-1]),
        "instants": len(found.grid_us),
        "pairs": [_pair_json(found, pair) for pair in found.pairs],
        "movements": [
            {
                "true_time": w.rfc3339(group.members[0].true_us),
                "kind": group.members[0].kind,
                "size_s": round(group.members[0].size_s, 6),
                "cameras": [found.names[c] for c in group.cameras],
                "common": len(group.cameras) == len(found.names),
            }
            for group in found.shared
        ],
    }


def _pair_json(found: Comparison, pair: Pair) -> dict:
    known = np.abs(pair.skew_s[np.isfinite(pair.skew_s)])
    return {
        "cameras": [found.names[pair.first], found.names[pair.second]],
        "known_instants": len(known),
        "within_limit": int((known <= found.limit_s).sum()),
        "median_s": float(np.median(known)) if len(known) else None,
        "worst_s": pair.worst.value_s if pair.worst else None,
        "worst_at": w.rfc3339(found.grid_us[pair.worst.row]) if pair.worst else None,
    }
