"""The reconstruction against the truth of the model that made the log."""

import numpy as np
import pytest
from helpers import series_of
from desk import clock as c
from desk.clock import reconstruct
from desk.facts import facts_of, first_line
from make_log import EPOCH_S, Scenario, legacy_text, rich_text, run

HOUR = 3600


def truth(rows):
    return np.array([row.true_error_s for row in rows])


def worst_miss(rows, clock, where=slice(None)):
    return float(np.nanmax(np.abs(clock.error_s - truth(rows))[where]))


@pytest.mark.parametrize(
    "name", ["calm", "incident", "blind", "blind-returned", "bound", "from-1970"]
)
def test_the_error_is_reconstructed_within_the_noise_of_a_measurement(logs, name):
    rows = logs(name)
    clock = reconstruct(series_of(rich_text(rows)))
    assert np.isfinite(clock.error_s).all()
    # a crystal that runs away in an outage does so evenly in the reconstruction only
    assert worst_miss(rows, clock) < (0.02 if name == "bound" else 0.003)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("name", ["calm", "incident", "blind", "blind-returned"])
def test_legacy_logs_give_the_same_error(logs, name, signed):
    rows = logs(name)
    clock = reconstruct(series_of(legacy_text(rows, signed)))
    assert worst_miss(rows, clock) < (0.003 if signed else 0.12)


def test_a_step_the_client_never_saw_is_the_headline_all_day(logs):
    facts = facts_of(series_of(rich_text(logs("blind"))))
    assert facts.worst_error.value_s == pytest.approx(-61.8, abs=0.01)
    assert abs(facts.worst_diff.value_s) < 0.01
    assert list(facts.clock.unseen.values()) == [pytest.approx(-61.8)]
    assert facts.clock.error_s[-1] == pytest.approx(-61.8, abs=0.01)
    line = first_line(facts)
    assert (
        "worst error -61.8" in line and "worst difference that the NTP client reported -8" in line
    )


def test_a_step_back_by_hand_ends_the_unseen_error(logs):
    clock = reconstruct(series_of(rich_text(logs("blind-returned"))))
    assert len(clock.unseen) == 2
    assert abs(clock.error_s[-1]) < 0.01


def test_an_unseen_error_survives_a_restart_of_the_logger_but_not_a_reboot():
    common = {"length": 4 * HOUR, "steps": {HOUR: -5.0}, "blind": True}
    clock = reconstruct(series_of(rich_text(run(Scenario(restarts={2 * HOUR: 30}, **common)))))
    assert clock.error_s[-1] == pytest.approx(-5.0, abs=0.01)
    clock = reconstruct(
        series_of(rich_text(run(Scenario(reboots={2 * HOUR: (60, 0.0)}, **common))))
    )
    assert abs(clock.error_s[-1]) < 0.01


def test_a_step_corrected_by_the_client_is_wrong_only_between(logs):
    scenario = Scenario(length=2 * HOUR, steps={HOUR: 12.0}, client_steps_above_s=1.0)
    rows = run(scenario)
    clock = reconstruct(series_of(rich_text(rows)))
    assert worst_miss(rows, clock) < 0.003
    assert [round(s.size_s) for s in clock.steps] == [12, -12]
    assert abs(clock.error_s[-1]) < 0.01


def test_a_step_in_an_outage_is_carried_until_contact_returns():
    scenario = Scenario(length=6 * HOUR, steps={3 * HOUR: -61.8}, outages=[(2 * HOUR, 5 * HOUR)],
                        slew_ppm=83333.0)  # fmt: skip
    rows = run(scenario)
    clock = reconstruct(series_of(rich_text(rows)))
    assert worst_miss(rows, clock) < 0.01
    middle = 4 * HOUR
    assert clock.how[middle] == c.BRIDGED
    assert clock.error_s[middle] == pytest.approx(-61.8, abs=0.05)


def test_never_synchronised_is_unknown_not_perfect(logs):
    facts = facts_of(series_of(rich_text(logs("never"))))
    assert not np.isfinite(facts.clock.error_s).any()
    assert (facts.clock.how == c.NOT).all()
    assert "unknown throughout" in first_line(facts)


