"""From a path to a series: finds the files, fetches them in order, reads and joins them."""

from __future__ import annotations

import io
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Callable, Iterator

import click

from desk import s3
from desk.errors import DeskError, warn
from desk.rows import Rows, read_part
from desk.series import Series, join
from desk.sources import Found, Part, Wanted, find, open_plain

_SMALL_BYTES = 8 << 20
_AHEAD = 8
_BAR_FROM_BYTES = 64 << 20  # local reading below this takes less than two seconds


def load(path: str, wanted: Wanted, place: s3.Place) -> Series:
    """The series behind PATH. Says on stderr what was skipped."""
    found = find(path, wanted, place)
    rows = Rows()
    if len(found.parts) > 1:  # a spool's newest file may hold nothing yet
        found.parts = [p for p in found.parts if p.size or not p.name.endswith(".part")]
    for part, stream in _fetched(found):
        try:
            read_part(stream, part.name, rows)
        except DeskError as error:
            if len(found.parts) == 1:
                raise
            warn(f"skipped: {error.message}")
        finally:
            stream.close()
    if not rows.size:
        raise DeskError(
            f"{found.label} holds no readable row"
            + (f"; {rows.damage.rows} damaged ones were skipped." if rows.damage.rows else "."),
            "the camera may not have sampled yet; look at an earlier version, or at its log.",
        )
    series = join(rows, found.label, found.in_order)
    if series.damage.rows:
        warn(
            f"skipped {series.damage.rows} damaged row(s), for example "
            + "; ".join(series.damage.examples)
        )
    return series


def _fetched(found: Found) -> Iterator[tuple[Part, BinaryIO]]:
    """Each part with its text, in order; a progress bar on stderr when it may take a while."""
    total = sum(part.size for part in found.parts)
    hidden = not found.remote and total < _BAR_FROM_BYTES
    what = "Fetching" if found.remote else "Reading"
    with click.progressbar(
        length=max(total, 1),
        label=f"{what} {len(found.parts)} file(s)",
        file=io.StringIO() if hidden else click.get_text_stream("stderr"),
    ) as bar:
        if found.remote and len(found.parts) > 1:
            yield from _ahead(found.parts, bar.update)
        else:
            for part in found.parts:
                yield part, open_plain(part, bar.update)


def _ahead(parts: list[Part], advance: Callable[[int], None]) -> Iterator[tuple[Part, BinaryIO]]:
    """Small objects are fetched some at a time while earlier ones are read."""
    with ThreadPoolExecutor(_AHEAD) as pool:
        waiting: deque = deque()
        queue = deque(parts)
        while queue or waiting:
            while queue and len(waiting) < 2 * _AHEAD:
                part = queue.popleft()
                small = part.size <= _SMALL_BYTES
                waiting.append((part, pool.submit(_whole, part) if small else None))
            part, future = waiting.popleft()
            if future is None:
                yield part, open_plain(part, advance)
                continue
            data = future.result()
            advance(part.size)
            yield part, io.BytesIO(data)


def _whole(part: Part) -> bytes:
    with open_plain(part) as stream:
        return stream.read()
