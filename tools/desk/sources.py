"""Finds the files that make up a log: a file, a folder, one S3 object's versions, an S3 prefix."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Callable, Optional

from desk import s3
from desk import words as w
from desk.errors import DeskError, warn

_LOG_NAME = re.compile(r".*\.csv(\.part)?(\.gz)?$", re.IGNORECASE)
# A camera uploads after it sampled, so an object written before a period holds nothing of it;
# the day allows for a wrong camera clock and for time zones.
_MARGIN_S = 86400.0


@dataclass
class Part:
    """One file to read."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    version_id: Optional[str] = None
    modified_s: float = 0.0


@dataclass
class Wanted:
    """Which versions a person asked for; None = not said."""

    index: Optional[int] = None
    versions: Optional[tuple[Optional[int], Optional[int]]] = None
    since_us: Optional[float] = None
    until_us: Optional[float] = None


@dataclass
class Found:
    """The files of one log, oldest first."""

    label: str
    parts: list[Part]
    in_order: bool = True
    remote: bool = False
    failed_statuses: Callable[[], list[Part]] = list  # versions of ntp_failed_status.txt beside it


def find(path: str, wanted: Wanted, place: s3.Place) -> Found:
    """All files that PATH stands for."""
    if path.startswith("s3://"):
        return _remote(path, wanted, place)
    if wanted.index is not None or wanted.versions is not None:
        raise DeskError(
            f"--version-index and --versions choose among S3 versions, and '{path}' is local.",
            "leave the option out, or give an s3://bucket/key path.",
        )
    return _local(path)


def parse_versions(text: str) -> tuple[Optional[int], Optional[int]]:
    """'-24..-1' as (-24, -1); 'all' as (None, None); either end may be left out."""
    match = re.fullmatch(r"(-?\d+)?\.\.(-?\d+)?", text.strip())
    if text.strip() == "all":
        return None, None
    if not match:
        raise DeskError(
            f"'{text}' is not a range of versions.",
            "write FIRST..LAST, as in -24..-1 (the last 24) or 0..9 (the first 10), or 'all'.",
        )
    first, last = (int(x) if x is not None else None for x in match.groups())
    return first, last


def natural(name: str) -> list:
    """A sort key: numbers in names by their value."""
    return [(0, int(x), "") if x.isdigit() else (1, 0, x) for x in re.split(r"(\d+)", name) if x]


def _local(path: str) -> Found:
    target = Path(path)
    if target.is_dir():
        files = sorted(
            (f for f in target.iterdir() if f.is_file() and _LOG_NAME.match(f.name)),
            key=lambda f: natural(f.name),
        )
        if not files:
            raise DeskError(
                f"the folder '{path}' holds no *.csv or *.csv.gz file.",
                "give the folder that holds the segments themselves; subfolders are not searched.",
            )
        beside = target / "ntp_failed_status.txt"
    elif target.exists():
        files = [target]
        beside = target.parent / "ntp_failed_status.txt"
    else:
        raise DeskError(
            f"there is no file or folder '{path}'.",
            "check the path; objects in a bucket are written s3://bucket/key.",
        )
    parts = [_local_part(f) for f in files]
    # Names that are plain numbers (a spool) rise with time; others may not.
    in_order = len(files) == 1 or all(re.match(r"\d{10}\b", f.name) for f in files)
    failed = [_local_part(beside)] if beside.is_file() else []
    return Found(path, parts, in_order, False, lambda: failed)


def _local_part(path: Path) -> Part:
    status = path.stat()

    def opener() -> BinaryIO:
        try:
            return open(path, "rb")
        except OSError as error:
            raise DeskError(
                f"'{path}' cannot be read: {error.strerror}.", "check its owner and mode."
            ) from None

    return Part(str(path), status.st_size, opener, None, status.st_mtime)


def _remote(path: str, wanted: Wanted, place: s3.Place) -> Found:
    client = s3.client_for(place)
    bucket, key = s3.split_url(path)
    if key == "" or key.endswith("/"):
        versions, in_order = _of_prefix(client, bucket, key, wanted), False
        folder = key
    else:
        versions, in_order = _of_key(client, bucket, key, wanted), True
        folder = key[: key.rfind("/") + 1]
    parts = [_remote_part(client, bucket, v) for v in _recent(versions, wanted)]
    if not parts:
        raise DeskError(
            f"no upload at {path} is young enough for --since.",
            "choose an earlier --since, or leave it out.",
        )
    return Found(path, parts, in_order, True, lambda: _failed_beside(client, bucket, folder))


def _of_key(client, bucket: str, key: str, wanted: Wanted) -> list[s3.Version]:
    """The versions of one object that were asked for, oldest first; the latest when nothing was."""
    listing = s3.newest_first(client, bucket, key)
    if wanted.versions is None and wanted.index is None:
        if wanted.since_us is None and wanted.until_us is None:
            wanted = Wanted(index=-1)
        else:
            wanted = Wanted(versions=(None, None))
    if wanted.index is not None and wanted.index < 0:
        newest = list(islice(listing, -wanted.index))
        chosen = newest[-1:] if len(newest) == -wanted.index else []
        total = len(newest)
    else:
        oldest = list(listing)[::-1]
        total = len(oldest)
        chosen = _choose(oldest, wanted)
    if chosen:
        return chosen
    if not total:
        raise _no_object(client, bucket, key)
    asked = f"index {wanted.index}" if wanted.index is not None else "version in that range"
    if total == 1:
        hint = "If more uploads were made, the bucket's versioning was off: switch it on with "
        hint += "generate_url.py --enable-versioning."
    else:
        hint = f"choose from -{total} (the oldest) to -1 (the latest)."
    raise DeskError(
        f"s3://{bucket}/{key} has {w.count(total, 'version')}; there is no {asked}.", hint
    )


