"""The checker of rows, each time with the fault planted that it is there to find."""

import pytest

from lab.rows import (
    COLUMNS,
    assert_exactly_once,
    lateness_us,
    missed_ticks,
    parse_file,
    parse_files,
    without_repeats,
)

HEADER = ",".join(COLUMNS) + "\n"


def row(seq: int, event: str = "", boot: str = "0123abcd") -> str:
    fields = {"elapsed_time": "1000000", "boot_id": boot, "seq": str(seq), "event": event}
    return ",".join(fields.get(column, "") for column in COLUMNS) + "\n"


def a_file(*rows: str) -> bytes:
    return (HEADER + "".join(rows)).encode()


def test_good_files_pass_in_sequence():
    rows = parse_files([a_file(row(7, "start"), row(8)), a_file(), a_file(row(9, "gap=3"))])
    assert_exactly_once(rows)
    assert [each.seq for each in rows] == [7, 8, 9]
    assert missed_ticks(rows) == 3
    assert rows[0].events == ["start"] and rows[1].number("clock_diff") is None


@pytest.mark.parametrize(
    "content",
    [
        HEADER.encode() + row(1).encode()[:-1],
        HEADER.replace("seq", "sequence").encode(),
        HEADER.replace("\n", "\r\n").encode(),
        HEADER.encode() + b"1,2,3\n",
        row(1).encode(),
    ],
    ids=["torn row", "other header", "CR", "short row", "no header"],
)
def test_a_damaged_file_is_found(content):
    with pytest.raises(AssertionError):
        parse_file(content)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(1), row(2)],
        [row(1, "start"), row(3)],
        [row(1, "start"), row(1)],
        [row(2, "start"), row(1)],
        [row(1, "start"), row(2, boot="ffffffff")],
        [row(1, "start"), row(2, "dropped=4")],
        [row(1, "start"), row(2, "step=0.5;evicted=1-9")],
    ],
    ids=["none", "first lost", "lost", "doubled", "disordered", "other boot", "dropped", "evicted"],
)
def test_lost_or_doubled_rows_are_found(rows):
    with pytest.raises(AssertionError):
        assert_exactly_once(parse_file(a_file(*rows)))


def test_lateness_counts_from_the_first_row_and_knows_gaps():
    rows = parse_file(a_file(row(1, "start"), row(2), row(3, "gap=2"), row(4)))
    assert lateness_us(rows, 1_000_000) == [0, 0, -2_000_000, -2_000_000]
    assert lateness_us(rows, 999_900) == [0, 100, -1_999_600, -1_999_500]


def test_repeated_files_count_once():
    assert without_repeats([b"a", b"b", b"a", b"b", b"c"]) == [b"a", b"b", b"c"]
