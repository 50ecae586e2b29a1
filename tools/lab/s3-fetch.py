#!/usr/bin/python3
"""Lists every version of every object below a prefix, oldest first, and copies them to a folder."""

import pathlib
import sys

import boto3
import click
from botocore.config import Config


def stored(client, bucket: str, prefix: str) -> list[dict]:
    """The versions, ordered by key and then by age."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    newest_first = [version for page in pages for version in page.get("Versions", [])]
    return sorted(reversed(newest_first), key=lambda version: version["Key"])


@click.command(help=__doc__)
@click.option("--bucket", required=True)
@click.option("--prefix", default="", help="Only keys that begin so.")
@click.option("--endpoint-url", required=True)
@click.option("--output", type=click.Path(path_type=pathlib.Path), required=True, help="Folder.")
def main(bucket: str, prefix: str, endpoint_url: str, output: pathlib.Path) -> None:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, proxies={})
    client = boto3.client("s3", endpoint_url=endpoint_url, config=config)
    versions = stored(client, bucket, prefix)
    if not versions:
        sys.exit(f"s3-fetch: nothing below s3://{bucket}/{prefix}")
    output.mkdir(parents=True, exist_ok=True)
    for number, version in enumerate(versions, start=1):
        key = version["Key"]
        body = client.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"]
        (output / f"{number:03}-{key.replace('/', '-')}").write_bytes(body.read())
        print(f"{version['LastModified']:%Y-%m-%d %H:%M:%S}  {version['Size']:8}  {key}")


if __name__ == "__main__":
    main()