def _choose(oldest: list[s3.Version], wanted: Wanted) -> list[s3.Version]:
    if wanted.index is not None:
        return oldest[wanted.index : wanted.index + 1]
    first, last = wanted.versions
    stop = None if last in (None, -1) else last + 1
    return oldest[first:stop]


def _no_object(client, bucket: str, key: str) -> DeskError:
    """Says what may have been meant."""
    with s3.sentences(bucket, key):
        near = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=3).get("Contents", [])
    if near:
        names = ", ".join(entry["Key"] for entry in near)
        hint = (
            f"there are objects that begin with it: {names}. Write a folder with a '/' at its end."
        )
    else:
        hint = f"list what is there with 'aws s3 ls s3://{bucket}/ --recursive'."
    return DeskError(f"there is no object '{key}' in bucket '{bucket}'.", hint)


def _of_prefix(client, bucket: str, prefix: str, wanted: Wanted) -> list[s3.Version]:
    if wanted.index is not None or wanted.versions is not None:
        raise DeskError(
            (
                f"--version-index and --versions need one object, and s3://{bucket}/{prefix} is a "
                "folder."
            ),
            "add the object's name, as in time_log.csv, or leave the option out.",
        )
    versions, folders = s3.below(client, bucket, prefix)
    logs = [v for v in versions if _LOG_NAME.match(v.key)]
    if logs:
        keys = {v.key for v in logs}
        if len(keys) > 1:
            logs.sort(key=lambda v: (v.modified_s, natural(v.key)))
        return logs
    names = ", ".join(folders[:5]) + (", ..." if len(folders) > 5 else "")
    raise DeskError(
        f"there is no *.csv object directly below s3://{bucket}/{prefix}.",
        f"choose one of the folders there: {names}" if folders else "check bucket and prefix.",
    )


def _recent(versions: list[s3.Version], wanted: Wanted) -> list[s3.Version]:
    if wanted.since_us is None:
        return versions
    return [v for v in versions if v.modified_s >= wanted.since_us * 1e-6 - _MARGIN_S]


def _remote_part(client, bucket: str, version: s3.Version) -> Part:
    def opener() -> BinaryIO:
        which = {} if version.version_id is None else {"VersionId": version.version_id}
        with s3.sentences(bucket, version.key):
            return client.get_object(Bucket=bucket, Key=version.key, **which)["Body"]

    name = f"s3://{bucket}/{version.key}"
    return Part(name, version.size, opener, version.version_id, version.modified_s)


def _failed_beside(client, bucket: str, folder: str) -> list[Part]:
    key = folder + "ntp_failed_status.txt"
    try:
        versions = list(s3.newest_first(client, bucket, key))[::-1]
    except DeskError as error:
        warn(f"the versions of {key} cannot be listed: {error.message}")
        return []
    return [_remote_part(client, bucket, v) for v in versions]


class _Upstream(io.RawIOBase):
    """Any object with read(n) as a raw stream; a broken connection becomes a sentence."""

    def __init__(self, body, name: str, advance: Callable[[int], None]):
        super().__init__()
        self._body, self._name, self._advance, self._got = body, name, advance, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            data = self._body.read(len(buffer))
        except Exception as error:  # botocore, urllib3 and the kernel each have their own
            raise DeskError(
                f"reading {self._name} broke off after {self._got:,} bytes: {error}.",
                "check the network, then repeat the command.",
            ) from None
        buffer[: len(data)] = data
        self._got += len(data)
        self._advance(len(data))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def open_plain(part: Part, advance: Callable[[int], None] = lambda n: None) -> BinaryIO:
    """The part's text, unpacked when it is gzip (told by its first bytes, not its name)."""
    stream = io.BufferedReader(_Upstream(part.open(), part.name, advance), 1 << 20)
    if stream.peek(2)[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Unpacked(stream, part.name), 1 << 20)
    return stream


class _Unpacked(io.RawIOBase):
    """A gzip stream as plain text; one that is cut short or damaged gives what it held."""

    def __init__(self, packed: BinaryIO, name: str):
        super().__init__()
        self._packed, self._name = packed, name
        self._member = zlib.decompressobj(wbits=31)
        self._left = b""
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._over:
            data = self._left or self._packed.read(1 << 18)
            if not data:
                if not self._member.eof:
                    warn(f"{self._name} is cut short; the rows up to there are used.")
                self._over = True
                break
            try:
                text = self._member.decompress(data, len(buffer))
            except zlib.error:
                warn(f"{self._name} is damaged; the rows up to the damage are used.")
                self._over = True
                break
            self._left = self._member.unconsumed_tail
            if self._member.eof and self._member.unused_data:  # another member follows
                self._left = self._member.unused_data
                self._member = zlib.decompressobj(wbits=31)
            if text:
                buffer[: len(text)] = text
                return len(text)
        return 0

    def close(self) -> None:
        if not self.closed:
            self._packed.close()
        super().close()
