"""Fixtures: packages made by the real packager from tiny programs of the real cross compilers."""

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from kit import ARCHS, GOOD_LINK, GOOD_SOURCE, Kit  # noqa: E402


@pytest.fixture(scope="session")
def compile_program(tmp_path_factory):
    """compile(arch, source, flags..., strip=True) -> the program's bytes; each is built once."""
    known: dict[tuple, bytes] = {}
    folder = tmp_path_factory.mktemp("programs")

    def build(arch: str, *flags: str, source: str = GOOD_SOURCE, strip: bool = True) -> bytes:
        key = (arch, flags, source, strip)
        if key not in known:
            prefix = ARCHS[arch]
            if not shutil.which(f"{prefix}gcc"):
                pytest.fail(f"{prefix}gcc is missing: run tools/install-deps.sh package")
            out = folder / f"program{len(known)}"
            command = [f"{prefix}gcc", "-x", "c", "-", *GOOD_LINK[arch], *flags, "-o", out]
            subprocess.run(list(map(str, command)), input=source, text=True, check=True)
            if strip:
                subprocess.run([f"{prefix}strip", out], check=True)
            known[key] = out.read_bytes()
        return known[key]

    return build


@pytest.fixture
def kit(tmp_path, compile_program):
    """Makes packages, good or with a planted fault, and tells which rules they break."""
    return Kit(tmp_path, compile_program)
