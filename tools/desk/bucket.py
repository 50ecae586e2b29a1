"""What must be true of a bucket, of the credentials and of this computer's clock before signing."""

from __future__ import annotations

import base64
import datetime
import email.utils
import hashlib
import os
import ssl
import urllib.error
import urllib.request
from typing import Optional

import botocore.exceptions as boto_errors

from desk import s3
from desk.errors import DeskError, warn

_CLOCK_TOLERANCE_S = 60
_HELP_VERSIONING = (
    "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
)


class Credentials:
    """The keys of this moment, and when they die."""

    def __init__(self, session):
        with s3.sentences():
            found = session.get_credentials()
            if found is None:
                raise boto_errors.NoCredentialsError()
            self.frozen = found.get_frozen_credentials()
        # Only credentials that boto3 renews by itself know their end.
        self.end: Optional[datetime.datetime] = getattr(found, "_expiry_time", None)
        self.temporary = bool(self.frozen.token)

    def warn_when_temporary(self, wanted_end: datetime.datetime) -> None:
        if not self.temporary:
            return
        if self.end is None:
            warn(
                "these credentials are temporary (they have a session token) and do not tell their "
                "end: the URLs die with them, often within 1 to 12 hours. Sign with the keys of an "
                "IAM user if the URLs shall live longer."
            )
        elif self.end < wanted_end:
            warn(
                "these credentials are temporary: the URLs die with them at "
                f"{self.end.astimezone(datetime.timezone.utc):%Y-%m-%d %H:%M:%S} UTC, not at "
                f"{wanted_end:%Y-%m-%d %H:%M:%S} UTC. Sign with the keys of an IAM user if they "
                "shall live longer."
            )


class BucketCheck:
    """Asks the server about one bucket."""

    def __init__(self, place: s3.Place, session, bucket: str):
        first_region = place.region or session.region_name or "us-east-1"
        self._client = s3.client_for(place, session, region_name=first_region)
        self._place = place
        self._bucket = bucket
        self.region = first_region
        self.may_look = True

    def exists(self) -> None:
        """Stops when there is no such bucket; learns its region; compares clocks."""
        with s3.sentences(self._bucket):
            answer = self._head()
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        status = answer["ResponseMetadata"].get("HTTPStatusCode")
        self._compare_clocks(headers.get("date"))
        self._learn_region(headers.get("x-amz-bucket-region"))
        if status == 403:
            self.may_look = False  # an answer without a body; `versioning` learns the reason
        elif status not in (200, 301):  # 301 only told the region
            with s3.sentences(self._bucket):
                raise boto_errors.ClientError(answer, "HeadBucket")

    def _head(self) -> dict:
        """The answer, also when it is a refusal."""
        try:
            return self._client.head_bucket(Bucket=self._bucket)
        except boto_errors.ClientError as error:
            return error.response

    def _learn_region(self, actual: Optional[str]) -> None:
        if not actual or actual == self.region:
            return
        if self._place.region:
            raise DeskError(
                f"bucket '{self._bucket}' is in region {actual}, not in {self._place.region}.",
                f"repeat the command with --region {actual}.",
            )
        self.region = actual

    def _compare_clocks(self, date: Optional[str]) -> None:
        """A presigned URL is dated by this computer; the server judges it by its own clock."""
        if not date:
            return
        server = email.utils.parsedate_to_datetime(date)
        ahead = (datetime.datetime.now(datetime.timezone.utc) - server).total_seconds()
        if abs(ahead) > _CLOCK_TOLERANCE_S:
            warn(
                f"this computer's clock is {abs(ahead):.0f} s"
                f" {'ahead of' if ahead > 0 else 'behind'} the server's, so the URLs begin and end"
                " at the wrong time. Set the clock and sign again."
            )

    def versioning(self, enable: bool) -> None:
        """Warns when an upload would overwrite the one before; switches it on if told to."""
        try:
            answer = self._client.get_bucket_versioning(Bucket=self._bucket)
        except boto_errors.ClientError as error:
            if enable or _code(error) not in ("AccessDenied", "403"):
                with s3.sentences(self._bucket):
                    raise
            unseen = "" if self.may_look else " (nor whether it exists)"
            warn(
                f"whether bucket '{self._bucket}' keeps versions{unseen} may not be asked with"
                " these credentials. It must: else each upload overwrites the one before. Use"
                " --test to see whether uploads work."
            )
            return
        if answer.get("Status") == "Enabled":
            return
        if enable:
            with s3.sentences(self._bucket):
                self._client.put_bucket_versioning(
                    Bucket=self._bucket, VersioningConfiguration={"Status": "Enabled"}
                )
            warn("versioning is on now; AWS advises to wait 15 minutes before the first upload.")
            return
        warn(
            f"bucket '{self._bucket}' keeps no versions: each upload will overwrite the one before."
            " Switch it on with --enable-versioning, or with\n  "
            + _HELP_VERSIONING.format(bucket=self._bucket)
        )

    def probe(self, url: str, key: str) -> str:
        """Uploads a small object the way the camera does, reads it back and removes it."""
        body = os.urandom(32).hex().encode()
        _put(url, body, key)
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            same = answer["Body"].read() == body
        except boto_errors.ClientError as error:
            return f"stored and acknowledged; reading it back is refused ({_code(error)})"
        if not same:
            raise DeskError(
                f"the probe s3://{self._bucket}/{key} reads back differently from what was sent.",
                "look at what stands between here and the server (proxy, gateway).",
            )
        which = {"VersionId": answer["VersionId"]} if "VersionId" in answer else {}
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key, **which)
        except boto_errors.ClientError as error:
            return (
                "stored and read back; it stays there, since removing it is refused"
                f" ({_code(error)})"
            )
        return "stored, read back and removed"


def _code(error: boto_errors.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "?"))


def _put(url: str, body: bytes, key: str) -> None:
    """PUT with Content-MD5, as the camera does; the answer must be 200 with the body's MD5."""
    digest = hashlib.md5(body)
    request = urllib.request.Request(url, data=body, method="PUT")
    request.add_header("Content-MD5", base64.b64encode(digest.digest()).decode())
    request.add_header("Content-Type", "text/plain")
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            tag = (answer.headers.get("ETag") or "").strip('"')
            status = answer.status
    except urllib.error.HTTPError as error:
        said = error.read(2000).decode("utf-8", "replace")
        code = said.partition("<Code>")[2].partition("</Code>")[0] or error.reason
        raise DeskError(
            f"the server refuses the upload of the probe {key}: {error.code} {code}.",
            "sign with credentials that may s3:PutObject there (see --policy).",
        ) from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise DeskError(
            f"the probe {key} cannot be uploaded: {reason}.",
            "check the network and --endpoint-url.",
        ) from None
    if status != 200 or not tag:
        raise DeskError(
            (
                f"the upload of the probe {key} was answered with {status} and"
                f" {'no ETag' if not tag else 'an ETag'}: that is not an S3 server's"
                " acknowledgement."
            ),
            "check --endpoint-url and what stands between (proxy, login page).",
        )
    if len(tag) == 32 and tag != digest.hexdigest():
        warn("the ETag is not the MD5 of what was sent (normal for buckets encrypted with KMS).")
