"""Many cameras: which ones, and the same thing done with all of them side by side."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import re
from collections.abc import Callable

from vapix.answers import CameraError


@dataclasses.dataclass(frozen=True)
class Target:
    """A camera as the person names it."""

    name: str
    address: str


def parse_target(text: str) -> Target:
    """NAME=ADDRESS or ADDRESS alone."""
    name, equals, address = text.partition("=")
    if not equals:
        name, address = text, text
    name, address = name.strip(), address.strip().rstrip("/")
    if not re.fullmatch(r"(https?://)?([\w.\-]+|\[[0-9a-fA-F:]+\])(:\d+)?", address):
        raise CameraError(f"'{text}' is no camera: want ADDRESS or NAME=ADDRESS")
    return Target(name, address)


def read_targets(path: pathlib.Path) -> list[Target]:
    """One camera a line, # starts a comment."""
    targets = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        try:
            targets.append(parse_target(words))
        except CameraError as error:
            raise CameraError(f"{path} line {number}: {error.what}") from error
    return targets


def check_names(targets: list[Target]) -> None:
    names = [target.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise CameraError(f"the camera '{name}' is given twice")


def for_all(
    targets: list[Target],
    work: Callable[[Target], str],
    tell: Callable[[Target, str, CameraError | None], None],
    jobs: int,
) -> int:
    """Does WORK with each, JOBS at once, tells each outcome as it comes; how many failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        pending = {pool.submit(work, target): target for target in targets}
        for done in concurrent.futures.as_completed(pending):
            error = done.exception()
            if error is not None and not isinstance(error, CameraError):
                raise error
            failed += error is not None
            tell(pending[done], "" if error else done.result(), error)
    return failed
