"""plot.py: the right rows, the right picture, at full length, in time."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT, run_tool, series_of
from make_log import EPOCH_S, Scenario, legacy_text, rich_row, rich_text, run

from desk import figure as fig
from desk.facts import facts_of

HOUR = 3600


def drawn(text):
    return facts_of(series_of(text))


def axes_of(facts):
    """lane, above, below"""
    picture = fig.draw(facts, "test", fig.headless())
    below, above, lane = picture.axes
    return lane, above, below


def line_named(axis, words):
    return next(line for line in axis.get_lines() if words in str(line.get_label()))


def labels(lane):
    return [text.get_text() for text in lane.texts if text.get_gid() == "label"]


def test_a_spike_of_one_row_is_in_the_picture_of_a_month_of_rows():
    size = 500000
    x, y = np.arange(size, dtype=float), np.zeros(size)
    y[123456], y[300001] = 7.0, -3.0
    from desk.downsample import min_max

    px, py = min_max(x, y, 3000)
    assert len(px) <= 6000
    assert py.max() == 7.0 and px[py.argmax()] == 123456
    assert py.min() == -3.0 and px[py.argmin()] == 300001


def test_downsampling_lifts_the_pen_where_values_are_unknown():
    from desk.downsample import min_max

    y = np.ones(10000)
    y[4000:6000] = np.nan
    x, thin = min_max(np.arange(10000.0), y, 100)
    assert np.isnan(thin).sum() == 1
    place = int(np.flatnonzero(np.isnan(thin))[0])
    assert x[place - 1] < 4000 and x[place + 1] >= 6000


def test_the_step_is_an_event_and_not_part_of_the_adjustment_curve(logs):
    lane, above, below = axes_of(drawn(rich_text(logs("incident"))))
    adjustment = line_named(above, "wall clock against MONOTONIC").get_ydata()
    assert np.nanmax(np.abs(adjustment)) < 0.01
    assert "step -61.800 s" in labels(lane)
    error = line_named(below, "reconstructed").get_ydata()
    assert np.nanmin(error) == pytest.approx(-61.8, abs=0.01)
    low, high = below.get_ylim()
    assert low < -61.8 and high > 0


def test_the_unseen_error_is_drawn_although_the_difference_is_flat(logs):
    _, _, below = axes_of(drawn(rich_text(logs("blind"))))
    assert np.nanmax(np.abs(line_named(below, "as the NTP client reports").get_ydata())) < 0.01
    assert np.nanmin(line_named(below, "reconstructed").get_ydata()) == pytest.approx(
        -61.8, abs=0.01
    )


def test_twenty_hours_unsynchronised_are_one_span_with_one_label(logs):
    lane, above, below = axes_of(drawn(rich_text(logs("unsynced"))))
    assert [t for t in labels(lane) if t.startswith("unsynced 20 h")] == ["unsynced 20 h"]
    for axis in (above, below):
        shades = [c for c in axis.collections if c.get_gid() == "state:unsynced"]
        assert len(shades) == 1
        assert len(shades[0].get_paths()) == 2  # 6 s at the start and the 20 h
    assert len(above.get_children()) + len(below.get_children()) < 100  # not one artist a row


def test_no_two_labels_touch_even_when_there_are_hundreds():
    steps = {60 * k: 0.5 if k % 2 else -0.5 for k in range(2, 110)}
    lane, _, _ = axes_of(drawn(rich_text(run(Scenario(length=2 * HOUR, steps=steps)))))
    renderer = lane.figure.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in lane.texts if t.get_gid() == "label"]
    assert len(boxes) >= 5
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    assert any("more without room" in t.get_text() for t in lane.texts)


@pytest.mark.parametrize("length", [10, 600, 6 * HOUR])
def test_the_time_axis_has_a_readable_number_of_ticks(length):
    facts = drawn(rich_text(run(Scenario(length=length, first_sync_s=2))))
    _, _, below = axes_of(facts)
    below.figure.canvas.draw()
    ticks = [t for t in below.get_xticklabels() if t.get_text()]
    assert 3 <= len(ticks) <= 14
    first, last = (day * 86400 for day in below.get_xlim())
    assert first < EPOCH_S < last and last - first < 1.2 * length + 2


def test_ninety_days_fit_the_axis():
    import matplotlib.pyplot as plt

    from desk import axes

    _, axis = plt.subplots()
    axes.fit_time(axis, (EPOCH_S + np.arange(0, 90 * 86400, 60.0)) * 1e6, 1.0)
    axis.figure.canvas.draw()
    assert 3 <= len([t for t in axis.get_xticklabels() if t.get_text()]) <= 14
    plt.close(axis.figure)


def test_a_clock_that_began_in_1970_does_not_stretch_the_axis(logs):
    _, _, below = axes_of(drawn(rich_text(logs("from-1970"))))
    first, last = below.get_xlim()
    assert last - first < 0.1  # days


@pytest.mark.parametrize("name", ["incident", "unsynced"])
def test_legacy_and_rich_files_give_the_same_curves(logs, name):
    rich = fig.curves_of(drawn(rich_text(logs(name))))
    legacy = fig.curves_of(drawn(legacy_text(logs(name))))
    assert np.array_equal(rich.x_us, legacy.x_us)
    assert np.allclose(rich.adjust_s, legacy.adjust_s, atol=1e-9, equal_nan=True)
    assert np.allclose(rich.diff_s, legacy.diff_s, atol=1e-6, equal_nan=True)
    steps = [
        [(s.row, s.size_s) for s in drawn(t(logs(name))).clock.steps]
        for t in (rich_text, legacy_text)
    ]
    assert steps[0] == steps[1]


# --- the command ---


@pytest.fixture(scope="module")
def incident_file(logs, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "time_log.csv"
    path.write_text(rich_text(logs("incident")))
    return path


@pytest.mark.parametrize("kind, begins", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures_are_written_without_a_display(incident_file, tmp_path, kind, begins):
    env = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "MPLBACKEND": ""}
    done = run_tool(
        "plot.py", incident_file, "--title", "Gate", "--output", tmp_path / f"a.{kind}", env=env
    )
    assert (tmp_path / f"a.{kind}").read_bytes().startswith(begins)
    assert "2 steps: -61.800 s at 2025-11-20 02:00:16" in done.stdout
    assert "coasting 12.3 %" in done.stdout and "0 missing by seq" in done.stdout


def test_the_page_needs_nothing_from_anywhere(incident_file, tmp_path):
    run_tool("plot.py", incident_file, "--html", tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert not re.search(
        r"(src|href)\s*=|url\(|https?://|import\s", text.replace("http://www.w3.org", "")
    )
    data = json.loads(re.search(r"const DATA = (\{.*\});\n", text).group(1))
    assert data["n"] == 86353 and data["whole"]
    assert any(e["kind"] == "step" and e["text"] == "-61.800 s" for e in data["events"])


def test_the_page_draws_in_a_browser(incident_file, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    run_tool("plot.py", incident_file, "--html", tmp_path / "a.html")
    shown = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"file://{tmp_path}/a.html"],
        capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    assert "<td>-61.800 s</td>" in shown  # the script ran to its end


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nowhere.csv"], "no file or folder 'nowhere.csv'"),
        (["."], "holds no *.csv"),
        (["empty.csv"], "is empty"),
        (["header.csv"], "holds no readable row"),
        (["text.csv"], "is not a time log"),
        (["log.csv", "--version-index", "-2"], "choose among S3 versions"),
        (["log.csv", "--output", "a.gif"], "does not end in .png"),
        (["log.csv", "--since", "noon"], "'noon' is not a date"),
        (["log.csv", "--since", "2030-01-01"], "no row lies in that period"),
        (["log.csv", "--output", "no/such/a.png"], "cannot be written"),
        (["log.csv"], "no window can be opened here"),
        (["s3://"], "names no bucket"),
    ],
)
def test_errors_are_sentences_with_exit_code_1(tmp_path, arguments, said):
    (tmp_path / "empty.csv").write_text("")
    rows = run(Scenario(length=20))
    (tmp_path / "header.csv").write_text(rich_text([]))
    (tmp_path / "text.csv").write_text("Dear diary,\ntoday nothing.\n")
    (tmp_path / "log.csv").write_text(rich_text(rows))
    folder = tmp_path / "folder"
    folder.mkdir()
    place = folder if arguments == ["."] else tmp_path
    done = run_tool(
        "plot.py", *arguments, cwd=place, check=False, env={"DISPLAY": "", "MPLBACKEND": "Agg"}
    )
    assert done.returncode == 1
    assert "Error: " in done.stderr and said in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--versions", "1..2", "--version-index", "1"], ["--colour"]]
)
def test_misuse_of_options_keeps_exit_code_2(arguments):
    assert run_tool("plot.py", "x.csv", *arguments, check=False).returncode == 2


def test_damaged_rows_are_named_and_the_rest_is_drawn(tmp_path):
    rows = run(Scenario(length=60))
    (tmp_path / "log.csv").write_text(rich_text(rows) + "garbage\n")
    done = run_tool("plot.py", "log.csv", "--output", "a.png", cwd=tmp_path)
    assert "skipped 1 damaged row" in done.stderr and "line 62: 'garbage'" in done.stderr
    assert "60 rows" in done.stdout


def test_a_folder_of_segments_is_one_series_gzip_or_not(tmp_path):
    rows = run(Scenario(length=300))
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "0000000002.csv").write_bytes(gzip.compress(rich_text(rows[100:200]).encode()))
    (spool / "0000000001.csv.gz").write_bytes(gzip.compress(rich_text(rows[:100]).encode()))
    (spool / "0000000003-2265b1f5-201.csv.part").write_text(rich_text(rows[200:]))
    (spool / "lock").write_text("")
    done = run_tool("plot.py", spool, "--output", "a.png", cwd=tmp_path)
    assert "300 rows" in done.stdout and "0 missing by seq" in done.stdout


def test_a_folder_of_ninety_days_is_readable(tmp_path):
    """Ten minutes a day: 90 restarts, an outage each, one picture."""
    rows = run(Scenario(length=600, poll_s=16, outages=[(200, 400)]))
    cells = [rich_row(row).split(",") for row in rows]
    for day in range(90):
        lines = [
            ",".join([*c[:2], str(int(c[2]) + day * 86400 * 10**6), *c[3:6],
                      str(int(c[6]) + day * 600), *c[7:]])
            for c in cells
        ]  # fmt: skip
        (tmp_path / f"{day + 1:010d}.csv").write_text(rich_text([]) + "".join(lines))
    from desk.load import load
    from desk.s3 import Place
    from desk.sources import Wanted

    facts = facts_of(load(str(tmp_path), Wanted(), Place()))
    lane, above, below = axes_of(facts)
    first, last = below.get_xlim()
    assert 89 < last - first < 92 and len(facts.series) == 90 * 600
    renderer = lane.figure.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in lane.texts if t.get_gid() == "label"]
    assert 3 < len(boxes) < 40
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    legend = [text.get_text() for text in below.figure.legends[0].get_texts()]
    assert any(text.startswith("coasting: 90 spans") for text in legend)
    assert len(above.get_children()) + len(below.get_children()) < 100


def test_a_gzip_file_cut_short_gives_what_it_holds(tmp_path):
    rows = run(Scenario(length=600))
    packed = gzip.compress(rich_text(rows).encode())
    (tmp_path / "log.csv.gz").write_bytes(packed[: len(packed) // 2])
    done = run_tool("plot.py", "log.csv.gz", "--output", "a.png", cwd=tmp_path)
    assert "cut short" in done.stderr
    assert 100 < int(re.search(r"([\d,]+) rows", done.stdout).group(1)) < 600


def test_segments_named_by_boot_are_ordered_by_time(tmp_path):
    for seed in range(20):
        rows = run(Scenario(length=300, reboots={150: (20, 0.0)}, seed=seed))
        boots = list(dict.fromkeys(row.cells[5] for row in rows))
        if boots != sorted(boots):  # the order of names would be wrong
            break
    for boot in boots:
        part = [row for row in rows if row.cells[5] == boot]
        (tmp_path / f"{boot}-{part[0].cells[6]}-{part[-1].cells[6]}.csv").write_text(
            rich_text(part)
        )
    done = run_tool("plot.py", tmp_path, "--output", tmp_path / "a.png")
    assert "1 reboot" in done.stdout and done.stdout.startswith("2025-11-20 00:00:00")


def test_since_and_until_choose_rows_but_keep_the_evidence(tmp_path, logs):
    (tmp_path / "log.csv").write_text(rich_text(logs("blind")))
    done = run_tool("plot.py", "log.csv", "--since", "2025-11-20T12:00",
                    "--until", "2025-11-20T13:00:00Z", "--output", "a.png", cwd=tmp_path)  # fmt: skip
    assert re.search(r"3,60[01] rows", done.stdout)
    assert "worst error -61.80" in done.stdout  # the step itself lies outside the period


# --- how long, how much ---

MEASURE = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
used = resource.getrusage(resource.RUSAGE_SELF)
print("USED", used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def measured(*arguments, cwd):
    """Processor seconds and megabytes of a fresh process; a busy machine changes neither much."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(ROOT / "tools/plot.py"), *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seconds, kilobytes = done.stdout.rsplit("USED", 1)[1].split()
    return float(seconds), int(kilobytes) / 1000, done.stdout


