"""The answer to "was this camera's clock right?": everything the report says, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from desk import words as w
from desk.corrections import Correction, corrections
from desk.facts import Facts, worst_of
from desk.outages import BoundBreach, Outage, bound_breaches, outages
from desk.sources import Wanted
from desk.stories import Cause, StepStory, causes, row_text, step_stories
from desk.verdict import OUTSIDE, Verdict, judge


@dataclass
class FailedStatus:
    """One upload of ntp_failed_status.txt; the time is the server's, hence true."""

    uploaded_s: float
    summary: str
    near: str  # the outage or step that it belongs to
    text: str


@dataclass
class Answer:
    facts: Facts
    verdict: Verdict
    steps: list[StepStory]
    outages: list[Outage]
    breaches: BoundBreach
    corrections: list[Correction]
    causes: list[Cause]
    failed: list[FailedStatus] = field(default_factory=list)

    @property
    def word(self) -> str:
        """no, yes, mostly unknown, or unknown."""
        verdict = self.verdict
        if verdict.outside_s > 0:
            return "no"
        if verdict.within_s <= 0:
            return "unknown"
        return "yes" if verdict.within_s >= 0.5 * verdict.period_s else "mostly unknown"


def answer(facts: Facts, limit_s: float, wanted: Wanted) -> Answer:
    verdict = judge(facts, limit_s, wanted)
    steps = step_stories(facts)
    gone = outages(facts)
    return Answer(
        facts=facts,
        verdict=verdict,
        steps=steps,
        outages=gone,
        breaches=bound_breaches(facts),
        corrections=corrections(facts, verdict.rows, limit_s),
        causes=causes(facts, limit_s, steps, gone),
    )


def headline(found: Answer) -> str:
    """Was it right, when not, by how much."""
    verdict, facts = found.verdict, found.facts
    limit = w.limit(verdict.limit_s)
    whole = w.duration(verdict.period_s)
    if found.word == "unknown":
        return (
            f"UNKNOWN: in {whole} there is no second for which the clock's error is known, so "
            f"nobody can say whether it was within {limit}."
        )
    right = (
        f"within {limit} for {w.share(verdict.within_s, verdict.period_s)} of the period's "
        f"{verdict.period_s:,.0f} s"
    )
    rest = verdict.period_s - verdict.known_s
    unknown = f", unknown for {w.share(rest, verdict.period_s)}" if rest >= 0.5 else ""
    if found.word == "mostly unknown":
        return f"MOSTLY UNKNOWN: the clock was {right}{unknown}. {_worst(found)}"
    if found.word == "yes":
        so_far = ", wherever the error is known" if rest >= 0.5 else ""
        return f"YES{so_far}: the clock was {right}{unknown}. {_worst(found)}"
    longest = max(_outside_spans(found), key=lambda span: span[2])
    since, until = (w.moment(facts.series.t_us[row]) for row in longest[:2])
    return (
        f"NO: the clock was wrong by more than {limit} for {w.duration(verdict.outside_s)} "
        f"({w.share(verdict.outside_s, verdict.period_s)}), the longest from {since} to {until}. "
        f"{_worst(found)} It was {right}{unknown}."
    )


def _worst(found: Answer) -> str:
    facts = found.facts
    known = found.verdict.rows != 2
    worst = worst_of(np.where(known, facts.clock.error_s, np.nan))
    at = w.moment(facts.series.t_us[worst.row])
    sign = w.seconds(worst.value_s, True)
    said = facts.worst_diff
    text = f"Worst: {sign} ({w.fast_or_slow(worst.value_s)}) at {at}."
    if not facts.series.signed:
        text = f"Worst: {w.seconds(abs(worst.value_s))} at {at} (this format keeps no sign)."
    if said is not None and abs(worst.value_s) > 1.1 * abs(said.value_s) + 1e-3:
        text += (
            " That is reconstructed from steps and slews; the NTP client's own differences reach "
            f"only {w.seconds(said.value_s, facts.series.signed)}."
        )
    if not facts.clock.contact.any():
        text += " No contact with a server lies in these rows: this is the client's own reckoning."
    return text


def _outside_spans(found: Answer) -> list[tuple[int, int, float]]:
    """First row, last row and seconds of each run outside the limit."""
    outside = (found.verdict.rows == OUTSIDE).view(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], outside, [0]))))
    spent = np.concatenate(([0.0], np.cumsum(found.facts.covered)))
    return [
        (int(a), int(b) - 1, float(spent[b] - spent[a])) for a, b in zip(edges[::2], edges[1::2])
    ]


