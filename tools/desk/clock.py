"""What the clock's error really was, row by row, put together from all the evidence.

The NTP client's difference alone is not the error: a step that the client did not notice leaves it
near 0. So the clock is followed between contacts. Per connected stretch of rows

    D = wall clock - CLOCK_MONOTONIC_RAW   (legacy rows: the steps of wall clock - CLOCK_MONOTONIC)

moves exactly as the error does, but for the crystal's own rate, which is steady. At a contact (a
row in which the client has news from its server) the error is the client's difference. Between two
contacts the error is D plus what is missing, spread evenly: the crystal's drift. What is missing
may be more than any crystal drifts. Then, in this order,

    it equals the error carried along so far     the client sees now what it had not seen
    it cancels a step between two contacts       the client did not see that step: carry it along
    else                                         the server's time moved, or it was wrong before:
                                                 the new contact is believed, the rows between
                                                 are disputed
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from desk import columns as col
from desk.series import Series
from desk.steps import Step, find_steps

# How the error of a row is known.
NOT, MEASURED, BRIDGED, AHEAD, BEHIND = range(5)
HOW = (
    "not known", "measured", "between two contacts", "after the last contact",
    "back from the first contact",
)  # fmt: skip

_CRYSTAL = 500e-6  # no crystal's rate changes by more; the kernel corrects no more either
_TEMPERATURE = 2e-6  # what it may well change within an outage
_NOISE_S = 0.005  # of a measurement over a network
_JUMP_S = 0.02  # a difference that moves so much within one row is news, whatever its age says
_LEGACY_NOISE_S = 0.1  # legacy rows do not tell when the client last heard from its server


@dataclass
class Jump:
    """The client's difference moved by SIZE_S although the clock did not; rows between disputed."""

    before: int  # the last row of contact before
    row: int  # the first row of contact after
    size_s: float
    in_contact: bool  # the client reported contact all the way


@dataclass
class Clock:
    """The reconstruction. NaN where nothing is known."""

    error_s: np.ndarray
    how: np.ndarray
    slack_s: np.ndarray  # how far the crystal may have led the reconstruction astray
    contact: np.ndarray  # True where the client had news
    steps: list[Step]
    unseen: dict[int, float] = field(default_factory=dict)  # step row: size, at its time unseen
    seen_later: dict[int, int] = field(default_factory=dict)  # step row: row that saw it
    by_client: set[int] = field(default_factory=set)  # step rows that the client made
    jumps: list[Jump] = field(default_factory=list)
    rate: float = 0.0  # the crystal's rate as the series shows it, s/s

    def true_us(self, series: Series) -> np.ndarray:
        """The stamps put right where the error is known."""
        return series.t_us - np.nan_to_num(self.error_s) * 1e6


def reconstruct(series: Series) -> Clock:
    """Follows the clock through SERIES."""
    steps = find_steps(series)
    moved = _movement(series, steps)
    spent = np.cumsum(np.where(series.new_run, 1.0, series.elapsed_us * 1e-6))
    stretch = np.cumsum(series.new_run, dtype=np.int32)
    contact = _contacts(series, moved)
    clock = Clock(
        error_s=np.full(len(series), np.nan),
        how=np.zeros(len(series), np.uint8),
        slack_s=np.zeros(len(series), np.float32),
        contact=contact,
        steps=steps,
    )
    anchors = np.flatnonzero(contact)
    if len(anchors):
        _Follower(series, clock, moved, spent, stretch, anchors).run()
    else:
        clock.rate = _rate_of_client(series)
    _follow_claims(series, clock, moved, spent)
    return clock


def _movement(series: Series, steps: list[Step]) -> np.ndarray:
    """D, starting anew in each stretch; NaN-free. Leap seconds are no movement."""
    has_raw = np.isfinite(series.slew_s)
    wall = np.zeros(len(series))
    wall[1:] = np.diff(series.t_us) * 1e-6
    move = wall - series.elapsed_us * 1e-6 + np.nan_to_num(series.slew_s)
    only_steps = np.zeros(len(series))
    for step in steps:
        only_steps[step.row] = step.size_s
        if step.leap:
            move[step.row] -= step.size_s
            only_steps[step.row] = 0.0
    move = np.where(has_raw, move, only_steps)
    move[series.new_run] = 0.0
    return np.cumsum(move)


