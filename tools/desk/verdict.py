"""Seconds within the limit, outside it, and unknown: each with its denominator.

A second counts as within only when the NTP client gave a difference for it. Without one it is
unknown, unless the reconstruction proves it outside. Seconds without a row are unknown, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from desk import columns as col
from desk.clock import AHEAD, NOT
from desk.facts import Facts
from desk.sources import Wanted

WITHIN, OUTSIDE, UNKNOWN = range(3)
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 100.0)


@dataclass
class Verdict:
    """How many seconds of the period were what, against one limit."""

    limit_s: float
    period_s: float
    begin_us: float
    end_us: float
    within_s: float
    outside_s: float
    unknown_s: float  # with rows, but no answer
    no_rows_s: float
    unmeasured_gaps: int  # places without rows whose length nobody knows
    why_unknown: dict[str, float] = field(default_factory=dict)
    guaranteed_s: Optional[float] = None  # within even with the reported bound added
    percentiles: dict[str, float] = field(default_factory=dict)
    rows: np.ndarray = None  # WITHIN, OUTSIDE or UNKNOWN for each row

    @property
    def known_s(self) -> float:
        return self.within_s + self.outside_s


def judge(facts: Facts, limit_s: float, wanted: Wanted) -> Verdict:
    rows = classify(facts, limit_s)
    seconds = np.bincount(rows, weights=facts.covered, minlength=3)
    begin, end, period, unmeasured = _period(facts, wanted)
    bare = period - float(seconds.sum())
    verdict = Verdict(
        limit_s=limit_s,
        period_s=max(period, float(seconds.sum())),
        begin_us=begin,
        end_us=end,
        within_s=float(seconds[WITHIN]),
        outside_s=float(seconds[OUTSIDE]),
        unknown_s=float(seconds[UNKNOWN]),
        no_rows_s=bare if bare > 0.01 * facts.series.interval_s else 0.0,
        unmeasured_gaps=unmeasured,
        rows=rows,
    )
    verdict.why_unknown = _why_unknown(facts, rows == UNKNOWN)
    verdict.guaranteed_s = _guaranteed(facts, rows, limit_s)
    known = np.abs(facts.clock.error_s[rows != UNKNOWN])
    if len(known):
        values = np.percentile(known, PERCENTILES, method="higher")
        verdict.percentiles = {f"p{p:g}": float(v) for p, v in zip(PERCENTILES, values)}
    return verdict


def classify(facts: Facts, limit_s: float) -> np.ndarray:
    """WITHIN, OUTSIDE or UNKNOWN for each row."""
    series, clock = facts.series, facts.clock
    size = np.abs(clock.error_s)
    slack = clock.slack_s.astype(np.float64)
    # After the last contact of all only the client's own bound speaks for a coasting clock.
    tail = (clock.how == AHEAD) & (series.state != col.SYNCED)
    own = np.maximum(series.bound_s - np.abs(series.diff_s), 0.0)
    slack = np.where(tail, np.fmax(slack, own), slack)
    rows = np.full(len(series), UNKNOWN, np.int8)
    with np.errstate(invalid="ignore"):
        rows[np.isfinite(series.diff_s) & (size + slack <= limit_s)] = WITHIN
        rows[size - slack > limit_s] = OUTSIDE
    return rows


def _guaranteed(facts: Facts, rows: np.ndarray, limit_s: float) -> Optional[float]:
    bound = facts.series.bound_s
    if not np.isfinite(bound).any():
        return None
    half = np.maximum(bound - np.abs(facts.series.diff_s), 0.0)
    with np.errstate(invalid="ignore"):
        sure = (rows == WITHIN) & (np.abs(facts.clock.error_s) + half <= limit_s)
    return float(facts.covered[sure].sum())


def _why_unknown(facts: Facts, unknown: np.ndarray) -> dict[str, float]:
    """Seconds by reason, the largest first."""
    series, clock = facts.series, facts.clock
    disputed = np.zeros(len(series), bool)
    for jump in clock.jumps:
        disputed[jump.before + 1 : jump.row] = True
    reasons: dict[str, float] = {}
    for state, words in (
        (col.UNSYNCED, "not synchronised: the client gave no difference"),
        (col.UNREACHABLE, "the NTP client did not answer"),
        (col.UNKNOWN, "the state of the NTP client is unknown"),
        (col.COASTING, "coasting: too long without contact to be sure"),
        (col.SYNCED, "synchronised, but the time source gave no difference"),
    ):
        rows = unknown & (series.state == state)
        for mask, text in (
            (rows & disputed & (clock.how == NOT), "two contacts contradict each other"),
            (rows & ~(disputed & (clock.how == NOT)), words),
        ):
            spent = float(facts.covered[mask].sum())
            if spent > 0:
                reasons[text] = reasons.get(text, 0.0) + spent
    return dict(sorted(reasons.items(), key=lambda item: -item[1]))


def _period(facts: Facts, wanted: Wanted) -> tuple[float, float, float, int]:
    """Begin, end, length in seconds, and how many gaps have no known length."""
    true = facts.clock.true_us(facts.series)
    begin = true[0] if wanted.since_us is None else wanted.since_us
    end = true[-1] + facts.series.interval_s * 1e6 if wanted.until_us is None else wanted.until_us
    gaps, unmeasured = 0.0, 0
    for gap in facts.gaps:
        length = gap_length(facts, gap, true)
        if np.isfinite(length):
            gaps += length
        else:
            unmeasured += 1
    length = facts.covered_s + gaps
    if wanted.since_us is not None:
        length += max(0.0, (true[0] - begin) * 1e-6)
    if wanted.until_us is not None:
        length += max(0.0, (end - true[-1]) * 1e-6 - facts.series.interval_s)
    if wanted.since_us is not None and wanted.until_us is not None:
        length = (end - begin) * 1e-6
    return float(begin), float(end), length, unmeasured


def gap_length(facts: Facts, gap, true_us: np.ndarray) -> float:
    """Seconds without rows before GAP.row; NaN when the clocks on its two sides do not compare."""
    if gap.cause in ("unsampled", "dropped", "evicted", "missing"):
        return gap.seconds
    error = facts.clock.error_s
    if not np.isfinite(error[[gap.row - 1, gap.row]]).all():
        # Without a contact on both sides the stamps may still be good: believe small, rising ones.
        plain = gap.seconds
        return plain if -1.0 < plain < 7 * 86400 else float("nan")
    between = (true_us[gap.row] - true_us[gap.row - 1]) * 1e-6 - facts.series.interval_s
    return max(0.0, float(between))
