"""report.py: the truths it must not get wrong, and the forms in which it tells them."""

import json
import re

import numpy as np
import pytest
from helpers import run_tool, series_of
from make_log import EPOCH_S, Scenario, legacy_text, rich_text, run

from desk.answer import answer, headline, to_json
from desk.facts import facts_of
from desk import report_text
from desk.sources import Wanted

HOUR = 3600


def render(found):
    """The text on one line, since it is wrapped anywhere."""
    return " ".join(report_text.render(found).split())


def report(text, limit=0.05):
    return answer(facts_of(series_of(text)), limit, Wanted())


@pytest.fixture(scope="module")
def incident(logs):
    return report(rich_text(logs("incident")))


def test_the_planted_step_outage_and_reboot_are_named_with_times_and_sizes(incident):
    text = render(incident)
    assert "-61.800 s" in text and "2025-11-20 02:00:16" in text
    assert "The NTP server gave no answer for 3 h" in text and "07:59:15" in text
    assert "14:59:59 -> 2025-11-20 15:00:48: the camera restarted" in text
    data = to_json(incident)
    step = data["steps"][0]
    assert step["size_s"] == -61.8 and step["kind"] == "fault"
    assert step["before"].startswith("2025-11-20T02:00:16")
    assert step["noticed_after_s"] == pytest.approx(35, abs=1)
    outage = next(o for o in data["outages"] if "coasting" in o["states_s"])
    assert outage["silence_s"] == pytest.approx(3 * HOUR, abs=70) and outage["bound_held"]
    assert [g["cause"] for g in data["gaps"]] == ["reboot"]
    assert data["gaps"][0]["seconds"] == pytest.approx(47, abs=1)


def test_seconds_add_up_to_the_period_and_every_share_says_of_what(incident):
    v = incident.verdict
    assert v.within_s + v.outside_s + v.unknown_s + v.no_rows_s == pytest.approx(v.period_s)
    assert v.period_s == pytest.approx(86400, abs=1)
    lines = report_text.render(incident).split("\n")
    shares = [line for line in lines if re.match(r"(within|outside|unknown|no rows) .* %", line)]
    assert len(shares) >= 4 and all("of the period's 86,400 s" in line for line in shares)


def test_corrections_put_every_wrong_second_right(logs, incident):
    rows = logs("incident")
    stamps = np.array([row.cells[2] for row in rows], float)
    truth = np.array([row.true_error_s for row in rows])
    wrong = np.flatnonzero(np.abs(truth) > 0.06)
    covered = np.zeros(len(rows), bool)
    for line in incident.corrections:
        part = np.arange(line.first_row, line.last_row + 1)
        ends = [line.from_us, max(line.to_us, line.from_us + 1)]
        add = np.interp(stamps[part], ends, [line.add_from_s, line.add_to_s])
        assert np.abs(truth[part] + add).max() < 0.03
        covered[part] = True
    assert covered[wrong].all()


def test_a_fault_that_is_slewed_back_gets_a_correction_that_changes_with_time(incident):
    sloped = [line for line in incident.corrections if not line.constant]
    assert len(sloped) == 1
    assert sloped[0].add_from_s == pytest.approx(61.8, abs=0.05) and abs(sloped[0].add_to_s) < 0.1
    assert "changing evenly to" in render(incident)


def test_stamps_that_occur_twice_are_said_to(incident):
    line = incident.corrections[0]
    assert line.twice.which == "second"
    assert "occur twice" in render(incident)


def test_a_step_the_client_never_saw_is_not_within_the_limit(logs):
    found = report(rich_text(logs("blind")))
    assert found.word == "no"
    assert found.verdict.outside_s == pytest.approx(18 * HOUR, abs=2)
    assert "-61.800 s" in headline(found) and "reconstructed" in headline(found)
    assert found.steps[0].noticed_after_s is None
    assert "never noticed" in render(found)
    assert found.breaches.seconds == pytest.approx(18 * HOUR, abs=2)


def test_the_same_holds_for_the_older_formats(logs):
    for signed in (True, False):
        found = report(legacy_text(logs("blind"), signed))
        assert found.verdict.outside_s == pytest.approx(18 * HOUR, abs=2)
        assert "cannot be counted in this format" in render(found)


