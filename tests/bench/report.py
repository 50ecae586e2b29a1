#!/usr/bin/python3
"""Prints the tables of tools/bench.sh.

usage: report.py RESULTS.tsv

Each line of RESULTS is group, round, "measurement:contestant", key, value. Rounds in which the
line ping-pong differed from its median are dropped; ratios are taken round by round.
"""

import sys
from collections import defaultdict
from statistics import median

# A round counts when the cache line travelled at no less and no more than these parts of the
# median: outside, the hypervisor had placed the cores otherwise.
PACE_LEAST, PACE_MOST = 0.6, 1.5
PROBES = ("probe_before", "probe_after")

# What is printed of each measurement, and whether less is better.
KEYS = {"rate": False, "rtt": True, "p50": True, "p99": True}

# Goals: measurement, key, peer ("best" = the best of all but those below; "" = an absolute bound)
# and the ratio or bound that ours must reach.
NOT_PEERS = ("memcpy", "mutex")
GOALS = (
    ("64 B, 1024 slots, M/s", "rate", "best", 1.3),
    ("64 B, 65536 slots, M/s", "rate", "best", 1.0),
    ("128 B, 65536 slots, M/s", "rate", "best", 1.4),
    ("five columns, M rows/s", "rate", "snprintf", 8.0),
    ("five columns, M rows/s", "rate", "to_chars", 2.2),
    ("log, five columns, M rows/s", "rate", "stdio", 3.3),
    ("log, five columns, M rows/s", "rate", "spdlog_async", 5.0),
    ("upload, plain, MB/s", "rate", "best", 0.9),
    ("one call, five columns, ns", "p50", "", 40.0),
    ("one call, five columns, ns", "p99", "", 150.0),
)


def read_results(path):
    """group -> round -> measurement -> contestant -> key -> value (hash as text)."""

    def tree():
        return defaultdict(tree)

    results = tree()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            group, number, label, key, value = line.rstrip("\n").split("\t")
            measurement, _, contestant = label.partition(":")
            value = value if key == "hash" else float(value)
            results[group][int(number)][measurement][contestant][key] = value
    return results


def paces(rounds):
    return [
        rounds[number][probe][""]["two_lines_ns"]
        for number in rounds
        for probe in PROBES
        if probe in rounds[number]
    ]


def good_rounds(rounds, usual_ns):
    """The rounds that are whole and ran on the same machine, so to speak."""

    def is_usual(number):
        pace = [rounds[number][p][""]["two_lines_ns"] for p in PROBES if p in rounds[number]]
        whole = len(pace) == len(PROBES)
        return whole and all(PACE_LEAST * usual_ns <= ns <= PACE_MOST * usual_ns for ns in pace)

    return [number for number in sorted(rounds) if is_usual(number)]


