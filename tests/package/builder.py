"""Runs the steps of our Dockerfiles without Docker: each stage is a folder that stands for /opt.

A step sees the stage's folder as /opt in a mount namespace of its own; everything else is this
machine. The vendor's image is imitated by an SDK made here (imitation_sdk.py). `apt-get install`
only looks whether this machine has what the step wants.
"""

import dataclasses
import fnmatch
import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent


def can_unshare() -> bool:
    return subprocess.run([*unshare(), "true"], capture_output=True).returncode == 0


def unshare() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@dataclasses.dataclass
class Stage:
    """One FROM of a Dockerfile and what its steps left."""

    folder: pathlib.Path
    workdir: str = "/"
    args: dict[str, str] = dataclasses.field(default_factory=dict)

    def inside(self, path: str) -> pathlib.Path:
        """Where a path of the image really is."""
        full = os.path.normpath(os.path.join(self.workdir, path))
        assert full == "/" or full.startswith("/opt"), f"a step writes to {full}, not below /opt"
        return self.folder / full.lstrip("/")


def instructions(text: str) -> list[tuple[str, str]]:
    """(FROM, ...), (RUN, ...) and so on, continued lines joined, comments gone."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, rest in found]


def ignored(path: pathlib.Path, patterns: list[str]) -> bool:
    name = path.as_posix()
    for pattern in patterns:
        tail = pattern.removeprefix("**/")
        names = [name, *(str(parent) for parent in path.parents)]
        if any(fnmatch.fnmatch(part, tail) for part in names):
            return True
        if tail != pattern and any(fnmatch.fnmatch(piece, tail) for piece in path.parts):
            return True
    return False


class Build:
    """One docker build; `log` is everything that its steps printed."""

    def __init__(self, folder: pathlib.Path, build_args: dict[str, str], sdk: pathlib.Path):
        self.folder = folder
        self.build_args = build_args
        self.sdk = sdk
        self.global_args: dict[str, str] = {}
        self.stages: dict[str, Stage] = {}
        self.stage: Stage | None = None
        self.log = ""
        patterns = (ROOT / ".dockerignore").read_text().splitlines()
        self.ignore = [line for line in patterns if line and not line.startswith("#")]

    def run(self, dockerfile: str) -> Stage:
        """Goes through the file; returns the last stage."""
        steps = {
            "FROM": self._from, "ARG": self._arg, "RUN": self._run, "COPY": self._copy,
            "WORKDIR": self._workdir,
        }
        for word, rest in instructions((ROOT / dockerfile).read_text()):
            steps[word](rest)
        return self.stage

    def _from(self, rest: str) -> None:
        image, _, name = rest.partition(" AS ")
        number = str(len(self.stages))
        self.stage = Stage(self.folder / f"stage{number}")
        self.stage.folder.mkdir(parents=True)
        self.stages[name or number] = self.stage
        if image.startswith("$"):
            shutil.copytree(self.sdk, self.stage.folder / "opt", symlinks=True)
        elif image != "scratch":
            (self.stage.folder / "opt").mkdir()

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        known = self.stage.args if self.stage else self.global_args
        if name in self.build_args:
            known[name] = self.build_args[name]
        elif default or name in self.global_args:
            known[name] = default or self.global_args[name]

    def _workdir(self, rest: str) -> None:
        self.stage.workdir = rest
        self.stage.inside(".").mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        words = shlex.split(rest)
        source = ROOT
        if words[0].startswith("--from="):
            source = self.stages[words.pop(0).removeprefix("--from=")].folder
        *names, target = words
        found = [path for name in names for path in sorted(source.glob(name.lstrip("/")))]
        assert found, f"COPY {rest}: nothing is there"
        into = self.stage.inside(target)
        for path in found:
            self._copy_one(path, into, target.endswith("/"), source)

    def _copy_one(self, path: pathlib.Path, into: pathlib.Path, to_folder: bool, context) -> None:
        def skip(folder, names):
            base = pathlib.Path(folder)
            return [n for n in names if ignored((base / n).relative_to(ROOT), self.ignore)]

        if path.is_dir():
            ignore = skip if context == ROOT else None
            shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True, ignore=ignore)
        else:
            into = into / path.name if to_folder else into
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into)

    def _run(self, rest: str) -> None:
        done = self.shell(self.stage, rest, self.stage.args)
        assert done.returncode == 0, f"RUN {rest}\n{self.log[-6000:]}"

    def shell(self, stage: Stage, command: str, env: dict[str, str]):
        """A command in a stage, as the builder's shell runs it."""
        inner = 'mount --bind "$STAGE/opt" /opt && cd "$WORKDIR" && exec sh -c "$COMMAND"'
        done = subprocess.run(
            [*unshare(), "sh", "-c", inner], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
            env={
                "PATH": f"{HERE / 'shims'}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent",
                "STAGE": str(stage.folder), "WORKDIR": stage.workdir, "COMMAND": command, **env,
            },
        )
        self.log += done.stdout
        return done