def test_never_synchronised_is_unknown_and_nothing_of_it_is_within(logs):
    found = report(rich_text(logs("never")))
    assert found.word == "unknown" and headline(found).startswith("UNKNOWN")
    assert found.verdict.within_s == 0 and found.verdict.unknown_s == pytest.approx(2 * HOUR, abs=1)
    assert any("never synchronised" in cause.text for cause in found.causes)
    found = report(legacy_text(logs("never")))  # zeros in the file
    assert found.verdict.within_s == 0 and found.word == "unknown"


def test_twenty_hours_without_synchronisation_are_unknown_although_the_ends_agree(logs):
    found = report(rich_text(logs("unsynced")))
    assert found.verdict.unknown_s == pytest.approx(20 * HOUR, abs=10)
    assert headline(found).startswith("MOSTLY UNKNOWN")


def test_a_file_from_the_middle_of_an_outage_is_judged_by_the_clients_own_bound(logs):
    part = rich_text(logs("incident")[30000:33600])
    found = report(part, 0.05)
    assert found.word == "yes" and "the client's own reckoning" in headline(found)
    tight = report(part, 0.004)
    assert tight.word == "unknown" and tight.verdict.within_s == 0
    assert "coasting: too long without contact to be sure" in tight.verdict.why_unknown


def test_seconds_without_a_difference_are_outside_when_a_step_proves_it(logs):
    found = report(rich_text(logs("from-1970")))
    assert found.verdict.outside_s == pytest.approx(90, abs=1)
    assert found.corrections[0].add_from_s == pytest.approx(EPOCH_S - 40, abs=1)
    assert any("no battery-backed clock" in cause.text for cause in found.causes)


def test_a_bound_that_proved_wrong_is_said_to(logs):
    found = report(rich_text(logs("bound")))
    outage = next(o for o in found.outages if "coasting" in o.states)
    assert outage.bound_held is False
    assert abs(outage.error_at_end_s) > outage.bound_at_end_s
    assert "PROVED WRONG" in render(found)
    held = report(rich_text(logs("incident")))
    assert all(o.bound_held is not False for o in held.outages)


@pytest.mark.parametrize("corrected", ["by a slew", "by a step in the same row"])
def test_a_contact_that_contradicts_the_outage_before_it_proves_the_bound_wrong(corrected):
    plan = Scenario(length=5 * HOUR, outages=[(HOUR, 4 * HOUR)], server_jumps={2 * HOUR: 61.8})
    plan.client_steps_above_s = 1.0 if "step" in corrected else 1e9
    found = report(rich_text(run(plan)))
    outage = next(o for o in found.outages if "coasting" in o.states)
    assert outage.bound_held is False and outage.error_at_end_s == pytest.approx(-61.8, abs=0.01)
    assert found.verdict.why_unknown["two contacts contradict each other"] > 2.9 * HOUR
    assert any("No crystal drifts so far" in cause.text for cause in found.causes)


def test_rows_lost_before_a_reboot_are_not_claimed_to_be_none(incident):
    assert "leaves no gap in seq" in render(incident)
    assert "which seq cannot show" in render(incident)


@pytest.mark.parametrize(
    "plan, cause, lost",
    [
        ({"lost": [(300, 320)]}, "missing", 20),
        ({"dropped": {300: 7}}, "dropped", 7),
        ({"gaps": {300: 30}}, "unsampled", 0),
        ({"restarts": {300: 30}}, "restart", 0),
        ({"reboots": {300: (30, 0.0)}}, "reboot", 0),
    ],
)
def test_each_kind_of_gap_is_told_by_its_cause(plan, cause, lost):
    found = report(rich_text(run(Scenario(length=600, **plan))))
    assert [(gap.cause, gap.lost_rows) for gap in found.facts.gaps] == [(cause, lost)]
    missing = {"missing": 20, "dropped": 7}.get(cause, 30)
    assert found.verdict.no_rows_s == pytest.approx(missing, abs=1.1)
    assert found.verdict.period_s == pytest.approx(600, abs=missing + 1)


def test_rows_given_up_by_a_full_spool_are_told_from_missing_uploads():
    rows = run(Scenario(length=600, lost=[(100, 200)]))
    late = rows[400]
    late.cells = (*late.cells[:18], "evicted=101-200")
    found = report(rich_text(rows))
    assert [(gap.cause, gap.lost_rows) for gap in found.facts.gaps] == [("evicted", 100)]


