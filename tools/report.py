#!/usr/bin/python3
"""Answers in words: was this camera's clock right, when not, by how much, and why."""

from __future__ import annotations

from desk import need

need("click", "numpy", "pandas", "matplotlib", "boto3")

import json  # noqa: E402

import click  # noqa: E402

from desk import words as w  # noqa: E402
from desk.cli import CONTEXT, place_options, wanted_options  # noqa: E402


@click.command(context_settings=CONTEXT)
@click.argument("filepaths", nargs=-1, required=True, metavar="FILEPATH...")
@click.option(
    "--limit",
    default="50ms",
    show_default=True,
    help="The error that is still right, as in 50ms or 1s.",
)
@click.option("--title", default="", help="Heading of the report (default: the path).")
@wanted_options
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option("--html", metavar="FILE", help="Write one self-contained page that prints well.")
@click.option("--compare", is_flag=True, help="Two or more cameras: their skew on one time axis.")
def main(filepaths, limit, title, wanted, place, as_json, html, compare):
    """Report on the time log FILEPATH: a file, a folder of segments, s3://BUCKET/KEY, or
    s3://BUCKET/PREFIX/. With --compare give two or more, one for each camera.

    Prints text; every share says of what. Times are the camera's own stamps in UTC, + means that
    the clock was fast.
    """
    limit_s = w.parse_span(limit)
    if len(filepaths) > 1 and not compare:
        raise click.UsageError(
            "more than one FILEPATH needs --compare (or put the files into one folder)."
        )
    if compare and len(filepaths) < 2:
        raise click.UsageError("--compare needs two or more FILEPATHs, one for each camera.")
    if compare:
        _compare(filepaths, limit_s, title, wanted, place, as_json, html)
    else:
        _report(filepaths[0], limit_s, title, wanted, place, as_json, html)


def _facts(path, wanted, place):
    from desk.facts import facts_of
    from desk.load import load
    from desk.period import cut

    return cut(facts_of(load(path, wanted, place)), wanted)


def _report(path, limit_s, title, wanted, place, as_json, html) -> None:
    from desk.answer import answer, to_json
    from desk.failed import failed_statuses
    from desk.report_text import render

    found = answer(_facts(path, wanted, place), limit_s, wanted)
    found.failed = failed_statuses(path, wanted, place, found)
    click.echo(json.dumps(to_json(found), indent=2) if as_json else render(found), nl=as_json)
    if html:
        from desk.report_html import write_report

        write_report(found, title or path, html)
        click.echo(f"wrote {html}", err=True)


def _compare(paths, limit_s, title, wanted, place, as_json, html) -> None:
    from desk.compare import compare, render, to_json

    cameras = [_facts(path, wanted, place) for path in paths]
    found = compare(cameras, limit_s)
    click.echo(json.dumps(to_json(found), indent=2) if as_json else render(found), nl=as_json)
    if html:
        from desk.report_html import write_comparison

        write_comparison(found, title or "Cameras compared", html)
        click.echo(f"wrote {html}", err=True)


if __name__ == "__main__":
    main()
