"""What happened, in plain words, each with the rows that prove it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from desk import columns as col
from desk import words as w
from desk.facts import Facts
from desk.outages import Outage, never_synchronised, silent_server
from desk.slew import slews
from desk.spans import GAP_CAUSES
from desk.steps import Step

_CRYSTAL_PPM = 100.0
_QUARTER_S = 900.0


@dataclass
class StepStory:
    """One step and what it meant."""

    step: Step
    kind: str  # fault, correction, leap second, unclear
    error_before_s: float
    error_after_s: float
    noticed_after_s: Optional[float]  # by the client; 0 = at once; None = never in these rows
    text: str = ""


@dataclass
class Cause:
    """A likely cause in words, the most serious first."""

    weight: float
    text: str
    rows: list[int] = field(default_factory=list)


def step_stories(facts: Facts) -> list[StepStory]:
    return [_step_story(facts, step) for step in facts.clock.steps]


def _step_story(facts: Facts, step: Step) -> StepStory:
    error = facts.clock.error_s
    after = float(error[step.row])
    before = after - step.size_s
    if step.leap:
        story = StepStory(step, "leap second", before, after, 0.0)
    elif not np.isfinite(after):
        story = StepStory(step, "unclear", before, after, None)
    elif abs(after) < abs(before):
        story = StepStory(step, "correction", before, after, 0.0)
    else:
        story = StepStory(step, "fault", before, after, _noticed(facts, step))
    story.text = _step_text(facts, story)
    return story


def _noticed(facts: Facts, step: Step) -> Optional[float]:
    """Seconds until the client's own difference showed the step, None when it never did."""
    if step.row in facts.clock.unseen:
        seen = facts.clock.seen_later.get(step.row)
    else:
        later = np.flatnonzero(facts.clock.contact[step.row :])
        seen = step.row + int(later[0]) if len(later) else None
    if seen is None:
        return None
    return float(facts.covered[step.row : seen].sum())


def _step_text(facts: Facts, story: StepStory) -> str:
    if story.kind == "leap second":
        return "a leap second, announced by the status: no error"
    if story.kind == "unclear":
        return "whether it made the clock right or wrong is unknown: no contact with a server"
    if story.kind == "correction":
        who = "the NTP client" if story.step.row in facts.clock.by_client else "a correction"
        return f"{who}: it took the error from {w.seconds(story.error_before_s, True)} to " + (
            w.seconds(story.error_after_s, True)
        )
    if story.noticed_after_s is None:
        seen = "the NTP client never noticed it: its differences stayed as they were"
    elif story.noticed_after_s < 1.5 * facts.series.interval_s:
        seen = "the NTP client noticed it at once"
    else:
        seen = f"the NTP client noticed it {w.duration(story.noticed_after_s)} later"
    return f"it made the clock wrong, {w.seconds(story.error_after_s, True)} from then on; {seen}"


def causes(facts: Facts, limit_s: float, steps: list[StepStory], gone: list[Outage]) -> list[Cause]:
    """Everything that explains errors, unknown time or missing rows."""
    found = _of_steps(facts, steps) + _of_fights(facts, steps)
    found += _of_outages(facts, gone) + _of_jumps(facts) + _of_crystal(facts)
    found += _of_slews(facts, limit_s) + _of_gaps(facts)
    return sorted(found, key=lambda cause: -cause.weight)


def _at(facts: Facts, row: int) -> str:
    return w.moment(facts.series.t_us[row])


def _of_steps(facts: Facts, steps: list[StepStory]) -> list[Cause]:
    found = []
    for story in steps:
        step = story.step
        rows = [max(step.row - 1, 0), step.row]
        when = f"At {w.moment(step.before_us)} the clock was set by {w.seconds(step.size_s, True)}"
        if story.kind == "fault":
            text = f"{when}, and that made it wrong: {_who(step)} {_then(story)}"
            found.append(Cause(1e6 + abs(step.size_s), text, rows))
        elif story.kind == "correction" and _first_of_boot(facts, step.row):
            found.append(Cause(5e5 + abs(step.size_s), _boot_text(when, story), rows))
        elif story.kind == "unclear":
            text = f"{when}; whether that was right is unknown, since no server was in contact. "
            found.append(Cause(4e5 + abs(step.size_s), text + _who(step), rows))
    return found


