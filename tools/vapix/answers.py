"""What a camera's short answers mean, in sentences. Facts: the published application API."""

from __future__ import annotations

# The number after "Error:" that upload.cgi answers: what happened, what to do.
UPLOAD = {
    1: ("the file is no camera package", "give the .eap file itself, not an archive around it"),
    2: (
        "the package is not signed, and this camera takes signed ones only",
        "AXIS OS 11 and 12: repeat with --allow-unsigned; AXIS OS 13: have the package signed",
    ),
    3: ("the package is too large or the camera's disk is full", "remove an application there"),
    5: (
        "the package does not fit this camera (architecture, AXIS OS version or an interface)",
        "see 'camera.py state'; aarch64 or armv7hf must match, and AXIS OS 13 wants manifest v2",
    ),
    10: ("the camera could not install it", "read the camera's log: 'camera.py log'"),
    12: ("another upload is under way", "try again in a minute"),
    13: ("the camera does not allow the user the package asks for", "it must ask for none"),
    14: (
        "an application whose name differs in upper and lower case only is installed",
        "remove that one first: 'camera.py remove'",
    ),
    15: ("the installation took too long", "restart the camera and try again"),
    27: (
        "the installed one comes from another vendor (a signed one over an unsigned one, too)",
        "'camera.py remove', which deletes its data, then install again",
    ),
    29: ("the package's manifest is not valid", "check it with tools/check_eap.py"),
}
# The same for control.cgi.
CONTROL = {
    4: ("it is not installed", "'camera.py install' first"),
    6: ("it already runs", ""),
    7: ("it does not run", ""),
    8: ("it could not be started", "read its log: 'camera.py log'"),
    9: ("too many applications run", "stop one of them on the camera's page"),
    10: ("the camera could not do it", "read the camera's log: 'camera.py log'"),
}
# What was wanted is the case already.
ALREADY = {("start", 6), ("stop", 7)}


class CameraError(Exception):
    """What a camera refused or why it could not be asked, and what to do next."""

    def __init__(self, what: str, next_step: str = ""):
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def error_number(answer: str) -> int | None:
    """The number in "Error: 5"; None when the answer says nothing of the kind."""
    head, colon, number = answer.strip().partition(":")
    if head.strip().lower() != "error" or not colon:
        return None
    digits = number.strip().split()[0] if number.strip() else ""
    return int(digits) if digits.isdigit() else -1


def check(answer: str, table: dict[int, tuple[str, str]], asked: str) -> None:
    """Cameras answer 200 to everything; only "OK" in the body is good."""
    number = error_number(answer)
    if number is None:
        if answer.strip().startswith("OK"):
            return
        shown = " ".join(answer.split())[:120]
        raise CameraError(f"{asked}: the camera answered '{shown}' instead of OK")
    what, next_step = table.get(number, (f"the camera answered error {number}", ""))
    raise CameraError(f"{asked}: {what} (error {number})", next_step)