@pytest.mark.parametrize("name", ["incident", "unsynced"])
def test_a_day_is_drawn_in_under_three_seconds(logs, tmp_path, name):
    (tmp_path / "log.csv").write_text(rich_text(logs(name)))
    seconds, _, _ = measured("log.csv", "--output", "a.png", cwd=tmp_path)
    assert seconds < 3.0


def write_month(rows, path, spike_day, spike):
    """30 days like ROWS after each other; one single row of 2.6 million holds SPIKE."""
    pieces = []
    for row in rows:
        cells = rich_row(row).split(",")
        middle = "," + ",".join(cells[3:6]) + ","
        pieces.append(
            (
                f"{cells[0]},{cells[1]},",
                int(cells[2]),
                middle,
                int(cells[6]),
                "," + ",".join(cells[7:]),
            )
        )
    with open(path, "w", encoding="ascii") as file:
        file.write(rich_text([]))
        for day in range(30):
            t, n = day * 86400 * 10**6, day * len(rows)
            lines = [f"{a}{b + t}{c}{d + n}{e}" for a, b, c, d, e in pieces]
            if day == spike_day:
                cells = lines[50000].split(",")
                lines[50000] = ",".join([*cells[:3], spike, *cells[4:]])
            file.write("".join(lines))


def test_a_month_is_drawn_in_under_twenty_seconds_and_one_gigabyte(logs, tmp_path):
    write_month(logs("calm"), tmp_path / "log.csv", 17, "0.777000000")
    seconds, megabytes, said = measured("log.csv", "--output", "a.svg", cwd=tmp_path)
    assert "2,592,000 rows" in said and "worst error +777.0 ms at 2025-12-07" in said
    assert "0 missing by seq" in said
    assert seconds < 20.0
    assert megabytes < 1000.0
