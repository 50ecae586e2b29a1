"""Reading back what the logger wrote, and proving that nothing was lost or doubled."""

import csv
import dataclasses
import io
from collections.abc import Iterable

COLUMNS = (
    "elapsed_time elapsed_system_time current_system_time clock_diff status boot_id seq "
    "elapsed_raw_ns read_window_ns sync_state source stratum ref_age_s last_offset_s freq_ppm "
    "root_delay_s root_dispersion_s error_bound_s event"
).split()


@dataclasses.dataclass(frozen=True)
class Row:
    """One CSV row; the fields that tests reckon with are numbers, an empty field is None."""

    fields: dict[str, str]

    def number(self, column: str) -> float | None:
        text = self.fields[column]
        return float(text) if text else None

    @property
    def seq(self) -> int:
        return int(self.fields["seq"])

    @property
    def elapsed_us(self) -> int:
        return int(self.fields["elapsed_time"])

    @property
    def events(self) -> list[str]:
        text = self.fields["event"]
        return text.split(";") if text else []

    def event(self, name: str) -> str | None:
        """The value of `name=value` in the event column."""
        for word in self.events:
            key, _, value = word.partition("=")
            if key == name:
                return value
        return None


def parse_file(content: bytes) -> list[Row]:
    """The rows of one CSV file; AssertionError when the file is not exactly as promised."""
    text = content.decode("ascii")
    assert text.endswith("\n"), f"file does not end with a whole row: {text[-80:]!r}"
    assert "\r" not in text, "file has a CR"
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == COLUMNS, f"header is {lines[0]}"
    for number, line in enumerate(lines[1:], start=2):
        assert len(line) == len(COLUMNS), f"line {number} has {len(line)} fields: {line}"
    return [Row(dict(zip(COLUMNS, line))) for line in lines[1:]]


def parse_files(contents: Iterable[bytes]) -> list[Row]:
    """The rows of several files, in their order."""
    return [row for content in contents for row in parse_file(content)]


def missed_ticks(rows: list[Row]) -> int:
    """Ticks that were never sampled, as the rows themselves say."""
    return sum(int(row.event("gap") or 0) for row in rows)


def lateness_us(rows: list[Row], interval_us: int) -> list[int]:
    """How far each row of one run lies behind a grid that starts at its first row."""
    late = [0]
    for row in rows[1:]:
        ticks = 1 + int(row.event("gap") or 0)
        late.append(late[-1] + row.elapsed_us - ticks * interval_us)
    return late


def without_repeats(contents: list[bytes]) -> list[bytes]:
    """Drops exact repeats: when an answer is lost, the same file is rightly stored again."""
    return [body for number, body in enumerate(contents) if body not in contents[:number]]


def assert_exactly_once(rows: list[Row]) -> None:
    """Every sampled row is there once, in order, from the first: seq without gap or repeat."""
    assert rows, "no rows at all"
    assert "start" in rows[0].events, f"the first row is missing: seq begins with {rows[0].seq}"
    boots = {row.fields["boot_id"] for row in rows}
    assert len(boots) == 1, f"rows of several boots: {boots}"
    seqs = [row.seq for row in rows]
    wrong = [
        f"{before} -> {after}" for before, after in zip(seqs, seqs[1:]) if after != before + 1
    ]
    assert not wrong, f"seq goes {', '.join(wrong[:10])} in {len(seqs)} rows"
    dropped = [row.seq for row in rows if row.event("dropped") or row.event("evicted")]
    assert not dropped, f"rows say that others were lost: seq {dropped}"
