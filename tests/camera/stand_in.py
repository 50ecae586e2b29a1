"""A small camera as VAPIX shows it: digest login, parameters, packages, their state, the log.

Answers are as published: status 200 with "OK" or "Error: N" in the body. It takes apart what is
uploaded, so a package that a camera would refuse is refused here for the same reason.
"""

import email.parser
import email.policy
import hashlib
import http.server
import io
import json
import re
import secrets
import ssl
import tarfile
import threading
import urllib.parse
from xml.sax.saxutils import quoteattr

REALM = "AXIS_ACCC8E000000"


class Refused(Exception):
    """Ends a request with "Error: N"."""


class StandIn:
    """State and behaviour; `address` is where it listens."""

    def __init__(self, arch="aarch64", firmware="12.6.100", algorithm="MD5", tls=None,
                 password="camera-secret"):
        self.arch = arch
        self.firmware = firmware
        self.algorithm = algorithm
        self.password = password
        self.nonce = secrets.token_hex(8)
        self.allow_unsigned = False
        self.apps: dict[str, dict] = {}
        self.params: dict[str, str] = {}
        self.log = ["ntp_logger[7]: started"]
        self.crashes = False
        self.upload_error: int | None = None
        self.requests: list[str] = []
        self.lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.address = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # ---- login ------------------------------------------------------------------------------

    def challenge(self) -> str:
        return (f'Digest realm="{REALM}", nonce="{self.nonce}", qop="auth", '
                f"algorithm={self.algorithm}")

    def _digest(self, text: str) -> str:
        make = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[self.algorithm]
        return make(text.encode()).hexdigest()

    def login_is_good(self, method: str, header: str) -> bool:
        if not header.startswith("Digest "):
            return False
        pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', header)
        said = {name: quoted or bare for name, quoted, bare in pairs}
        if said.get("username") != "root" or said.get("nonce") != self.nonce:
            return False
        first = self._digest(f"root:{REALM}:{self.password}")
        second = self._digest(f"{method}:{said['uri']}")
        want = self._digest(
            f"{first}:{self.nonce}:{said['nc']}:{said['cnonce']}:{said['qop']}:{second}"
        )
        return secrets.compare_digest(want, said["response"])

    # ---- what is asked ----------------------------------------------------------------------

    def answer(self, path: str, query: dict, body: bytes, kind: str) -> str:
        table = {
            "/axis-cgi/param.cgi": self._param,
            "/axis-cgi/applications/upload.cgi": self._upload,
            "/axis-cgi/applications/control.cgi": self._control,
            "/axis-cgi/applications/list.cgi": self._list,
            "/axis-cgi/applications/config.cgi": self._config,
            "/axis-cgi/admin/systemlog.cgi": self._systemlog,
        }
        if path not in table:
            raise FileNotFoundError(path)
        if "urlencoded" in kind:
            query = query | dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        try:
            return table[path](query, body, kind)
        except Refused as refused:
            return f"Error: {refused}\n"

    def _param(self, query: dict, _body, _kind) -> str:
        known = {
            "root.Properties.System.Architecture": self.arch,
            "root.Properties.Firmware.Version": self.firmware,
            **self.params,
        }
        if query["action"] == "list":
            group = query["group"]
            lines = [f"{name}={value}" for name, value in known.items()
                     if name == group or name.startswith(group + ".")]
            nothing = f"# Error: Error -1 getting param in group '{group}'"
            return "\n".join(lines or [nothing]) + "\n"
        wanted = {name: value for name, value in query.items() if name != "action"}
        for name in wanted:
            if name not in self.params:
                return f"# Error: Error setting '{name}' to '{wanted[name]}'!\n"
        self.params.update(wanted)
        return "OK\n"

    def _upload(self, _query, body: bytes, kind: str) -> str:
        if self.upload_error:
            raise Refused(self.upload_error)
        content = self._part(body, kind)
        if content is None:
            raise Refused(3)
        try:
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
                manifest = json.load(archive.extractfile("manifest.json"))
                params = archive.extractfile("param.conf").read().decode()
        except (tarfile.TarError, KeyError, EOFError, OSError) as error:
            raise Refused(1) from error
        except ValueError as error:
            raise Refused(29) from error
        self._install(manifest["acapPackageConf"]["setup"], params)
        return "OK\n"

    def _install(self, setup: dict, params: str) -> None:
        name = setup["appName"]
        if setup.get("architecture") not in (self.arch, "all"):
            raise Refused(5)
        if int(self.firmware.split(".")[0]) >= 12 and not self.allow_unsigned:
            raise Refused(2)
        if any(known.lower() == name.lower() and known != name for known in self.apps):
            raise Refused(14)
        old = self.apps.get(name, {"status": "Stopped"})
        self.apps[name] = {"version": setup["version"], "status": old["status"]}
        for line in params.splitlines():
            key, value = re.fullmatch(r'(\w+)="(.*?)" type=".*"', line).groups()
            self.params.setdefault(f"root.{name.capitalize()}.{key}", value)

    @staticmethod
    def _part(body: bytes, kind: str) -> bytes | None:
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
        )
        for part in message.iter_parts():
            named = part.get_param("name", header="content-disposition") in ("packfil", "file")
            if named and part.get_filename():
                return part.get_payload(decode=True)
        return None

    def _control(self, query: dict, _body, _kind) -> str:
        app = self.apps.get(query["package"])
        if app is None:
            raise Refused(4)
        action, running = query["action"], app["status"] == "Running"
        if action == "start" and running:
            raise Refused(6)
        if action == "stop" and not running:
            raise Refused(7)
        if action == "remove":
            del self.apps[query["package"]]
            self.params = {}
        else:
            app["status"] = "Stopped" if action == "stop" or self.crashes else "Running"
            self.log.append(f"ntp_logger[8]: {action}")
        return "OK\n"

    def _list(self, _query, _body, _kind) -> str:
        entries = [
            f"<application Name={quoteattr(name)} NiceName='NTP logger' "
            f"Version={quoteattr(app['version'])} Status={quoteattr(app['status'])} "
            "SignatureStatus='Unsigned' />"
            for name, app in self.apps.items()
        ]
        return f"<reply result='ok'>{''.join(entries)}<application Name='other' /></reply>"

    def _config(self, query: dict, _body, _kind) -> str:
        if int(self.firmware.split(".")[0]) >= 13:
            raise Refused(10)
        assert query["name"] == "AllowUnsigned"
        self.allow_unsigned = query["value"] == "true"
        return "<reply result='ok'/>"

    def _systemlog(self, query: dict, _body, _kind) -> str:
        assert query["appname"] == "ntp_logger"
        return "\n".join(self.log) + "\n"

    # ---- HTTP -------------------------------------------------------------------------------

    def _handler(self):
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args):
                pass

            def _reply(self, status: int, text: str, headers=()) -> None:
                body = text.encode()
                self.send_response(status)
                for name, value in [*headers, ("Content-Length", str(len(body)))]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urllib.parse.urlsplit(self.path)
                stand_in.requests.append(f"{self.command} {self.path}")
                login = self.headers.get("Authorization", "")
                if not stand_in.login_is_good(self.command, login):
                    self._reply(401, "", [("WWW-Authenticate", stand_in.challenge())])
                    return
                query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                try:
                    with stand_in.lock:
                        text = stand_in.answer(
                            url.path, query, body, self.headers.get("Content-Type", "")
                        )
                except FileNotFoundError:
                    self._reply(404, "")
                    return
                self._reply(200, text)

            do_GET = do_POST = _serve

        return Handler
