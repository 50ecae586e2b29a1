"""Makes realistic time logs, rich and legacy, with the truth known: a model of a camera's clock.

A crystal that drifts with temperature, an NTP client that measures, steers the frequency and
slews, and a script of incidents: steps, server outages, reboots, restarts, lost rows. Everything
follows from the seed. Columns as in docs/RECORD.md.

    /usr/bin/python3 tests/tools/make_log.py incident --output time_log.csv [--legacy]
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from dataclasses import dataclass, field

HEADER = (
    "elapsed_time,elapsed_system_time,current_system_time,clock_diff,status,boot_id,seq,"
    "elapsed_raw_ns,read_window_ns,sync_state,source,stratum,ref_age_s,last_offset_s,freq_ppm,"
    "root_delay_s,root_dispersion_s,error_bound_s,event\n"
)
EPOCH_S = 1763596800  # 2025-11-20 00:00:00 UTC
DAY = 86400


@dataclass
class Scenario:
    """What happens, in seconds of true time since the start."""

    length: int = DAY
    seed: int = 1
    start_s: int = EPOCH_S
    poll_s: int = 64
    crystal_ppm: float = -12.3
    temperature_ppm: float = 0.3  # how far the crystal swings within a day
    slew_ppm: float = 500.0  # how fast the client corrects
    noise_s: float = 0.0002  # of one measurement
    root_delay_s: float = 0.008
    steps: dict = field(default_factory=dict)  # time: size in s, by something else than the client
    client_steps_above_s: float = math.inf  # the client corrects larger errors by a step
    blind: bool = False  # the client never sees the steps (its differences stay near 0)
    outages: list = field(default_factory=list)  # (from, to): the server does not answer
    unsynced: list = field(default_factory=list)  # (from, to): the client says not synchronised
    unreachable: list = field(default_factory=list)  # (from, to): the client does not answer
    server_jumps: dict = field(default_factory=dict)  # time: the server's time moves by this
    reboots: dict = field(default_factory=dict)  # time: (seconds down, error of the clock after)
    restarts: dict = field(default_factory=dict)  # time: seconds down
    first_sync_s: int = 6  # after boot; inf for never
    boot_error_s: float = 0.0
    gaps: dict = field(default_factory=dict)  # time: ticks that were not sampled
    dropped: dict = field(default_factory=dict)  # time: rows lost because the ring was full
    lost: list = field(default_factory=list)  # (from, to): rows that are in no file
    leap_at: float = -1  # one second is inserted at this time


@dataclass
class Row:
    """One row and the true error of the clock at it."""

    cells: tuple
    true_error_s: float
    true_s: float


class Camera:
    """The clocks of one camera and its NTP client, second by second."""

    def __init__(self, scenario: Scenario):
        self.plan = scenario
        self.random = random.Random(scenario.seed)
        self.now = 0.0
        self.server_error = 0.0
        self.boots = 0
        self.boot(scenario.boot_error_s)

    def boot(self, error_s: float) -> None:
        self.boots += 1
        self.boot_id = f"{self.random.getrandbits(32):08x}"
        self.error = error_s
        self.seq = 0
        self.booted = self.now
        self.mono = self.raw = 20.0
        self.estimate_ppm = None  # the client's idea of the crystal
        self.pending = 0.0  # what the client still has to slew
        self.unseen = 0.0
        self.last_update = None
        self.last_offset = 0.0
        self.begin_run()

    def begin_run(self) -> None:
        self.before = None
        self.events = ["start"]
        self.state = None

    def crystal_ppm(self) -> float:
        swing = math.sin(2 * math.pi * self.now / DAY)
        return self.plan.crystal_ppm + self.plan.temperature_ppm * swing

    def advance(self, dt: float) -> None:
        """Lets DT seconds of true time pass."""
        raw = dt * (1 + self.crystal_ppm() * 1e-6)
        rate = -(self.estimate_ppm or 0.0) * 1e-6
        most = self.plan.slew_ppm * 1e-6 * dt
        slewed = max(-most, min(most, -self.pending))
        self.pending += slewed
        mono = raw * (1 + rate) + slewed
        self.raw += raw
        self.mono += mono
        self.error += mono - dt
        self.now += dt

    def step(self, size: float, by_client: bool = False) -> None:
        self.error += size
        if by_client:
            self.pending += size
        elif self.plan.blind:
            self.unseen += size

    def within(self, spans: list) -> bool:
        return any(first <= self.now < last for first, last in spans)

    def synchronise(self) -> None:
        """One poll of the client, when it is due and answered."""
        due = self.last_update is None or self.now - self.last_update >= self.plan.poll_s
        if not due or self.within(self.plan.outages + self.plan.unsynced + self.plan.unreachable):
            return
        if self.now - self.booted < self.plan.first_sync_s:
            return
        measured = self.error - self.server_error - self.unseen
        measured += self.random.gauss(0, self.plan.noise_s)
        first = self.last_update is None
        crystal = self.crystal_ppm() + self.random.gauss(0, 0.01)
        old = crystal if first else self.estimate_ppm
        self.estimate_ppm = old + 0.5 * (crystal - old)
        self.last_offset, self.pending = measured, measured
        self.last_update = self.now
        limit = 0.1 if first else self.plan.client_steps_above_s
        if abs(measured) > limit:
            self.step(-measured, by_client=True)

    def verdict(self) -> tuple[str, str]:
        """status, sync_state"""
        if self.within(self.plan.unreachable):
            return "Unknown", "unreachable"
        if self.last_update is None or self.within(self.plan.unsynced):
            return "Not synchronised", "unsynced"
        leap = 0 <= self.plan.leap_at - self.now < 43200
        status = "Insert second" if leap else "Normal"
        age = self.now - self.last_update
        return status, "coasting" if age > 4 * self.plan.poll_s else "synced"

    def stamp_us(self) -> int:
        return math.floor((self.plan.start_s + self.now + self.error) * 1e6)

    def sample(self) -> Row:
        status, state = self.verdict()
        self.seq += 1
        if self.state not in (None, state):
            self.events.append(f"state={self.state}>{state}")
        self.state = state
        wall = self.now + self.error
        here = (self.mono, wall, self.raw)
        elapsed = [a - b for a, b in zip(here, self.before or here)]
        self.before = here
        cells = (
            round(elapsed[0] * 1e6), round(elapsed[1] * 1e6), self.stamp_us(),
            *self.client_cells(status, state, round(elapsed[2] * 1e9)), ";".join(self.events),
        )  # fmt: skip
        self.events = []
        return Row(cells, self.error, self.plan.start_s + self.now)

    def client_cells(self, status: str, state: str, raw_ns: int) -> tuple:
        head = (self.boot_id, self.seq, raw_ns, 40 + self.random.randrange(10), state)
        if state in ("unsynced", "unreachable"):
            source = "none" if state == "unreachable" else "chrony"
            return (None, status, *head, source, *[None] * 7)
        age = self.now - self.last_update
        dispersion = 0.001 + age * 1e-6
        delay = self.plan.root_delay_s
        return (
            self.pending, status, *head, "chrony", 3, age, self.last_offset, self.estimate_ppm,
            delay, dispersion, abs(self.pending) + dispersion + delay / 2,
        )  # fmt: skip


def run(scenario: Scenario) -> list[Row]:
    """All rows of a scenario, lost ones left out."""
    camera, plan, rows = Camera(scenario), scenario, []
    todo_steps, todo_jumps = dict(plan.steps), dict(plan.server_jumps)
    leap_done = plan.leap_at < 0
    while camera.now < plan.length:
        second = round(camera.now)
        if not leap_done and second >= plan.leap_at:
            # true time (UTC) repeats a second, and so does the clock: no error
            leap_done = True
            camera.now -= 1.0
            if camera.last_update is not None:
                camera.last_update -= 1.0
            camera.booted -= 1.0
        if second in todo_jumps:
            camera.server_error += todo_jumps.pop(second)
        if second in todo_steps:
            size = todo_steps.pop(second)
            camera.step(size)
            camera.events.append(f"step={size:+.9f}")
        wall = camera.now + camera.error
        camera.synchronise()
        moved = camera.now + camera.error - wall
        if abs(moved) > 1e-4:
            camera.events.append(f"step={moved:+.9f}")
        row = camera.sample()
        dropped = plan.dropped.get(second, 0)
        if dropped:
            camera.events.insert(0, f"dropped={dropped}")
        _keep(rows, row, camera, plan)
        if dropped:
            _skip(camera, dropped, counted=True)
        if second in plan.gaps:
            _skip(camera, plan.gaps[second], counted=False)
            camera.events.insert(0, f"gap={plan.gaps[second]}")
        camera.advance(1.0)
        _interrupt(camera, plan, second)
    return rows


def _keep(rows: list[Row], row: Row, camera: Camera, plan: Scenario) -> None:
    if not camera.within(plan.lost):
        rows.append(row)


def _skip(camera: Camera, ticks: int, counted: bool) -> None:
    """Time passes without rows; dropped ones have a seq, ticks never sampled have none."""
    for _ in range(ticks):
        camera.advance(1.0)
        camera.synchronise()
        camera.seq += counted


def _interrupt(camera: Camera, plan: Scenario, second: int) -> None:
    if second in plan.reboots:
        down, error = plan.reboots[second]
        camera.advance(down)
        camera.boot(error)
    if second in plan.restarts:
        camera.advance(plan.restarts[second])
        camera.begin_run()


def _cell(value, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def rich_row(row: Row) -> str:
    c = row.cells
    reals = (_cell(c[11], 0), _cell(c[12], 3), _cell(c[13], 9), _cell(c[14], 6))
    more = (_cell(c[15], 9), _cell(c[16], 9), _cell(c[17], 9))
    head = (*map(str, c[:3]), _cell(c[3], 9), c[4], c[5], *map(str, c[6:9]), c[9], c[10])
    return ",".join((*head, *reals, *more, c[18])) + "\n"


def legacy_row(row: Row, signed: bool = True) -> str:
    """The five columns; unknown is 0, and older logs dropped the sign."""
    c = row.cells
    diff = c[3] or 0.0
    return f"{c[0]},{c[1]},{c[2]},{diff if signed else abs(diff):.6f},{c[4]}\n"


def rich_text(rows: list[Row]) -> str:
    return HEADER + "".join(map(rich_row, rows))


def legacy_text(rows: list[Row], signed: bool = True) -> str:
    return "".join(legacy_row(row, signed) for row in rows)


H = 3600
SCENARIOS = {
    "calm": Scenario(),
    # the day of issue: a step nobody ordered, slewed back; an outage; a reboot
    "incident": Scenario(
        steps={2 * H + 17: -61.8},
        slew_ppm=83333.0,
        outages=[(8 * H, 11 * H)],
        reboots={15 * H: (47, 0.4)},
        first_sync_s=20,
    ),
    # the client never notices: its differences stay near 0 all day
    "blind": Scenario(steps={6 * H: -61.8}, blind=True),
    "blind-returned": Scenario(steps={6 * H: -61.8, 9 * H: 61.8}, blind=True),
    # 20 of 24 hours without synchronisation
    "unsynced": Scenario(unsynced=[(2 * H, 22 * H)]),
    "never": Scenario(length=2 * H, first_sync_s=10 * DAY),
    # the crystal runs away while the server is gone: the reported bound does not hold
    "bound": Scenario(outages=[(4 * H, 8 * H)], temperature_ppm=40.0, length=12 * H),
    "from-1970": Scenario(length=2 * H, boot_error_s=-EPOCH_S + 40.0, first_sync_s=90),
    "server-jump": Scenario(server_jumps={3 * H + 5: 2.5}, length=8 * H, slew_ppm=83333.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--output", default="-")
    parser.add_argument("--legacy", action="store_true", help="five columns, no header")
    parser.add_argument("--unsigned", action="store_true", help="with --legacy: drop the sign")
    options = parser.parse_args()
    rows = run(SCENARIOS[options.scenario])
    text = legacy_text(rows, not options.unsigned) if options.legacy else rich_text(rows)
    if options.output == "-":
        sys.stdout.write(text)
    else:
        with open(options.output, "w", encoding="ascii") as file:
            file.write(text)


if __name__ == "__main__":
    main()
