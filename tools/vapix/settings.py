"""Values for the camera's parameters, from files and the command line, with secrets kept apart."""

from __future__ import annotations

import pathlib
import shlex

from vapix.answers import CameraError

# Variables of the file that generate_url.py writes, and the parameter each one sets.
ENV_FILE = {
    "TIME_LOG_CSV": "PresignedUrlTimeLog",
    "NTP_STATUS_TXT": "PresignedUrlNtpStatus",
    "NTP_FAILED_STATUS_TXT": "PresignedUrlNtpFailedStatus",
}
# Settings that may stand on a command line, which others on this machine can see.
OPEN = {"upload_interval_s": "UploadIntervalS", "log_level": "LogLevel"}
SECRET = {
    "presigned_url_time_log", "presigned_url_ntp_status", "presigned_url_ntp_failed_status",
    "url_source",
}


def from_assignment(text: str) -> tuple[str, str]:
    """upload_interval_s=3600 to its parameter and value."""
    name, equals, value = text.partition("=")
    if not equals:
        raise CameraError(f"'{name}' is no NAME=VALUE")
    if name in SECRET:
        raise CameraError(
            f"{name} is a secret and does not belong on a command line",
            "use --urls FILE or --url-source-file FILE",
        )
    if name not in OPEN:
        raise CameraError(
            f"'{name}' is no parameter of the camera; there are {', '.join(sorted(OPEN))}",
            "other settings go into config.json of the package",
        )
    return OPEN[name], value


def from_env_file(path: pathlib.Path) -> dict[str, str]:
    """The three URLs of s3.env."""
    values = {}
    for line in _read(path).splitlines():
        words = shlex.split(line, comments=True)
        for word in words[1:] if words[:1] == ["export"] else words:
            name, equals, value = word.partition("=")
            if equals and name in ENV_FILE:
                values[ENV_FILE[name]] = value
    missing = sorted(name for name, parameter in ENV_FILE.items() if parameter not in values)
    if missing:
        raise CameraError(f"{path} lacks {', '.join(missing)}", "tools/generate_url.py makes it")
    return values


def from_url_file(path: pathlib.Path) -> dict[str, str]:
    """The address in the file's one line."""
    url = _read(path).strip()
    if not url.startswith("https://") or len(url.split()) != 1:
        raise CameraError(f"{path} does not hold one https address")
    return {"UrlSource": url}


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CameraError(f"{path}: {error.strerror}") from error
