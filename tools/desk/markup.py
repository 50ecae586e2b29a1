"""The frame of our HTML pages: one file, nothing fetched from anywhere, prints well."""

from __future__ import annotations

from html import escape
from pathlib import Path

from desk.files import replace_whole

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1b1b1b;
       max-width: 1180px; margin: 1.5em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin: 0 0 .2em; } h2 { font-size: 1.12em; margin: 1.6em 0 .4em; }
.headline { font-size: 1.08em; border-left: 5px solid #777; padding: .5em .8em;
            background: #f5f5f5; }
.no { border-color: #b3001b; } .yes { border-color: #2a7a3b; }
.told { color: #444; } .small { color: #555; font-size: .9em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
table.narrow { width: auto; min-width: 32em; }
th, td { text-align: left; vertical-align: top; padding: .25em .6em;
         border-bottom: 1px solid #ddd; }
th { background: #f0f0f0; } td.n, th.n { text-align: right; white-space: nowrap; }
pre { white-space: pre-wrap; background: #f7f7f7; padding: .5em; font-size: .85em; margin: .2em 0; }
svg { max-width: 100%; height: auto; } canvas { width: 100%; display: block; }
.bad { color: #b3001b; font-weight: 600; }
@media print { body { max-width: none; margin: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; } table, figure, .keep, tr { break-inside: avoid; }
  .screen { display: none; } @page { margin: 14mm; } }
"""


def page(title: str, body: str, script: str = "") -> bytes:
    """A whole document."""
    code = f"<script>\n{script}\n</script>\n" if script else ""
    return (
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n{code}</body>\n</html>\n"
    ).encode()


def write(path: str, document: bytes) -> None:
    with replace_whole(path) as file:
        file.write(document)


def table(head: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """Cells are HTML already; columns in NUMBERS stand to the right."""

    def cells(tag: str, row: list[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if k in numbers else ''}>{cell}</{tag}>"
            for k, cell in enumerate(row)
        )

    lines = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f"<table>\n<thead><tr>{cells('th', head)}</tr></thead>\n<tbody>\n{lines}\n</tbody></table>"
    )


def asset(name: str) -> str:
    """A script of ours that lies beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
