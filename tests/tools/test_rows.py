"""Reading: both formats, damage counted and skipped, nothing twice, nothing lost."""

import numpy as np
import pytest
from helpers import series_of
from desk import columns as col
from desk.errors import DeskError
from make_log import HEADER, Scenario, legacy_row, legacy_text, rich_row, rich_text, run

MINUTE = Scenario(length=60, first_sync_s=5)


def test_rich_rows_are_read_with_sign_state_and_absent_values():
    rows = run(MINUTE)
    series = series_of(rich_text(rows))
    assert len(series) == 60
    assert series.seq.tolist() == list(range(1, 61))
    assert np.isnan(series.diff_s[:5]).all()  # not synchronised: absent, not 0
    assert series.diff_s[5] == pytest.approx(rows[5].cells[3], abs=1e-9)
    assert series.diff_s[5] < 0
    assert series.state[4] == col.UNSYNCED and series.state[5] == col.SYNCED
    assert series.slew_s[30] == pytest.approx(rows[30].cells[0] * 1e-6 - rows[30].cells[7] * 1e-9)
    assert series.events[0] == (0, {"start": ""})
    assert series.rich and series.interval_s == 1.0


def test_legacy_rows_give_the_same_columns_and_zero_means_unknown_while_unsynchronised():
    rows = run(MINUTE)
    rich, legacy = series_of(rich_text(rows)), series_of(legacy_text(rows))
    for name in ("t_us", "elapsed_us", "adjust_us", "status", "state"):
        assert np.array_equal(getattr(rich, name), getattr(legacy, name)), name
    assert np.allclose(rich.diff_s, legacy.diff_s, atol=1e-6, equal_nan=True)
    assert not legacy.rich and (legacy.boot == -1).all()


def test_an_unsigned_legacy_log_is_known_to_have_no_sign():
    rows = run(MINUTE)
    assert not series_of(legacy_text(rows, signed=False)).signed
    assert series_of(rich_text(rows)).signed


@pytest.mark.parametrize(
    "damage",
    [
        "1000000,1000",
        "\0" * 50,
        "1000000,1000000,1763596810000000,0.1,Normal",
        "one,two,three",
        "",
        'a"b',
        "nan," * 18,
        "1000000,1000000,1763596810000000,inf,Normal,2265b1f5,11,1,1,synced,chrony" + "," * 8,
        "-5,1000000,1763596810000000,,Normal,2265b1f5,11,1,1,synced,chrony" + "," * 8,
        "1000000,1000000,1763596810000000,,Norm,2265b1f5,11,1,1,synced,chrony" + "," * 8,
        "99999999999999999999,1,1,,Normal,2265b1f5,11,1,1,synced,chrony" + "," * 8,
    ],
)
def test_a_damaged_row_is_counted_and_the_others_are_kept(damage):
    rows = run(MINUTE)
    text = HEADER + "".join(map(rich_row, rows[:30])) + damage + "\n"
    series = series_of(text + "".join(map(rich_row, rows[30:])))
    assert len(series) == 60
    assert series.damage.rows == 1
    assert "line 32" in series.damage.examples[0]


def test_a_row_cut_off_by_the_end_of_the_file_is_damaged():
    rows = run(MINUTE)
    text = rich_text(rows)
    series = series_of(text[: text.rindex("Normal") + 3])
    assert len(series) == 59 and series.damage.rows == 1


def test_headers_between_joined_segments_are_no_damage():
    rows = run(MINUTE)
    series = series_of(rich_text(rows[:20]) + rich_text(rows[20:]))
    assert len(series) == 60 and series.damage.rows == 0


def test_windows_line_ends_are_read():
    rows = run(MINUTE)
    assert len(series_of(rich_text(rows).replace("\n", "\r\n"))) == 60


def test_a_tail_of_a_rich_file_is_read_without_its_header():
    rows = run(MINUTE)
    assert len(series_of("".join(map(rich_row, rows[30:])))) == 30


def test_columns_added_later_are_ignored():
    rows = run(MINUTE)
    text = HEADER.rstrip("\n") + ",temperature\n"
    text += "".join(rich_row(row).rstrip("\n") + ",41.5 C\n" for row in rows)
    assert len(series_of(text)) == 60


@pytest.mark.parametrize("text, said", [("", "is empty"), ("hello\nworld\n", "is not a time log"),
                                        ("elapsed_time,foo\n1,2\n", "lacks the column")])
def test_what_is_no_time_log_is_refused_with_a_sentence(text, said):
    with pytest.raises(DeskError, match=said):
        series_of(text)


def test_rich_rows_uploaded_twice_are_taken_once():
    rows = run(MINUTE)
    series = series_of(rich_text(rows[:40]), rich_text(rows[20:]))
    assert series.seq.tolist() == list(range(1, 61))
    assert series.repeated_rows == 20


def test_rich_segments_out_of_order_are_put_in_order():
    rows = run(MINUTE)
    series = series_of(rich_text(rows[40:]), rich_text(rows[:20]), rich_text(rows[20:40]))
    assert series.seq.tolist() == list(range(1, 61))
    assert not series.new_run[1:].any()
    assert series.events == [(0, {"start": ""}), (5, {"state": "unsynced>synced"})]


def test_legacy_rows_with_equal_times_are_all_kept():
    scenario = Scenario(length=60, steps={30: -20.0}, crystal_ppm=0.0, temperature_ppm=0.0)
    rows = run(scenario)
    stamps = [row.cells[2] for row in rows]
    text = "".join(map(legacy_row, rows))
    assert len(set(s // 1000 for s in stamps)) < 60  # to the millisecond, times do repeat
    assert len(series_of(text)) == 60
    twice_the_same_second = legacy_row(rows[10]) * 2
    assert len(series_of(twice_the_same_second)) == 2


def test_a_legacy_upload_repeated_by_the_next_one_is_taken_once():
    rows = run(MINUTE)
    whole = legacy_text(rows)
    half = legacy_text(rows[:30])
    series = series_of(half, whole)
    assert len(series) == 60 and series.repeated_rows == 30
    assert len(series_of(whole, whole)) == 60


def test_a_stamp_that_both_neighbours_contradict_is_damage():
    rows = run(MINUTE)
    lines = rich_text(rows).splitlines(keepends=True)
    stamp = str(rows[30].cells[2])
    lines[31] = lines[31].replace(stamp, stamp[0] + "9" + stamp[2:])
    series = series_of("".join(lines))
    assert len(series) == 59 and series.damage.rows == 1


def test_a_lost_stretch_a_restart_and_a_reboot_break_the_run():
    scenario = Scenario(length=300, lost=[(50, 60)], restarts={120: 7}, reboots={200: (30, 0.0)})
    series = series_of(rich_text(run(scenario)))
    breaks = np.flatnonzero(series.new_run)[1:]
    assert [int(series.seq[k]) for k in breaks] == [61, 122, 1]
