#!/usr/bin/python3
"""A start over 100,000 segments: ready in under 2 s, with no memory for them, and drained in order."""

import os
import shutil
import sys
import time

from common import Camera, finish, parser
from lab.logger import wait_until

HEADER = (
    "elapsed_time,elapsed_system_time,current_system_time,clock_diff,status,boot_id,seq,"
    "elapsed_raw_ns,read_window_ns,sync_state,source,stratum,ref_age_s,last_offset_s,freq_ppm,"
    "root_delay_s,root_dispersion_s,error_bound_s,event\n"
)
LIMIT_S = 2.0


def fill(camera: Camera, count: int) -> None:
    camera.spool.mkdir(mode=0o700)
    for number in range(1, count + 1):
        row = f"0,0,1800000000000000,,Normal,1a2b3c4d,{number},0,0,unknown,none,,,,,,,,\n"
        (camera.spool / f"{number:010}.csv").write_text(HEADER + row)
    # and one that was being written when the power failed
    (camera.spool / f"{count + 1:010}-1a2b3c4d-{count}.csv.part").write_text(HEADER + row + row[:9])


def start_s(camera: Camera) -> tuple[float, int]:
    """Seconds until it samples, and its resident memory then."""
    camera.log.write_text("")
    begun = time.monotonic()
    process = camera.start()
    wait_until(lambda: "clock:" in camera.said(), "the first sample")
    took = time.monotonic() - begun
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    process.terminate()
    process.wait()
    return took, resident


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--files", type=int, default=100_000)
    args = options.parse_args()
    camera = Camera("many", disk=True)
    problems = []
    try:
        _, empty_bytes = start_s(camera)
        shutil.rmtree(camera.spool)
        fill(camera, args.files)
        took, full_bytes = start_s(camera)
        if f"{args.files + 1} segments wait" not in camera.said():
            problems.append(f"not all segments were found: {camera.said()[:300]}")
        if took >= LIMIT_S:
            problems.append(f"the start took {took:.2f} s, the limit is {LIMIT_S} s")
        more_kib = (full_bytes - empty_bytes) // 1024
        if more_kib > 256:
            problems.append(f"{more_kib} KiB more memory than with an empty spool")
    finally:
        camera.remove()
    return finish(
        "many_segments", problems, f"{args.files} files, ready after {took:.2f} s, {more_kib:+} KiB"
    )


if __name__ == "__main__":
    sys.exit(main())
