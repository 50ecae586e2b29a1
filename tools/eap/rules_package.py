"""Rules for the container and the files in it, apart from programs."""

import json
import pathlib
import re
import struct
import subprocess

from eap.manifest import cgi_conf, package_conf, param_conf
from eap.package import Package
from eap.rules import Checklist

CHECKS = Checklist()

GNU_MAGIC = b"ustar  \0"
REQUIRED = ("package.conf", "param.conf", "LICENSE", "manifest.json")
# Members that need not be named in OTHERFILES.
OWN_PLACES = {*REQUIRED, "cgi.conf", "html", "lib", "declarations"}
MOST_UNPACKED = {"bundled": 6 * 1024 * 1024, "device": 300 * 1024}
TEXT = {"package.conf", "param.conf", "cgi.conf", "manifest.json", "config.json", "LICENSE"}
COMPONENTS = {"bundled": ("curl", "cJSON", "OpenSSL"), "device": ("cJSON",)}
URL_QUERY = re.compile(rb"X-Amz-Signature=[0-9a-f]{8}")


def is_program(package: Package, name: str) -> bool:
    """Whether a member must be executable."""
    return name == package.manifest.app_name or name.endswith(".sh")


@CHECKS.rule("file-name", "the file is called NAME_MAJOR_MINOR_PATCH_ARCH.eap")
def _file_name(package: Package):
    want = package.manifest.eap_name(package.arch)
    if package.arch not in ("aarch64", "armv7hf") or package.path.name != want:
        yield f"it is {package.path.name}, want {want}"


@CHECKS.rule("gzip-header", "the gzip header holds neither name nor time")
def _gzip_header(package: Package):
    flags, mtime = package.raw[3], struct.unpack("<I", package.raw[4:8])[0]
    if flags or mtime:
        yield f"flags {flags:#x}, time {mtime}"


@CHECKS.rule("gzip-tail", "nothing follows the archive (a signature is added later)")
def _gzip_tail(package: Package):
    if package.after:
        yield f"{len(package.after)} bytes follow"


@CHECKS.rule("tar-gnu", "every member is a GNU tar member")
def _tar_gnu(package: Package):
    for header in package.headers:
        if header.magic != GNU_MAGIC:
            yield f"{header.name} has magic {header.magic!r}"


@CHECKS.rule("tar-no-pax", "no PAX headers, which old cameras do not read")
def _tar_no_pax(package: Package):
    for header in package.headers:
        if header.kind in (b"x", b"g", b"X"):
            yield f"{header.name} is a PAX header"


@CHECKS.rule("member-owner", "every member belongs to 0/0")
def _member_owner(package: Package):
    for member in package.members:
        if (member.uid, member.gid) != (0, 0) or member.uname or member.gname:
            yield f"{member.name} belongs to {member.uid}/{member.gid} {member.uname}"


@CHECKS.rule("member-path", "names are relative, clean, without .. or ./, and come once")
def _member_path(package: Package):
    seen = set()
    for header in package.headers:
        name = header.name.removesuffix("/")
        if {"", ".", ".."} & set(name.split("/")):
            yield f"{header.name!r}"
        if name in seen:
            yield f"{name} comes twice"
        seen.add(name)


@CHECKS.rule("member-type", "only files and folders: no links, devices, fifos or sockets")
def _member_type(package: Package):
    for member in package.members:
        if not (member.isreg() or member.isdir()):
            yield f"{member.name} has type {member.type!r}"


@CHECKS.rule("member-mode", "programs and folders are 0755, other files 0644")
def _member_mode(package: Package):
    for member in package.members:
        program = member.isdir() or is_program(package, member.name)
        allowed = {0o755} if program else {0o644}
        if member.name == "manifest.json":
            allowed.add(0o600)
        if member.mode not in allowed:
            yield f"{member.name} has mode {member.mode:04o}"


@CHECKS.rule("member-time", "all members carry one time")
def _member_time(package: Package):
    times = {member.mtime for member in package.members}
    if len(times) != 1:
        yield f"{len(times)} different times"


@CHECKS.rule("member-junk", "no editor backups, version control, AppleDouble or .eap files")
def _member_junk(package: Package):
    for member in package.members:
        base = pathlib.PurePosixPath(member.name).name
        if base.startswith("._") or base.endswith(("~", ".eap", ".orig", ".swp")) or base in (
            ".git", ".svn", ".DS_Store", ".gitignore",
        ):
            yield member.name


@CHECKS.rule("member-required", "program, package.conf, param.conf, LICENSE, manifest.json")
def _member_required(package: Package):
    for name in (package.manifest.app_name, *REQUIRED):
        if name not in package.files:
            yield f"{name} is missing"


