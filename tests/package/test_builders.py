"""Both builders' own steps, run here in an imitation of the vendor's SDK. Slow: whole builds."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from builder import Build, can_unshare
from imitation_sdk import make_sdk
from kit import ROOT, Parts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_unshare(), reason="no mount namespaces here: cannot imitate /opt"),
]

# What a shell, make or CMake would trip over, if it ever saw it.
MARK = "X-Amz-Signature=0123456789abcdef"
SECRET = f"https://b.example/log.csv?X-Amz-Date=2&a=$HOME;b='c'%2F#&{MARK}"
URLS = {
    "PRESIGNED_URL_TIME_LOG": SECRET + "1",
    "PRESIGNED_URL_NTP_STATUS": SECRET + "2",
    "PRESIGNED_URL_NTP_FAILED_STATUS": SECRET + "3",
}
WANT_URLS = {key.lower(): value for key, value in URLS.items()}


def deps_of(arch: str):
    deps = ROOT / "build" / "deps" / arch
    if not (deps / ".fingerprint").exists():
        pytest.fail(f"no {deps}: run tools/cross-deps.sh {arch}")
    return deps


def new_build(folder, arch: str, with_curl: bool = True, **build_args) -> Build:
    sdk = folder / "sdk"
    make_sdk(sdk, arch, deps_of(arch), with_curl)
    build = Build(folder, {"ARCH": arch, **build_args}, sdk)
    # the image of the libraries: those of cross-deps.sh are found up to date, not built again
    real = build._from

    def with_deps(rest: str) -> None:
        real(rest)
        if rest.endswith(" AS deps"):
            shutil.copytree(deps_of(arch), build.stage.folder / "opt" / "deps", symlinks=True)

    build._from = with_deps
    return build


def checked(path) -> Parts:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "check_eap.py", "--quiet", path],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout
    return Parts(path)


def assert_no_secret(build: Build, parts: Parts) -> None:
    config = parts.files.pop("config.json").decode()
    assert MARK in config
    assert MARK not in build.log, "the build log shows a URL"
    for name, content in parts.files.items():
        assert MARK.encode() not in content, f"{name} holds a URL"


@pytest.mark.parametrize(
    "arch, with_curl, manifest",
    [
        ("aarch64", True, "manifest.json"),
        ("armv7hf", True, "manifest.v2.json"),
        ("armv7hf", False, "manifest.json"),
    ],
    ids=["aarch64-device-curl", "armv7hf-device-curl-v2", "armv7hf-bundled-curl"],
)
def test_plain_docker_build(tmp_path, arch, with_curl, manifest):
    build = new_build(
        tmp_path, arch, with_curl, ACAP_MANIFEST=manifest,
        FIXEDIT_MANIFEST="fixedit-manifest.hourly.json", **URLS,
    )
    last = build.run("Dockerfile")
    parts = checked(last.folder / f"NTP_logger_1_0_0_{arch}.eap")
    size = sum(map(len, parts.files.values()))
    assert (size <= 300 * 1024) == with_curl, f"{size} bytes unpacked"
    assert json.loads(parts.files["config.json"]) == {**WANT_URLS, "upload_interval_s": 3600}
    assert_no_secret(build, parts)


@pytest.mark.parametrize(
    "arch, manifest, interval",
    [
        ("aarch64", "fixedit-manifest.json", 86400),
        ("armv7hf", "fixedit-manifest.hourly.json", 3600),
    ],
)
def test_fixedit_build(tmp_path, arch, manifest, interval):
    options = json.loads((ROOT / manifest).read_text())["build"]
    # list options of the command line extend those of the manifest; the later of two wins
    args = dict(entry.split("=", 1) for entry in options["build_arg"]) | URLS
    build = new_build(tmp_path, arch, **args)
    image = build.run(options["dockerfile_name"])
    assert not list(image.folder.rglob("*.eap")), "an .eap in the image changes the build's style"
    assert not any("X-Amz" in value for value in image.args.values()), "the image declares a URL"
    extra = " ".join(f"-a {name}" for name in options["extra_package_files"])
    for name in options["extra_package_files"]:
        assert image.inside(name).exists(), f"{name} must be there before acap-build"
    command = f". /opt/axis/acapsdk/environment-setup* && acap-build {extra} ."
    done = build.shell(image, command, {"FIXEDIT_BIN_NAME": "ntp_logger", **args})
    assert done.returncode == 0, build.log[-6000:]
    parts = checked(image.inside(f"NTP_logger_1_0_0_{arch}.eap"))
    assert json.loads(parts.files["config.json"]) == {**WANT_URLS, "upload_interval_s": interval}
    assert_no_secret(build, parts)


def test_make_without_an_sdk_says_what_to_do():
    env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    done = subprocess.run(
        ["make", "-C", ROOT / "app"], capture_output=True, text=True, env=env
    )
    assert done.returncode != 0 and "environment-setup" in done.stderr