def test_a_step_hidden_in_lost_rows_is_found_by_their_number():
    rows = run(Scenario(length=1200, steps={630: -61.8}, lost=[(600, 660)]))
    found = report(rich_text(rows))
    assert found.facts.gaps[0].hidden_step_s == pytest.approx(-61.8, abs=0.1)
    assert any("beyond what they account for" in cause.text for cause in found.causes)


def test_an_hour_to_the_second_is_taken_for_a_time_zone():
    found = report(rich_text(run(Scenario(length=HOUR, steps={1800: 3600.0}, blind=True))))
    assert any("time zone or daylight saving" in cause.text for cause in found.causes)


def test_two_programs_fighting_over_the_clock_are_named():
    steps = {300 * k: 0.8 * (-1) ** k for k in range(1, 11)}
    found = report(rich_text(run(Scenario(length=HOUR, steps=steps, client_steps_above_s=0.5))))
    assert any("two programs set it" in cause.text for cause in found.causes)


def test_a_jump_of_the_server_is_named_as_such(logs):
    found = report(rich_text(logs("server-jump")))
    assert any("the server's time jumped" in cause.text for cause in found.causes)
    assert found.verdict.why_unknown["two contacts contradict each other"] == pytest.approx(
        63, abs=2
    )


def test_a_crystal_out_of_range_is_named():
    found = report(rich_text(run(Scenario(length=HOUR, crystal_ppm=180.0))))
    assert any("crystal runs 180 ppm fast" in cause.text for cause in found.causes)


def test_a_calm_day_has_no_cause_to_report(logs):
    found = report(rich_text(logs("calm")))
    assert found.word == "yes" and not found.causes and not found.corrections
    assert found.verdict.percentiles["p100"] < 0.002


def test_every_cause_shows_rows_that_prove_it(incident):
    data = to_json(incident)
    assert data["causes"] and all(cause["rows"] for cause in data["causes"])
    assert "event step=-61.800000000" in data["causes"][0]["rows"][1]


# --- the command ---


def test_json_is_valid_and_text_is_printed_without_it(logs, tmp_path):
    (tmp_path / "log.csv").write_text(rich_text(logs("incident")))
    data = json.loads(
        run_tool("report.py", "log.csv", "--limit", "1s", "--json", cwd=tmp_path).stdout
    )
    assert data["answer"] == "no" and data["limit_s"] == 1.0
    text = run_tool("report.py", "log.csv", cwd=tmp_path).stdout
    assert text.startswith("NO: the clock was wrong by more than 50 ms")


def test_a_period_counts_seconds_without_rows_at_its_ends(tmp_path):
    (tmp_path / "log.csv").write_text(rich_text(run(Scenario(length=HOUR))))
    data = json.loads(run_tool("report.py", "log.csv", "--since", "2025-11-20T00:30", "--until",
                               "2025-11-20T02:00", "--json", cwd=tmp_path).stdout)  # fmt: skip
    assert data["period"]["seconds"] == pytest.approx(5400)
    assert data["seconds"]["without_rows"] == pytest.approx(3600, abs=2)


def test_the_page_is_self_contained_and_tells_the_same(logs, tmp_path):
    (tmp_path / "log.csv").write_text(rich_text(logs("incident")))
    run_tool("report.py", "log.csv", "--html", "a.html", cwd=tmp_path)
    text = (tmp_path / "a.html").read_text()
    assert "<svg" in text and "<script" not in text
    links = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"') >]+)", text)
    assert all(link.startswith("#") for link in links)
    for words in (
        "-61.800 s",
        "changing evenly to",
        "the camera restarted",
        "3 h 1 min",
        "@media print",
    ):
        assert words in text