@CHECKS.rule("member-named", "other files are named in OTHERFILES, and what it names is there")
def _member_named(package: Package):
    named = dict(package.conf)["OTHERFILES"].split()
    own = OWN_PLACES | {package.manifest.app_name, dict(package.conf).get("POSTINSTALLSCRIPT")}
    for name in package.files:
        if name.split("/")[0] not in own and name not in named:
            yield f"{name} is not in OTHERFILES"
    for name in named:
        if name not in package.files:
            yield f"OTHERFILES names {name}, which is not there"


@CHECKS.rule("licence", "LICENSE is not empty and names every bundled component")
def _licence(package: Package):
    text = package.files["LICENSE"].decode()
    if not text.strip():
        yield "it is empty"
    for name in COMPONENTS[package.libcurl]:
        if not re.search(rf"^{name}$", text, re.M):
            yield f"no section for {name}"


@CHECKS.rule("setting-page", "the settings page is in html/")
def _setting_page(package: Package):
    page = package.manifest.configuration.get("settingPage")
    if page and f"html/{page}" not in package.files:
        yield f"html/{page} is missing"


@CHECKS.rule("cgi-conf", "cgi.conf is there exactly when the manifest has httpConfig, and agrees")
def _cgi_conf(package: Package):
    if ("cgi.conf" in package.files) != bool(package.manifest.http):
        yield f"httpConfig is {package.manifest.http}"
    elif package.manifest.http and package.files["cgi.conf"].decode() != cgi_conf(package.manifest):
        yield "cgi.conf says something else than httpConfig"


@CHECKS.rule("package-conf-keys", "package.conf has every key, in order, once")
def _conf_keys(package: Package):
    want = [key for key, _ in package_conf(package.manifest, package.arch, [])]
    have = [key for key, _ in package.conf]
    if have != want:
        yield f"missing {sorted(set(want) - set(have))}, extra {sorted(set(have) - set(want))}"


@CHECKS.rule("package-conf-agrees", "package.conf says what the manifest says")
def _conf_agrees(package: Package):
    have = dict(package.conf)
    for key, value in package_conf(package.manifest, package.arch, []):
        if key != "OTHERFILES" and have.get(key) != value:
            yield f"{key} is '{have.get(key)}', the manifest gives '{value}'"


@CHECKS.rule("package-conf-shell", "a shell can source package.conf, and nothing in it runs")
def _conf_shell(package: Package):
    text = package.files["package.conf"]
    # values are bare text between quotes: neither expansion nor a second command can hide there
    for line in text.decode().splitlines():
        if not re.fullmatch(r"""[A-Z_]+=("[^"$`\\]*"|'[^']*')""", line):
            yield f"line {line!r}"
            return
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True)
    if done.returncode != 0:
        yield done.stderr.decode().strip()


@CHECKS.rule("architecture", "file name, package.conf and manifest name one architecture")
def _architecture(package: Package):
    names = {package.arch, dict(package.conf)["APPTYPE"]}
    if package.manifest.schema > (1, 3):
        names.add(package.manifest.setup.get("architecture"))
    if len(names) != 1:
        yield f"they say {sorted(map(str, names))}"


@CHECKS.rule("param-conf", "param.conf holds the parameters of the manifest")
def _param_conf(package: Package):
    if package.files["param.conf"].decode() != param_conf(package.manifest):
        yield "its lines are not those of paramConfig"


@CHECKS.rule("line-ends", "text files have LF line ends and end with one")
def _line_ends(package: Package):
    for name, content in package.files.items():
        if name not in TEXT and not name.endswith((".sh", ".html")):
            continue
        if b"\r" in content:
            yield f"{name} has CR"
        if content and not content.endswith(b"\n"):
            yield f"{name} does not end with a line end"


@CHECKS.rule("script-head", "a script starts with #!")
def _script_head(package: Package):
    for name, content in package.files.items():
        if name.endswith(".sh") and not content.startswith(b"#!"):
            yield name


@CHECKS.rule("config", "config.json is one JSON object of settings")
def _config(package: Package):
    config = json.loads(package.files["config.json"])
    if not isinstance(config, dict):
        yield f"it is a {type(config).__name__}"
        return
    for key, value in config.items():
        if not re.fullmatch("[a-z][a-z0-9_]*", key) or isinstance(value, (dict, list)):
            yield f"setting {key} is not a plain one"


@CHECKS.rule("secret", "no signed address and no value of a secret setting outside config.json")
def _secret(package: Package):
    config = json.loads(package.files["config.json"])
    secrets = [
        value.encode() for key, value in config.items()
        if isinstance(value, str) and len(value) > 7 and re.search("url|secret|key|proxy", key)
    ]
    for name, content in package.files.items():
        if name != "config.json" and (
            URL_QUERY.search(content) or any(secret in content for secret in secrets)
        ):
            yield f"{name} holds one"


@CHECKS.rule("size", "unpacked at most 6 MiB bundled, 300 KiB with the camera's libcurl")
def _size(package: Package):
    size = sum(len(content) for content in package.files.values())
    if size > MOST_UNPACKED[package.libcurl]:
        yield f"{size} bytes unpacked, allowed {MOST_UNPACKED[package.libcurl]}"
