#!/usr/bin/python3
"""Draws a time log: what was done to the clock, how wrong it was, and when nobody could know."""

from __future__ import annotations

from desk import need

need("click", "numpy", "pandas", "matplotlib", "boto3")

import click  # noqa: E402

from desk.cli import CONTEXT, place_options, wanted_options  # noqa: E402
from desk.errors import DeskError  # noqa: E402

PICTURES = ("png", "svg", "pdf")


@click.command(context_settings=CONTEXT)
@click.argument("filepath")
@click.option("--title", default="", help="Heading of the picture (default: the path).")
@wanted_options
@place_options
@click.option("--output", metavar="FILE", help="Write FILE.png, .svg or .pdf; opens no window.")
@click.option("--html", metavar="FILE", help="Write one self-contained interactive page.")
def main(filepath, title, wanted, place, output, html):
    """Draw the time log FILEPATH: a file, a folder of segments, s3://BUCKET/KEY (the latest
    version), or s3://BUCKET/PREFIX/ (all segments there). gzip is recognised. Without --output and --html a
    window opens.

    Prints what the log says in one paragraph first. Times are the camera's own stamps, in UTC.
    """
    _check_output(output)
    from desk.facts import facts_of, first_line
    from desk.load import load
    from desk.period import cut

    facts = cut(facts_of(load(filepath, wanted, place)), wanted)
    click.echo(first_line(facts))
    if output:
        _picture(facts, title, output)
    if html:
        _page(facts, title or filepath, html)
    if not output and not html:
        _window(facts, title)


def _check_output(output: str | None) -> None:
    kind = output.rsplit(".", 1)[-1].lower() if output else "png"
    if kind not in PICTURES:
        raise DeskError(
            f"--output '{output}' does not end in {', '.join('.' + p for p in PICTURES)}.",
            "choose one of these names, or --html FILE for a page.",
        )


def _picture(facts, title: str, output: str) -> None:
    from desk.figure import draw, headless, save

    save(draw(facts, title, headless()), output)
    click.echo(f"wrote {output}", err=True)


def _page(facts, title: str, path: str) -> None:
    from desk.page import write_page

    write_page(facts, title, path)
    click.echo(f"wrote {path}", err=True)


def _window(facts, title: str) -> None:
    from desk import figure

    if figure.window_backend() is None:
        raise DeskError(
            (
                "no window can be opened here: there is no display, or no window toolkit for"
                " matplotlib."
            ),
            (
                "write a picture with --output FILE.png or a page with --html FILE.html; for"
                " windows install python3-tk."
            ),
        )
    import matplotlib.pyplot as plt

    figure.draw(facts, title, plt.figure(figsize=(13.0, 8.0)))
    plt.show()


if __name__ == "__main__":
    main()
