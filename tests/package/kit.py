"""What the tests of packages share: a good package taken apart, and the way back."""

import gzip
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from eap import rules_elf, rules_manifest, rules_package, rules_source  # noqa: E402
from eap.package import Package  # noqa: E402

ARCHS = {"aarch64": "aarch64-linux-gnu-", "armv7hf": "arm-linux-gnueabihf-"}
TIME64 = ["-D_TIME_BITS=64", "-D_FILE_OFFSET_BITS=64"]
LINK = ["-fPIE", "-pie", "-Wl,-z,relro,-z,now,--disable-new-dtags"]
GOOD_LINK = {"aarch64": LINK, "armv7hf": [*LINK, "-march=armv7-a+fp", *TIME64]}
GOOD_SOURCE = """
#include <stdio.h>
#include <time.h>
int main(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return printf("%lld\\n", (long long)now.tv_sec) < 0;
}
"""
EPOCH = "1700000000"


class Parts:
    """A package taken apart: change what you like, then have it put together again."""

    def __init__(self, path: pathlib.Path):
        self.name = path.name
        self.mtime = int(EPOCH)
        self.format = tarfile.GNU_FORMAT
        self.gzip_mtime = 0
        self.gzip_name = ""
        self.tail = b""
        self.change_info = lambda info: info
        self.extra: list[tarfile.TarInfo] = []
        self.files: dict[str, bytes] = {}
        self.modes: dict[str, int] = {}
        with tarfile.open(path) as archive:
            for member in archive:
                self.modes[member.name] = member.mode
                if member.isreg():
                    self.files[member.name] = archive.extractfile(member).read()

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.files[name].decode()
        assert old in text, f"{name} does not hold {old!r}"
        self.files[name] = text.replace(old, new).encode()

    def manifest(self, change) -> None:
        """Applies `change` to the manifest's data; param.conf and package.conf stay as they are."""
        data = json.loads(self.files["manifest.json"])
        change(data)
        self.files["manifest.json"] = (json.dumps(data) + "\n").encode()

    def write(self, folder: pathlib.Path) -> pathlib.Path:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=self.format) as archive:
            for name, mode in self.modes.items():
                if name in self.files:
                    self._add(archive, name, mode)
            for name in set(self.files) - set(self.modes):
                self._add(archive, name, 0o644)
            for info in self.extra:
                archive.addfile(info)
        path = folder / self.name
        packed = io.BytesIO()
        with gzip.GzipFile(self.gzip_name, "wb", 9, packed, self.gzip_mtime) as file:
            file.write(raw.getvalue())
        path.write_bytes(packed.getvalue() + self.tail)
        return path

    def _add(self, archive: tarfile.TarFile, name: str, mode: int) -> None:
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.size = mode, self.mtime, len(self.files[name])
        info.uname = info.gname = ""
        archive.addfile(self.change_info(info), io.BytesIO(self.files[name]))


class Kit:
    """Makes packages in a folder of its own and judges them."""

    def __init__(self, folder: pathlib.Path, compile_program):
        self.folder = folder
        self.compile = compile_program

    def make(self, arch="aarch64", manifest="manifest.json", config="{}\n", program=None, env=None):
        """A package by tools/make_eap.py, as the build calls it."""
        work = self.folder / "in"
        work.mkdir(exist_ok=True)
        (work / "program").write_bytes(program or self.compile(arch))
        (work / "config.json").write_text(config)
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        command = [
            ROOT / "tools" / "make_eap.py", "--manifest", ROOT / "app" / manifest,
            "--app", ROOT / "app", "--arch", arch, "--binary", work / "program",
            "--config", work / "config.json", "--output", out,
        ]
        done = subprocess.run(
            [sys.executable, *map(str, command)], capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": EPOCH, **(env or {})},
        )
        assert done.returncode == 0, done.stderr
        return next(out.glob(f"*_{arch}.eap"))

    def parts(self, arch="aarch64", **how) -> Parts:
        return Parts(self.make(arch, **how))

    def judge(self, parts: Parts, libcurl: str = "bundled") -> dict[str, list[str]]:
        """Rule -> problems, of the package put together from `parts`."""
        changed = self.folder / "changed"
        changed.mkdir(exist_ok=True)
        return broken_rules(parts.write(changed), libcurl)

    def sources(self) -> pathlib.Path:
        """A copy of everything in the project that builders read."""
        copy = self.folder / "project"
        copy.mkdir()
        for name in ("app", "tools"):
            shutil.copytree(
                ROOT / name, copy / name,
                ignore=shutil.ignore_patterns("__pycache__", "build", "*.eap"),
            )
        for pattern in ("fixedit-manifest*.json", "Dockerfile*", ".gitignore", ".dockerignore"):
            for path in ROOT.glob(pattern):
                shutil.copy(path, copy)
        return copy


def broken_rules(path: pathlib.Path, libcurl: str = "bundled") -> dict[str, list[str]]:
    package = Package(path, libcurl)
    found = {rule.name: rule.problems(package) for rule in rules_package.CHECKS}
    found |= {rule.name: rule.problems(package) for rule in rules_elf.CHECKS}
    found |= {rule.name: rule.problems(package.manifest) for rule in rules_manifest.CHECKS}
    return {name: problems for name, problems in found.items() if problems}


def broken_source_rules(root: pathlib.Path) -> dict[str, list[str]]:
    sources = rules_source.Sources(root)
    found = {rule.name: rule.problems(sources) for rule in rules_source.CHECKS}
    return {name: problems for name, problems in found.items() if problems}
