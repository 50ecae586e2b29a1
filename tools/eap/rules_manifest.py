"""Rules for a manifest, in the sources and in the package alike. Facts: the published schemas."""

import re

from eap.manifest import Manifest
from eap.rules import Checklist

CHECKS = Checklist()

# What each object of the schemas may hold; everything else makes the build or the camera refuse.
KNOWN_KEYS = {
    "": {"schemaVersion", "$schema", "acapPackageConf", "resources"},
    "acapPackageConf": {
        "setup", "installation", "uninstallation", "configuration", "copyProtection", "containers",
    },
    "acapPackageConf.setup": {
        "appName", "appId", "architecture", "embeddedSdkVersion", "friendlyName", "user",
        "runMode", "runOptions", "vendor", "vendorUrl", "version", "vendorId",
        "compatibleOsVersions",
    },
    "acapPackageConf.installation": {"postInstallScript"},
    "acapPackageConf.uninstallation": {"preUninstallScript"},
    "acapPackageConf.configuration": {"settingPage", "paramConfig", "httpConfig", "reverseProxy"},
}
PARAM_KEYS = {"name", "default", "type"}
PARAM_TYPE = re.compile(
    r"(hidden:|nosync:|readonly:)*"
    r"(string(:maxlen=\d+)?|password(:maxlen=\d+)?|bool:no,yes|enum:[^:;]+"
    r"|int(:(min|max|maxlen|range)=-?\d+(;(min|max|maxlen|range)=-?\d+)*)?)"
)
SECRET_NAME = re.compile("url|secret|password|token|accesskey", re.I)
FRIENDLY = re.compile(r"[A-Za-z0-9 ._-]{1,256}")


@CHECKS.rule("manifest-required", "schemaVersion, appName, vendor, version and runMode are there")
def _required(manifest: Manifest):
    if not isinstance(manifest.data.get("schemaVersion"), str):
        yield "schemaVersion is missing"
    for key in ("appName", "vendor", "version", "runMode"):
        if not isinstance(manifest.setup.get(key), str) or not manifest.setup[key]:
            yield f"acapPackageConf.setup.{key} is missing"


@CHECKS.rule("manifest-known-keys", "the manifest holds only keys that its schema knows")
def _known_keys(manifest: Manifest):
    for path, known in KNOWN_KEYS.items():
        part = manifest.data
        for name in filter(None, path.split(".")):
            part = part.get(name, {})
        for key in sorted(set(part) - known):
            yield f"unknown key {path + '.' if path else ''}{key}"


@CHECKS.rule("manifest-app-name", "appName is 2 to 26 letters, digits or _, a letter first")
def _app_name(manifest: Manifest):
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{1,25}", manifest.app_name):
        yield f"appName is '{manifest.app_name}'"


@CHECKS.rule("manifest-version", "version is MAJOR.MINOR.PATCH")
def _version(manifest: Manifest):
    text = manifest.setup["version"]
    if not re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", text):
        yield f"version is '{text}'"


@CHECKS.rule("manifest-friendly-name", "friendlyName has letters, digits, blanks, . _ - only")
def _friendly_name(manifest: Manifest):
    if not FRIENDLY.fullmatch(manifest.package_name):
        yield f"friendlyName is '{manifest.package_name}'"


@CHECKS.rule("manifest-run-mode", "runMode is respawn, once or never")
def _run_mode(manifest: Manifest):
    if manifest.setup["runMode"] not in ("respawn", "once", "never"):
        yield f"runMode is '{manifest.setup['runMode']}'"


@CHECKS.rule("manifest-user-not-root", "the application does not ask to be root")
def _not_root(manifest: Manifest):
    user = manifest.setup.get("user", {})
    groups = manifest.data.get("resources", {}).get("linux", {}).get("user", {}).get("groups", [])
    if "root" in user.values() or "root" in groups:
        yield "user or group is root"


@CHECKS.rule("manifest-dynamic-user", "the camera makes the user: no static one")
def _dynamic_user(manifest: Manifest):
    if "user" in manifest.setup:
        yield f"acapPackageConf.setup.user is {manifest.setup['user']}"


@CHECKS.rule("manifest-v1", "a manifest of schema 1 says embeddedSdkVersion 3.0")
def _v1(manifest: Manifest):
    sdk = manifest.setup.get("embeddedSdkVersion")
    if manifest.schema[0] == 1 and sdk != "3.0":
        yield f"embeddedSdkVersion is {sdk!r}"
    if manifest.schema[0] not in (1, 2):
        yield f"schemaVersion is {manifest.data['schemaVersion']}: neither 1 nor 2"


@CHECKS.rule("manifest-v2", "a manifest of schema 2 has vendorId and compatibleOsVersions instead")
def _v2(manifest: Manifest):
    setup = manifest.setup
    if manifest.schema[0] != 2:
        extra = {"vendorId", "compatibleOsVersions"} & set(setup)
        yield from (f"{key} needs schema 2" for key in sorted(extra))
        return
    if "embeddedSdkVersion" in setup:
        yield "embeddedSdkVersion is not allowed"
    if not re.fullmatch("[0-9A-Fa-f]{10}", str(setup.get("vendorId"))):
        yield f"vendorId is {setup.get('vendorId')!r}, want ten hex digits"
    ranges = setup.get("compatibleOsVersions") or [{}]
    if not all({"min", "max"} == set(entry) for entry in ranges):
        yield f"compatibleOsVersions is {setup.get('compatibleOsVersions')}, want min and max"


@CHECKS.rule("manifest-param-keys", "a parameter has exactly name, default and type, all text")
def _param_keys(manifest: Manifest):
    for param in manifest.params:
        if set(param) != PARAM_KEYS or not all(isinstance(v, str) for v in param.values()):
            yield f"parameter {param.get('name', param)} has {sorted(param)}"


@CHECKS.rule("manifest-param-type", "a parameter's type is one that cameras know")
def _param_type(manifest: Manifest):
    for param in manifest.params:
        if not PARAM_TYPE.fullmatch(param["type"]):
            yield f"{param['name']} has type '{param['type']}'"


@CHECKS.rule("manifest-param-secret", "a parameter that holds a secret has type password")
def _param_secret(manifest: Manifest):
    for param in manifest.params:
        if SECRET_NAME.search(param["name"]) and "password" not in param["type"].split(":")[:-1]:
            if param["type"] != "password":
                yield f"{param['name']} has type '{param['type']}'"


@CHECKS.rule("manifest-param-default", "no secret is the default of a parameter")
def _param_default(manifest: Manifest):
    for param in manifest.params:
        if "password" in param["type"] and param["default"]:
            yield f"{param['name']} has a default"
