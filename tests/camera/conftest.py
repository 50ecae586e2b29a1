"""Fixtures of the emulated camera: real packages, real chronyd, real radosgw."""

import json
import pathlib
import subprocess
import sys

import pytest
from emulated import EmulatedCamera

from lab.fixtures import bucket, chrony_address, s3_server  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(params=["aarch64", "armv7hf"])
def camera(request):
    """An empty camera of each architecture."""
    made = EmulatedCamera(request.param)
    yield made
    print(f"--- {made.arch} said:\n{made.said}")
    made.close()


@pytest.fixture
def make_package(tmp_path):
    """make(arch, config, version) -> a package of the built program, by the real packager."""

    def make(arch: str, config: dict, version: str = "1.0.0") -> pathlib.Path:
        build = ROOT / "build" / arch
        program = build / "ntp_logger.stripped"
        if not program.exists():
            pytest.fail(f"no {program}: run cmake --build --preset {arch} --target eap")
        folder = tmp_path / version
        folder.mkdir(exist_ok=True)
        manifest = json.loads((ROOT / "app" / "manifest.json").read_text())
        manifest["acapPackageConf"]["setup"]["version"] = version
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "config.json").write_text(json.dumps(config) + "\n")
        subprocess.run(
            [sys.executable, ROOT / "tools" / "make_eap.py", "--arch", arch,
             "--manifest", folder / "manifest.json", "--app", ROOT / "app", "--binary", program,
             "--config", folder / "config.json", "--output", folder,
             "--deps", ROOT / "build" / "deps" / arch],
            check=True, capture_output=True,
        )
        package = next(folder.glob(f"*_{arch}.eap"))
        check = [sys.executable, ROOT / "tools" / "check_eap.py", "--quiet", package]
        subprocess.run(check, check=True, stdout=subprocess.DEVNULL)
        return package

    return make
