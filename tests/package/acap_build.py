#!/usr/bin/python3
"""Stands for the vendor's packager in the imitated SDK; does what the published facts say of it.

acap-build [-m MANIFEST] [-b make|no-build] [-a FILE]... PATH
"""

import argparse
import gzip
import io
import os
import pathlib
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from eap.manifest import (  # noqa: E402
    Manifest, ManifestError, cgi_conf, package_conf, package_conf_text, param_conf,
)
from eap.rules_manifest import CHECKS  # noqa: E402

ARCHS = {"aarch64": "aarch64", "arm": "armv7hf"}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="acap-build")
    parser.add_argument("-m", "--manifest", default="manifest.json")
    parser.add_argument("-b", "--build", choices=["make", "no-build"], default="make")
    parser.add_argument("-a", "--additional-file", action="append", default=[])
    parser.add_argument("path", type=pathlib.Path)
    return parser.parse_args()


def validated(path: pathlib.Path, arch: str) -> Manifest:
    manifest = Manifest.read(path)
    problems = [f"{rule.name}: {text}" for rule in CHECKS for text in rule.problems(manifest)]
    if problems:
        raise ManifestError("manifest does not fit its schema: " + "; ".join(problems))
    return manifest.with_architecture(arch)


def members(manifest: Manifest, folder: pathlib.Path, extra: list[str]) -> list[str]:
    """Names of what is packed, in the packager's order."""
    names = [manifest.app_name, "package.conf", "param.conf", "LICENSE", "manifest.json", *extra]
    names += [name for name in ("html", "declarations", "lib") if (folder / name).is_dir()]
    return names + (["cgi.conf"] if manifest.http else [])


def normal(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = int(os.environ.get("SOURCE_DATE_EPOCH") or "1700000000")
    return info


def build(args: argparse.Namespace) -> pathlib.Path:
    folder = args.path.resolve()
    arch = ARCHS.get(os.environ.get("OECORE_TARGET_ARCH", ""))
    if arch is None:
        raise ManifestError("OECORE_TARGET_ARCH is not set: source environment-setup first")
    if args.build == "make":
        subprocess.run(["make"], cwd=folder, check=True)
    manifest = validated(folder / args.manifest, arch)
    if not (folder / "LICENSE").read_bytes():
        raise ManifestError("LICENSE is empty")
    if not os.access(folder / manifest.app_name, os.X_OK):
        raise ManifestError(f"make left no program {manifest.app_name}")
    conf = package_conf(manifest, arch, args.additional_file)
    (folder / "package.conf").write_text(package_conf_text(conf))
    (folder / "param.conf").write_text(param_conf(manifest))
    if manifest.http:
        (folder / "cgi.conf").write_text(cgi_conf(manifest))
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in members(manifest, folder, args.additional_file):
            if name == "manifest.json":
                content = manifest.text().encode()
                info = normal(tarfile.TarInfo(name))
                info.mode, info.size = 0o600, len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                archive.add(folder / name, name, filter=normal)
    target = folder / manifest.eap_name(arch)
    target.write_bytes(gzip.compress(raw.getvalue(), mtime=0))
    return target


def main() -> int:
    try:
        print(f"acap-build: {build(parse())}")
    except (ManifestError, OSError, subprocess.CalledProcessError) as error:
        print(f"acap-build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
