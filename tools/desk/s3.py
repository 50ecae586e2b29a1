"""S3 as the desk needs it: one client, listings that are exact, errors as sentences."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Iterator, Optional

import boto3
import botocore.exceptions as boto_errors
from botocore.config import Config

from desk.errors import DeskError

# What the server answers, and what to do about it. {bucket} and {key} are filled in.
_ANSWERS = {
    "NoSuchBucket": (
        "there is no bucket '{bucket}' at this endpoint.",
        "check the spelling, the --profile and the --endpoint-url.",
    ),
    "NoSuchKey": (
        "there is no object '{key}' in bucket '{bucket}'.",
        (
            "list what is there with 'aws s3 ls s3://{bucket}/ --recursive'; nothing may have been "
            "uploaded yet."
        ),
    ),
    "NoSuchVersion": (
        "that version of '{key}' is gone from bucket '{bucket}'.",
        "a lifecycle rule may have removed it; choose another --version-index.",
    ),
    "AccessDenied": (
        "access to s3://{bucket}/{key} is denied for these credentials.",
        (
            "use an AWS profile that may do this (--profile NAME or AWS_PROFILE), or ask the"
            " bucket's owner."
        ),
    ),
    "InvalidAccessKeyId": (
        "the server does not know this access key.",
        "check --profile and --endpoint-url: the key may belong to another account or server.",
    ),
    "SignatureDoesNotMatch": (
        "the server refuses the signature: the secret key does not fit the access key.",
        "set the credentials again ('aws configure'), or choose another --profile.",
    ),
    "ExpiredToken": (
        "the credentials have expired.",
        "log in again (for single sign-on: 'aws sso login'), then repeat the command.",
    ),
    "RequestTimeTooSkewed": (
        "this computer's clock is more than 15 minutes off, so the server refuses its requests.",
        "set this computer's clock, then repeat the command.",
    ),
    "PermanentRedirect": (
        "bucket '{bucket}' is in another region{region}.",
        "repeat the command with --region set to that region.",
    ),
    "SlowDown": (
        "the server asks to slow down.",
        "wait a minute, then repeat the command.",
    ),
}
_SAME = {
    "404": "NoSuchKey",
    "403": "AccessDenied",
    "Forbidden": "AccessDenied",
    "301": "PermanentRedirect",
    "AuthorizationHeaderMalformed": "PermanentRedirect",
    "IllegalLocationConstraintException": "PermanentRedirect",
    "ExpiredTokenException": "ExpiredToken",
    "TokenRefreshRequired": "ExpiredToken",
    "RequestExpired": "ExpiredToken",
    "503": "SlowDown",
    "MethodNotAllowed": "NoSuchVersion",
}


@dataclass
class Place:
    """Where S3 is and who asks."""

    endpoint_url: Optional[str] = None
    region: Optional[str] = None
    profile: Optional[str] = None


@dataclass
class Version:
    """One stored version of one object."""

    key: str
    version_id: Optional[str]
    size: int
    modified_s: float


def session_for(place: Place) -> boto3.Session:
    with sentences():
        return boto3.Session(profile_name=place.profile, region_name=place.region)


def client_for(place: Place, session: Optional[boto3.Session] = None, **client_options):
    """A client that signs with SigV4 and talks to the region's own endpoint."""
    session = session or session_for(place)
    style = client_options.pop("addressing_style", "path" if place.endpoint_url else "auto")
    config = Config(
        signature_version="s3v4",
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
        max_pool_connections=16,
    )
    with sentences():
        return session.client(
            "s3", endpoint_url=place.endpoint_url, config=config, **client_options
        )