def to_json(found: Answer) -> dict:
    """The whole answer for programs. Times are the camera's stamps in UTC, errors + = fast."""
    facts, verdict = found.facts, found.verdict
    series = facts.series
    return {
        "source": series.name,
        "answer": found.word,
        "headline": headline(found),
        "limit_s": verdict.limit_s,
        "period": {
            "begin": w.rfc3339(verdict.begin_us),
            "end": w.rfc3339(verdict.end_us),
            "seconds": round(verdict.period_s, 3),
            "gaps_of_unknown_length": verdict.unmeasured_gaps,
        },
        "seconds": {
            "within": round(verdict.within_s, 3),
            "outside": round(verdict.outside_s, 3),
            "unknown_with_rows": round(verdict.unknown_s, 3),
            "without_rows": round(verdict.no_rows_s, 3),
            "within_with_bound_added": _rounded(verdict.guaranteed_s, 3),
            "unknown_why": {k: round(v, 3) for k, v in verdict.why_unknown.items()},
            "by_state": {k: round(v, 3) for k, v in facts.state_s.items()},
        },
        "share_within": {
            "of_period": _ratio(verdict.within_s, verdict.period_s),
            "of_known_seconds": _ratio(verdict.within_s, verdict.known_s),
        },
        "error_percentiles_s": {k: _rounded(v) for k, v in verdict.percentiles.items()},
        "rows": {
            "read": len(series),
            "missing_by_seq": facts.missing if series.rich else None,
            "damaged": series.damage.rows,
            "repeated": series.repeated_rows,
        },
        "steps": [_step_json(facts, story) for story in found.steps],
        "corrections": [_correction_json(line) for line in found.corrections],
        "outages": [_outage_json(facts, outage) for outage in found.outages],
        "bound_proved_wrong_s": round(found.breaches.seconds, 3),
        "gaps": [_gap_json(facts, gap) for gap in facts.gaps],
        "causes": [
            {"text": c.text, "rows": [row_text(facts, row) for row in c.rows]} for c in found.causes
        ],
        "failed_statuses": [
            {"uploaded": w.rfc3339(f.uploaded_s * 1e6), "summary": f.summary, "near": f.near}
            for f in found.failed
        ],
    }


def _rounded(value, digits: int = 9):
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _ratio(part: float, whole: float):
    return round(part / whole, 6) if whole > 0 else None


def _step_json(facts: Facts, story: StepStory) -> dict:
    return {
        "before": w.rfc3339(story.step.before_us),
        "after": w.rfc3339(story.step.after_us),
        "size_s": round(story.step.size_s, 6),
        "kind": story.kind,
        "error_before_s": _rounded(story.error_before_s),
        "error_after_s": _rounded(story.error_after_s),
        "noticed_after_s": _rounded(story.noticed_after_s, 3),
        "row": facts.series.place(story.step.row),
        "text": story.text,
    }


def _correction_json(line: Correction) -> dict:
    return {
        "from": w.rfc3339(line.from_us),
        "to": w.rfc3339(line.to_us),
        "add_s": _rounded(line.add_from_s, 6),
        "add_at_end_s": _rounded(line.add_to_s, 6),
        "known": line.known,
        "stamps_occur_twice": (
            None
            if line.twice is None
            else {
                "from": w.rfc3339(line.twice.from_us),
                "to": w.rfc3339(line.twice.to_us),
                "this_is_for_the": f"{line.twice.which} pass",
            }
        ),
    }


def _outage_json(facts: Facts, outage: Outage) -> dict:
    t = facts.series.t_us
    return {
        "from": w.rfc3339(t[outage.first]),
        "to": w.rfc3339(t[outage.last]),
        "seconds": round(outage.seconds, 3),
        "states_s": {k: round(v, 3) for k, v in outage.states.items()},
        "silence_s": _rounded(outage.silence_s, 3),
        "contact_returned": outage.contact_after is not None,
        "error_at_end_s": _rounded(outage.error_at_end_s),
        "bound_at_end_s": _rounded(outage.bound_at_end_s),
        "bound_held": outage.bound_held,
    }


def _gap_json(facts: Facts, gap) -> dict:
    return {
        "before": w.rfc3339(facts.series.t_us[gap.row - 1]),
        "after": w.rfc3339(facts.series.t_us[gap.row]),
        "cause": gap.cause,
        "rows_lost": gap.lost_rows,
        "seconds": _rounded(gap.seconds, 3),
        "hidden_step_s": _rounded(gap.hidden_step_s, 6) or None,
    }