def _who(step: Step) -> str:
    hours = abs(step.size_s) / 3600
    quarters = abs(step.size_s) / _QUARTER_S
    if quarters >= 1 and abs(quarters - round(quarters)) * _QUARTER_S < 3:
        return (
            f"by {hours:g} h to the second, so a time zone or daylight saving time was probably "
            "mistaken for the time (set by hand, or by a system that writes local time)."
        ).replace(f"{hours:g}", f"{round(quarters) / 4:g}")
    return (
        "something other than the NTP client did it (a person, a video system over the camera's "
        "interface, or a second time program)."
    )


def _then(story: StepStory) -> str:
    if story.noticed_after_s is None:
        return "The NTP client did not notice, so its status and differences look healthy after it."
    return f"The NTP client noticed after {w.duration(story.noticed_after_s)}."


def _first_of_boot(facts: Facts, row: int) -> bool:
    """Whether a row is (next to) the first contact of its boot."""
    series = facts.series
    contacts = facts.clock.contact[: row + 1] & (series.boot[: row + 1] == series.boot[row])
    earlier = np.flatnonzero(contacts)
    earlier = earlier[earlier < row]
    return not len(earlier)


def _boot_text(when: str, story: StepStory) -> str:
    off = story.error_before_s
    text = f"{when} at the first contact after the start: until then it was {w.seconds(off, True)}"
    if abs(off) > w.YEAR_S:
        return text + " off, so the camera has no battery-backed clock and began at a fixed date."
    return text + " off. The camera's own clock had kept the time badly while it was switched off."


def _of_fights(facts: Facts, steps: list[StepStory]) -> list[Cause]:
    """Many steps forth and back: two programs set the clock."""
    real = [s for s in steps if s.kind != "leap second" and abs(s.step.size_s) < 86400]
    signs = [s.step.size_s > 0 for s in real]
    turns = sum(a != b for a, b in zip(signs, signs[1:]))
    if len(real) < 4 or turns < 3:
        return []
    text = (
        f"The clock was stepped {len(real)} times, {turns} times against the step before: two "
        "programs set it, each undoing the other. Switch one of them off."
    )
    return [Cause(2e6, text, [s.step.row for s in real[:4]])]


def _of_outages(facts: Facts, gone: list[Outage]) -> list[Cause]:
    found = []
    for outage in gone:
        if never_synchronised(outage):
            text = (
                f"From {_at(facts, outage.first)} on the NTP client never synchronised: no server"
                " is configured, it cannot be reached (firewall, VLAN, DNS), or it is itself"
                " unsynchronised."
            )
        elif silent_server(outage):
            text = _silent_text(facts, outage)
        elif "unreachable" in outage.states:
            text = (
                f"From {_at(facts, outage.first)} the NTP client itself did not answer for "
                f"{w.duration(outage.seconds)}: it was stopped, restarting or hung."
            )
        elif outage.never_before:
            if outage.seconds < 600:
                continue  # the ordinary start of a client
            text = (
                f"The NTP client needed {w.duration(outage.seconds)} from"
                f" {_at(facts, outage.first)} to its first contact."
            )
        else:
            text = (
                f"From {_at(facts, outage.first)} the NTP client said '{_words(facts, outage)}' for"
                f" {w.duration(outage.seconds)}."
            )
        found.append(Cause(1e5 + outage.seconds, text, [outage.first, outage.last]))
    return found


def _words(facts: Facts, outage: Outage) -> str:
    return col.STATUSES[int(facts.series.status[outage.first])]


def _silent_text(facts: Facts, outage: Outage) -> str:
    length = outage.seconds if outage.silence_s is None else outage.silence_s
    since = outage.first if outage.contact_before is None else outage.contact_before
    normal = facts.series.status[outage.last] == 0
    return (
        f"The NTP server gave no answer for {w.duration(length)}, from {_at(facts, since)}"
        + ("" if outage.contact_after is not None else " to the end of these rows")
        + ": it was down, or a firewall or switch stood between."
        + (" The client's status said 'Normal' all the while." if normal else "")
    )


