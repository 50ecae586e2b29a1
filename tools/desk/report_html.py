"""The report as one page that prints well: the answer, a picture, tables."""

from __future__ import annotations

import io
from html import escape

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from desk import axes, markup
from desk import words as w
from desk.answer import Answer, headline
from desk.compare import Comparison, common_part, pair_text, shared_text
from desk.downsample import min_max
from desk.facts import first_line
from desk.figure import draw, headless
from desk.report_text import outage_text, sections
from desk.stories import row_text

_LINES = ("#1f4e79", "#b3001b", "#2a7a3b", "#c77c02", "#6b3fa0", "#444444")
_MOST_ROWS = 500


def write_report(found: Answer, title: str, path: str) -> None:
    facts, verdict = found.facts, found.verdict
    texts = dict(sections(found))
    parts = [
        f"<h1>{escape(title)}</h1>",
        (
            f"<p class='small'>Was this camera's clock within {w.limit(verdict.limit_s)} of the"
            f" true time? Period: {_second(verdict.begin_us)} to {_second(verdict.end_us)} UTC. +"
            " means fast.</p>"
        ),
        f"<p class='headline {found.word}'>{escape(headline(found))}</p>",
        f"<p class='told'>{escape(first_line(facts))}</p>",
        f"<figure class='keep'>{_svg(draw(facts, '', headless((11.5, 6.6)), told=False))}</figure>",
        _seconds(found),
        _steps(found),
        _corrections(found),
        _paragraphs(
            "Without contact to the NTP server", [outage_text(found, o) for o in found.outages]
        ),
        _paragraphs("The reported error bound", texts["The reported error bound"]),
        _paragraphs("Missing rows", texts["Missing rows"]),
        _causes(found),
        _failed(found),
        _method(found),
    ]
    markup.write(path, markup.page(title, "\n".join(part for part in parts if part)))


def _second(us: float) -> str:
    return w.moment(us + 500000)


def _svg(figure: Figure) -> str:
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "ntp_logger"
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    whole = text.getvalue()
    return whole[whole.index("<svg") :]


