"""The whole build, as a packager runs it: the same bytes everywhere, cadences apart in config.json.

Slow. Uses the libraries of build/deps; for the second build those of build/deps-again where they
are, which tools/package.sh --full makes in another folder.
"""

import json
import secrets
import subprocess

import pytest
from kit import EPOCH, ROOT, Parts

pytestmark = pytest.mark.slow


def deps_of(arch: str, again: bool = False):
    for folder in (("deps-again", "deps") if again else ("deps",)):
        deps = ROOT / "build" / folder / arch
        if (deps / ".fingerprint").exists():
            return deps
    pytest.fail(f"no libraries: run tools/cross-deps.sh {arch}")


def copy_sources(folder):
    """What git would check out now, without what a build left."""
    folder.mkdir(parents=True)
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "-c", "-o", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, check=True).stdout
    subprocess.run(
        ["tar", "-C", str(ROOT), "--null", "-T", "-", "-cf", str(folder.with_suffix(".tar"))],
        input=names, check=True,
    )
    subprocess.run(["tar", "-C", str(folder), "-xf", str(folder.with_suffix(".tar"))], check=True)
    return folder


def build(sources, arch, deps, *options, umask="022", tz="UTC", **more):
    """Configures and packs in SOURCES; returns the package. What was said is in build.log there."""
    env = {"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": EPOCH, "TZ": tz, **more}
    script = (
        f'umask {umask} && cmake --preset {arch} -DNTP_LOGGER_DEPS="$DEPS" '
        f'-DNTP_LOGGER_TESTS=OFF "$@" && cmake --build --preset {arch} -j 2 --verbose --target eap'
    )
    done = subprocess.run(
        ["sh", "-c", script, "sh", *options], cwd=sources, env={**env, "DEPS": str(deps)},
        capture_output=True, text=True,
    )
    (sources / "build.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return next((sources / "build" / arch).glob("*.eap"))


@pytest.mark.parametrize("arch", ["aarch64", "armv7hf"])
def test_two_folders_umasks_and_time_zones_give_the_same_bytes(tmp_path, arch):
    first = build(copy_sources(tmp_path / "one"), arch, deps_of(arch))
    second = build(copy_sources(tmp_path / "another" / "place"), arch, deps_of(arch, again=True),
                   umask="077", tz="Pacific/Kiritimati")
    assert first.read_bytes() == second.read_bytes()
    bills = [path.with_name(path.name + ".spdx.json").read_bytes() for path in (first, second)]
    assert bills[0] == bills[1]


@pytest.mark.parametrize("libcurl", ["bundled", "device"])
def test_daily_and_hourly_differ_in_the_interval_only(tmp_path, libcurl):
    sources = copy_sources(tmp_path / "one")
    parts = []
    for manifest in ("fixedit-manifest.json", "fixedit-manifest.hourly.json"):
        options = (f"-DFIXEDIT_MANIFEST={manifest}", f"-DNTP_LOGGER_LIBCURL={libcurl}")
        parts.append(Parts(build(sources, "armv7hf", deps_of("armv7hf"), *options)))
    configs = [json.loads(part.files.pop("config.json")) for part in parts]
    assert configs == [{"upload_interval_s": 86400}, {"upload_interval_s": 3600}]
    assert parts[0].files == parts[1].files and parts[0].modes == parts[1].modes


def test_the_addresses_are_in_config_json_and_nowhere_else(tmp_path):
    """Not in what the build says, the program, the bill of materials or CMake's own files."""
    mark = secrets.token_hex(32)
    names = [f"PRESIGNED_URL_{kind}" for kind in ("TIME_LOG", "NTP_STATUS", "NTP_FAILED_STATUS")]
    urls = {name: f"https://b.example/{name}?a=$HOME&X-Amz-Signature={mark}" for name in names}
    sources = copy_sources(tmp_path / "one")
    package = build(sources, "aarch64", deps_of("aarch64"), **urls)
    bill = package.with_name(package.name + ".spdx.json")
    assert bill.exists() and "ntp_logger" in (sources / "build.log").read_text()
    holding = subprocess.run(
        ["grep", "-rlF", mark, str(sources)], capture_output=True, text=True, check=True
    )
    assert holding.stdout.split() == [str(package.parent / "config.json")]
    parts = Parts(package)
    assert [name for name, data in parts.files.items() if mark.encode() in data] == ["config.json"]
    wanted = {name.lower(): url for name, url in urls.items()}
    assert json.loads(parts.files["config.json"]) == {**wanted, "upload_interval_s": 86400}


def test_the_manifest_of_schema_2_changes_the_manifest_only(tmp_path):
    sources = copy_sources(tmp_path / "one")
    parts = [
        Parts(build(sources, "aarch64", deps_of("aarch64"), f"-DNTP_LOGGER_MANIFEST={manifest}"))
        for manifest in ("app/manifest.json", "app/manifest.v2.json")
    ]
    differing = [name for name in parts[0].files if parts[0].files[name] != parts[1].files[name]]
    assert differing == ["package.conf", "manifest.json"]
