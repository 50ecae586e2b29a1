#!/usr/bin/python3
"""The power fails after any step: at most the rows since the last commit are gone.

A recorder (LD_PRELOAD) writes down what the spool does to its files. Then the power is cut after
each of these steps: of what was not yet synced, the disk may hold anything, all, nothing, a torn
part, pages of zeros, some names and not others. The spool recovers each such disk, and every row
that was promised must be there once. Recovery itself is recorded and cut, too.

Three writers with known faults (no sync of the folder, promised before synced, renamed before
synced) must be found out, and a good one must not: else the proof proves nothing.
"""

import dataclasses
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from common import BUILD, Progress, finish, parser, seed_of, tmpfs
from ledger import Ledger

BOOT, NEXT_BOOT = "1a2b3c4d", "feedbeef"
PAGE = 512
STEPS, QUOTA = 40, 12000
NESTED_SHARE = 0.03


@dataclasses.dataclass
class File:
    """One inode: what is on the disk for good, and what is on its way there."""

    durable: bytes = b""
    pending: list = dataclasses.field(default_factory=list)

    def grown(self, steps: list) -> bytes:
        data = bytearray(self.durable)
        for offset, part in steps:
            if part is None:
                data = data[:offset] + bytes(max(0, offset - len(data)))
                continue
            data += bytes(max(0, offset - len(data)))
            data[offset : offset + len(part)] = part
        return bytes(data)

    def sync(self) -> None:
        self.durable, self.pending = self.grown(self.pending), []

    def after_cut(self, dice: random.Random) -> bytes:
        """What may be found: nothing new, all, torn at some byte, or pages that never came."""
        if not self.pending:
            return self.durable
        fate = dice.randrange(4)
        if fate == 0:
            return self.durable
        whole = self.grown(self.pending)
        if fate == 1:
            return whole
        if fate == 2:
            steps = self.pending[: dice.randint(1, len(self.pending))]
            offset, part = steps[-1]
            if part is not None:
                steps = steps[:-1] + [(offset, part[: dice.randint(0, len(part))])]
            return self.grown(steps)
        # the size came, some pages did not: there the old content or zeros are found
        data = bytearray(whole)
        for at in range(0, len(data), PAGE):
            if dice.random() < 0.5:
                old = self.durable[at : at + PAGE]
                end = min(at + PAGE, len(data))
                data[at:end] = (old + bytes(PAGE))[: end - at]
        return bytes(data)


class Disk:
    """The folder and its files as a sequence of recorded steps makes them."""

    def __init__(self, found: dict[str, bytes] | None = None):
        self.files: dict[str, File] = {}
        self.names: dict[str, str] = {}  # durable
        self.pending: list[tuple] = []
        for number, (name, data) in enumerate((found or {}).items()):
            self.names[name] = f"old{number}"
            self.files[f"old{number}"] = File(durable=data)

    def _file(self, inode: str) -> File:
        return self.files.setdefault(inode, File())

    def step(self, words: list[str]) -> None:
        kind = words[0]
        if kind == "C":
            self.files[words[1]] = File()
            self.pending.append(("C", words[2], words[1]))
        elif kind == "W":
            self._file(words[1]).pending.append((int(words[2]), bytes.fromhex(words[3])))
        elif kind == "T":
            self._file(words[1]).pending.append((int(words[2]), None))
        elif kind == "D":
            self._file(words[1]).sync()
        elif kind == "F":
            self.names, self.pending = self._named(self.pending), []
        elif kind in "RU":
            self.pending.append(tuple(words))

    def _named(self, steps) -> dict[str, str]:
        names = dict(self.names)
        for step in steps:
            if step[0] == "C":
                names[step[1]] = step[2]
            elif step[0] == "R" and step[1] in names:
                names[step[2]] = names.pop(step[1])
            elif step[0] == "U":
                names.pop(step[1], None)
        return names

    def after_cut(self, dice: random.Random) -> dict[str, bytes]:
        """Name -> content of one disk that the cut may leave."""
        fate = dice.randrange(4)
        steps = self.pending
        if fate == 0:
            steps = []
        elif fate == 1:
            steps = steps[: dice.randint(0, len(steps))]
        elif fate == 2:
            steps = [step for step in steps if dice.random() < 0.5]
        found, seen = {}, {}
        for name, inode in self._named(steps).items():
            if inode not in seen:
                seen[inode] = self._file(inode).after_cut(dice)
            found[name] = seen[inode]
        return found


@dataclasses.dataclass
class Promises:
    """What the writer has said by the moment of the cut."""

    committed: int = 0
    excused: set = dataclasses.field(default_factory=set)  # stored in S3, or told to be evicted

    def hear(self, words: list[str]) -> None:
        first, last = int(words[2]), int(words[3])
        if words[1] == "rows":
            self.committed = last
        else:
            self.excused.update(range(first, last + 1))

    def copy(self) -> "Promises":
        return Promises(self.committed, set(self.excused))


