"""From app/manifest.json to the files that a package derives from it."""

import json
import pathlib

# Later schema versions want `architecture` in the packaged manifest.
LAST_WITHOUT_ARCHITECTURE = (1, 3)


class ManifestError(Exception):
    """The manifest cannot be packaged; the text names what is wrong and where."""


class Manifest:
    """One manifest.json, with what the package's other files take from it."""

    def __init__(self, data: dict, name: str = "manifest.json"):
        self.data = data
        self.name = name

    @classmethod
    def read(cls, path: pathlib.Path) -> "Manifest":
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ManifestError(f"{path}: {error.strerror}") from error
        except ValueError as error:
            raise ManifestError(f"{path}: not JSON: {error}") from error
        manifest = cls(data, str(path))
        for key in ("appName", "vendor", "version", "runMode"):
            if not isinstance(manifest.setup.get(key), str):
                raise ManifestError(f"{path}: acapPackageConf.setup.{key} is missing")
        return manifest

    def _section(self, *names: str) -> dict:
        value = self.data
        for name in names:
            value = value.get(name, {}) if isinstance(value, dict) else {}
        return value if isinstance(value, dict) else {}

    @property
    def setup(self) -> dict:
        return self._section("acapPackageConf", "setup")

    @property
    def configuration(self) -> dict:
        return self._section("acapPackageConf", "configuration")

    @property
    def schema(self) -> tuple[int, ...]:
        """(1, 3, 1) for "1.3.1"."""
        text = str(self.data.get("schemaVersion", ""))
        numbers = text.split(".")
        if not all(number.isdigit() for number in numbers):
            raise ManifestError(f"{self.name}: schemaVersion is '{text}', want numbers and dots")
        return tuple(int(number) for number in numbers)

    @property
    def app_name(self) -> str:
        return self.setup["appName"]

    @property
    def package_name(self) -> str:
        """The name that people see: the friendly one, else the program's."""
        return self.setup.get("friendlyName") or self.app_name

    @property
    def version(self) -> tuple[str, str, str]:
        """Major, minor, patch; what semantic versioning allows after them is not packaged."""
        numbers = self.setup["version"].split("+")[0].split("-")[0].split(".")
        if len(numbers) != 3 or not all(number.isdigit() for number in numbers):
            raise ManifestError(
                f"{self.name}: version is '{self.setup['version']}', want MAJOR.MINOR.PATCH"
            )
        return tuple(numbers)

    @property
    def params(self) -> list[dict]:
        return self.configuration.get("paramConfig", [])

    @property
    def http(self) -> list[dict]:
        return self.configuration.get("httpConfig", [])

    def eap_name(self, arch: str) -> str:
        return "_".join([self.package_name.replace(" ", "_"), *self.version, arch]) + ".eap"

    def with_architecture(self, arch: str) -> "Manifest":
        """What goes into the package: the device wants to read there what it was built for."""
        if self.schema <= LAST_WITHOUT_ARCHITECTURE:
            return self
        data = json.loads(json.dumps(self.data))
        setup = data["acapPackageConf"]["setup"]
        if setup.setdefault("architecture", arch) not in (arch, "all"):
            raise ManifestError(
                f"{self.name}: architecture is '{setup['architecture']}', but this is {arch}"
            )
        return Manifest(data, self.name)

    def text(self) -> str:
        return json.dumps(self.data, indent=4, ensure_ascii=False) + "\n"


def param_conf(manifest: Manifest) -> str:
    """Always there, empty without parameters."""
    lines = []
    for param in manifest.params:
        kind = f' type="{param["type"]}"' if "type" in param else ""
        value = f'"{param["default"]}"' if kind else param["default"]
        lines.append(f"{param['name']}={value}{kind}\n")
    return "".join(lines)


def cgi_conf(manifest: Manifest) -> str:
    """One line for each CGI: who may call it, its path, and for FastCGI that it is one."""
    lines = []
    for entry in manifest.http:
        if entry.get("type") == "directory":
            continue
        access = {"admin": "administrator"}.get(entry["access"], entry["access"])
        words = [access, "/" + entry["name"].lstrip("/")]
        if entry.get("type") == "fastCgi":
            words.append("fastCgi")
        lines.append(" ".join(words) + "\n")
    return "".join(lines)


def package_conf(manifest: Manifest, arch: str, other_files: list[str]) -> list[tuple[str, str]]:
    """package.conf in its order, for cameras that read it instead of the manifest."""
    setup = manifest.setup
    conf = manifest.data["acapPackageConf"]
    copy = conf.get("copyProtection", {})
    scripts = [conf.get("uninstallation", {}).get("preUninstallScript")]
    url = setup.get("vendorUrl", "")
    major, minor, patch = manifest.version
    pairs = [
        ("PACKAGENAME", manifest.package_name),
        ("APPTYPE", setup.get("architecture", arch)),
        ("APPNAME", manifest.app_name),
        ("APPID", setup.get("appId", "")),
        ("LICENSENAME", "Available"),
        ("LICENSEPAGE", copy.get("method", "none")),
        ("LICENSE_CHECK_ARGS", copy.get("customOptions")),
        ("VENDOR", setup.get("vendor", "-")),
        ("REQEMBDEVVERSION", setup.get("embeddedSdkVersion", "2.0")),
        ("APPMAJORVERSION", major),
        ("APPMINORVERSION", minor),
        ("APPMICROVERSION", patch),
        ("APPGRP", setup.get("user", {}).get("group", "sdk")),
        ("APPUSR", setup.get("user", {}).get("username", "sdk")),
        ("APPOPTS", setup.get("runOptions", "")),
        ("OTHERFILES", " ".join([*other_files, *filter(None, scripts)])),
        ("SETTINGSPAGEFILE", manifest.configuration.get("settingPage", "")),
        ("SETTINGSPAGETEXT", ""),
        ("VENDORHOMEPAGELINK", f'<a href="{url}" target="_blank">{url}</a>' if url else ""),
        ("PREUPGRADESCRIPT", ""),
        ("POSTINSTALLSCRIPT", conf.get("installation", {}).get("postInstallScript", "")),
        ("STARTMODE", setup.get("runMode", "never")),
        ("HTTPCGIPATHS", "cgi.conf" if manifest.http else ""),
    ]
    return [(key, value) for key, value in pairs if value is not None]


def package_conf_text(pairs: list[tuple[str, str]]) -> str:
    """A shell on the camera sources it: no value may end its quotes or be expanded."""
    lines = []
    for key, value in pairs:
        quote = "'" if key == "VENDORHOMEPAGELINK" else '"'
        bad = {quote, "$", "`", "\\", "\n"} & set(value)
        if bad:
            raise ManifestError(f"{key} is '{value}': {min(bad)!r} is not allowed in package.conf")
        lines.append(f"{key}={quote}{value}{quote}\n")
    return "".join(lines)