def test_before_the_first_contact_the_error_follows_from_the_step_that_ended_it(logs):
    facts = facts_of(series_of(rich_text(logs("from-1970"))))
    assert facts.worst_before.value_s == pytest.approx(-EPOCH_S + 40, abs=0.01)
    assert abs(facts.worst_error.value_s) < 0.01
    assert "before the first contact" in first_line(facts)


def test_a_jump_of_the_server_is_no_movement_of_the_clock(logs):
    clock = reconstruct(series_of(rich_text(logs("server-jump"))))
    assert [round(jump.size_s, 1) for jump in clock.jumps] == [-2.5]
    assert clock.jumps[0].in_contact
    disputed = slice(clock.jumps[0].before + 1, clock.jumps[0].row)
    assert not np.isfinite(clock.error_s[disputed]).any()
    assert not clock.steps


def test_a_leap_second_is_no_error():
    scenario = Scenario(length=4 * HOUR, start_s=EPOCH_S - 2 * HOUR, leap_at=2 * HOUR)
    rows = run(scenario)
    clock = reconstruct(series_of(rich_text(rows)))
    assert [(round(step.size_s), step.leap) for step in clock.steps] == [(-1, True)]
    assert np.nanmax(np.abs(clock.error_s)) < 0.01
    for row in rows:  # the same second not announced is an error
        row.cells = tuple("Normal" if cell == "Insert second" else cell for cell in row.cells)
    clock = reconstruct(series_of(rich_text(rows)))
    assert clock.error_s[-1] == pytest.approx(-1.0, abs=0.01)


def test_a_clock_read_late_once_is_no_step_in_a_legacy_log():
    rows = run(Scenario(length=600))
    lines = legacy_text(rows).splitlines()
    for row, shift in ((300, 20000), (301, -20000)):
        cells = lines[row].split(",")
        cells[1] = str(int(cells[1]) + shift)
        lines[row] = ",".join(cells)
    assert not reconstruct(series_of("\n".join(lines) + "\n")).steps


def test_an_age_counted_on_the_wall_clock_is_no_news_at_a_step():
    rows = run(
        Scenario(length=600, steps={300: -0.019})
    )  # too small to be a jump of the difference
    step = 300
    assert reconstruct(series_of(rich_text(rows))).contact[step - 10 : step + 10].sum() == 0
    for row in rows[step:]:
        if row.cells[12] < row.true_s - rows[step].true_s:
            break
        row.cells = (*row.cells[:12], row.cells[12] - 0.019 - 5.0, *row.cells[13:])
    series = series_of(rich_text(rows))
    series.adjust_us[step] -= 5000000  # the step that such an age would have followed
    assert reconstruct(series).contact[step - 10 : step + 10].sum() == 0


def test_a_difference_that_jumps_for_one_row_is_not_lost():
    rows = run(Scenario(length=HOUR))
    cells = rows[2000].cells
    rows[2000].cells = (*cells[:3], 0.777, *cells[4:])
    facts = facts_of(series_of(rich_text(rows)))
    assert facts.worst_error.row == 2000
    assert facts.worst_error.value_s == pytest.approx(0.777, abs=1e-6)
    assert abs(facts.clock.error_s[1999]) < 0.01 and abs(facts.clock.error_s[2001]) < 0.01


def test_a_file_from_the_middle_of_an_outage_keeps_what_the_client_still_claims(logs):
    part = logs("incident")[30000:33600]
    clock = reconstruct(series_of(rich_text(part)))
    assert not clock.contact.any() and (clock.how == c.AHEAD).all()
    assert worst_miss(part, clock) < 0.005
    assert (clock.slack_s > 0.002).all()  # an old contact is no measurement


def test_an_error_unseen_before_lost_rows_is_not_forgotten_in_an_outage():
    plan = Scenario(length=5 * HOUR, outages=[(HOUR, 5 * HOUR)], steps={2 * HOUR: -61.8})
    plan.lost = [(3 * HOUR, 3 * HOUR + 60)]
    rows = run(plan)
    clock = reconstruct(series_of(rich_text(rows)))
    assert clock.error_s[-1] == pytest.approx(-61.8, abs=0.05)
