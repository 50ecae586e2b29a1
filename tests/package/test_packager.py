"""The packager: what it writes, that it is the same everywhere, and how it refuses."""

import gzip
import json
import os
import subprocess
import sys
import tarfile
import time

import pytest
from kit import EPOCH, ROOT, Parts

MAKE = ROOT / "tools" / "make_eap.py"
CHECK = ROOT / "tools" / "check_eap.py"

# By the published rules for a package.conf made from a manifest, not by our own table.
PACKAGE_CONF = """\
PACKAGENAME="NTP logger"
APPTYPE="armv7hf"
APPNAME="ntp_logger"
APPID=""
LICENSENAME="Available"
LICENSEPAGE="none"
VENDOR="ntp_logger developers"
REQEMBDEVVERSION="3.0"
APPMAJORVERSION="1"
APPMINORVERSION="0"
APPMICROVERSION="0"
APPGRP="sdk"
APPUSR="sdk"
APPOPTS=""
OTHERFILES="config.json"
SETTINGSPAGEFILE="index.html"
SETTINGSPAGETEXT=""
VENDORHOMEPAGELINK=''
PREUPGRADESCRIPT=""
POSTINSTALLSCRIPT=""
STARTMODE="respawn"
HTTPCGIPATHS=""
"""
PARAM_CONF = """\
UploadIntervalS="0" type="int:min=0;max=604800"
PresignedUrlTimeLog="" type="password:maxlen=4096"
PresignedUrlNtpStatus="" type="password:maxlen=4096"
PresignedUrlNtpFailedStatus="" type="password:maxlen=4096"
UrlSource="" type="password:maxlen=4096"
LogLevel="default" type="enum:default,error,warning,info,debug"
"""


def check(*args) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, CHECK, *map(str, args)], capture_output=True, text=True
    )


@pytest.mark.parametrize("arch", ["aarch64", "armv7hf"])
@pytest.mark.parametrize("manifest", ["manifest.json", "manifest.v2.json"])
def test_a_package_keeps_every_rule(kit, arch, manifest):
    path = kit.make(arch, manifest=manifest)
    done = check(path)
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout and "every rule holds" in done.stdout
    assert path.name == f"NTP_logger_1_0_0_{arch}.eap"


def test_the_derived_files_are_as_published(kit):
    files = kit.parts("armv7hf").files
    assert files["package.conf"].decode() == PACKAGE_CONF
    assert files["param.conf"].decode() == PARAM_CONF
    source = json.loads((ROOT / "app" / "manifest.json").read_text())
    source["acapPackageConf"]["setup"]["architecture"] = "armv7hf"
    assert json.loads(files["manifest.json"]) == source


def test_the_members_are_flat_and_in_the_reference_order(kit):
    with tarfile.open(kit.make()) as archive:
        names = archive.getnames()
    assert names == [
        "ntp_logger", "package.conf", "param.conf", "LICENSE", "manifest.json", "config.json",
        "html", "html/index.html",
    ]


def test_folder_umask_time_zone_and_moment_do_not_matter(tmp_path, kit):
    first = kit.make().read_bytes()
    other = tmp_path / "another place"
    other.mkdir()
    kit.folder = other
    old = os.umask(0o077)
    try:
        time.sleep(1.1)
        second = kit.make(env={"TZ": "Pacific/Kiritimati", "LC_ALL": "C"}).read_bytes()
    finally:
        os.umask(old)
    assert first == second


def test_the_time_of_the_sources_is_the_time_of_every_member(kit):
    with tarfile.open(kit.make()) as archive:
        assert {member.mtime for member in archive} == {int(EPOCH)}


def test_gzip_of_the_system_reads_it(kit):
    path = kit.make()
    assert subprocess.run(["gzip", "-t", path.rename(path.with_suffix(".gz"))]).returncode == 0


def test_config_reaches_the_package_unchanged_and_nothing_else(kit):
    secret = "https://bucket.example/log?X-Amz-Signature=0123456789abcdef"
    config = json.dumps({"presigned_url_time_log": secret, "upload_interval_s": 3600}) + "\n"
    path = kit.make(config=config)
    parts = Parts(path)
    assert parts.files.pop("config.json").decode() == config
    assert not any(b"X-Amz-Signature" in content for content in parts.files.values())
    assert path.stat().st_mode & 0o077 == 0, "others can read the URLs"
    bill = path.with_name(path.name + ".spdx.json")
    assert "X-Amz-Signature" not in bill.read_text()