def _contacts(series: Series, moved: np.ndarray) -> np.ndarray:
    """Rows in which the client has news.

    Its reference moved, it just became synchronised, or its difference jumped by what neither the
    clock nor a slew did.
    """
    known = (series.state == col.SYNCED) & np.isfinite(series.diff_s)
    age = series.ref_age_s.astype(np.float64)
    news = ~np.isfinite(age)  # does not say: every row may be news
    news[0] = True
    if len(series) > 1:
        grown = np.diff(age)
        spent = series.elapsed_us[1:] * 1e-6
        jitter = 0.05 + 1e-6 * age[1:]
        # an age counted on the wall clock jumps with it; that is no news
        fresh = np.abs(grown - spent) > jitter
        fresh &= np.abs(grown - spent - series.adjust_us[1:] * 1e-6) > jitter
        news[1:] |= fresh | ~known[:-1] | series.new_run[1:]
        with np.errstate(invalid="ignore"):
            jumped = np.abs(np.diff(series.diff_s) - np.diff(moved)) > _JUMP_S
        jumped &= ~news[1:]
        news[1:] |= jumped
        news[:-1] |= jumped  # until then the difference had held: the jump is here
    return known & news


def _rate_of_client(series: Series) -> float:
    """The crystal's rate as the client estimates it, s/s; 0 where D holds only the steps."""
    ppm = series.freq_ppm[np.isfinite(series.freq_ppm)]
    if not len(ppm) or not np.isfinite(series.slew_s).any():
        return 0.0
    return float(np.median(ppm)) * 1e-6


def _follow_claims(series: Series, clock: Clock, moved: np.ndarray, spent: np.ndarray) -> None:
    """Stretches that begin and end in one outage: the client's difference is from before them.

    An error that the client did not see before the break is taken along within a boot.
    """
    starts = np.flatnonzero(series.new_run)
    ends = np.append(starts[1:], len(series))
    without = ~np.logical_or.reduceat(clock.contact, starts)
    for first, end in zip(starts[without], ends[without]):
        claims = np.flatnonzero(np.isfinite(series.diff_s[first:end]))
        if not len(claims):
            continue
        row = first + int(claims[0])
        before = first - 1
        unseen = 0.0
        if before >= 0 and series.boot[before] == series.boot[first]:
            apart = float(clock.error_s[before] - series.diff_s[before])
            unseen = apart if np.isfinite(apart) else 0.0
        part = slice(first, end)
        away = spent[part] - spent[row]
        error = series.diff_s[row] + unseen + moved[part] - moved[row] + clock.rate * away
        age = float(np.nan_to_num(series.ref_age_s[row]))
        clock.error_s[part] = error
        clock.how[part] = AHEAD
        clock.slack_s[part] = _TEMPERATURE * np.maximum(age + away, 0.0)


