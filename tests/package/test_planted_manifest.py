"""Each rule about manifests is broken once, and found."""

import pytest

from eap.rules_manifest import CHECKS


def setup(**changes):
    def change(data: dict) -> None:
        for key, value in changes.items():
            if value is None:
                data["acapPackageConf"]["setup"].pop(key)
            else:
                data["acapPackageConf"]["setup"][key] = value

    return change


def top(**changes):
    return lambda data: data.update(changes)


def param(number: int, **changes):
    def change(data: dict) -> None:
        data["acapPackageConf"]["configuration"]["paramConfig"][number].update(changes)

    return change


def old_page_key(data: dict) -> None:
    data["acapPackageConf"]["configuration"]["settingsPage"] = "index.html"


def resources_inside(data: dict) -> None:
    data["acapPackageConf"]["resources"] = {}


ROOT_USER = {"username": "root", "group": "root"}
SDK_USER = {"username": "sdk", "group": "sdk"}
PLANTED = [
    ("manifest-required", setup(vendor=None)),
    ("manifest-required", setup(runMode="")),
    ("manifest-required", lambda data: data.pop("schemaVersion")),
    ("manifest-known-keys", top(description="x")),
    ("manifest-known-keys", old_page_key),
    ("manifest-known-keys", resources_inside),
    ("manifest-app-name", setup(appName="ntp-logger")),
    ("manifest-app-name", setup(appName="1logger")),
    ("manifest-app-name", setup(appName="a" * 27)),
    ("manifest-app-name", setup(appName="a")),
    ("manifest-version", setup(version="1.0")),
    ("manifest-version", setup(version="1.0.0-beta")),
    ("manifest-friendly-name", setup(friendlyName='NTP "logger"')),
    ("manifest-friendly-name", setup(friendlyName="NTP\nlogger")),
    ("manifest-friendly-name", setup(friendlyName="a" * 257)),
    ("manifest-run-mode", setup(runMode="always")),
    ("manifest-user-not-root", setup(user=ROOT_USER)),
    ("manifest-user-not-root", top(resources={"linux": {"user": {"groups": ["root"]}}})),
    ("manifest-dynamic-user", setup(user=SDK_USER)),
    ("manifest-v1", setup(embeddedSdkVersion="4.0")),
    ("manifest-v1", top(schemaVersion="3.0.0")),
    ("manifest-v2", setup(vendorId="1234567890")),
    ("manifest-param-keys", param(0, description="x")),
    ("manifest-param-keys", param(0, default=0)),
    ("manifest-param-type", param(0, type="number")),
    ("manifest-param-type", param(0, type="int:from=1")),
    ("manifest-param-secret", param(1, type="string")),
    ("manifest-param-default", param(1, default="https://a.example/x")),
]
PLANTED_V2 = [
    ("manifest-v2", setup(vendorId="12345")),
    ("manifest-v2", setup(vendorId=None)),
    ("manifest-v2", setup(embeddedSdkVersion="3.0")),
    ("manifest-v2", setup(compatibleOsVersions=None)),
    ("manifest-v2", setup(compatibleOsVersions=[{"min": "12.10"}])),
]


def ids(planted):
    return [f"{number}-{rule}" for number, (rule, _) in enumerate(planted)]


@pytest.mark.parametrize("rule, change", PLANTED, ids=ids(PLANTED))
def test_a_planted_fault_is_found(kit, rule, change):
    parts = kit.parts()
    parts.manifest(change)
    assert rule in kit.judge(parts)


@pytest.mark.parametrize("rule, change", PLANTED_V2, ids=ids(PLANTED_V2))
def test_a_planted_fault_of_schema_2_is_found(kit, rule, change):
    parts = kit.parts(manifest="manifest.v2.json")
    assert kit.judge(parts) == {}
    parts.manifest(change)
    assert rule in kit.judge(parts)


def test_every_rule_has_a_planted_fault():
    assert {rule.name for rule in CHECKS} == {rule for rule, _ in PLANTED}


GOOD_TYPES = [
    "string", "string:maxlen=64", "hidden:string", "nosync:readonly:int", "int:min=-1;max=5",
    "bool:no,yes", "enum:0|Server,1|Client", "password", "hidden:password:maxlen=9",
]


@pytest.mark.parametrize("kind", GOOD_TYPES)
def test_types_that_cameras_know_are_good(kit, kind):
    parts = kit.parts()
    parts.manifest(param(0, type=kind))
    assert "manifest-param-type" not in kit.judge(parts)
