"""One camera: the few requests that managing one application takes."""

from __future__ import annotations

import dataclasses
import pathlib
import time
import xml.etree.ElementTree

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from vapix.answers import ALREADY, CONTROL, UPLOAD, CameraError, check, error_number

APP = "ntp_logger"
ANSWER_S = (10, 60)  # to connect; between two bytes of the answer
INSTALL_S = (10, 300)


@dataclasses.dataclass(frozen=True)
class Access:
    """How to log in; the same for all cameras of a call."""

    user: str
    password: str
    verify: str | bool = True  # a CA file, or False for certificates that nobody vouches for


@dataclasses.dataclass(frozen=True)
class AppState:
    """The application as list.cgi tells it."""

    version: str
    status: str
    signed: str


class Camera:
    """One camera by its address; every method asks it and raises CameraError in words."""

    def __init__(self, address: str, access: Access):
        self.base = address if "://" in address else f"https://{address}"
        self._session = requests.Session()
        self._session.verify = access.verify
        self._session.trust_env = False  # a proxy or .netrc of this machine is not meant
        self._access = access
        self._session.auth = HTTPDigestAuth(access.user, access.password)

    # ---- asking -----------------------------------------------------------------------------

    def _ask(self, method: str, path: str, timeout=ANSWER_S, **how) -> str:
        url = f"{self.base}/axis-cgi/{path}"
        try:
            answer = self._session.request(method, url, timeout=timeout, **how)
            if answer.status_code == 401 and self._may_use_basic(answer):
                self._session.auth = HTTPBasicAuth(self._access.user, self._access.password)
                answer = self._session.request(method, url, timeout=timeout, **how)
        except requests.exceptions.SSLError as error:
            raise CameraError(
                "its certificate is not from an authority this machine trusts",
                "give --ca FILE with the authority, or --insecure if you know the network",
            ) from error
        except requests.exceptions.ConnectionError as error:
            other = "http" if self.base.startswith("https:") else "https"
            raise CameraError(
                f"nothing answers at {self.base}",
                f"check address and network; some cameras take {other}:// only",
            ) from error
        except requests.exceptions.Timeout as error:
            raise CameraError(f"no answer from {self.base} in time", "try again") from error
        return self._judged(answer, path)

    def _may_use_basic(self, answer: requests.Response) -> bool:
        """Only over TLS, and only if the camera offers nothing better."""
        offered = answer.headers.get("WWW-Authenticate", "").lower()
        return self.base.startswith("https:") and "basic" in offered and "digest" not in offered

    def _judged(self, answer: requests.Response, path: str) -> str:
        what = path.split("?")[0]
        if answer.status_code in (401, 403):
            raise CameraError(
                f"user '{self._access.user}' may not use {what} (HTTP {answer.status_code})",
                "check name and password; the user must be an administrator",
            )
        if answer.status_code == 404:
            raise CameraError(f"it has no {what}", "is this an Axis camera with AXIS OS 11+?")
        if answer.status_code != 200:
            raise CameraError(f"{what} answered HTTP {answer.status_code}")
        return answer.text

    # ---- the device -------------------------------------------------------------------------

    def parameters(self, group: str) -> dict[str, str]:
        """The parameters below a group; none when the camera has no such group."""
        text = self._ask("GET", "param.cgi", params={"action": "list", "group": group})
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return dict(line.partition("=")[::2] for line in lines if "=" in line)

    def architecture(self) -> str:
        found = self.parameters("root.Properties.System.Architecture")
        if not found:
            raise CameraError("it does not tell its architecture")
        return next(iter(found.values())).strip()

    def firmware(self) -> str:
        found = self.parameters("root.Properties.Firmware.Version")
        return next(iter(found.values()), "unknown").strip()

    def allow_unsigned(self) -> None:
        """AXIS OS 11.2 to 12: take packages without a signature."""
        how = {"action": "set", "name": "AllowUnsigned", "value": "true"}
        answer = self._ask("POST", "applications/config.cgi", params=how)
        if error_number(answer) is not None:
            raise CameraError("it does not let unsigned packages be allowed",
                              "AXIS OS 13 takes signed packages only")

    # ---- the application --------------------------------------------------------------------

    def install(self, package: pathlib.Path) -> None:
        """Uploads; over an older one this is an upgrade, which keeps its data."""
        with package.open("rb") as file:
            files = {"packfil": (package.name, file, "application/octet-stream")}
            self._prove_who_we_are()
            answer = self._ask("POST", "applications/upload.cgi", INSTALL_S, files=files)
        check(answer, UPLOAD, f"installing {package.name}")

    def _prove_who_we_are(self) -> None:
        """A small request first: the package is then sent once, with the login already known."""
        self._ask("GET", "applications/list.cgi")

    def control(self, action: str) -> bool:
        """start, stop, restart or remove; False when it was so already."""
        how = {"action": action, "package": APP}
        answer = self._ask("POST", "applications/control.cgi", params=how)
        if (action, error_number(answer)) in ALREADY:
            return False
        check(answer, CONTROL, action)
        return True

    def state(self) -> AppState | None:
        """None when it is not installed."""
        answer = self._ask("GET", "applications/list.cgi")
        try:
            root = xml.etree.ElementTree.fromstring(answer)
        except xml.etree.ElementTree.ParseError as error:
            raise CameraError(f"its list of applications cannot be read: {error}") from error
        for entry in root.iter("application"):
            if entry.get("Name") == APP:
                signed = entry.get("SignatureStatus") or entry.get("SignedStatus") or "unknown"
                return AppState(entry.get("Version", "?"), entry.get("Status", "?"), signed)
        return None

    def wait_until_running(self, patience_s: float) -> AppState:
        """A program that ends at once is started again and again: seen running twice counts."""
        deadline = time.monotonic() + patience_s
        seen = 0
        while True:
            state = self.state()
            seen = seen + 1 if state and state.status == "Running" else 0
            if seen == 2:
                return state
            if time.monotonic() > deadline:
                raise CameraError(
                    "it was started but does not run", "read its log: 'camera.py log'"
                )
            time.sleep(0.5)

    def log(self) -> str:
        return self._ask("GET", "admin/systemlog.cgi", params={"appname": APP})

    def _group(self) -> str:
        """Cameras write the group's first letter in either case: take theirs."""
        for group in (f"root.{APP}", f"root.{APP.capitalize()}"):
            found = self.parameters(group)
            if found:
                return next(iter(found)).rpartition(".")[0]
        raise CameraError(
            "it keeps no parameters of the application", "'camera.py install' first"
        )

    def configure(self, values: dict[str, str]) -> None:
        """Sets parameters. In the body of a POST: an address line would end up in a log."""
        group = self._group()
        form = {"action": "update", **{f"{group}.{name}": v for name, v in values.items()}}
        answer = self._ask("POST", "param.cgi", data=form)
        if not answer.strip().startswith("OK"):
            # the camera may quote the value: say which parameters, not what it answered
            raise CameraError(f"it refused to set {', '.join(values)}", "check the values' ranges")