def _of_jumps(facts: Facts) -> list[Cause]:
    found = []
    for jump in facts.clock.jumps:
        off = w.seconds(abs(jump.size_s))
        if jump.in_contact:
            text = (
                f"Between {_at(facts, jump.before)} and {_at(facts, jump.row)} the camera and its"
                f" NTP server came apart by {off}, although the camera's clock did not move: the"
                " server's time jumped, or the client changed to a server with another time. Which"
                " of the two times was true these rows cannot tell."
            )
        else:
            text = (
                f"When contact returned at {_at(facts, jump.row)}, camera and server were"
                f" {off} apart. No crystal drifts so far in that time, and the clock was not"
                " stepped: the server's time had moved, or was wrong before. The time between the"
                " contacts counts as unknown."
            )
        found.append(Cause(8e5 + abs(jump.size_s), text, [jump.before, jump.row]))
    return found


def _of_crystal(facts: Facts) -> list[Cause]:
    ppm = facts.series.freq_ppm
    known = np.isfinite(ppm)
    if not known.any():
        return []
    middle = float(np.median(ppm[known]))
    if abs(middle) <= _CRYSTAL_PPM:
        return []
    text = (
        f"The camera's crystal runs {abs(middle):.0f} ppm {w.fast_or_slow(middle)}, more than the "
        f"{_CRYSTAL_PPM:.0f} ppm of ordinary ones: without a server it drifts "
        f"{abs(middle) * 0.0864:.1f} s a day."
    )
    return [Cause(3e4, text, [int(np.flatnonzero(known)[len(np.flatnonzero(known)) // 2])])]


def _of_slews(facts: Facts, limit_s: float) -> list[Cause]:
    found = []
    for slew in slews(facts.series, max(limit_s, 1e-3)):
        spent = float(facts.covered[slew.first : slew.last + 1].sum())
        text = (
            f"From {_at(facts, slew.first)} to {_at(facts, slew.last)} the clock was led by "
            f"{w.seconds(slew.total_s, True)} without a step, at up to "
            f"{abs(slew.total_s) / max(spent, 1e-9) * 1e6:.0f} ppm: recordings of that time need a "
            "correction that changes from second to second."
        )
        found.append(Cause(2e4 + abs(slew.total_s), text, [slew.first, slew.last]))
    return found


def _of_gaps(facts: Facts) -> list[Cause]:
    found = []
    for cause, words in GAP_CAUSES.items():
        gaps = [gap for gap in facts.gaps if gap.cause == cause]
        if not gaps:
            continue
        lost = sum(gap.lost_rows for gap in gaps)
        text = f"{w.count(len(gaps), 'gap')} in the rows"
        text += f" ({w.count(lost, 'row')} lost by seq)" if lost else ""
        found.append(Cause(1e3 + lost, f"{text}: {words}.", [gaps[0].row]))
    for gap in facts.gaps:
        if gap.hidden_step_s:
            text = (
                f"While {w.count(gap.lost_rows, 'row')} before {_at(facts, gap.row)} are missing,"
                f" the clock moved {w.seconds(gap.hidden_step_s, True)} beyond what they account"
                " for: it was stepped then, or ticks were not sampled either."
            )
            found.append(Cause(6e5 + abs(gap.hidden_step_s), text, [gap.row - 1, gap.row]))
    return found


def row_text(facts: Facts, row: int) -> str:
    """A row as evidence: where it stands and what it says."""
    series = facts.series
    parts = [
        f"{series.place(row)}, stamp {w.moment(series.t_us[row], 6)}",
        f"monotonic {series.elapsed_us[row] * 1e-6:+.6f} s",
        f"wall clock {(series.elapsed_us[row] + series.adjust_us[row]) * 1e-6:+.6f} s",
        f"difference {w.seconds(series.diff_s[row], series.signed)}",
        f"status '{col.STATUSES[series.status[row]]}'",
    ]
    if series.boot[row] >= 0:
        parts.append(f"state {col.STATES[series.state[row]]}")
        if np.isfinite(series.ref_age_s[row]):
            parts.append(f"reference {series.ref_age_s[row]:.0f} s old")
        if np.isfinite(series.bound_s[row]):
            parts.append(f"bound {w.seconds(series.bound_s[row])}")
    said = dict(series.events).get(row)
    if said:
        parts.append("event " + ";".join(f"{k}={v}" if v else k for k, v in said.items()))
    return ", ".join(parts)