@contextlib.contextmanager
def sentences(bucket: str = "", key: str = "") -> Iterator[None]:
    """Turns what boto3 raises into what a person can act on."""
    try:
        yield
    except boto_errors.ClientError as error:
        raise _answered(error, bucket, key) from None
    except (boto_errors.NoCredentialsError, boto_errors.PartialCredentialsError) as error:
        raise DeskError(
            f"no usable AWS credentials: {str(error).rstrip('.')}.",
            (
                "name a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            ),
        ) from None
    except boto_errors.ProfileNotFound as error:
        raise DeskError(
            f"{str(error)[0].lower()}{str(error)[1:]}.",
            (
                "see 'aws configure list-profiles' for the names, or leave --profile and"
                " AWS_PROFILE out."
            ),
        ) from None
    except boto_errors.NoRegionError:
        raise DeskError("no region is known.", "name the bucket's region with --region.") from None
    except boto_errors.ParamValidationError as error:
        if "bucket name" in str(error):
            raise DeskError(
                f"'{bucket}' cannot be a bucket's name.",
                "bucket names have 3 to 63 characters: lower-case letters, digits, '.' and '-'.",
            ) from None
        detail = str(error).splitlines()[-1].strip().rstrip(".")
        raise DeskError(f"s3://{bucket}/{key} is not valid: {detail}.") from None
    except (boto_errors.HTTPClientError, boto_errors.ConnectionError) as error:
        raise _unreached(error) from None
    except (boto_errors.SSOError, boto_errors.TokenRetrievalError) as error:
        raise DeskError(
            f"the single sign-on session is not usable: {str(error).rstrip('.')}.",
            "run 'aws sso login' with the same profile, then repeat the command.",
        ) from None
    except (boto_errors.BotoCoreError, ValueError) as error:
        raise DeskError(
            f"S3 cannot be asked: {str(error).rstrip('.')}.",
            "check --endpoint-url, --region and the AWS configuration files.",
        ) from None


def _unreached(error: Exception) -> DeskError:
    told = getattr(error, "kwargs", {})
    url = str(told.get("endpoint_url", "the S3 server")).partition("?")[0]
    reason = re.sub(r"<[^<>]* object at 0x[0-9a-f]+>: ", "", str(told.get("error") or error))
    reason = reason.rstrip(".")
    if isinstance(error, boto_errors.SSLError):
        return DeskError(
            f"the TLS certificate of {url} is not trusted: {reason}.",
            "give your own authority's certificate with AWS_CA_BUNDLE=FILE.pem.",
        )
    return DeskError(
        f"{url} cannot be reached" + ("." if url in reason else f": {reason}."),
        "check the network, the --endpoint-url and the --region.",
    )


def _answered(error: boto_errors.ClientError, bucket: str, key: str) -> DeskError:
    answer = error.response
    code = str(answer.get("Error", {}).get("Code", "?"))
    known = _SAME.get(code, code)
    if known == "NoSuchKey" and not key:
        known = "NoSuchBucket"
    if known not in _ANSWERS:
        text = answer.get("Error", {}).get("Message", "") or "no reason given"
        return DeskError(f"S3 refuses {error.operation_name} on '{bucket}': {code}, {text}")
    region = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
    region = region or answer.get("Error", {}).get("Region")
    what, then = _ANSWERS[known]
    names = {"bucket": bucket, "key": key, "region": f" ({region})" if region else ""}
    return DeskError(what.format(**names), then.format(**names))


def split_url(url: str) -> tuple[str, str]:
    """s3://bucket/key as its two names."""
    bucket, _, key = url[len("s3://") :].partition("/")
    if not bucket:
        raise DeskError(f"'{url}' names no bucket.", "write it as s3://BUCKET/KEY.")
    return bucket, key


def newest_first(client, bucket: str, key: str) -> Iterator[Version]:
    """Every stored version of exactly KEY, in the server's order, page after page.

    The listing's own order is the truth: its times have whole seconds on AWS. The versions of a key
    stand together and keys that KEY is a prefix of come later, so reading stops there.
    """
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    with sentences(bucket, key):
        for page in pages:
            for entry in page.get("Versions", []):
                if entry["Key"] == key:
                    yield _version(entry)
            beyond = page.get("NextKeyMarker", key)
            if beyond != key:
                return


def below(client, bucket: str, prefix: str) -> tuple[list[Version], list[str]]:
    """All versions of the objects directly below PREFIX, oldest first, and the folders there."""
    found: list[Version] = []
    folders: list[str] = []
    pages = client.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=prefix, Delimiter="/"
    )
    with sentences(bucket, prefix):
        for page in pages:
            found += [_version(entry) for entry in page.get("Versions", [])]
            folders += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    found.reverse()  # within a key: oldest first
    return found, folders


def _version(entry: dict) -> Version:
    return Version(
        entry["Key"], entry.get("VersionId"), entry["Size"], entry["LastModified"].timestamp()
    )