class Recovery:
    """A process that recovers one folder after the other."""

    def __init__(self):
        self.process = subprocess.Popen(
            [BUILD / "store_driver", "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def recover(self, folder: pathlib.Path, boot: str) -> int:
        self.process.stdin.write(f"{folder} {boot}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Proof:
    def __init__(self, seed: int, keep: bool):
        self.dice = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ntp-logger-cut-", dir=tmpfs()))
        self.recovery = Recovery()
        self.keep = keep
        self.cuts = 0
        self.nested = 0
        self.most_lost = 0

    def close(self) -> None:
        self.recovery.close()
        if not self.keep:
            shutil.rmtree(self.folder)

    def record(self, *words, found: dict[str, bytes] | None = None, **env) -> list[list[str]]:
        """Runs the driver on a folder with these files; the steps it was seen to make."""
        spool, log = self.folder / "recorded", self.folder / "log"
        self.fill(spool, found or {})
        log.unlink(missing_ok=True)
        before = {str(path.stat().st_ino): path.name for path in spool.iterdir()}
        command = [BUILD / "store_driver"] + [str(spool) if w == "DIR" else str(w) for w in words]
        settings = {"RECORD_ROOT": spool, "RECORD_LOG": log, "LD_PRELOAD": BUILD / "librecorder.so"}
        log.touch()
        done = subprocess.run(
            command, env={**os.environ, **{k: str(v) for k, v in settings.items()}, **env}
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}"
        old = {inode: f"old{number}" for number, inode in enumerate(before)}
        order = list(before.values())
        self.found_in_order = {name: (found or {})[name] for name in order}
        steps = [line.split(" ") for line in log.read_text().splitlines()]
        for words in steps:
            if words[0] in "WTD" and words[1] in old:
                words[1] = old[words[1]]
        return steps

    @staticmethod
    def fill(folder: pathlib.Path, found: dict[str, bytes]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        for name, data in found.items():
            (folder / name).parent.mkdir(exist_ok=True, mode=0o700)
            (folder / name).write_bytes(data)

    def judge(self, found: dict[str, bytes], promises: Promises, boot: str) -> list[str]:
        """Recovers what was found and compares it with what was promised."""
        self.cuts += 1
        folder = self.folder / "cut"
        self.fill(folder, found)
        code = self.recovery.recover(folder, boot)
        if code != 0:
            return [f"recovery ended with {code}"]
        ledger = Ledger()
        ledger.add_spool(folder)
        there = {seq for (_boot, seq) in ledger.spooled if _boot == BOOT.encode()}
        declared = set().union(*ledger.lost.values()) if ledger.lost else set()
        missing = set(range(1, promises.committed + 1)) - there - promises.excused - declared
        problems = list(ledger.problems)
        if missing:
            problems.append(f"{len(missing)} promised rows are gone, {min(missing)}..{max(missing)}")
        return problems

    def cut_everywhere(self, steps, found, promises, times: int, boot: str) -> list[str]:
        """Cuts after each step, TIMES different disks each; the problems of the first bad one."""
        disk = Disk(found)
        for number, words in enumerate(steps):
            if words[0] == "A":
                promises.hear(words)
            else:
                disk.step(words)
            for _ in range(times):
                left = disk.after_cut(self.dice)
                problems = self.judge(left, promises, boot)
                if not problems and boot == NEXT_BOOT and self.dice.random() < NESTED_SHARE:
                    problems = self.cut_recovery(left, promises)
                if problems:
                    text = " ".join(words[:3])[:60]
                    return [f"cut after step {number} ({text}): {problem}" for problem in problems]
        return []

    def cut_recovery(self, found: dict[str, bytes], promises: Promises) -> list[str]:
        """The power comes back, recovery runs, and the power fails again."""
        self.nested += 1
        steps = self.record("recover", "DIR", NEXT_BOOT, found=found)
        return self.cut_everywhere(steps, self.found_in_order, promises.copy(), 1, "0badcafe")


def prove(proof: Proof, cuts: int, times: int) -> list[str]:
    progress = Progress("power cuts", cuts)
    while proof.cuts < cuts:
        before = proof.cuts
        seed = proof.dice.randrange(1 << 31)
        steps = proof.record("run", "DIR", BOOT, seed, STEPS, QUOTA)
        problems = proof.cut_everywhere(steps, None, Promises(), times, NEXT_BOOT)
        if problems:
            return [f"store_driver run with seed {seed}: {text}" for text in problems]
        progress.step(proof.cuts - before)
    return []


def controls(proof: Proof) -> list[str]:
    """The faulty writers must be found out, the good one not."""
    problems = []
    for kind in ("good", "no-dir-sync", "ack-before-sync", "rename-without-sync"):
        steps = proof.record("bad", kind, "DIR", BOOT, 40)
        found = proof.cut_everywhere(steps, None, Promises(), 4, "0badcafe")
        print(f"control {kind}: {found[0] if found else 'nothing found'}", flush=True)
        if bool(found) == (kind == "good"):
            problems.append(f"control {kind}: judged wrongly")
    for call in ("fsync", "fdatasync"):
        steps = proof.record("run", "DIR", BOOT, 7, STEPS, QUOTA, RECORD_IGNORE=call)
        found = proof.cut_everywhere(steps, None, Promises(), 4, "0badcafe")
        print(f"control spool without {call}: {found[0] if found else 'nothing found'}", flush=True)
        if not found:
            problems.append(f"control without {call}: not found out")
    return problems


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--cuts", type=int, default=50000)
    options.add_argument("--times", type=int, default=4, help="different disks for each step")
    args = options.parse_args()
    proof = Proof(seed_of(args), args.keep)
    problems = controls(proof)
    proof.cuts = proof.nested = 0
    problems += prove(proof, args.cuts, args.times)
    if problems:
        print(f"the last disk: {proof.folder / 'cut'}", file=sys.stderr)
        proof.keep = True
    proof.close()
    return finish(
        "power_cut", problems, f"{proof.cuts} cuts, {proof.nested} recoveries cut again, 6 controls"
    )


if __name__ == "__main__":
    sys.exit(main())