class _Follower:
    """Holds the arrays of one reconstruction."""

    def __init__(self, series, clock, moved, spent, stretch, anchors):
        self.series, self.clock = series, clock
        self.moved, self.spent, self.stretch = moved, spent, stretch
        self.anchors = anchors
        self.diff = series.diff_s[anchors]
        self.carried = np.zeros(len(anchors))  # error that the client does not see, per contact

    def run(self) -> None:
        disputed = self._judge()
        self.clock.rate = self._crystal_rate(disputed)
        base = self.diff + self.carried - self.moved[self.anchors]
        error = self.moved + np.interp(self.spent, self.spent[self.anchors], base)
        last = np.cumsum(self.clock.contact, dtype=np.int32) - 1  # each row's latest contact
        self._edges(error, base, last)
        self._between(error, last, disputed)
        self.clock.error_s = error

    def _interval(self, j: int) -> tuple[int, int]:
        return int(self.anchors[j]), int(self.anchors[j + 1])

    def _missing(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per pair of neighbouring contacts: what D does not explain, time, same stretch."""
        a, b = self.anchors[:-1], self.anchors[1:]
        missing = np.diff(self.diff) - (self.moved[b] - self.moved[a])
        return missing, self.spent[b] - self.spent[a], self.stretch[a] == self.stretch[b]

    def _judge(self) -> np.ndarray:
        """Fills `carried`; returns True for each pair of contacts that contradict each other."""
        missing, spent, same = self._missing()
        disputed = np.zeros(len(missing), bool)
        if not len(missing):
            return disputed
        calm = same & (np.abs(missing) < 0.1)
        rate = float(np.median(missing[calm] / spent[calm])) if calm.any() else 0.0
        missing = missing - np.where(same, rate * spent, 0.0)
        allowed = self._allowed(spent)
        odd = np.flatnonzero((same & (np.abs(missing) > allowed)) | ~same)
        carry, since = 0.0, 0
        for j in odd:
            self.carried[since : j + 1] = carry
            since = j + 1
            if same[j]:
                carry, disputed[j] = self._decide(j, missing[j], allowed[j], carry)
            else:
                carry = self._across(j, carry, allowed[j])
        self.carried[since:] = carry
        return disputed

    def _allowed(self, spent: np.ndarray) -> np.ndarray:
        """What may be missing between two contacts without a reason."""
        a, b = self.anchors[:-1], self.anchors[1:]
        width = np.nan_to_num(self.series.bound_s) - np.abs(np.nan_to_num(self.series.diff_s))
        allowed = _NOISE_S + np.maximum(width[a], 0.0) + np.maximum(width[b], 0.0)
        blunt = ~np.isfinite(self.series.ref_age_s[b])
        return np.where(blunt, _LEGACY_NOISE_S, allowed) + _CRYSTAL * spent

    def _decide(self, j: int, missing: float, allowed: float, carry: float) -> tuple[float, bool]:
        """The error carried on after an odd pair of contacts, and whether the pair is disputed."""
        a, b = self._interval(j)
        steps = [s for s in self.clock.steps if a < s.row <= b and not s.leap]
        total = sum(s.size_s for s in steps)
        close = allowed + 0.02 * abs(missing)
        if steps and abs(missing + total) <= close and self._contact_held(a, b):
            if not self._client_stepped(steps, b):
                self.clock.unseen.update({s.row: s.size_s for s in steps})
                carry += total
                return (0.0 if abs(carry) <= close else carry), False
            self.clock.by_client.update(s.row for s in steps)
        if carry and self._seen_now(j, missing, carry, close):
            return 0.0, False
        if carry and 0 < missing / carry < 1:
            return carry - missing, False
        if steps and self._seen_at_once(j, total, close):
            return 0.0, False
        self.clock.jumps.append(Jump(a, b, missing, self._contact_held(a, b)))
        return 0.0, True

    def _seen_now(self, j: int, missing: float, carry: float, close: float) -> bool:
        """Whether the client's difference moved by what it had not seen so far."""
        known = missing if self.series.signed else math.copysign(missing, carry)
        if abs(known - carry) > close:
            return False
        b = int(self.anchors[j + 1])
        seen = self.clock.seen_later
        seen.update({row: b for row in self.clock.unseen if row not in seen})
        if carry < 0 and not self.series.signed:  # now the lost sign is known, until it is near 0
            rest = np.abs(self.diff[j + 1 :])
            near = np.flatnonzero(rest[1:] <= np.maximum(1e-3, np.abs(np.diff(rest))))
            self.diff[j + 1 : j + 2 + near[0] if len(near) else None] *= -1.0
        return True

    def _seen_at_once(self, j: int, total: float, close: float) -> bool:
        """A format without sign: a difference that the step removed, or made, whole."""
        if self.series.signed:
            return False
        before, after = abs(self.diff[j]), abs(self.diff[j + 1])
        return abs(abs(before - after) - abs(total)) <= close

    def _contact_held(self, a: int, b: int) -> bool:
        return bool((self.series.state[a : b + 1] == col.SYNCED).all())

    def _client_stepped(self, steps: list[Step], b: int) -> bool:
        """The client's last offset is what the step took away, in the very row of its news."""
        step = steps[-1]
        offset = float(self.series.last_offset_s[b])
        near = abs(offset + step.size_s) <= 0.05 * abs(step.size_s)
        return len(steps) == 1 and step.row == b and np.isfinite(offset) and near

    def _across(self, j: int, carry: float, allowed: float) -> float:
        """After a break: a new boot starts afresh; else an unseen error stays until it is seen."""
        a, b = self._interval(j)
        boots = self.series.boot
        new_boot = boots[a] != boots[b]
        change = self.series.diff_s[b] - self.series.diff_s[a]
        if not carry or new_boot or abs(change) > allowed + 0.1 * abs(carry):
            return 0.0
        return carry

    def _crystal_rate(self, disputed: np.ndarray) -> float:
        """s/s by which D falls behind the error, for the ends of stretches."""
        missing, spent, same = self._missing()
        good = same & ~disputed & (np.abs(missing) < 0.1 + _CRYSTAL * spent)
        if not np.isfinite(self.series.slew_s).any():
            return 0.0  # D holds only the steps: the rate is in the client's own slewing
        if good.any() and spent[good].sum() >= 60:
            return float(missing[good].sum() / spent[good].sum())
        return _rate_of_client(self.series)

    def _edges(self, error: np.ndarray, base: np.ndarray, last: np.ndarray) -> None:
        """Rows before a stretch's first contact, after its last, or in a stretch without any."""
        clock, anchors = self.clock, self.anchors
        before = np.maximum(last, 0)
        after = np.minimum(last + 1, len(anchors) - 1)
        linked_back = (last >= 0) & (self.stretch[anchors[before]] == self.stretch)
        linked_on = (last + 1 < len(anchors)) & (self.stretch[anchors[after]] == self.stretch)
        clock.how[:] = np.where(
            linked_back,
            np.where(linked_on | clock.contact, BRIDGED, AHEAD),
            np.where(linked_on, BEHIND, NOT),
        )
        for how, anchor in ((AHEAD, before), (BEHIND, after)):
            rows = np.flatnonzero(clock.how == how)
            away = self.spent[rows] - self.spent[anchors[anchor[rows]]]
            error[rows] = self.moved[rows] + base[anchor[rows]] + clock.rate * away
            clock.slack_s[rows] = _TEMPERATURE * np.abs(away)
        error[clock.how == NOT] = np.nan

    def _between(self, error: np.ndarray, last: np.ndarray, disputed: np.ndarray) -> None:
        """Rows between two contacts: measured while in contact, bridged in an outage."""
        clock, series = self.clock, self.series
        bridged = np.flatnonzero(clock.how == BRIDGED)
        a = self.anchors[last[bridged]]
        b = self.anchors[np.minimum(last[bridged] + 1, len(self.anchors) - 1)]
        away = np.minimum(
            self.spent[bridged] - self.spent[a], np.abs(self.spent[b] - self.spent[bridged])
        )
        in_contact = (series.state[bridged] == col.SYNCED) & np.isfinite(series.diff_s[bridged])
        clock.slack_s[bridged] = np.where(in_contact, 0.0, _TEMPERATURE * away)
        clock.how[bridged[in_contact]] = MEASURED
        ahead = np.flatnonzero((clock.how == AHEAD) & (series.state == col.SYNCED))
        clock.how[ahead] = MEASURED
        clock.slack_s[ahead] = 0.0
        for j in np.flatnonzero(disputed):
            self._dispute(error, *self._interval(j))

    def _dispute(self, error: np.ndarray, a: int, b: int) -> None:
        """Between two contacts that contradict each other nothing is known."""
        error[a + 1 : b] = np.nan
        self.clock.how[a + 1 : b] = NOT
