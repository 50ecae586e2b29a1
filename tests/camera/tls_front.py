"""A TLS server in front of the plain radosgw, with a certificate that is good for many years."""

import contextlib
import pathlib
import socket
import ssl
import subprocess
import threading


def make_certificate(folder: pathlib.Path, days: int) -> pathlib.Path:
    """A self-signed certificate for 127.0.0.1, key in the same file."""
    both = folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", str(days), "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )
    both.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return both


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class TlsFront:
    """Ends TLS and passes the bytes on; `accepted` counts handshakes that succeeded."""

    def __init__(self, certificate: pathlib.Path, behind: tuple[str, int]):
        self._behind = behind
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._one, args=(plain,), daemon=True).start()

    def _one(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            with self._context.wrap_socket(plain, server_side=True) as front:
                self.accepted += 1
                with socket.create_connection(self._behind) as back:
                    up = threading.Thread(target=_pump, args=(front, back), daemon=True)
                    up.start()
                    _pump(back, front)
                    up.join(10)
