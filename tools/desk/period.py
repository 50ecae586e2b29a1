"""Cuts a period out of a series after it was worked out: what lies outside is still evidence."""

from __future__ import annotations

import dataclasses

import numpy as np

from desk import words as w
from desk.clock import Clock, Jump
from desk.errors import DeskError
from desk.facts import Facts, summarise
from desk.rows import FIELDS
from desk.sources import Wanted
from desk.spans import bad_spans

_FAR_S = 1.0


def cut(facts: Facts, wanted: Wanted) -> Facts:
    """FACTS of the rows from --since to --until: by stamp, or by true time if that is far off."""
    if wanted.since_us is None and wanted.until_us is None:
        return facts
    far = np.abs(np.nan_to_num(facts.clock.error_s)) > _FAR_S
    when = np.where(far, facts.clock.true_us(facts.series), facts.series.t_us)
    inside = np.ones(len(when), bool)
    if wanted.since_us is not None:
        inside &= when >= wanted.since_us
    if wanted.until_us is not None:
        inside &= when < wanted.until_us
    if not inside.any():
        first, last = w.moment(when.min()), w.moment(when.max())
        raise DeskError(
            f"no row lies in that period; the rows read go from {first} to {last} UTC.",
            "choose --since and --until within it, or read more with --versions.",
        )
    return facts if inside.all() else _take(facts, inside)


def _take(facts: Facts, inside: np.ndarray) -> Facts:
    place = np.cumsum(inside) - 1

    def moved(row: int) -> int:
        return int(place[row])

    old, clock = facts.series, facts.clock
    arrays = {name: getattr(old, name)[inside] for name, _ in FIELDS}
    new_run = old.new_run[inside]
    new_run[0] = True
    outside_between = np.flatnonzero(np.diff(np.flatnonzero(inside)) > 1) + 1
    new_run[outside_between] = True
    series = dataclasses.replace(
        old, **arrays, new_run=new_run,
        events=[(moved(row), said) for row, said in old.events if inside[row]],
    )  # fmt: skip
    kept = Clock(
        error_s=clock.error_s[inside],
        how=clock.how[inside],
        slack_s=clock.slack_s[inside],
        contact=clock.contact[inside],
        steps=[dataclasses.replace(s, row=moved(s.row)) for s in clock.steps if inside[s.row]],
        unseen={moved(r): s for r, s in clock.unseen.items() if inside[r]},
        seen_later={
            moved(r): moved(b) for r, b in clock.seen_later.items() if inside[r] and inside[b]
        },
        by_client={moved(r) for r in clock.by_client if inside[r]},
        jumps=[
            Jump(max(moved(j.before), 0), moved(j.row), j.size_s, j.in_contact)
            for j in clock.jumps if inside[j.row]
        ],
        rate=clock.rate,
    )  # fmt: skip
    gaps = [
        dataclasses.replace(gap, row=moved(gap.row))
        for gap in facts.gaps
        if inside[gap.row] and moved(gap.row) > 0
    ]
    return summarise(Facts(series, kept, gaps, bad_spans(series), facts.covered[inside]))
