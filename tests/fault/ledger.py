"""The conservation rule: produced = stored in S3 + in the spool + declared lost.

Works on bytes, without the project's own parser: what is read here is what a stranger would read.
What was produced is known from the ring's file, read while its process is dead: rows that are lost
there would otherwise be hidden by others that get their numbers.
"""

import dataclasses
import pathlib
import struct

HEADER_START = b"elapsed_time,"
COLUMNS = 19
WALL_US, BOOT, SEQ, EVENT = 2, 5, 6, 18

# include/core/ring.h and include/core/record.h
RING_HEADER = struct.Struct("<6I")
RING_LINE = 128
RECORD = struct.Struct("<QIIIIqqq")


def waiting_records(ring: pathlib.Path) -> list[tuple[bytes, int, int]]:
    """(boot id, seq, wall clock in us) of what waits in a ring whose process is dead."""
    memory = ring.read_bytes()
    if len(memory) < 3 * RING_LINE:
        return []
    _magic, _version, slot_size, capacity, _owner, _check = RING_HEADER.unpack_from(memory)
    produced, consumed = (
        struct.unpack_from("<I", memory, line * RING_LINE)[0] for line in (1, 2)
    )
    if capacity == 0 or (produced - consumed) % 2**32 > capacity:
        return []
    found = []
    for index in range((produced - consumed) % 2**32):
        slot = (consumed + index) % capacity
        seq, boot, _, _, _, _, _, wall_ns = RECORD.unpack_from(
            memory, 3 * RING_LINE + slot * slot_size
        )
        found.append((b"%08x" % boot, seq, wall_ns // 1000))
    return found


@dataclasses.dataclass
class Ledger:
    """All rows of one camera, wherever they are now."""

    # by (boot id, seq)
    stored: dict[tuple[bytes, int], bytes] = dataclasses.field(default_factory=dict)
    spooled: dict[tuple[bytes, int], bytes] = dataclasses.field(default_factory=dict)
    lost: dict[bytes, set[int]] = dataclasses.field(default_factory=dict)
    produced: dict[tuple[bytes, int], int] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)
    repeats: int = 0  # identical files that were uploaded again
    _bodies: set[bytes] = dataclasses.field(default_factory=set)

    def problem(self, text: str) -> None:
        self.problems.append(text)

    def add_stored(self, body: bytes, place: str = "S3") -> None:
        """One version of the object; an exact repeat of a file is what a lost answer may cost."""
        if body in self._bodies:
            self.repeats += 1
            return
        self._bodies.add(body)
        for key, line in self._rows(body, place):
            if key in self.stored:
                self.problem(f"{place}: row {key} is in two different files")
            self.stored[key] = line

    def add_spool(self, folder: pathlib.Path) -> None:
        """The files of a stopped logger, the active segment included."""
        for note in folder.glob("[0-9]*.evicted"):  # lost, and the next row will say so
            _number, boot, first, last = note.stem.split("-")
            self.lost.setdefault(boot.encode(), set()).update(range(int(first), int(last) + 1))
        for path in sorted(folder.glob("[0-9]*.csv")) + sorted(folder.glob("[0-9]*.csv.part")):
            body = path.read_bytes()
            if body in self._bodies:
                self.repeats += 1  # uploaded; killed before it was deleted
                continue
            if not body and path.name.endswith(".part"):
                continue
            for key, line in self._rows(body, path.name):
                if key in self.spooled or key in self.stored:
                    self.problem(f"{path.name}: row {key} is in two files")
                self.spooled[key] = line

    def _rows(self, body: bytes, place: str):
        if not body.startswith(HEADER_START) or not body.endswith(b"\n"):
            self.problem(f"{place}: torn or without a header: ...{body[-60:]!r}")
            return
        before = 0
        for line in body.split(b"\n")[1:-1]:
            fields = line.split(b",")
            if len(fields) != COLUMNS or len(fields[BOOT]) != 8 or not fields[SEQ].isdigit():
                self.problem(f"{place}: no whole row: {line!r}")
                continue
            seq = int(fields[SEQ])
            if seq <= before:
                self.problem(f"{place}: seq {seq} after {before}")
            before = seq
            if fields[EVENT]:
                self._declare(fields[BOOT], seq, fields[EVENT])
            yield (fields[BOOT], seq), line

    def _declare(self, boot: bytes, seq: int, events: bytes) -> None:
        lost = self.lost.setdefault(boot, set())
        for word in events.split(b";"):
            name, _, value = word.partition(b"=")
            if name == b"dropped":
                lost.update(range(seq - int(value), seq))
            elif name == b"evicted":
                first, _, last = value.partition(b"-")
                lost.update(range(int(first), int(last) + 1))

    def _check_produced(self) -> None:
        """What was seen in the ring is there, and under its number nothing else."""
        for key, wall_us in self.produced.items():
            line = self.stored.get(key) or self.spooled.get(key)
            if line is None and key[1] in self.lost.get(key[0], set()):
                continue
            if line is None:
                self.problem(f"row {key} was in the ring and is nowhere")
            elif int(line.split(b",")[WALL_US]) != wall_us:
                self.problem(f"row {key} was in the ring and another has its number")

    def check(self) -> list[str]:
        """Everything that breaks the rule; empty = all is well."""
        there: dict[bytes, set[int]] = {}
        for boot, seq in list(self.stored) + list(self.spooled):
            there.setdefault(boot, set()).add(seq)
        for boot, seqs in there.items():
            lost = self.lost.get(boot, set())
            missing = set(range(1, max(seqs) + 1)) - seqs - lost
            if missing:
                self.problem(
                    f"boot {boot.decode()}: {len(missing)} rows are nowhere and were not "
                    f"declared, {min(missing)}..{max(missing)}"
                )
            # In S3 they may be: uploaded, killed before they were deleted, and then evicted.
            both = {seq for key, seq in self.spooled if key == boot} & lost
            if both:
                self.problem(
                    f"boot {boot.decode()}: {len(both)} rows are declared lost and are there, "
                    f"{min(both)}..{max(both)}"
                )
        self._check_produced()
        return self.problems

    @property
    def figures(self) -> str:
        declared = sum(len(seqs) for seqs in self.lost.values())
        return (
            f"{len(self.stored)} rows in S3, {len(self.spooled)} in the spool, "
            f"{declared} declared lost, {self.repeats} files repeated identically"
        )