def show(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(values):
    return f"{show(median(values))} ({show(min(values))}-{show(max(values))})"


def series(rounds, numbers, measurement, key):
    """contestant -> its values, round by round."""
    names = dict.fromkeys(n for r in numbers for n in rounds[r][measurement])
    found = {n: [rounds[r][measurement][n].get(key) for r in numbers] for n in names}
    return {n: v for n, v in found.items() if v and None not in v}


def print_measurement(rounds, numbers, measurement):
    for key, less_is_better in KEYS.items():
        values = series(rounds, numbers, measurement, key)
        if not values:
            continue
        print(f"\n### {measurement}{'' if key in ('rate', 'rtt') else ', ' + key}\n")
        print("| contestant | median (least-most) | ours / it, per round |\n|---|--:|--:|")
        ranked = sorted(values, key=lambda n: median(values[n]), reverse=not less_is_better)
        for name in ranked:
            ratio = ""
            if name != "ours" and "ours" in values:
                ratio = spread([a / b for a, b in zip(values["ours"], values[name])])
            shown = f"**{name}**" if name == "ours" else name
            print(f"| {shown} | {spread(values[name])} | {ratio} |")
        for extra in ("peak_above_start_kib", "peak_above_kept_kib", "cost_ns"):
            memory = series(rounds, numbers, measurement, extra)
            for name, kib in memory.items():
                print(f"\n{name}: {extra} {spread(kib)}")


def check_hashes(rounds, numbers, measurement):
    """Equal rows, equal bytes, whoever wrote them; the two left out hash something else."""
    hashes = {
        name: rounds[r][measurement][name]["hash"]
        for r in numbers
        for name in rounds[r][measurement]
        if "hash" in rounds[r][measurement][name] and name not in ("fprintf", "memcpy")
    }
    if len(set(hashes.values())) > 1:
        sys.exit(f"report.py: error: {measurement}: the bytes differ: {hashes}")


def judge(rounds, numbers, goal):
    """One line of the list of goals, or None when it was not measured."""
    measurement, key, peer, bound = goal
    values = series(rounds, numbers, measurement, key) if numbers else {}
    if "ours" not in values:
        return None
    if peer == "":
        got = median(values["ours"])
        return measurement, key, f"<= {bound:g} + empty call", show(got), got
    rivals = {n: v for n, v in values.items() if n != "ours" and n not in NOT_PEERS}
    if peer != "best":
        rivals = {peer: rivals[peer]} if peer in rivals else {}
    if not rivals:
        return None
    best = max(rivals, key=lambda n: median(rivals[n]))
    got = median(values["ours"]) / median(rivals[best])
    return measurement, key, f">= {bound:g} x {best}", f"{got:.2f} x", got


def print_goals(results, kept, empty_ns):
    print("\n## Goals\n\n| line | goal | measured | |\n|---|--:|--:|---|")
    for goal in GOALS:
        for group, rounds in results.items():
            line = judge(rounds, kept[group], goal)
            if line is None:
                continue
            measurement, key, wanted, got, value = line
            bound = goal[3]
            met = value <= bound + empty_ns if goal[2] == "" else value >= bound
            print(f"| {measurement}, {key} | {wanted} | {got} | {'met' if met else 'NOT MET'} |")


def main():
    if len(sys.argv) != 2 or sys.argv[1] == "--help":
        print(__doc__.strip())
        return 0 if "--help" in sys.argv else 2
    results = read_results(sys.argv[1])
    idle = results.pop("idle", None)
    if idle:
        print_idle(idle)
    if not results:
        return 0
    usual_ns = median(ns for rounds in results.values() for ns in paces(rounds))
    empty = [
        rounds[n][p][""]["empty_call_ns"]
        for rounds in results.values()
        for n in rounds
        for p in PROBES
        if p in rounds[n]
    ]
    kept = {}
    for group, rounds in results.items():
        kept[group] = good_rounds(rounds, usual_ns)
        print(f"\n## {group}: {len(kept[group])} of {len(rounds)} rounds count")
        for measurement in dict.fromkeys(m for r in kept[group] for m in rounds[r]):
            if measurement not in PROBES:
                check_hashes(rounds, kept[group], measurement)
                print_measurement(rounds, kept[group], measurement)
    print(f"\nline ping-pong: median {usual_ns:.0f} ns; empty call {median(empty):.1f} ns")
    print_goals(results, kept, median(empty))
    return 0


IDLE_KEYS = (
    "cpu_us_per_sample",
    "voluntary_per_sample",
    "syscalls_per_sample",
    "forks",
    "rss_kib",
    "rss_anon_kib",
    "peak_kib",
)


def print_idle(rounds):
    """All side by side, and memory."""
    contestants = rounds[1]["idle"]
    print("\n## idle\n")
    print("| |" + "|".join(IDLE_KEYS) + "|\n|---" + "|--:" * len(IDLE_KEYS) + "|")
    for name, values in contestants.items():
        print(
            f"| {name} |"
            + "|".join(show(values[k]) if k in values else "" for k in IDLE_KEYS)
            + "|"
        )
    ours = contestants["ours"]["cpu_us_per_sample"]
    bare = contestants["bare loop"]["cpu_us_per_sample"]
    asking = contestants["asking loop"]["cpu_us_per_sample"]
    spawned = contestants["chronyc each second"]["cpu_us_per_sample"]
    print(
        f"\nCPU: {ours / bare:.2f} x the bare loop, {ours / asking:.2f} x the asking loop, "
        f"1/{spawned / ours:.1f} of chronyc each second"
    )


if __name__ == "__main__":
    sys.exit(main())
