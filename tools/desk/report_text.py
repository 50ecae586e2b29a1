"""The report as text: a headline, then one section for each question."""

from __future__ import annotations

import textwrap
from typing import Callable

from desk import words as w
from desk.answer import Answer, headline
from desk.facts import first_line, period_text
from desk.outages import Outage
from desk.spans import GAP_CAUSES
from desk.stories import row_text

_WIDTH = 100
_MOST_LINES = 40


def render(found: Answer) -> str:
    """All sections; those with nothing to say are left out."""
    parts = [_wrapped(headline(found)), _wrapped(first_line(found.facts))]
    for title, lines in sections(found):
        if lines:
            parts.append("\n".join([title, "-" * len(title), *_limited(lines)]))
    return "\n\n".join(parts) + "\n"


def sections(found: Answer) -> list[tuple[str, list[str]]]:
    """Titles and their lines, in the order of the report."""
    makers: tuple[tuple[str, Callable[[Answer], list[str]]], ...] = (
        ("Seconds", _seconds),
        ("Errors", _errors),
        ("Steps", _steps),
        ("Corrections for recordings (times as the camera stamped them, UTC)", _corrections),
        ("Without contact to the NTP server", _outages),
        ("The reported error bound", _bound),
        ("Missing rows", _gaps),
        ("Likely causes, with the rows that prove them", _causes),
        ("Uploads of ntp_failed_status.txt (times of the server)", _failed),
    )
    return [(title, make(found)) for title, make in makers]


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


def _limited(lines: list[str]) -> list[str]:
    shown = lines[:_MOST_LINES]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} more (all are in --json)")
    return shown


def _seconds(found: Answer) -> list[str]:
    v = found.verdict
    limit = w.limit(v.limit_s)
    whole = f"of the period's {v.period_s:,.0f} s"

    def line(name: str, spent: float, more: str = "") -> str:
        return f"{name:<22}{spent:>13,.0f} s {w.share(spent, v.period_s):>9} {whole}{more}"

    known = f"; {w.share(v.within_s, v.known_s)} of the {v.known_s:,.0f} s with a known error"
    lines = [
        line(f"within {limit}", v.within_s, known if v.known_s else ""),
        line(f"outside {limit}", v.outside_s),
        line("unknown", v.unknown_s),
    ]
    lines += [f"    {spent:,.0f} s {why}" for why, spent in v.why_unknown.items()]
    uncounted = f"; {w.count(v.unmeasured_gaps, 'gap')} of unknown length not counted"
    lines.append(line("no rows", v.no_rows_s, uncounted if v.unmeasured_gaps else ""))
    if v.guaranteed_s is not None:
        lines.append(line(f"within {limit} for sure", v.guaranteed_s, ", the reported bound added"))
    states = ", ".join(f"{k} {s:,.0f} s" for k, s in found.facts.state_s.items())
    lines.append(f"states, of the {found.facts.covered_s:,.0f} s with rows: {states}")
    return lines


def _errors(found: Answer) -> list[str]:
    v = found.verdict
    if not v.percentiles:
        return ["no second with a known error"]
    named = [f"{k[1:]} % of them at most {w.seconds(s)}" for k, s in v.percentiles.items()]
    lines = [f"size of the error, over the {v.known_s:,.0f} s with a known error:"]
    lines += [f"    {text}" for text in named]
    before = found.facts.worst_before
    if before is not None:
        at = w.moment(found.facts.series.t_us[before.row])
        lines.append(
            "before the first contact after a start: up to"
            f" {w.seconds(before.value_s, True)} ({at})"
        )
    return lines


def _steps(found: Answer) -> list[str]:
    lines = []
    for story in found.steps:
        step = story.step
        lines.append(
            f"{w.moment(step.before_us, 3)} -> {w.moment(step.after_us, 3)}: "
            f"{w.seconds(step.size_s, True)}; {story.text} ({found.facts.series.place(step.row)})"
        )
    return [_wrapped(line) for line in lines]


