"""Our 13 lines are those of the real chronyc, byte for byte, for random replies of chronyd.

chronyc asks a UDP responder of ours; the same bytes go through the program's own decoder and
renderer. CHRONYC_REPLIES sets how many (default 1200), CHRONYC_SEED which.
"""

import os
import pathlib
import random
import socket
import struct
import subprocess
import threading

OURS = pathlib.Path(__file__).parents[2] / "build/lab/chrony/usr"
CHRONYC = pathlib.Path(os.environ.get("NTP_LAB_CHRONY", OURS)) / "bin/chronyc"
REPLIES = int(os.environ.get("CHRONYC_REPLIES", "1200"))
SEED = int(os.environ.get("CHRONYC_SEED", "20261122"))
REPLY_SIZE = 104


class Responder:
    """Answers each tracking request with the reply set last, its sequence patched in."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.reply = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            request, client = self.socket.recvfrom(1024)
            self.socket.sendto(self.reply[:16] + request[8:12] + self.reply[20:], client)


def random_float(dice: random.Random) -> int:
    """A word of chrony's float: any bits, or of a size that clocks have."""
    if dice.random() < 0.3:
        return dice.getrandbits(32)
    if dice.random() < 0.1:
        return dice.choice([0, 1, 0x80000000, 0x01000000, 0x7EFFFFFF, 0x7F000000, 0x81000000])
    exponent = dice.randint(-45, 20) & 0x7F
    return exponent << 25 | dice.getrandbits(25)


def random_seconds(dice: random.Random) -> int:
    """Seconds as 64 bits: of our days, of far ones, and any."""
    kind = dice.random()
    if kind < 0.6:
        return dice.randrange(2**32)
    if kind < 0.7:
        return 0x7FFFFFFF << 32 | dice.getrandbits(32)
    return dice.getrandbits(dice.randint(33, 64))


def random_address(dice: random.Random) -> bytes:
    family = dice.choice([0, 1, 1, 2, 2])
    size = {0: 0, 1: 4, 2: 16}[family]
    address = dice.randbytes(size)
    if family == 2:  # runs of zeros are where the short form is decided
        address = bytes(b if dice.random() < 0.4 else 0 for b in address)
    return address.ljust(16, b"\0") + struct.pack(">HH", family, 0)


def random_reply(dice: random.Random) -> bytes:
    seconds = random_seconds(dice)
    header = struct.pack(">BBBBHHHHHHIII", 6, 2, 0, 0, 33, 5, 0, 0, 0, 0, 0, 0, 0)
    reference = dice.choice([dice.randbytes(4), b"GPS\0", b"\x7f\x7f\1\1", bytes(4)])
    body = struct.pack(
        ">HHIII",
        dice.choice([0, 1, 4, 15, 16, dice.getrandbits(16)]),
        dice.choice([0, 0, 1, 2, 3, 4, dice.getrandbits(16)]),
        seconds >> 32,
        seconds & 0xFFFFFFFF,
        dice.getrandbits(32),
    )
    floats = struct.pack(">9I", *(random_float(dice) for _ in range(9)))
    reply = header + reference + random_address(dice) + body + floats
    assert len(reply) == REPLY_SIZE
    return reply


def render(replies: list[bytes]) -> list[str]:
    """What our renderer makes of them."""
    done = subprocess.run(
        [os.environ["RENDER_TRACKING"]], input=b"".join(replies), capture_output=True, check=True
    )
    return done.stdout.decode("ascii").split("\0")[:-1]


def ask_chronyc(responder: Responder, reply: bytes) -> str:
    responder.reply = reply
    command = [CHRONYC, "-n", "-h", "127.0.0.1", "-p", str(responder.port), "tracking"]
    done = subprocess.run(command, capture_output=True, timeout=30)
    assert done.returncode == 0, f"chronyc refused {reply.hex()}: {done.stdout} {done.stderr}"
    return done.stdout.decode("ascii")


def test_random_replies_are_rendered_as_chronyc_does():
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    replies = [random_reply(dice) for _ in range(REPLIES)]
    responder = Responder()
    ours = render(replies)
    assert len(ours) == REPLIES
    for number, (reply, text) in enumerate(zip(replies, ours)):
        theirs = ask_chronyc(responder, reply)
        assert text == theirs, f"reply {number}, seed {SEED}: {reply.hex()}"
    print(f"{REPLIES} replies, no difference")
