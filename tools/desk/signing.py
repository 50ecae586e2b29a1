"""Upload URLs: signing them, how long they live, and the files that carry them."""

from __future__ import annotations

import datetime
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Optional
from urllib.parse import parse_qs, urlsplit

from desk import s3
from desk.errors import DeskError

# variable of the env file, name in the JSON document, object
OBJECTS = (
    ("TIME_LOG_CSV", "time_log", "time_log.csv"),
    ("NTP_STATUS_TXT", "ntp_status", "ntp_status.txt"),
    ("NTP_FAILED_STATUS_TXT", "ntp_failed_status", "ntp_failed_status.txt"),
)
PROBE = ".ntp_logger_probe"
_CAMERA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass
class UrlSet:
    """The three URLs of one camera (CAMERA is empty when there is only one)."""

    camera: str
    prefix: str
    urls: dict[str, str]  # by variable
    expires: datetime.datetime


def prefixes(file_prefix: str, cameras: tuple[str, ...]) -> dict[str, str]:
    """Camera name to key prefix; one nameless camera when none is named."""
    if not cameras:
        return {"": file_prefix}
    for camera in cameras:
        if not _CAMERA.fullmatch(camera):
            raise DeskError(
                f"'{camera}' cannot be a camera's name: it becomes part of keys and file names.",
                (
                    "use letters, digits, '.', '_' and '-', at most 63, beginning with one of the "
                    "first two."
                ),
            )
    doubles = {
        camera for camera in cameras if [c.lower() for c in cameras].count(camera.lower()) > 1
    }
    if doubles:
        raise DeskError(
            f"the camera '{sorted(doubles)[0]}' is named twice: both would write the same objects.",
            "give each camera a name of its own.",
        )
    return {camera: f"{file_prefix}{camera}/" for camera in cameras}


class Signer:
    """Signs PUT URLs for one bucket with the credentials of one moment."""

    def __init__(self, place: s3.Place, session, credentials, region: str, bucket: str):
        frozen = {
            "aws_access_key_id": credentials.access_key,
            "aws_secret_access_key": credentials.secret_key,
            "aws_session_token": credentials.token,
        }
        endpoint, style = place.endpoint_url, "path"
        if endpoint is None:
            # The region's own endpoint, named: without it boto3 signs for the global one, which
            # answers young buckets elsewhere with a redirect that no upload follows.
            plain = s3.client_for(place, session, region_name=region, addressing_style="path")
            endpoint, style = plain.meta.endpoint_url, "virtual"
        self._client = s3.client_for(
            s3.Place(endpoint, region),
            session,
            region_name=region,
            addressing_style=style,
            **frozen,
        )
        self._bucket = bucket

    def put_url(self, key: str, expiration_s: int) -> str:
        with s3.sentences(self._bucket, key):
            return self._client.generate_presigned_url(
                "put_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=expiration_s
            )

    def url_set(self, camera: str, prefix: str, expiration_s: int, credentials) -> UrlSet:
        """The URLs of one camera; their end is that of the credentials when that comes first."""
        urls = {name: self.put_url(prefix + key, expiration_s) for name, _, key in OBJECTS}
        expires = min(expiry(url) for url in urls.values())
        if credentials.end is not None:
            expires = min(expires, credentials.end)
        return UrlSet(camera, prefix, urls, expires)


def expiry(url: str) -> datetime.datetime:
    """When a presigned URL dies, by what it says itself."""
    query = parse_qs(urlsplit(url).query)
    signed = datetime.datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ")
    signed = signed.replace(tzinfo=datetime.timezone.utc)
    return signed + datetime.timedelta(seconds=int(query["X-Amz-Expires"][0]))


def utc(when: datetime.datetime) -> str:
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def env_text(bucket: str, url_set: UrlSet) -> str:
    """The file to `source`. The variables are not exported: children need not know the secrets."""
    lines = [
        f"# Upload URLs for s3://{bucket}/{url_set.prefix}, valid until {utc(url_set.expires)}.",
        "# Whoever has them can write these objects: keep this file to yourself.",
    ]
    lines += [f"{name}={shlex.quote(url)}" for name, url in url_set.urls.items()]
    lines.append(f"URLS_EXPIRE={utc(url_set.expires)}")
    return "\n".join(lines) + "\n"


def json_text(url_set: UrlSet) -> str:
    """The document that the setting url_source fetches (docs/TOOLS.md)."""
    document: dict = {"version": 1}
    document.update({field: url_set.urls[name] for name, field, _ in OBJECTS})
    document["expires"] = utc(url_set.expires)
    return json.dumps(document, indent=2) + "\n"


def file_for(output: str, camera: str) -> str:
    """s3.env for camera gate becomes s3.gate.env."""
    if not camera:
        return output
    path = Path(output)
    return str(path.with_name(f"{path.stem}.{camera}{path.suffix}"))


def policy_text(bucket: str, key_prefixes: list[str], partition: str) -> str:
    """The least that `s3` mode needs: put objects below the prefix, nothing else."""
    resources = [f"arn:{partition}:s3:::{bucket}/{prefix}*" for prefix in key_prefixes]
    statement = {
        "Sid": "NtpLoggerPut",
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": resources[0] if len(resources) == 1 else resources,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2) + "\n"


def partition_of(region: Optional[str]) -> str:
    """The first part of an ARN: AWS keeps China and the US government apart."""
    for start, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region and region.startswith(start):
            return partition
    return "aws"
