"""Options that the tools share, and the frame around every command."""

from __future__ import annotations

import functools
from typing import Callable

import click

from desk import s3
from desk import words as w
from desk.sources import Wanted, parse_versions

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_PLACE = (
    click.option("--endpoint-url", metavar="URL", help="S3 server other than AWS."),
    click.option("--region", help="Region of the bucket, as in eu-north-1."),
    click.option("--profile", help="AWS profile to use (else AWS_PROFILE or the default)."),
)
_WANTED = (
    click.option(
        "--version-index",
        type=int,
        help=(
            "Which stored version of an s3:// object: -1 the latest (default), -2 the one before, "
            "... or 0 the oldest."
        ),
    ),
    click.option(
        "--versions",
        metavar="A..B",
        help="A range of stored versions joined into one series, as in -24..-1, or 'all'.",
    ),
    click.option(
        "--since", metavar="TIME", help="Only what is younger, as in 2026-11-20T10:00 (UTC)."
    ),
    click.option("--until", metavar="TIME", help="Only what is older."),
)


def place_options(command: Callable) -> Callable:
    """--endpoint-url, --region and --profile as one argument `place`."""

    @functools.wraps(command)
    def wrapped(endpoint_url, region, profile, **options):
        return command(place=s3.Place(endpoint_url, region, profile), **options)

    return _decorated(wrapped, _PLACE)


def wanted_options(command: Callable) -> Callable:
    """--version-index, --versions, --since and --until as one argument `wanted`."""

    @functools.wraps(command)
    def wrapped(version_index, versions, since, until, **options):
        if version_index is not None and versions is not None:
            raise click.UsageError("--version-index and --versions exclude each other.")
        wanted = Wanted(
            index=version_index,
            versions=parse_versions(versions) if versions is not None else None,
            since_us=w.parse_moment(since) if since else None,
            until_us=w.parse_moment(until) if until else None,
        )
        if since and until and wanted.since_us >= wanted.until_us:
            raise click.UsageError(f"--since {since} is not before --until {until}.")
        return command(wanted=wanted, **options)

    return _decorated(wrapped, _WANTED)


def _decorated(command: Callable, options: tuple) -> Callable:
    for option in reversed(options):
        command = option(command)
    return command