def _section(title: str, inside: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{inside}\n</section>"


def _paragraphs(title: str, lines: list[str]) -> str:
    if not lines:
        return ""
    more = f"<p class='small'>{len(lines) - _MOST_ROWS} more</p>" if len(lines) > _MOST_ROWS else ""
    shown = "".join(f"<p>{escape(line)}</p>" for line in lines[:_MOST_ROWS]) + more
    return _section(title, shown.replace("PROVED WRONG", "<span class='bad'>proved wrong</span>"))


def _seconds(found: Answer) -> str:
    v = found.verdict
    limit = w.limit(v.limit_s)

    def row(name: str, spent: float) -> list[str]:
        return [escape(name), f"{spent:,.0f} s", w.share(spent, v.period_s)]

    rows = [row(f"within {limit}", v.within_s), row(f"outside {limit}", v.outside_s)]
    rows.append(row("unknown, although there are rows", v.unknown_s))
    rows += [row(f"— {why}", spent) for why, spent in v.why_unknown.items()]
    rows.append(row("no rows", v.no_rows_s))
    if v.guaranteed_s is not None:
        rows.append(row(f"within {limit} even with the reported bound added", v.guaranteed_s))
    table = markup.table(["", "seconds", f"of the period's {v.period_s:,.0f} s"], rows, (1, 2))
    table = table.replace("<table>", "<table class='narrow'>")
    if not v.percentiles:
        return _section("How many seconds", table)
    errors = markup.table(
        [f"of the {v.known_s:,.0f} s with a known error", "error at most"],
        [[f"{name[1:]} %", w.seconds(value)] for name, value in v.percentiles.items()], (0, 1),
    )  # fmt: skip
    errors = errors.replace("<table>", "<table class='narrow'>")
    return _section("How many seconds", table) + _section("How large the error was", errors)


def _steps(found: Answer) -> str:
    if not found.steps:
        return ""
    rows = [
        [w.moment(s.step.before_us, 3), w.moment(s.step.after_us, 3),
         w.seconds(s.step.size_s, True),
         escape(s.text), escape(found.facts.series.place(s.step.row))]
        for s in found.steps[:_MOST_ROWS]
    ]  # fmt: skip
    return _section(
        "Steps", markup.table(["clock before", "clock after", "size", "meaning", "row"], rows, (2,))
    )


def _corrections(found: Answer) -> str:
    if not found.corrections:
        return ""
    rows = []
    for line in found.corrections[:_MOST_ROWS]:
        end = (
            ""
            if line.constant
            else f" at the beginning, changing evenly to {w.seconds(line.add_to_s, True)}"
        )
        twice = ""
        if line.twice:
            span = f"{w.moment(line.twice.from_us)[11:]} to {w.moment(line.twice.to_us)[11:]}"
            twice = f"stamps {span} occur twice; this is for their {line.twice.which} pass"
        rows.append([w.moment(line.from_us, 3), w.moment(line.to_us, 3),
                     escape(w.seconds(line.add_from_s, True) + end), escape(line.known),
                     twice])  # fmt: skip
    more = len(found.corrections) - len(rows)
    note = f"<p class='small'>{more} more lines are in --json.</p>" if more > 0 else ""
    head = ["recordings stamped from", "to", "add", "how it is known", ""]
    return _section(
        "Corrections for recordings (as the camera stamped them, UTC)",
        markup.table(head, rows) + note,
    )


def _causes(found: Answer) -> str:
    items = []
    for cause in found.causes[:_MOST_ROWS]:
        proof = "".join(f"<pre>{escape(row_text(found.facts, row))}</pre>" for row in cause.rows)
        items.append(f"<li>{escape(cause.text)}{proof}</li>")
    inside = f"<ol>{''.join(items)}</ol>" if items else "<p>Nothing unusual.</p>"
    return _section("Likely causes, with the rows that prove them", inside)


def _failed(found: Answer) -> str:
    if not found.failed:
        return ""
    rows = [[w.moment(f.uploaded_s * 1e6), escape(f.summary), escape(f.near)] for f in found.failed]
    return _section(
        "Uploads of ntp_failed_status.txt",
        markup.table(["uploaded (server's time)", "it says", "near"], rows),
    )


def _method(found: Answer) -> str:
    text = (
        "The error is put together from the NTP client's differences at its contacts with the"
        " server and, between them, from the steps and slews that the rows show against the"
        " camera's crystal. A second counts as within the limit only if the client gave a"
        " difference for it; without one it is unknown, unless steps prove it outside. The true"
        " time is that of the camera's NTP server."
    )
    if not found.facts.series.rich:
        text += (
            " These rows have the older format: a lost server, slews and lost rows do not show"
            " in it."
        )
    return f"<p class='small'>{text}</p>"


def write_comparison(found: Comparison, title: str, path: str) -> None:
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class='small'>True time, {_second(found.grid_us[0])} to {_second(found.grid_us[-1])} UTC. "
        f"Limit {w.limit(found.limit_s)}.</p>",
        f"<figure class='keep'>{_svg(comparison_figure(found))}</figure>",
        _paragraphs("Pairwise skew", [pair_text(found, pair) for pair in found.pairs]),
        _paragraphs("Together or alone", [shared_text(found, group) for group in found.shared]
                    or ["No step and no jump of a server."]),
        _paragraphs(
            "Each camera", [f"{n}: {first_line(f)}" for n, f in zip(found.names, found.cameras)]
        ),
    ]  # fmt: skip
    markup.write(path, markup.page(title, "\n".join(parts)))


def comparison_figure(found: Comparison) -> Figure:
    """Above each camera's error and what they have in common, below each pair's skew."""
    figure = headless((11.5, 6.4))
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"hspace": 0.08})
    figure.subplots_adjust(left=0.09, right=0.985, top=0.95, bottom=0.1)
    for number, (name, error) in enumerate(zip(found.names, found.errors_s)):
        _plot(above, found.grid_us, error, _LINES[number % len(_LINES)], name)
    if len(found.names) > 2:
        _plot(above, found.grid_us, common_part(found), "#999999", "in common (median)", "--")
    for number, pair in enumerate(found.pairs):
        label = f"{found.names[pair.first]} minus {found.names[pair.second]}"
        _plot(below, found.grid_us, pair.skew_s, _LINES[number % len(_LINES)], label)
    above.set_ylabel("error (+ is fast)")
    below.set_ylabel("skew")
    above.tick_params(labelbottom=False)
    interval = float(found.grid_us[1] - found.grid_us[0]) * 1e-6 if len(found.grid_us) > 1 else 1.0
    axes.fit_time(below, found.grid_us, interval)
    axes.fit_values(above, found.errors_s, [], least=1e-4)
    axes.fit_values(below, [pair.skew_s for pair in found.pairs], [], least=1e-4)
    below.axhspan(-found.limit_s, found.limit_s, color="#2a7a3b", alpha=0.08, lw=0)
    for axis in (above, below):
        axis.legend(loc="best", fontsize=8, framealpha=0.8)
    return figure


def _plot(
    axis, grid_us: np.ndarray, values: np.ndarray, colour: str, label: str, style: str = "-"
) -> None:
    x, y = min_max(grid_us / 86400e6, values, 3000)
    axis.plot(x, y, color=colour, lw=1.0, ls=style, label=label)
