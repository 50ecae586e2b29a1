"""Reads time logs, rich (header, 19 columns) and legacy (no header, 5 columns), into flat arrays.

Blocks of whole lines go through pandas' C parser with explicit types. A block that it refuses, or
whose commas do not add up, is sifted line by line: damaged rows are counted, named and skipped.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pandas as pd

from desk import columns as col
from desk.errors import DeskError

BLOCK_BYTES = 16 << 20
_EXAMPLES = 3
_JOIN_ROWS = 1 << 18

# name, type: 65 bytes a row, so that three months fit in half a gigabyte.
FIELDS = (
    ("t_us", np.int64),  # wall clock, µs since 1970
    ("elapsed_us", np.int64),  # CLOCK_MONOTONIC since the row before
    ("adjust_us", np.int64),  # wall clock minus CLOCK_MONOTONIC since the row before
    ("slew_s", np.float32),  # CLOCK_MONOTONIC minus CLOCK_MONOTONIC_RAW since the row before
    ("window_us", np.float32),  # read uncertainty
    ("diff_s", np.float64),  # as the NTP client reports it, + = fast; NaN where it cannot know
    ("status", np.uint8),
    ("boot", np.int16),  # number in Rows.boots; -1 in legacy rows
    ("seq", np.int64),  # -1 in legacy rows
    ("state", np.uint8),
    ("source", np.uint8),
    ("ref_age_s", np.float32),
    ("last_offset_s", np.float32),
    ("freq_ppm", np.float32),
    ("bound_s", np.float32),
)


@dataclass
class Damage:
    """Rows that could not be read, with the first few named."""

    rows: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, where: str, text: bytes) -> None:
        self.rows += 1
        if len(self.examples) < _EXAMPLES:
            shown = text[:60].decode("ascii", "backslashreplace")
            self.examples.append(f"{where}: '{shown}{'...' if len(text) > 60 else ''}'")


class Rows:
    """Collects the rows of many files; `finish` makes one array of each field."""

    def __init__(self) -> None:
        self.damage = Damage()
        self.boots: list[str] = []
        self.events: list[tuple[int, str]] = []  # row number, text
        self.part_starts: list[int] = []  # first row of each file
        self.part_names: list[str] = []
        self.signed = False  # a legacy difference below zero was seen
        self._blocks: dict[str, list[np.ndarray]] = {name: [] for name, _ in FIELDS}
        self._small = 0  # how many blocks at the end are small ones, and their rows
        self._small_rows = 0
        self.size = 0

    def begin_part(self, name: str) -> None:
        self.part_names.append(name)
        self.part_starts.append(self.size)

    def boot_number(self, boot_id: str) -> int:
        if boot_id not in self.boots:
            self.boots.append(boot_id)
        return self.boots.index(boot_id)

    def append(self, block: dict[str, np.ndarray], events: list[tuple[int, str]]) -> None:
        for name, dtype in FIELDS:
            self._blocks[name].append(block[name].astype(dtype, copy=False))
        self.events += [(self.size + row, text) for row, text in events]
        self.size += len(block["t_us"])
        self._small += 1
        self._small_rows += len(block["t_us"])
        if self._small_rows >= _JOIN_ROWS:
            self._join_small()

    def _join_small(self) -> None:
        """Thousands of small arrays would keep their memory after they are joined at the end."""
        if self._small > 1:
            for blocks in self._blocks.values():
                blocks[-self._small :] = [np.concatenate(blocks[-self._small :])]
        self._small = self._small_rows = 0

    def finish(self) -> dict[str, np.ndarray]:
        """One array a field; the blocks are freed as they are joined."""
        joined = {}
        for name, dtype in FIELDS:
            blocks = self._blocks.pop(name)
            joined[name] = np.concatenate(blocks) if blocks else np.empty(0, dtype)
            del blocks
        return joined


def read_part(stream: BinaryIO, name: str, rows: Rows) -> None:
    """Appends all rows of one file to ROWS."""
    rows.begin_part(name)
    reader = None
    line, rest = 1, b""
    while True:
        data = stream.read(BLOCK_BYTES)
        block = rest + data
        cut = block.rfind(b"\n") + 1 if data else len(block)
        rest, block = block[cut:], block[:cut]
        if block:
            block = block.replace(b"\r\n", b"\n")
            if reader is None:
                reader = _PartReader(name, _layout(block, name), rows)
            reader.take(block, line)
            line += block.count(b"\n")
        if not data:
            break
    if reader is None:
        raise DeskError(
            f"{name} is empty.",
            (
                "an upload may not have happened yet; look at the camera's log, or at an earlier "
                "version with --version-index -2."
            ),
        )


def _layout(block: bytes, name: str) -> tuple[str, ...]:
    """The columns: from the header, else from the first line that is a whole row."""
    lines = block[: 1 << 16].split(b"\n")
    for line in lines[:100]:
        if line.startswith(b"elapsed_time,"):
            names = tuple(line.decode("ascii", "replace").strip().split(","))
            lacking = [c for c in col.LEGACY if c not in names]
            if lacking:
                raise DeskError(
                    f"the header of {name} lacks the column {lacking[0]}.",
                    "this is no time log of this program; give the path of a time_log.csv.",
                )
            return names
        for columns in (col.RICH, col.LEGACY):
            if col.row_pattern(columns).fullmatch(line):
                return columns
    shown = lines[0][:60].decode("ascii", "backslashreplace")
    raise DeskError(
        f"{name} is not a time log: it begins with '{shown}'.",
        "give a file with the header 'elapsed_time,...' or with rows of five columns.",
    )


class _PartReader:
    """Parses the blocks of one file."""

    def __init__(self, name: str, columns: tuple[str, ...], rows: Rows):
        self.name = name
        self.columns = columns
        self.rows = rows
        self.rich = "boot_id" in columns and "seq" in columns
        self.pattern = col.row_pattern(columns)
        self.header = ",".join(columns).encode()
        self.used = [c for c in columns if c in col.RICH and c not in col.UNUSED]

    def take(self, block: bytes, first_line: int) -> None:
        frame = self._parse(self._without_header(block))
        if frame is None:
            frame = self._parse(self._sift(block, first_line), sifted=True)
        if frame is not None and len(frame):
            self._keep(frame)

    def _without_header(self, block: bytes) -> bytes:
        head = self.header + b"\n"
        if block.startswith(head):
            block = block[len(head) :]
        return block.replace(b"\n" + head, b"\n") if head in block else block

    def _parse(self, block: bytes, sifted: bool = False) -> pd.DataFrame | None:
        """The block as a frame, or None when something in it needs a closer look."""
        if not sifted and not self._adds_up(block):
            return None
        if not block:
            return pd.DataFrame(columns=self.columns)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                frame = pd.read_csv(
                    io.BytesIO(block),
                    header=None,
                    names=list(self.columns),
                    usecols=self.used,
                    dtype=col.dtypes(self.columns),
                    engine="c",
                    na_values=[""],
                    keep_default_na=False,
                    skip_blank_lines=False,
                    encoding="latin-1",
                )
        except (ValueError, OverflowError, Warning):
            if sifted:
                raise
            return None
        return frame if sifted or self._words_hold(frame) else None

    def _adds_up(self, block: bytes) -> bool:
        lines = block.count(b"\n")
        return (
            block.count(b",") == lines * (len(self.columns) - 1)
            and block.endswith(b"\n")
            and b"\0" not in block
            and b'"' not in block
        )

    def _words_hold(self, frame: pd.DataFrame) -> bool:
        for name in col.WORDS:
            if name in frame:
                if not all(col.word_is_valid(name, word) for word in frame[name].cat.categories):
                    return False
                if name in ("status", "boot_id") and (frame[name].cat.codes.to_numpy() < 0).any():
                    return False
        reals = frame.select_dtypes("float64")
        return bool((frame["elapsed_time"] >= 0).all()) and not np.isinf(reals.to_numpy()).any()

    def _sift(self, block: bytes, first_line: int) -> bytes:
        """Only the whole rows of a block; the others are counted."""
        good = []
        lines = block.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        for number, line in enumerate(lines, first_line):
            if self.pattern.fullmatch(line):
                good.append(line)
            elif line != self.header:
                self.rows.damage.add(f"{self.name} line {number}", line)
        return b"\n".join(good) + b"\n" if good else b""

    def _keep(self, frame: pd.DataFrame) -> None:
        status = _codes(frame["status"], col.STATUSES, "Unknown")
        diff = frame["clock_diff"].to_numpy(dtype=np.float64, copy=True)
        # Where the client cannot know, older logs hold a 0 that means "absent".
        diff[np.asarray(col.STATE_OF_STATUS)[status] != col.SYNCED] = np.nan
        elapsed = frame["elapsed_time"].to_numpy()
        block = {
            "t_us": frame["current_system_time"].to_numpy(),
            "elapsed_us": elapsed,
            "adjust_us": frame["elapsed_system_time"].to_numpy() - elapsed,
            "diff_s": diff,
            "status": status,
        }
        events: list[tuple[int, str]] = []
        if self.rich:
            events = self._rich(frame, block)
        else:
            self._legacy(block)
        self.rows.append(block, events)

    def _rich(self, frame: pd.DataFrame, block: dict) -> list[tuple[int, str]]:
        absent = np.full(len(frame), np.nan)

        def real(name: str) -> np.ndarray:
            return frame[name].to_numpy() if name in frame else absent

        boots = [self.rows.boot_number(b) for b in frame["boot_id"].cat.categories]
        block["boot"] = np.asarray(boots, np.int16)[frame["boot_id"].cat.codes.to_numpy()]
        block["seq"] = frame["seq"].to_numpy()
        block["slew_s"] = (block["elapsed_us"] * 1e3 - real("elapsed_raw_ns")) * 1e-9
        block["window_us"] = real("read_window_ns") * 1e-3
        for name in ("ref_age_s", "last_offset_s", "freq_ppm"):
            block[name] = real(name)
        block["bound_s"] = real("error_bound_s")
        if "sync_state" in frame:
            block["state"] = _codes(frame["sync_state"], col.STATES, "unknown")
        else:
            block["state"] = np.asarray(col.STATE_OF_STATUS, np.uint8)[block["status"]]
        source = frame["source"] if "source" in frame else None
        block["source"] = (
            np.zeros(len(frame), np.uint8)
            if source is None
            else _codes(source, col.SOURCES, "other")
        )
        if "event" not in frame:
            return []
        texts = frame["event"].to_numpy()
        return [(int(k), texts[k]) for k in np.flatnonzero(frame["event"].notna().to_numpy())]

    def _legacy(self, block: dict) -> None:
        size = len(block["t_us"])
        absent = np.full(size, np.nan, np.float32)
        for name in ("slew_s", "window_us", "ref_age_s", "last_offset_s", "freq_ppm", "bound_s"):
            block[name] = absent
        block["boot"] = np.full(size, -1, np.int16)
        block["seq"] = np.full(size, -1, np.int64)
        block["state"] = np.asarray(col.STATE_OF_STATUS, np.uint8)[block["status"]]
        block["source"] = np.zeros(size, np.uint8)
        self.rows.signed = self.rows.signed or bool((block["diff_s"] < 0).any())


def _codes(words: pd.Series, known: tuple[str, ...], other: str) -> np.ndarray:
    """Each word's place in KNOWN; absent and unknown words as OTHER."""
    places = [known.index(w) if w in known else known.index(other) for w in words.cat.categories]
    table = np.asarray(places + [known.index(other)], np.uint8)  # code -1 takes the last place
    return table[words.cat.codes.to_numpy()]
