#!/usr/bin/python3
"""Signs upload URLs for the camera, after checking that uploads with them will not get lost."""

from __future__ import annotations

from desk import need

need("boto3", "click")

from contextlib import ExitStack  # noqa: E402

import click  # noqa: E402

from desk import s3, signing  # noqa: E402
from desk.bucket import BucketCheck, Credentials  # noqa: E402
from desk.cli import CONTEXT, place_options  # noqa: E402
from desk.errors import warn  # noqa: E402
from desk.files import replace_whole  # noqa: E402

WEEK_S = 604800


@click.command(context_settings=CONTEXT)
@click.option("--bucket", required=True, help="S3 bucket name")
@click.option(
    "--file-prefix", default="", help="File prefix, as in my_site/ (the slash is yours to give)"
)
@click.option(
    "--expiration",
    type=click.IntRange(1, WEEK_S),
    default=WEEK_S,
    help="Expiration time in seconds (default: 7 days, the most that S3 allows)",
)
@click.option(
    "--output", help="Output file where the URLs are written (default: s3.env; '-' for stdout)"
)
@click.option(
    "--json", "as_json", is_flag=True, help="Write the JSON document for url_source instead"
)
@click.option(
    "--camera",
    "cameras",
    metavar="NAME",
    multiple=True,
    help="One set of URLs for each camera, below PREFIX/NAME/, in files of their own; repeat it",
)
@click.option(
    "--enable-versioning", is_flag=True, help="Switch the bucket's versioning on if it is off"
)
@click.option("--test", "probe", is_flag=True, help="Upload a small probe object and read it back")
@click.option(
    "--policy", is_flag=True, help="Only print the least IAM policy for the camera's s3 mode"
)
@place_options
def main(
    bucket,
    file_prefix,
    expiration,
    output,
    as_json,
    cameras,
    enable_versioning,
    probe,
    policy,
    place,
):
    """Sign the three upload URLs of a camera and write them to a file for 'source'.

    The variables are TIME_LOG_CSV, NTP_STATUS_TXT, NTP_FAILED_STATUS_TXT and URLS_EXPIRE. The file
    is a secret: it gets mode 0600, and is written whole or not at all.

    \b
    Example:
      AWS_PROFILE=my_profile python generate_url.py \\
        --bucket my.bucket --file-prefix my_site/ --output s3.env
      source s3.env
    """
    places = signing.prefixes(file_prefix, cameras)
    if policy:
        partition = signing.partition_of(place.region)
        click.echo(signing.policy_text(bucket, list(places.values()), partition), nl=False)
        return
    _advise_on_prefix(file_prefix)
    session = s3.session_for(place)
    credentials = Credentials(session)
    check = BucketCheck(place, session, bucket)
    check.exists()
    check.versioning(enable_versioning)
    signer = signing.Signer(place, session, credentials.frozen, check.region, bucket)
    url_sets = [
        signer.url_set(camera, prefix, expiration, credentials) for camera, prefix in places.items()
    ]
    credentials.warn_when_temporary(signing.expiry(url_sets[0].urls["TIME_LOG_CSV"]))
    if probe:
        for url_set in url_sets:
            key = url_set.prefix + signing.PROBE
            result = check.probe(signer.put_url(key, min(expiration, 300)), key)
            click.echo(f"probe s3://{bucket}/{key}: {result}", err=True)
    _write(bucket, url_sets, output or ("s3.json" if as_json else "s3.env"), as_json)


def _advise_on_prefix(prefix: str) -> None:
    if prefix.startswith("/") or "//" in prefix:
        warn(
            f"the prefix '{prefix}' makes keys with an empty folder name; usually it is written "
            f"'{prefix.strip('/').replace('//', '/')}/'."
        )


def _write(bucket: str, url_sets: list[signing.UrlSet], output: str, as_json: bool) -> None:
    """All files or none: each is complete before the first takes its place."""
    texts = [signing.json_text(s) if as_json else signing.env_text(bucket, s) for s in url_sets]
    if output == "-":
        click.echo("".join(texts), nl=False)
        return
    names = [signing.file_for(output, s.camera) for s in url_sets]
    with ExitStack() as files:
        for name, text in zip(names, texts):
            files.enter_context(replace_whole(name, 0o600)).write(text.encode())
    for name, url_set in zip(names, url_sets):
        where, until = f"s3://{bucket}/{url_set.prefix}", signing.utc(url_set.expires)
        click.echo(f"wrote {name}: {where}, valid until {until}", err=True)


if __name__ == "__main__":
    main()
