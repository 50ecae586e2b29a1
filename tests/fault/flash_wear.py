#!/usr/bin/python3
"""At the default rate the spool costs at most 2 writes and 1 fdatasync a minute, by strace."""

import collections
import re
import sys
import time

from common import Camera, finish, parser
from traced import need_strace

CALLS = "write,writev,pwrite64,pwritev,fdatasync,fsync,ftruncate,renameat2,unlinkat"
WRITES = ("write", "writev", "pwrite64", "pwritev")


def calls_on_spool(camera: Camera, minutes: int) -> collections.Counter:
    """What the program did to the spool after it had started."""
    out = camera.folder / "strace.out"
    wrapper = ["strace", "-D", "-f", "-y", "-qq", "-e", f"trace={CALLS}", "-o", str(out)]
    process = camera.start(wrapper=wrapper)
    time.sleep(5)
    begun = len(out.read_text().splitlines())
    for _ in range(minutes * 6):
        time.sleep(10)
        print(f"flash wear: {(_ + 1) * 10} of {minutes * 60} s", file=sys.stderr, flush=True)
    lines = out.read_text().splitlines()[begun:]
    process.terminate()
    process.wait()
    counts: collections.Counter = collections.Counter()
    for line in lines:
        found = re.match(r"\d+ +(\w+)\(", line)
        if found and str(camera.spool) in line:
            counts[found[1]] += 1
    return counts


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--minutes", type=int, default=5)
    args = options.parse_args()
    need_strace()
    camera = Camera(
        "flash", disk=True, sample_interval_ms=1000, commit_interval_s=60, upload_interval_s=86400,
        first_upload_s=86400,
    )  # fmt: skip
    counts = calls_on_spool(camera, args.minutes)
    writes, syncs = sum(counts[call] for call in WRITES), counts["fdatasync"]
    problems = []
    if not 0 < writes <= 2 * args.minutes:
        problems.append(f"{writes} writes in {args.minutes} minutes, at most 2 each: {counts}")
    if not 0 < syncs <= args.minutes:
        problems.append(f"{syncs} fdatasyncs in {args.minutes} minutes, at most 1 each")
    others = sum(counts.values()) - writes - syncs
    camera.remove()
    return finish(
        "flash_wear",
        problems,
        f"{writes} writes, {syncs} fdatasyncs, {others} other changes in {args.minutes} minutes",
    )


if __name__ == "__main__":
    sys.exit(main())