def test_the_bill_of_materials_names_the_package_by_hash(kit):
    path = kit.make()
    bill = json.loads(path.with_name(path.name + ".spdx.json").read_text())
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True).stdout.split()[0]
    assert bill["spdxVersion"] == "SPDX-2.3"
    assert bill["packages"][0]["checksums"][0]["checksumValue"] == digest
    assert bill["creationInfo"]["created"] == "2023-11-14T22:13:20Z"


def components(tmp_path):
    deps = tmp_path / "deps"
    (deps / "share" / "licenses").mkdir(parents=True)
    names = {"curl": "curl", "openssl": "OpenSSL", "cjson": "cJSON", "zlib": "zlib"}
    lines = []
    licence = (ROOT / "app" / "LICENSE").read_text()
    for name, title in names.items():
        text = licence.split(f"\n{title}\n" + "=" * 78)[1].split("=" * 78)[0]
        (deps / "share" / "licenses" / name).write_text(text)
        lines.append(f"{name}\t1.2.3-4\t{name}.tar.gz\t{'a' * 64}\n")
    lines.append(f"cmocka\t1.1.5-2\tcmocka.tar.xz\t{'b' * 64}\n")
    (deps / "share" / "components.tsv").write_text("".join(lines))
    return deps


def run_make(kit, deps, libcurl):
    kit.make()
    out = kit.folder / "bill"
    out.mkdir()
    done = subprocess.run(
        [sys.executable, MAKE, "--manifest", ROOT / "app" / "manifest.json", "--app", ROOT / "app",
         "--arch", "aarch64", "--binary", kit.folder / "in" / "program", "--libcurl", libcurl,
         "--config", kit.folder / "in" / "config.json", "--output", out, "--deps", deps],
        capture_output=True, text=True,
    )
    return done, out


@pytest.mark.parametrize(
    "libcurl, names",
    [("bundled", {"curl", "openssl", "cjson", "zlib"}), ("device", {"cjson", "zlib"})],
)
def test_the_bill_of_materials_lists_what_is_bundled(kit, tmp_path, libcurl, names):
    done, out = run_make(kit, components(tmp_path), libcurl)
    assert done.returncode == 0, done.stderr
    bill = json.loads(next(out.glob("*.spdx.json")).read_text())
    assert {package["name"] for package in bill["packages"][1:]} == names
    assert all("SHA256 " + "a" * 64 in package["sourceInfo"] for package in bill["packages"][1:])
    links = {entry["relatedSpdxElement"] for entry in bill["relationships"]}
    assert links == {"SPDXRef-Package", *(f"SPDXRef-{name}" for name in names)}


def test_a_licence_that_is_not_in_the_package_stops_it(kit, tmp_path):
    deps = components(tmp_path)
    (deps / "share" / "licenses" / "curl").write_text("Another licence altogether.\n")
    done, out = run_make(kit, deps, "bundled")
    assert done.returncode == 1 and "does not hold the licence of curl" in done.stderr
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "name, content, complaint",
    [
        ("missing.json", None, "No such file"),
        ("broken.json", "{", "not JSON"),
        ("empty.json", "{}", "setup.appName is missing"),
        (
            "quoted.json",
            json.dumps({"schemaVersion": "1.3.1", "acapPackageConf": {"setup": {
                "appName": "a_b", "vendor": 'x"; reboot; "', "version": "1.0.0",
                "runMode": "never"}}}),
            "VENDOR is",
        ),
    ],
)
def test_a_manifest_that_cannot_be_packed_is_named(kit, tmp_path, name, content, complaint):
    kit.make()
    if content is not None:
        (tmp_path / name).write_text(content)
    done = subprocess.run(
        [sys.executable, MAKE, "--manifest", tmp_path / name, "--app", ROOT / "app",
         "--arch", "aarch64", "--binary", kit.folder / "in" / "program",
         "--config", kit.folder / "in" / "config.json", "--output", tmp_path],
        capture_output=True, text=True,
    )
    assert done.returncode == 1 and complaint in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_the_checker_says_same_or_not(kit, tmp_path):
    path = kit.make()
    other = tmp_path / "other.eap"
    other.write_bytes(path.read_bytes())
    assert check("--quiet", path, "--same-as", other).returncode == 0
    other.write_bytes(gzip.compress(b"something else"))
    done = check("--quiet", path, "--same-as", other)
    assert done.returncode == 1 and "FAIL identical" in done.stdout


@pytest.mark.parametrize("content", [b"", b"no gzip at all", gzip.compress(b"no tar")])
def test_what_is_no_package_is_refused_without_a_traceback(tmp_path, content):
    path = tmp_path / "NTP_logger_1_0_0_aarch64.eap"
    path.write_bytes(content)
    done = check(path)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr + done.stdout
    assert "every rule holds" not in done.stdout
