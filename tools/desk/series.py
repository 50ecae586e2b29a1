"""One camera's rows as one series: joined over files, in order, each row once.

Rich rows are identified by (boot_id, seq). Legacy rows have no identity: after a step back
different rows bear the same time, so a legacy row is never dropped because its time is equal;
only a whole upload that the next one repeats from its beginning is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from desk import columns as col
from desk.rows import FIELDS, Damage, Rows


@dataclass
class Series:
    """The fields of rows.FIELDS as arrays of equal length, and what was found on the way."""

    name: str
    t_us: np.ndarray
    elapsed_us: np.ndarray
    adjust_us: np.ndarray
    slew_s: np.ndarray
    window_us: np.ndarray
    diff_s: np.ndarray
    status: np.ndarray
    boot: np.ndarray
    seq: np.ndarray
    state: np.ndarray
    source: np.ndarray
    ref_age_s: np.ndarray
    last_offset_s: np.ndarray
    freq_ppm: np.ndarray
    bound_s: np.ndarray
    boots: list[str]
    events: list[tuple[int, dict[str, str]]]
    interval_s: float  # nominal distance of two rows
    new_run: np.ndarray = None  # True where nothing connects a row with the one before
    signed: bool = True  # False: this format keeps only the size of the difference
    damage: Damage = field(default_factory=Damage)
    repeated_rows: int = 0
    parts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.t_us)

    @property
    def rich(self) -> bool:
        return bool(len(self)) and bool((self.boot >= 0).all())

    def place(self, row: int) -> str:
        """Names a row so that a person finds it again."""
        if self.boot[row] < 0:
            return f"row {row + 1}"
        return f"boot {self.boots[self.boot[row]]} seq {self.seq[row]}"


_ARRAYS = tuple(name for name, _ in FIELDS)


def join(rows: Rows, name: str, named_in_order: bool = True) -> Series:
    """Makes the series of ROWS. NAMED_IN_ORDER: the files came in the order they were written."""
    events = rows.events
    arrays = rows.finish()
    arrays, events, repeats = _drop_repeated_uploads(arrays, events, rows.part_starts)
    order, doubles = _order(arrays, named_in_order)
    if order is not None:
        for key in _ARRAYS:
            arrays[key] = arrays[key][order]
        events = _move_events(events, order)
    keep = _consistent(arrays)
    if keep is not None:
        rows.damage.rows += int((~keep).sum())
        rows.damage.examples.append(f"{(~keep).sum()} with a stamp that its neighbours contradict")
        for key in _ARRAYS:
            arrays[key] = arrays[key][keep]
        events = _move_events(events, np.flatnonzero(keep))
    series = Series(
        name=name,
        boots=rows.boots,
        events=[(row, parse_event(text)) for row, text in events],
        interval_s=_interval(arrays["elapsed_us"]),
        signed=rows.signed or bool((arrays["boot"] >= 0).any()) or not len(arrays["t_us"]),
        damage=rows.damage,
        repeated_rows=repeats + doubles,
        parts=rows.part_names,
        **arrays,
    )
    series.new_run = _run_starts(series)
    return series


def parse_event(text: str) -> dict[str, str]:
    """'start;step=-1.5' as {'start': '', 'step': '-1.5'}."""
    words = {}
    for word in text.split(";"):
        key, _, value = word.partition("=")
        if key:
            words[key] = value
    return words


def _drop_repeated_uploads(arrays: dict, events: list, starts: list[int]):
    """An upload whose answer was lost is sent again, perhaps with more rows: keep the last."""
    bounds = list(starts) + [len(arrays["t_us"])]
    keep = np.ones(len(arrays["t_us"]), bool)
    for first, middle, last in zip(bounds, bounds[1:], bounds[2:]):
        size = middle - first
        if (
            0 < size <= last - middle
            and arrays["boot"][first] < 0
            and all(
                np.array_equal(arrays[k][first:middle], arrays[k][middle : middle + size], True)
                for k in ("t_us", "elapsed_us", "adjust_us", "diff_s")
            )
        ):
            keep[first:middle] = False
    if keep.all():
        return arrays, events, 0
    arrays = {key: value[keep] for key, value in arrays.items()}
    return arrays, _move_events(events, np.flatnonzero(keep)), int((~keep).sum())


def _order(arrays: dict, named_in_order: bool) -> tuple[Optional[np.ndarray], int]:
    """The rows to take, in order (None: as they are), and how many were doubles."""
    boot, seq = arrays["boot"], arrays["seq"]
    if len(boot) < 2:
        return None, 0
    same = boot[1:] == boot[:-1]
    rising = (seq[1:] > seq[:-1]) | (boot[1:] < 0)
    if named_in_order and rising[same].all() and _each_boot_once(boot, same):
        return None, 0
    rank = _boot_ranks(arrays, named_in_order)
    arrival = np.arange(len(boot))
    key = np.where(boot < 0, arrival, seq)
    order = np.lexsort((arrival, key, rank))
    double = np.zeros(len(order), bool)
    b, s = boot[order], seq[order]
    double[1:] = (b[1:] == b[:-1]) & (s[1:] == s[:-1]) & (b[1:] >= 0)
    return order[~double], int(double.sum())


def _each_boot_once(boot: np.ndarray, same: np.ndarray) -> bool:
    runs = np.concatenate((boot[:1], boot[1:][~same]))
    return len(np.unique(runs)) == len(runs)


def _boot_ranks(arrays: dict, named_in_order: bool) -> np.ndarray:
    """Boots in the order of their first row, or of their stamps while in contact."""
    boot = arrays["boot"]
    found, first = np.unique(boot, return_index=True)
    if not named_in_order:
        first = np.asarray([_typical_stamp(arrays, boot == b) for b in found])
    place = np.empty(len(found), np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(found))
    return place[np.searchsorted(found, boot)]


def _typical_stamp(arrays: dict, mask: np.ndarray) -> float:
    good = mask & (arrays["state"] == col.SYNCED)
    return float(np.median(arrays["t_us"][good if good.any() else mask]))


def _move_events(events: list, order: np.ndarray) -> list:
    """Events at the new places of their rows; those of dropped rows go."""
    if not events:
        return []
    new_place = {int(old): new for new, old in enumerate(order)} if len(order) < 1000 else None
    if new_place is None:
        table = np.full(int(max(order.max(), events[-1][0])) + 1, -1, np.int64)
        table[order] = np.arange(len(order))
        new_place = {row: int(table[row]) for row, _ in events if table[row] >= 0}
    moved = [(new_place[row], text) for row, text in events if row in new_place]
    return sorted(moved, key=lambda pair: pair[0])


def _consistent(arrays: dict) -> Optional[np.ndarray]:
    """False for a row whose stamp jumps away and back while its own elapsed columns saw nothing."""
    t = arrays["t_us"]
    if len(t) < 3:
        return None
    excess = np.diff(t) - arrays["elapsed_us"][1:] - arrays["adjust_us"][1:]
    next_to = (np.diff(arrays["seq"]) == 1) & (arrays["boot"][1:] == arrays["boot"][:-1])
    there = excess[:-1]
    lonely = (np.abs(there) > 100000) & (np.abs(there + excess[1:]) < 1000)
    lonely &= next_to[:-1] & next_to[1:] & (arrays["boot"][1:-1] >= 0)
    if not lonely.any():
        return None
    keep = np.ones(len(t), bool)
    keep[1:-1] = ~lonely
    return keep


def _interval(elapsed_us: np.ndarray) -> float:
    good = elapsed_us[elapsed_us > 0]
    return round(float(np.median(good[: 1 << 20])) * 1e-6, 3) or 1e-3 if len(good) else 1.0


def _run_starts(series: Series) -> np.ndarray:
    """Rows that the elapsed columns do not connect with the row before."""
    starts = np.ones(len(series), bool)
    if len(series) < 2:
        return starts
    elapsed = series.elapsed_us[1:]
    starts[1:] = (series.boot[1:] != series.boot[:-1]) | (elapsed == 0)
    excess = np.diff(series.t_us) - elapsed - series.adjust_us[1:]
    starts[1:] |= np.abs(excess) > 2000 + elapsed // 1000
    # A step inside lost rows could hide their time: they count by seq as well.
    lost = np.where(series.boot[1:] >= 0, np.diff(series.seq) - 1, 0)
    starts[1:] |= (lost > 0) & (elapsed < lost * series.interval_s * 0.5e6)
    return starts
