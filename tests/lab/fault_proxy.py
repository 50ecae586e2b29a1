"""A proxy in front of a real S3 server whose faults are switched while it runs.

In a test:

    with FaultProxy(("127.0.0.1", 8000)) as proxy:
        urls = s3.presign("time_log.csv", endpoint=proxy.endpoint)
        proxy.set(faults.status(503, retry_after="2", times=3))

By hand, with a fault on each line of stdin:

    PYTHONPATH=tests python3 -m lab.fault_proxy --upstream 127.0.0.1:8000 --port 8001

It never rewrites Host, so URLs must be signed for the proxy's own address.
"""

import argparse
import dataclasses
import socket
import ssl
import sys
import threading
import time

from lab import faults
from lab.faults import Fault
from lab.http_exchange import ClientGone, Exchange, read_head


@dataclasses.dataclass(frozen=True)
class Served:
    """One request that came in; never its query, which holds a signature."""

    at_s: float
    method: str
    path: str
    length: int
    fault: str
    status: int | None
    headers: dict[str, str] = dataclasses.field(repr=False, default_factory=dict)


class FaultProxy:
    """Listens on loopback; one thread for each connection."""

    def __init__(
        self, upstream: tuple[str, int], port: int = 0, certificate: tuple[str, str] | None = None
    ):
        self.upstream = upstream
        self._lock = threading.Lock()
        self._fault = faults.NO_FAULT
        self._left: int | None = None
        self._log: list[Served] = []
        self._connections: set[socket.socket] = set()
        self._in_progress: list[Exchange] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._listener: socket.socket | None = None
        self.port = port
        self.up()

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """What URLs must be signed for."""
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    def set(self, fault: Fault) -> None:
        """Applies to every request that comes from now on; one in progress goes on as it began."""
        with self._lock:
            self._fault = fault
            self._left = fault.times

    def clear(self) -> None:
        """Passes everything on again."""
        self.set(faults.NO_FAULT)

    def log(self, path_part: str = "") -> list[Served]:
        """What was served so far, oldest first. A client may see its answer a moment earlier."""
        with self._lock:
            return [served for served in self._log if path_part in served.path]

    def in_progress(self, path_part: str = "") -> int:
        """Requests whose head came in and that were not ended yet."""
        with self._lock:
            return sum(path_part in exchange.path for exchange in self._in_progress)

    def down(self) -> None:
        """Refuses connections and drops those that are open."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # close alone would not wake the thread in accept
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._drop_connections()

    def up(self) -> None:
        """Listens on its port, again if need be."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._start(self._accept, listener)

    def stop(self) -> None:
        """Ends every thread; hanging requests end, too."""
        self._stopping.set()
        if self._listener is not None:
            self.down()
        self._drop_connections()
        for thread in self._threads:
            thread.join(10)

    def _drop_connections(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # already gone

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        raw = connection
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._serve_requests(connection)
        except (OSError, ClientGone):
            pass  # the client's or the fault's end of it
        finally:
            with self._lock:
                self._connections.discard(raw)
            connection.close()

    def _serve_requests(self, connection: socket.socket) -> None:
        early = b""
        went_stale = False
        while (head := read_head(connection, early)) is not None:
            exchange = Exchange(connection, head[1], head[0], self._stopping)
            if went_stale:
                exchange.reset()
                self._note(exchange, "stale reset")
                return
            fault = self._begin(exchange)
            try:
                self._apply(fault, exchange)
            finally:
                self._note(exchange, fault.name)
            if not exchange.keep_open:
                return
            went_stale = fault.name == faults.STALE
            early = b""

    def _apply(self, fault: Fault, exchange: Exchange) -> None:
        if exchange.chunked:
            exchange.answer(501, "Not Implemented", {}, b"the fault proxy wants Content-Length\n")
            return
        fault.action(exchange, self.upstream)

    def _begin(self, exchange: Exchange) -> Fault:
        with self._lock:
            self._in_progress.append(exchange)
            fault = self._fault
            if fault.only not in exchange.path or self._left == 0:
                return faults.NO_FAULT
            if self._left is not None:
                self._left -= 1
            return fault

    def _note(self, exchange: Exchange, fault: str) -> None:
        served = Served(
            at_s=time.monotonic(),
            method=exchange.method,
            path=exchange.path,
            length=exchange.length,
            fault=fault,
            status=exchange.sent_status,
            headers=exchange.headers,
        )
        with self._lock:
            self._log.append(served)
            if exchange in self._in_progress:
                self._in_progress.remove(exchange)


def main() -> int:
    """Runs one proxy and reads faults from stdin until it ends."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    args = parser.parse_args()
    host, _, port = args.upstream.rpartition(":")
    with FaultProxy((host, int(port)), args.port) as proxy:
        print(proxy.endpoint, flush=True)
        for line in sys.stdin:
            try:
                fault = faults.parse(line)
            except ValueError as error:
                print(f"fault_proxy: {error}", file=sys.stderr)
                continue
            proxy.set(fault)
            print(f"now: {fault.name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
