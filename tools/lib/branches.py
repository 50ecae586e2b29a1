#!/usr/bin/python3
"""Reads gcovr's JSON report: how many branches of each file were taken, and which never.

usage: branches.py REPORT REQUIRED... -- REPORTED...

Exit code 1 when a branch of a REQUIRED file was never taken, or one of them is not in the report.
"""

import json
import sys


def missed(file: dict) -> tuple[int, list[int]]:
    """How many branches there are, and the line of each that was never taken."""
    total, lines = 0, []
    for line in file["lines"]:
        for branch in line["branches"]:
            total += 1
            if branch["count"] == 0:
                lines.append(line["line_number"])
    return total, lines


def row(name: str, file: dict | None, needed: bool) -> tuple[str, list[str]]:
    """The table's line for one file, and what is wrong with it."""
    need = "100 %" if needed else ""
    if file is None:
        return f"{name:<34} {'not run at all':>22}  {need:>8}", [name] if needed else []
    total, lines = missed(file)
    taken = total - len(lines)
    share = 100 * taken / total if total else 100
    where = [f"{name}:{line}" for line in sorted(set(lines))]
    text = f"{name:<34} {taken:>5} of {total:>5} {share:>7.1f} %  {need:>8}"
    return text, where if needed else []


def main(arguments: list[str]) -> int:
    report, names = arguments[0], arguments[1:]
    split = names.index("--")
    with open(report, encoding="utf-8") as stream:
        files = {file["file"]: file for file in json.load(stream)["files"]}
    print(f"{'file':<34} {'branches taken':>22}  {'required':>8}")
    never: list[str] = []
    for name in names[:split] + names[split + 1 :]:
        text, wrong = row(name, files.get(name), name in names[:split])
        never += wrong
        print(text)
    for place in never:
        print(f"coverage.sh: error: {place}: a branch is never taken by a test", file=sys.stderr)
    return 1 if never else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
