"""Rules for the sources that the builders read: app/, the Dockerfiles, the FixedIT manifests."""

import functools
import json
import pathlib
import re

from eap.manifest import Manifest
from eap.rules import Checklist
from eap.rules_manifest import CHECKS as MANIFEST_CHECKS

CHECKS = Checklist()

FIXEDIT_KEYS = {
    "arch", "lib", "sdk_name", "sdk_version", "build_arg", "extra_package_files", "manifest_name",
    "docker_target", "dockerfile_name", "docker_lib_version", "docker_lib_env", "config_file",
    "config_string", "dump_build_dir", "dump_build_container", "build_image_only",
    "force_docker_platform",
}
ARCHS = {"aarch64", "armv7hf", "x86_64"}
INTERVAL = "UPLOAD_INTERVAL_S"


class Sources:
    """The project's folder, as far as builders care."""

    def __init__(self, root: pathlib.Path):
        self.root = root

    @functools.cached_property
    def manifests(self) -> list[Manifest]:
        paths = sorted((self.root / "app").glob("manifest*.json"))
        return [Manifest(json.loads(path.read_text()), path.name) for path in paths]

    @functools.cached_property
    def fixedit(self) -> dict[str, dict]:
        paths = sorted(self.root.glob("fixedit-manifest*.json"))
        return {path.name: json.loads(path.read_text()) for path in paths}

    def scripts(self) -> list[pathlib.Path]:
        folders = ("app", "tools")
        return [path for folder in folders for path in sorted((self.root / folder).rglob("*.sh"))]


@CHECKS.rule("source-manifest", "each app/manifest*.json keeps every rule of a manifest")
def _manifest(sources: Sources):
    if "manifest.json" not in [manifest.name for manifest in sources.manifests]:
        yield "app/manifest.json is missing"
    for manifest in sources.manifests:
        for rule in MANIFEST_CHECKS:
            for problem in rule.problems(manifest):
                yield f"app/{manifest.name}: {rule.name}: {problem}"


@CHECKS.rule("source-manifests-agree", "the manifests differ in what their schemas demand only")
def _agree(sources: Sources):
    first = sources.manifests[0]
    for other in sources.manifests[1:]:
        for key in ("appName", "friendlyName", "vendor", "version", "runMode"):
            if first.setup.get(key) != other.setup.get(key):
                yield f"{key} is not the same in {first.name} and {other.name}"
        if first.configuration != other.configuration:
            yield f"configuration is not the same in {first.name} and {other.name}"


@CHECKS.rule("source-licence", "app/LICENSE names every component that a package may bundle")
def _licence(sources: Sources):
    text = (sources.root / "app" / "LICENSE").read_text()
    for name in ("curl", "cJSON", "OpenSSL"):
        if not re.search(rf"^{name}$", text, re.M):
            yield f"no section for {name}"


@CHECKS.rule("source-makefile", "app/Makefile has the target all")
def _makefile(sources: Sources):
    if not re.search(r"^all:", (sources.root / "app" / "Makefile").read_text(), re.M):
        yield "no target all"


@CHECKS.rule("source-fixedit", "FixedIT manifests hold known keys, KEY=VALUE and files that exist")
def _fixedit(sources: Sources):
    for name, data in sources.fixedit.items():
        build = data.get("build", {})
        for key in sorted((set(build) - FIXEDIT_KEYS) | (set(data) - {"build"})):
            yield f"{name}: unknown key {key}"
        for number, entry in enumerate(build.get("build_arg", [])):
            if not re.match(r"[A-Z][A-Z0-9_]*=", entry):
                yield f"{name}: build_arg {number} is not KEY=VALUE"
        if build.get("arch") not in ARCHS:
            yield f"{name}: arch is {build.get('arch')}"
        dockerfile = build.get("dockerfile_name", "Dockerfile")
        if not (sources.root / dockerfile).is_file():
            yield f"{name}: there is no {dockerfile}"


@CHECKS.rule("source-fixedit-twins", "FixedIT manifests differ in the interval only")
def _twins(sources: Sources):
    kept = set()
    for name, data in sources.fixedit.items():
        args = data["build"]["build_arg"]
        if sum(entry.startswith(INTERVAL + "=") for entry in args) != 1:
            yield f"{name}: {INTERVAL} does not come exactly once"
        rest = [entry for entry in args if not entry.startswith(INTERVAL + "=")]
        without = {**data, "build": {**data["build"], "build_arg": rest}}
        kept.add(json.dumps(without, sort_keys=True))
    if len(kept) > 1:
        yield "they differ in more than that"


@CHECKS.rule("source-ignore", ".gitignore and .dockerignore keep out packages and secrets")
def _ignore(sources: Sources):
    for name in (".gitignore", ".dockerignore"):
        lines = (sources.root / name).read_text().split()
        for pattern in ("*.eap", "s3.env"):
            if pattern not in lines and f"**/{pattern}" not in lines:
                yield f"{name} lacks {pattern}"


@CHECKS.rule("source-scripts", "scripts have LF line ends and start with #!")
def _scripts(sources: Sources):
    for path in sources.scripts():
        content = path.read_bytes()
        if b"\r" in content:
            yield f"{path.relative_to(sources.root)} has CR"
        if not content.startswith(b"#!") and path.stat().st_mode & 0o111:
            yield f"{path.relative_to(sources.root)} does not start with #!"


@CHECKS.rule("source-secret", "no signed address in what is committed for builders")
def _secret(sources: Sources):
    paths = [*sources.root.glob("*.json"), *sources.root.glob("Dockerfile*")]
    paths += [path for path in (sources.root / "app").rglob("*") if path.is_file()]
    for path in sorted(paths):
        if re.search(rb"X-Amz-Signature=[0-9a-f]{8}", path.read_bytes()):
            yield f"{path.relative_to(sources.root)} holds one"
