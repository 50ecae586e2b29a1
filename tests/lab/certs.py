"""Certificates for tests, with any name and any span of validity, from a CA made for the purpose."""

import datetime
import pathlib
import subprocess

CA_CONFIG = """
[ca]
default_ca = lab
[lab]
dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


def _openssl(*words) -> None:
    done = subprocess.run(
        ["openssl", *map(str, words)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"openssl {' '.join(map(str, words))}:\n{done.stderr}"


def _new_key() -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def days_from_now(days: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)


class Authority:
    """A certificate authority in a folder; `ca` is what a client must trust."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.ca = folder / "ca.pem"
        self._config = folder / "ca.cnf"
        self._config.write_text(CA_CONFIG.format(folder=folder))
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("1000\n")
        self._make_root()

    def _make_root(self) -> None:
        extensions = self.folder / "root.ext"
        extensions.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        request = self.folder / "root.csr"
        key = self.folder / "ca.key"
        _openssl("req", *_new_key(), "-subj", "/CN=test CA", "-keyout", key, "-out", request)
        self._sign(request, self.ca, extensions, days_from_now(-3650), days_from_now(7300), True)

    def _sign(self, request, out, extensions, start, end, self_signed=False) -> None:
        signer = ("-selfsign",) if self_signed else ("-cert", self.ca)
        stamp = "%Y%m%d%H%M%SZ"
        _openssl(
            *("ca", "-batch", "-notext", "-config", self._config, *signer),
            *("-keyfile", self.folder / "ca.key", "-in", request, "-out", out),
            *("-startdate", start.strftime(stamp), "-enddate", end.strftime(stamp)),
            *("-extfile", extensions),
        )

    def issue(
        self, label: str, name: str = "localhost", from_days: float = -30, to_days: float = 30
    ) -> tuple[str, str]:
        """A server certificate for `name`; returns the paths of certificate and key."""
        certificate, key = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        request, extensions = self.folder / f"{label}.csr", self.folder / f"{label}.ext"
        extensions.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n")
        _openssl("req", *_new_key(), "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self._sign(request, certificate, extensions, days_from_now(from_days), days_from_now(to_days))
        return str(certificate), str(key)