@pytest.mark.parametrize("limit", ["0", "-1s", "fast", "5 parsecs", ""])
def test_a_limit_that_is_no_length_of_time_is_refused(tmp_path, limit):
    (tmp_path / "log.csv").write_text(rich_text(run(Scenario(length=20))))
    done = run_tool("report.py", "log.csv", f"--limit={limit}", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "is not a length of time above zero" in done.stderr


@pytest.mark.parametrize("arguments", [["a.csv", "b.csv"], ["a.csv", "--compare"], []])
def test_the_number_of_paths_must_fit(arguments):
    assert run_tool("report.py", *arguments, check=False).returncode == 2


def test_failed_statuses_beside_the_log_are_shown_with_their_incident(s3_server, bucket, tmp_path):
    import datetime

    now = int(datetime.datetime.now().timestamp())
    plan = Scenario(
        length=HOUR, start_s=now - HOUR - 60, outages=[(600, 2400)], unsynced=[(1800, 2400)]
    )
    client = s3_server.client()
    status = (
        "Reference ID    : 00000000 ()\nStratum         : 0\nLeap status     : Not synchronised\n"
    )
    client.put_object(Bucket=bucket.name, Key="c/time_log.csv", Body=rich_text(run(plan)).encode())
    for number in range(2):
        client.put_object(
            Bucket=bucket.name, Key="c/ntp_failed_status.txt", Body=f"{status}{number}\n".encode()
        )
    client.put_object(Bucket=bucket.name, Key="c/ntp_failed_status.txt.old", Body=b"other")
    done = run_tool("report.py", f"s3://{bucket.name}/c/time_log.csv", "--json", "--endpoint-url",
                    s3_server.endpoint, env=s3_server.credentials)  # fmt: skip
    failed = json.loads(done.stdout)["failed_statuses"]
    assert len(failed) == 2
    assert all("Leap status Not synchronised" in f["summary"] for f in failed)
    assert all("coasting" in f["near"] for f in failed)


# --- cameras compared ---


@pytest.fixture(scope="module")
def cameras(tmp_path_factory):
    """Three cameras: a step that only one has, then a jump of the server that all follow."""
    folder = tmp_path_factory.mktemp("cameras")
    for number, name in enumerate(("gate", "yard", "door")):
        plan = Scenario(
            length=4 * HOUR, seed=number, server_jumps={2 * HOUR: 2.5}, slew_ppm=83333.0
        )
        plan.poll_s = 60 + 7 * number
        if name == "yard":
            plan.steps = {HOUR: -5.0}
        (folder / name).mkdir()
        (folder / name / "time_log.csv").write_text(rich_text(run(plan)))
    return folder


def test_common_movements_are_told_from_those_of_one_camera(cameras):
    done = run_tool("report.py", "--compare", "gate", "yard", "door", "--json", cwd=cameras)
    data = json.loads(done.stdout)
    assert data["cameras"] == ["gate", "yard", "door"]
    alone = [m for m in data["movements"] if not m["common"]]
    common = [m for m in data["movements"] if m["common"]]
    assert [(m["kind"], m["size_s"], m["cameras"]) for m in alone] == [("step", -5.0, ["yard"])]
    assert [(m["kind"], len(m["cameras"])) for m in common] == [("server", 3)]
    assert common[0]["size_s"] == pytest.approx(-2.5, abs=0.01)


def test_the_skew_of_each_pair_is_given_on_one_time_axis(cameras):
    data = json.loads(
        run_tool("report.py", "--compare", "gate", "yard", "door", "--json", cwd=cameras).stdout
    )
    worst = {tuple(pair["cameras"]): pair["worst_s"] for pair in data["pairs"]}
    assert worst[("gate", "yard")] == pytest.approx(5.0, abs=0.01)
    assert worst[("yard", "door")] == pytest.approx(-5.0, abs=0.01)
    assert abs(worst[("gate", "door")]) <= 2.51  # the server's jump reaches them at different polls


def test_the_comparison_is_printed_and_drawn(cameras):
    text = run_tool(
        "report.py", "--compare", "gate", "yard", "--html", "a.html", cwd=cameras
    ).stdout
    assert (
        "gate minus yard: within 50 ms at" in text and "alone, so the cause is this camera" in text
    )
    page = (cameras / "a.html").read_text()
    assert "<svg" in page and "gate minus yard" in page


def test_logs_without_common_time_cannot_be_compared(cameras, tmp_path):
    (tmp_path / "late.csv").write_text(
        rich_text(run(Scenario(length=60, start_s=EPOCH_S + 10 * 86400)))
    )
    done = run_tool("report.py", "--compare", cameras / "gate", tmp_path / "late.csv", check=False)
    assert done.returncode == 1 and "no time in common" in done.stderr
