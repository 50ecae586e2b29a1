#!/usr/bin/python3
"""Packs the built program into a camera package (.eap), with a bill of materials beside it.

The same content gives the same bytes, whoever packs it, wherever and whenever: owner, modes and
order are fixed, and the time of every member is SOURCE_DATE_EPOCH, else the time of the last
commit, else 1980.
"""

import argparse
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from eap import archive, manifest, sbom  # noqa: E402

NO_TIME = 315532800  # 1980: nothing but a constant is known


def source_time(root: pathlib.Path) -> int:
    """When the sources were last changed, as far as that is known."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isdigit():
            raise manifest.ManifestError(
                f"SOURCE_DATE_EPOCH is '{given}': want seconds since 1970"
            )
        return int(given)
    git = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(git, capture_output=True, text=True)
    except FileNotFoundError:
        return NO_TIME
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else NO_TIME


def check_licence(text: str, licences: pathlib.Path, components: list[sbom.Component]) -> None:
    """Whoever gets the package must find the licence of everything in it."""
    flat = " ".join(text.split())
    for component in components:
        licence = (licences / component.name).read_text(encoding="utf-8")
        if " ".join(licence.split()) not in flat:
            raise manifest.ManifestError(
                f"app/LICENSE does not hold the licence of {component.name}; "
                f"add the text of {licences / component.name}"
            )


def members(args, described: manifest.Manifest) -> dict[str, tuple[bytes, int]]:
    """Everything that goes in: name -> content and mode."""
    packed = described.with_architecture(args.arch)
    conf = manifest.package_conf(packed, args.arch, ["config.json"])
    found = {
        described.app_name: (args.binary.read_bytes(), archive.PROGRAM),
        "package.conf": (manifest.package_conf_text(conf).encode(), archive.FILE),
        "param.conf": (manifest.param_conf(packed).encode(), archive.FILE),
        "LICENSE": ((args.app / "LICENSE").read_bytes(), archive.FILE),
        "manifest.json": (packed.text().encode(), archive.FILE),
        "config.json": (args.config.read_bytes(), archive.FILE),
    }
    if described.http:
        found["cgi.conf"] = (manifest.cgi_conf(packed).encode(), archive.FILE)
    html = args.app / "html"
    for path in sorted(html.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            name = path.relative_to(args.app).as_posix()
            found[name] = (path.read_bytes(), archive.FILE)
    return found


def write(path: pathlib.Path, content: bytes) -> None:
    """Whole or not at all; not readable by others, since config.json may hold upload URLs."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.rename(path)


def make(args) -> pathlib.Path:
    described = manifest.Manifest.read(args.manifest)
    mtime = source_time(args.app)
    components = []
    if args.deps:
        only = {"cjson", "zlib"} if args.libcurl == "device" else None
        components = sbom.read_components(args.deps / "share" / "components.tsv", only)
        licence = (args.app / "LICENSE").read_text(encoding="utf-8")
        check_licence(licence, args.deps / "share" / "licenses", components)
    content = archive.pack(members(args, described), described.app_name, mtime)
    target = args.output / described.eap_name(args.arch)
    bill = sbom.document(described, content, target.name, mtime, components)
    write(target.with_name(target.name + ".spdx.json"), sbom.text(bill).encode())
    write(target, content)
    return target


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    path = pathlib.Path
    parser.add_argument("--manifest", type=path, required=True, help="app/manifest.json or another")
    parser.add_argument("--app", type=path, required=True, help="folder with LICENSE and html/")
    parser.add_argument("--arch", required=True, choices=["aarch64", "armv7hf"])
    parser.add_argument("--binary", type=path, required=True, help="the stripped program")
    parser.add_argument("--config", type=path, required=True, help="config.json of the build")
    parser.add_argument("--output", type=path, required=True, help="folder for the package")
    parser.add_argument("--deps", type=path, help="prefix that cross-deps.sh made")
    parser.add_argument("--libcurl", choices=["bundled", "device"], default="bundled")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    args = parse(argv)
    try:
        target = make(args)
    except (manifest.ManifestError, OSError) as error:
        print(f"make_eap: {error}", file=sys.stderr)
        return 1
    print(f"make_eap: {target} ({target.stat().st_size} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
