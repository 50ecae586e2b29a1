"""Looks for secrets where none may be: whole, in parts, encoded, in each place a program leaves."""

import base64
import pathlib
import secrets
import urllib.parse

# What is long enough to be no accident, and of a secret already too much.
PART = 12


def new() -> str:
    """A secret that is nowhere else."""
    return "Canary" + secrets.token_hex(16)


def signature_of(url: str) -> str:
    """What makes a presigned URL worth something."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    return query["X-Amz-Signature"][0]


def _encoded(secret: bytes) -> list[bytes]:
    """Base64 of any text that the secret is in: as it stands at each of the three offsets."""
    return [base64.b64encode(b"\0" * before + secret)[4:-4] for before in range(3)]


def is_in(secret: str, content: bytes) -> bool:
    """Is it there: a part of it, in any case, percent-encoded or not, or base64 of it?"""
    whole = secret.encode()
    plain = content.lower() + b"\n" + urllib.parse.unquote_to_bytes(content).lower()
    starts = range(len(whole) - PART + 1)
    if any(whole[start : start + PART].lower() in plain for start in starts):
        return True
    return any(form in content for form in _encoded(whole))


def leaks(hidden: dict[str, str], places: dict[str, bytes]) -> list[str]:
    """Each secret of HIDDEN that is in one of the PLACES, in words."""
    return [
        f"{label} is in {place}"
        for place, content in places.items()
        for label, secret in hidden.items()
        if is_in(secret, content)
    ]


def of_process(pid: int) -> dict[str, bytes]:
    """What the kernel shows of a process."""
    folder = pathlib.Path(f"/proc/{pid}")
    return {str(folder / name): (folder / name).read_bytes() for name in ("cmdline", "environ")}


def of_folder(folder: pathlib.Path, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """All files below a folder, and their names; but those called like that."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    names = "\n".join(str(path) for path in files).encode()
    places = {f"names in {folder}": names}
    for path in files:
        try:
            places[str(path)] = path.read_bytes()
        except FileNotFoundError:
            pass  # a segment that was just acknowledged
    return places


def of_bucket(bucket) -> dict[str, bytes]:
    """All versions of all objects."""
    places = {}
    for entry in bucket.server.client().list_objects_v2(Bucket=bucket.name).get("Contents", []):
        for number, body in enumerate(bucket.versions(entry["Key"])):
            places[f"object {entry['Key']} version {number}"] = body
    return places


def bad_urls(secret: str) -> list[str]:
    """Addresses that no start and no reread takes, each with the secret where it could be told."""
    return [
        f"ftp://host/k?X-Amz-Signature={secret}",
        f"ttps:/host/k?X-Amz-Signature={secret}",
        f"https://user:{secret}@host/k",
        f"https://user:{secret}?{secret}@host/k",
        f"https://host:99999/k?X-Amz-Signature={secret}",
        f"https://host:99999/k%3FX-Amz-Signature%3D{secret}",
        f"https://host:99999/k&X-Amz-Signature={secret}",
        f"https://host/k?X-Amz-Signature={secret} ",
        f"https://host/k?X-Amz-Signature={secret}\n",
        f"https://host/k#{secret}",
        f"https:///k?{secret}",
        f"?X-Amz-Signature={secret}",
        f"https://host/k?X-Amz-Signature={secret}" + 9000 * "x",
    ]


def all_secrets(secret: str) -> dict[str, str]:
    """Each setting that can hold a secret, with one."""
    return {
        "presigned_url_time_log": f"https://h/k?X-Amz-Signature={secret}",
        "presigned_url_ntp_status": f"https://h/k?X-Amz-Signature={secret}",
        "presigned_url_ntp_failed_status": f"https://h/k%3FX-Amz-Signature={secret}",
        "url_source": f"https://h/urls?token={secret}",
        "s3_endpoint": "https://h",
        "s3_region": "r",
        "s3_bucket": "b",
        "s3_access_key_id": "id",
        "s3_secret_access_key": secret,
        "proxy": f"http://user:{secret}@h:3128",
    }
