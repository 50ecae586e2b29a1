"""Each rule about the container and its files is broken once, and found."""

import json
import struct
import tarfile

import pytest
from kit import Parts

from eap.rules_package import CHECKS

SECRET = "https://bucket.example/log?X-Amz-Signature=0123456789abcdef"


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = tarfile.SYMTYPE, target, 0o777, 1700000000
    return info


def one_owner(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = 1000 if info.name == "LICENSE" else 0
    return info


def one_time(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mtime += info.name == "LICENSE"
    return info


def long_name(parts: Parts) -> None:
    parts.format = tarfile.PAX_FORMAT
    parts.files["html/" + "ä" * 90 + ".html"] = b"<p>\n"


def twice(parts: Parts) -> None:
    info = tarfile.TarInfo("LICENSE")
    info.mode, info.mtime, info.uname, info.gname = 0o644, 1700000000, "", ""
    parts.extra.append(info)


def other_name(parts: Parts) -> None:
    parts.name = "ntp-logger_1_0_0_aarch64.eap"


def conf(old: str, new: str):
    return lambda parts: parts.replace("package.conf", old, new)


def drop(name: str):
    return lambda parts: parts.files.pop(name)


def add(name: str, content: bytes = b"x\n"):
    return lambda parts: parts.files.update({name: content})


def mode(name: str, value: int):
    return lambda parts: parts.modes.update({name: value})



def has_http(data: dict) -> None:
    http = [{"type": "fastCgi", "name": "a.cgi", "access": "admin"}]
    data["acapPackageConf"]["configuration"]["httpConfig"] = http


def arch_in_manifest(data: dict) -> None:
    data["acapPackageConf"]["setup"]["architecture"] = "armv7hf"


def gzip_time(parts: Parts) -> None:
    parts.gzip_mtime = 1700000000


def gzip_name(parts: Parts) -> None:
    parts.gzip_name = "package.tar"


def tail(parts: Parts) -> None:
    parts.tail = b"\0signature"


def ustar(parts: Parts) -> None:
    parts.format = tarfile.USTAR_FORMAT


def owner(parts: Parts) -> None:
    parts.change_info = one_owner


def time(parts: Parts) -> None:
    parts.change_info = one_time


def secret_in_page(parts: Parts) -> None:
    parts.files["html/index.html"] += SECRET.encode() + b"\n"


def secret_in_program(parts: Parts) -> None:
    parts.files["config.json"] = b'{"presigned_url_time_log": "https://a.example/secretpath"}\n'
    parts.files["ntp_logger"] += b"https://a.example/secretpath"


PLANTED = [
    ("file-name", other_name),
    ("gzip-header", gzip_time),
    ("gzip-header", gzip_name),
    ("gzip-tail", tail),
    ("tar-gnu", ustar),
    ("tar-no-pax", long_name),
    ("member-owner", owner),
    ("member-path", add("../escape")),
    ("member-path", add("./LICENSE")),
    ("member-path", add("/etc/passwd")),
    ("member-path", twice),
    ("member-type", lambda parts: parts.extra.append(link("html/out", "/etc/passwd"))),
    ("member-mode", mode("LICENSE", 0o777)),
    ("member-mode", mode("ntp_logger", 0o644)),
    ("member-mode", mode("config.json", 0o600)),
    ("member-time", time),
    ("member-junk", add("html/._index.html")),
    ("member-junk", add("html/index.html~")),
    ("member-junk", add("html/old.eap")),
    ("member-required", drop("LICENSE")),
    ("member-required", drop("ntp_logger")),
    ("member-required", drop("param.conf")),
    ("member-named", add("stray.txt")),
    ("member-named", drop("config.json")),
    ("licence", lambda parts: parts.files.update(LICENSE=b"\n")),
    ("licence", lambda parts: parts.replace("LICENSE", "\ncurl\n", "\nsomething\n")),
    ("setting-page", drop("html/index.html")),
    ("cgi-conf", add("cgi.conf")),
    ("cgi-conf", lambda parts: parts.manifest(has_http)),
    ("package-conf-keys", conf('APPID=""\n', "")),
    ("package-conf-keys", conf('APPID=""\n', 'APPID=""\nMENUNAME="x"\n')),
    ("package-conf-agrees", conf('STARTMODE="respawn"', 'STARTMODE="never"')),
    ("package-conf-agrees", conf('APPMICROVERSION="0"', 'APPMICROVERSION="1"')),
    ("package-conf-shell", conf('APPOPTS=""', 'APPOPTS="$(reboot)"')),
    ("package-conf-shell", conf('APPOPTS=""', "APPOPTS=''\"; reboot; \"'")),
    ("architecture", conf('APPTYPE="aarch64"', 'APPTYPE="armv7hf"')),
    ("architecture", lambda parts: parts.manifest(arch_in_manifest)),
    ("param-conf", lambda parts: parts.replace("param.conf", '="0"', '="1"')),
    ("param-conf", lambda parts: parts.files.update({"param.conf": b""})),
    ("line-ends", lambda parts: parts.replace("package.conf", "\n", "\r\n")),
    ("line-ends", lambda parts: parts.files.update({"LICENSE": parts.files["LICENSE"][:-1]})),
    ("script-head", add("html/run.sh", b"echo hello\n")),
    ("config", add("config.json", b"[1]\n")),
    ("config", add("config.json", b'{"a": {"b": 1}}\n')),
    ("config", add("config.json", b"{\n")),
    ("secret", secret_in_page),
    ("secret", secret_in_program),
    ("size", add("html/big.html", b"x" * 6 * 1024 * 1024 + b"\n")),
]


@pytest.mark.parametrize(
    "rule, plant", PLANTED, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found(kit, rule, plant):
    parts = kit.parts()
    plant(parts)
    assert rule in kit.judge(parts)


def test_taken_apart_and_put_together_it_is_still_good(kit):
    assert kit.judge(kit.parts()) == {}


def test_every_rule_has_a_planted_fault():
    assert {rule.name for rule in CHECKS} == {rule for rule, _ in PLANTED}


def test_the_camera_s_own_libcurl_leaves_no_room_for_a_bundled_one(kit):
    parts = kit.parts()
    parts.files["html/big.html"] = b"x" * 300 * 1024 + b"\n"
    assert "size" in kit.judge(parts, "device")


def test_an_old_header_with_name_is_seen_in_its_bytes(kit):
    path = kit.make()
    flags, mtime = path.read_bytes()[3], struct.unpack("<I", path.read_bytes()[4:8])[0]
    assert (flags, mtime) == (0, 0)
    assert json.loads(Parts(path).files["config.json"]) == {}
