#!/usr/bin/python3
"""Checks camera packages (.eap) against the whole checklist of what makes one installable.

One line for each rule: "ok" or "FAIL" with what breaks it. Exit code 0 when all rules hold, 1 when
one is broken, 2 when a file cannot be read as a package at all.
"""

import argparse
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from eap import rules_elf, rules_manifest, rules_package, rules_source  # noqa: E402
from eap.package import Package  # noqa: E402

# Each group: what it is about, its rules, and what they are asked about.
PACKAGE_GROUPS = (
    ("container", rules_package.CHECKS, lambda package: package),
    ("manifest", rules_manifest.CHECKS, lambda package: package.manifest),
    ("program", rules_elf.CHECKS, lambda package: package),
)


def run_rules(checks, subject, quiet: bool) -> int:
    """Prints a line for each rule; returns how many are broken."""
    broken = 0
    for rule in checks:
        problems = rule.problems(subject)
        broken += bool(problems)
        if problems:
            print(f"FAIL {rule.name}: {rule.sentence}")
            for problem in problems:
                print(f"       {problem}")
        elif not quiet:
            print(f"ok   {rule.name}: {rule.sentence}")
    return broken


class Cannot:
    """Stands for a subject that cannot even be read, so that each of its rules says so."""

    def __init__(self, error: Exception):
        self._error = error

    def __getattr__(self, _name):
        raise self._error


def subject_of(take, package: Package):
    try:
        return take(package)
    except Exception as error:  # noqa: BLE001: the package is untrusted
        return Cannot(error)


def check_package(package: Package, quiet: bool) -> int:
    return sum(
        run_rules(checks, subject_of(take, package), quiet) for _, checks, take in PACKAGE_GROUPS
    )


def summary(package: Package) -> str:
    unpacked = sum(len(content) for content in package.files.values())
    return f"{len(package.raw)} bytes packed, {unpacked} unpacked, {len(package.members)} members"


def list_rules() -> None:
    groups = [*PACKAGE_GROUPS, ("sources", rules_source.CHECKS, None)]
    for title, checks, _ in groups:
        print(f"{title}:")
        for rule in checks:
            print(f"  {rule.name}: {rule.sentence}")


def same_bytes(package: Package, other: pathlib.Path) -> int:
    if package.raw == other.read_bytes():
        print(f"ok   identical: it is byte for byte {other}")
        return 0
    print(f"FAIL identical: it differs from {other}")
    return 1


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", metavar="FILE.eap", type=pathlib.Path)
    parser.add_argument("--libcurl", choices=["auto", "bundled", "device"], default="auto",
                        help="whose libcurl the program is meant to use (auto: as it says)")
    parser.add_argument("--sources", type=pathlib.Path, metavar="DIR",
                        help="check the project's folder as well")
    parser.add_argument("--same-as", type=pathlib.Path, metavar="FILE.eap",
                        help="want the package to be byte for byte this one")
    parser.add_argument("--quiet", action="store_true", help="show broken rules only")
    parser.add_argument("--list", action="store_true", help="list the rules and stop")
    args = parser.parse_args(argv)
    if not args.list and not args.packages and not args.sources:
        parser.error("nothing to check: give FILE.eap or --sources DIR")
    return args


def check_all(args) -> int:
    broken = 0
    if args.sources:
        print(f"{args.sources}:")
        broken += run_rules(rules_source.CHECKS, rules_source.Sources(args.sources), args.quiet)
    for path in args.packages:
        package = Package(path, args.libcurl)
        print(f"{path}:")
        broken += check_package(package, args.quiet)
        if args.same_as:
            broken += same_bytes(package, args.same_as)
        print(f"     {summary(package)}")
    return broken


def main(argv: list[str]) -> int:
    args = parse(argv)
    if args.list:
        list_rules()
        return 0
    if not shutil.which("readelf"):
        print("check_eap: 'readelf' is missing: apt-get install binutils", file=sys.stderr)
        return 2
    try:
        broken = check_all(args)
    except Exception as error:  # noqa: BLE001: whatever the file is made of
        print(f"check_eap: not a package: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(f"check_eap: {broken} rules broken" if broken else "check_eap: every rule holds")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
