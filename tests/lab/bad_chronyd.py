"""A daemon that speaks chronyd's protocol and misbehaves: each answer spoilt in another way."""

import pathlib
import random
import socket
import struct
import threading
import time

DATA = pathlib.Path(__file__).parents[1] / "data" / "chrony"
GOOD_OFFSET = "0.050001159"  # what the vector says: the clock is fast
ABSURD_STRATUM = 9
TRACKING, N_SOURCES, SOURCE_DATA, SOURCESTATS, ACTIVITY = 33, 14, 15, 34, 44
ABSURD_FLOATS = (0x7EFFFFFF, 0x7F000000, 0x7F000001, 0x7EFFFFFE)


class BadChronyd:
    """Answers on loopback; each tracking request gets the next of `manners`, by name."""

    def __init__(self, manners: list[str], seed: int = 1):
        self.manners = manners
        self.served: list[str] = []
        self._dice = random.Random(seed)
        self._good = (DATA / "v02-fast.bin").read_bytes()
        self._late: bytes | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._where = self._socket.getsockname()
        self.address = f"127.0.0.1:{self._where[1]}"
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "BadChronyd":
        return self

    def __exit__(self, *_exc) -> None:
        self._stopping = True
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", self._where)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            request, client = self._socket.recvfrom(1024)
            if self._stopping:
                return
            for reply in self._replies(request):
                self._socket.sendto(reply, client)

    def _replies(self, request: bytes) -> list[bytes]:
        command = struct.unpack(">H", request[4:6])[0]
        if command != TRACKING:
            return [_list_reply(request, command)]
        manner = self.manners[len(self.served) % len(self.manners)]
        self.served.append(manner)
        return getattr(self, f"_{manner}")(self._fresh(request))

    def _fresh(self, request: bytes) -> bytes:
        now = struct.pack(">QI", int(time.time()), 0)
        return self._good[:16] + request[8:12] + self._good[20:56] + now + self._good[68:]

    # ---- one way to answer each; REPLY is the right answer ------------------------------------

    def _good_one(self, reply: bytes) -> list[bytes]:
        return [reply]

    def _short(self, reply: bytes) -> list[bytes]:
        return [reply[: self._dice.randrange(0, 104)]]

    def _long(self, reply: bytes) -> list[bytes]:
        return [reply + self._dice.randbytes(200)]

    def _twice(self, reply: bytes) -> list[bytes]:
        return [reply, reply]

    def _late_one(self, reply: bytes) -> list[bytes]:
        before, self._late = self._late, reply
        return [before] if before else []

    def _other_command(self, reply: bytes) -> list[bytes]:
        return [reply[:4] + b"\0\x22" + reply[6:]]

    def _other_version(self, reply: bytes) -> list[bytes]:
        return [b"\x07" + reply[1:]]

    def _other_sequence(self, reply: bytes) -> list[bytes]:
        return [reply[:16] + self._dice.randbytes(4) + reply[20:]]

    def _refused(self, reply: bytes) -> list[bytes]:
        status = self._dice.choice([2, 18, 19])
        return [reply[:6] + struct.pack(">HH", 1, status) + reply[10:28]]

    def _absurd(self, reply: bytes) -> list[bytes]:
        floats = struct.pack(">9I", *(self._dice.choice(ABSURD_FLOATS) for _ in range(9)))
        return [reply[:52] + struct.pack(">H", ABSURD_STRATUM) + reply[54:68] + floats]

    def _noise(self, reply: bytes) -> list[bytes]:
        return [self._dice.randbytes(self._dice.randrange(0, 200)), *[reply[:27]] * 30]


MANNERS = (
    "good_one short long twice late_one other_command other_version other_sequence refused absurd "
    "noise good_one"
).split()


def _list_reply(request: bytes, command: int) -> bytes:
    """No sources at all, so that only tracking matters."""
    code, size = {N_SOURCES: (2, 32), ACTIVITY: (12, 48)}.get(command, (1, 28))
    status = 0 if code != 1 else 4
    header = struct.pack(">BBBBHHHHHH", 6, 2, 0, 0, command, code, status, 0, 0, 0)
    return (header + request[8:12]).ljust(size, b"\0")