def _corrections(found: Answer) -> list[str]:
    return [correction_text(line) for line in found.corrections]


def correction_text(line) -> str:
    text = f"recordings from {w.moment(line.from_us, 3)} to {w.moment(line.to_us, 3)}: add "
    if line.constant:
        text += w.seconds(line.add_from_s, True)
    else:
        text += (
            f"{w.seconds(line.add_from_s, True)}, changing evenly to"
            f" {w.seconds(line.add_to_s, True)}"
        )
    if line.twice:
        twice = line.twice
        text += (
            f" (stamps {w.moment(twice.from_us)[11:]} to {w.moment(twice.to_us)[11:]} occur twice: "
            f"this is for their {twice.which} pass)"
        )
    return f"{text} [{line.known}]"


def outage_text(found: Answer, outage: Outage) -> str:
    t = found.facts.series.t_us
    states = ", ".join(f"{name} {w.duration(spent)}" for name, spent in outage.states.items())
    text = f"{w.moment(t[outage.first])} to {w.moment(t[outage.last])}: {states}"
    if outage.silence_s is not None:
        text += f"; {w.duration(outage.silence_s)} from the last contact to the next"
    elif outage.never_before and outage.contact_after is None:
        text += "; no contact at all in these rows"
    elif outage.never_before:
        text += "; before the first contact after a start"
    else:
        text += "; contact had not returned when these rows end"
    held = outage.bound_held
    if held is not None:
        text += (
            f"; the bound said {w.seconds(outage.bound_at_end_s)} at its end, the next contact"
            f" showed {w.seconds(outage.error_at_end_s, True)}: the bound "
            + ("held" if held else "PROVED WRONG")
        )
    return text


def _outages(found: Answer) -> list[str]:
    return [_wrapped(outage_text(found, outage)) for outage in found.outages]


def _bound(found: Answer) -> list[str]:
    broken = found.breaches
    if not broken.spans:
        return []
    series, row = found.facts.series, broken.worst_row
    first, last = broken.spans[0][0], broken.spans[-1][1]
    return [
        _wrapped(
            f"It proved wrong for {w.duration(broken.seconds)} in"
            f" {w.count(len(broken.spans), 'span')} between {w.moment(series.t_us[first])} and"
            f" {w.moment(series.t_us[last])}: at worst, at {w.moment(series.t_us[row])}, the rows"
            f" said at most {w.seconds(series.bound_s[row])} and the error was"
            f" {w.seconds(found.facts.clock.error_s[row], True)}."
        )
    ]


def _gaps(found: Answer) -> list[str]:
    facts = found.facts
    if not facts.gaps:
        return []
    t = facts.series.t_us
    lines = []
    for gap in facts.gaps:
        text = f"{w.moment(t[gap.row - 1])} -> {w.moment(t[gap.row])}: {GAP_CAUSES[gap.cause]}"
        if gap.lost_rows:
            text += f"; {w.count(gap.lost_rows, 'row')} missing by seq"
        if gap.cause == "reboot":
            text += "; what was sampled just before it and not yet stored leaves no gap in seq"
        elif gap.cause == "unsampled":
            text += f" ({w.duration(gap.seconds)})"
        if gap.hidden_step_s:
            text += (
                f"; meanwhile the clock moved {w.seconds(gap.hidden_step_s, True)} more than they"
                " explain"
            )
        lines.append(_wrapped(text))
    return lines


def _causes(found: Answer) -> list[str]:
    lines = []
    for number, cause in enumerate(found.causes, 1):
        lines.append(_wrapped(f"{number}. {cause.text}"))
        lines += [_wrapped(row_text(found.facts, row), "      ") for row in cause.rows]
    if not lines:
        lines = [f"nothing unusual in {period_text(found.facts.series)}"]
    return lines


def _failed(found: Answer) -> list[str]:
    return [
        f"{w.moment(f.uploaded_s * 1e6)}: {f.summary}" + (f" (near: {f.near})" if f.near else "")
        for f in found.failed
    ]
