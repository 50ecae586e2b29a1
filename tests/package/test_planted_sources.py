"""Each rule about what the builders read is broken once, and found."""

import json

import pytest
from kit import ROOT, broken_source_rules

from eap.rules_source import CHECKS

DAILY = "fixedit-manifest.json"


def edit(name: str, old: str, new: str):
    def change(root) -> None:
        path = root / name
        text = path.read_bytes().decode()
        assert old in text, f"{name} does not hold {old!r}"
        path.write_bytes(text.replace(old, new).encode())

    return change


def build_key(key: str, value):
    def change(root) -> None:
        for path in root.glob("fixedit-manifest*.json"):
            data = json.loads(path.read_text())
            data["build"][key] = value
            path.write_text(json.dumps(data))

    return change


def signed(root) -> None:
    edit(DAILY, '"PRESIGNED_URL_TIME_LOG="',
         '"PRESIGNED_URL_TIME_LOG=https://a.example/?X-Amz-Signature=0123456789abcdef"')(root)


def no_shebang(root) -> None:
    path = root / "tools" / "cross-deps.sh"
    path.write_text(path.read_text().replace("#!/bin/bash\n", "", 1))


PLANTED = [
    ("source-manifest", edit("app/manifest.json", '"ntp_logger"', '"ntp-logger"')),
    ("source-manifest", edit("app/manifest.v2.json", '"vendorId"', '"vendorID"')),
    ("source-manifest", lambda root: (root / "app" / "manifest.json").unlink()),
    ("source-manifest", edit("app/manifest.json", "{", "")),
    ("source-manifests-agree", edit("app/manifest.v2.json", '"1.0.0"', '"1.0.1"')),
    ("source-manifests-agree", edit("app/manifest.v2.json", "debug", "noise")),
    ("source-licence", edit("app/LICENSE", "\ncJSON\n", "\nJSON\n")),
    ("source-makefile", edit("app/Makefile", "\nall:", "\neverything:")),
    ("source-makefile", lambda root: (root / "app" / "Makefile").unlink()),
    ("source-fixedit", build_key("colour", "blue")),
    ("source-fixedit", build_key("arch", "mips")),
    ("source-fixedit", build_key("build_arg", ["UPLOAD_INTERVAL_S"])),
    ("source-fixedit", build_key("dockerfile_name", "Dockerfile.lost")),
    ("source-fixedit-twins", edit(DAILY, '"aarch64"', '"armv7hf"')),
    ("source-fixedit-twins", edit(DAILY, "UPLOAD_INTERVAL_S=", "UPLOAD_INTERVAL=")),
    ("source-ignore", edit(".dockerignore", "**/*.eap", "")),
    ("source-ignore", edit(".gitignore", "s3.env", "")),
    ("source-scripts", edit("tools/cross-deps.sh", "\n", "\r\n")),
    ("source-scripts", no_shebang),
    ("source-secret", signed),
]


@pytest.mark.parametrize(
    "rule, plant", PLANTED, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found(kit, rule, plant):
    root = kit.sources()
    assert broken_source_rules(root) == {}
    plant(root)
    assert rule in broken_source_rules(root)


def test_every_rule_has_a_planted_fault():
    assert {rule.name for rule in CHECKS} == {rule for rule, _ in PLANTED}


def test_the_project_keeps_every_rule():
    assert broken_source_rules(ROOT) == {}
