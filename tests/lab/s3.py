"""A real S3 server (Ceph radosgw) for tests: start, sign, read back."""

import pathlib
import subprocess
import urllib.parse

import boto3
from botocore.config import Config

from lab.shell import TOOLS, exports

OBJECTS = {
    "presigned_url_time_log": "time_log.csv",
    "presigned_url_ntp_status": "ntp_status.txt",
    "presigned_url_ntp_failed_status": "ntp_failed_status.txt",
}


class S3Server:
    """One radosgw on loopback. `stop` ends it and removes its folder."""

    def __init__(self) -> None:
        self._env = exports([TOOLS / "s3-start.sh"])
        self.endpoint = self._env["S3_ENDPOINT"]
        self.endpoint_https = self._env["S3_ENDPOINT_HTTPS"]
        self.ca = pathlib.Path(self._env["S3_LAB_CA"])
        self.folder = pathlib.Path(self._env["S3_LAB_DIR"])

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the plain endpoint, for a proxy."""
        parts = urllib.parse.urlsplit(self.endpoint)
        return parts.hostname, parts.port

    @property
    def credentials(self) -> dict[str, str]:
        """The environment that AWS programs read."""
        return {name: value for name, value in self._env.items() if name.startswith("AWS_")}

    def client(self, endpoint: str | None = None):
        """A boto3 client that asks this server, or signs for another endpoint in front of it."""
        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=self._env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._env["AWS_SECRET_ACCESS_KEY"],
            region_name=self._env["AWS_DEFAULT_REGION"],
            verify=str(self.ca),
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, proxies={}),
        )

    def bucket(self, name: str) -> "Bucket":
        """Makes a bucket with versioning on."""
        client = self.client()
        client.create_bucket(Bucket=name)
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Bucket(self, name)

    def stop(self) -> None:
        """Ends the daemons by their pids and removes the folder."""
        subprocess.run([TOOLS / "s3-stop.sh", self.folder], check=True, timeout=60)


class Bucket:
    """A versioned bucket: each upload of a key is one version."""

    def __init__(self, server: S3Server, name: str):
        self.server = server
        self.name = name
        self._client = server.client()

    def presign(self, key: str, endpoint: str | None = None, expires_s: int = 3600) -> str:
        """A URL for PUT, signed for `endpoint` (the Host that will be asked)."""
        return self.server.client(endpoint).generate_presigned_url(
            "put_object", Params={"Bucket": self.name, "Key": key}, ExpiresIn=expires_s
        )

    def presigned_settings(self, endpoint: str | None = None, prefix: str = "") -> dict[str, str]:
        """The three URL settings of the logger."""
        return {
            setting: self.presign(prefix + key, endpoint) for setting, key in OBJECTS.items()
        }

    def versions(self, key: str) -> list[bytes]:
        """The bodies of all versions of a key, in the order in which they were stored."""
        pages = self._client.get_paginator("list_object_versions")
        listed = [
            version
            for page in pages.paginate(Bucket=self.name, Prefix=key)
            for version in page.get("Versions", [])
            if version["Key"] == key
        ]
        # S3 lists the newest first
        return [self._body(key, version["VersionId"]) for version in reversed(listed)]

    def _body(self, key: str, version: str) -> bytes:
        answer = self._client.get_object(Bucket=self.name, Key=key, VersionId=version)
        return answer["Body"].read()
