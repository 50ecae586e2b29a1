"""One HTTP request on one connection of the fault proxy, and what can be done with it.

Knows just enough HTTP/1.1 to stand in front of an S3 server: request heads are passed on byte for
byte, since the Host header is part of a presigned URL's signature.
"""

import http.client
import socket
import struct
import threading
import time

HEAD_LIMIT = 65536
UPSTREAM_TIMEOUT_S = 60


class ClientGone(Exception):
    """The client closed its connection, or the proxy is being stopped."""


class Exchange:
    """A parsed request head, its connection and the ways to answer it."""

    def __init__(self, client: socket.socket, early: bytes, head: bytes, stopping: threading.Event):
        self.client = client
        self.head = head
        self.stopping = stopping
        self.sent_status: int | None = None
        self.keep_open = False
        self._early = early
        self._body: bytes | None = None
        request_line, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = request_line.split(" ", 2)
        self.path = self.target.split("?", 1)[0]
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        self.headers = {name.strip().lower(): value.strip() for name, value in pairs}
        self.length = int(self.headers.get("content-length", "0"))
        self.chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        self.expects_continue = "100-continue" in self.headers.get("expect", "").lower()

    def wait(self, seconds: float | None) -> None:
        """Waits; None waits until the client or the proxy gives up."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.stopping.is_set():
            left = 0.1 if deadline is None else min(0.1, deadline - time.monotonic())
            if left <= 0:
                return
            self.stopping.wait(left)
            if deadline is None and self._client_closed():
                raise ClientGone
        raise ClientGone

    def _client_closed(self) -> bool:
        self.client.settimeout(0.001)
        try:
            # an unread body counts as alive; TLS cannot peek, so it reads and keeps
            data = self.client.recv(65536)
        except (TimeoutError, OSError) as error:
            return not isinstance(error, TimeoutError)
        finally:
            self.client.settimeout(None)
        self._early += data
        return data == b""

    def read_body(self, bytes_per_s: float | None = None, limit: int | None = None) -> bytes:
        """Reads the body, or its first `limit` bytes, slowly when told so; repeats are free."""
        if self._body is not None:
            return self._body
        want = self.length if limit is None else min(limit, self.length)
        if self.expects_continue and len(self._early) < want:
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._early
        chunk = 65536 if bytes_per_s is None else max(1, int(bytes_per_s / 10))
        while len(body) < want:
            data = self.client.recv(min(chunk, want - len(body)))
            if not data:
                raise ClientGone
            body += data
            if bytes_per_s is not None:
                self.wait(len(data) / bytes_per_s)
        if limit is None:
            self._body = body[:want]
        return body[:want]

    def forward(self, upstream: tuple[str, int]) -> bytes:
        """Sends the request to the real server and returns its whole answer."""
        body = self.read_body()
        with socket.create_connection(upstream, timeout=UPSTREAM_TIMEOUT_S) as server:
            server.sendall(self.head + b"\r\n\r\n" + body)
            response = http.client.HTTPResponse(server, method=self.method)
            response.begin()
            content = response.read()
        self.sent_status = response.status
        lines = [f"HTTP/1.1 {response.status} {response.reason}"]
        framing = ("transfer-encoding", "content-length", "connection", "keep-alive")
        lines += [f"{k}: {v}" for k, v in response.getheaders() if k.lower() not in framing]
        length = response.getheader("content-length") if self.method == "HEAD" else len(content)
        if response.status != 204:
            lines.append(f"Content-Length: {length}")
        self.keep_open = self.headers.get("connection", "").lower() != "close"
        lines.append("Connection: " + ("keep-alive" if self.keep_open else "close"))
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content

    def answer(self, status: int, reason: str, headers: dict[str, str], body: bytes) -> None:
        """Answers in the server's place and closes the connection."""
        # a server refuses before the body when the client asks first with Expect
        if not self.expects_continue:
            self.read_body()
        lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()] + ["Connection: close"]
        self.sent_status = status
        self.client.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def reset(self) -> None:
        """Ends the connection with a TCP reset."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep_open = False
        self.client.close()


def read_head(client: socket.socket, early: bytes) -> tuple[bytes, bytes] | None:
    """(head without its blank line, bytes read beyond it), or None when the client is done."""
    data = early
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more or len(data) > HEAD_LIMIT:
            return None
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return head, rest
