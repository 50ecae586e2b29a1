"""The bill of materials beside a package, as SPDX 2.3 JSON."""

import dataclasses
import datetime
import hashlib
import json
import pathlib

from eap.manifest import Manifest, ManifestError

# What the components of a package are licensed under, and who makes them. cmocka is for the tests.
KNOWN = {
    "curl": ("curl", "Daniel Stenberg and contributors", "https://curl.se"),
    "openssl": ("Apache-2.0", "The OpenSSL Project Authors", "https://www.openssl.org"),
    "cjson": ("MIT", "Dave Gamble and contributors", "https://github.com/DaveGamble/cJSON"),
    "zlib": ("Zlib", "Jean-loup Gailly and Mark Adler", "https://zlib.net"),
}
NOT_PACKAGED = {"cmocka"}


@dataclasses.dataclass
class Component:
    """A library linked into the program, and the source files it was built from."""

    name: str
    version: str
    files: dict[str, str] = dataclasses.field(default_factory=dict)


def read_components(path: pathlib.Path, only: set[str] | None = None) -> list[Component]:
    """The table that cross-deps.sh leaves: name, version, file and SHA256 in each line."""
    found: dict[str, Component] = {}
    for line in path.read_text().splitlines():
        name, version, file, digest = line.split("\t")
        if name in NOT_PACKAGED or (only is not None and name not in only):
            continue
        if name not in KNOWN:
            raise ManifestError(f"{path}: '{name}' has no licence in tools/eap/sbom.py")
        found.setdefault(name, Component(name, version)).files[file] = digest
    return list(found.values())


def _package(spdx_id: str, name: str, version: str, licence: str, supplier: str, where: str):
    return {
        "SPDXID": spdx_id,
        "name": name,
        "versionInfo": version,
        "supplier": f"Organization: {supplier}",
        "downloadLocation": where,
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
    }


def _component(component: Component) -> dict:
    licence, supplier, home = KNOWN[component.name]
    package = _package(
        f"SPDXRef-{component.name}", component.name, component.version, licence, supplier, home
    )
    sources = ", ".join(f"{file} (SHA256 {sha})" for file, sha in component.files.items())
    # without Debian's epoch, revision and mark of a repacked source
    upstream = component.version.split(":")[-1].rsplit("-", 1)[0].removesuffix(".dfsg")
    package["sourceInfo"] = f"built from Debian's source package: {sources}"
    package["externalRefs"] = [
        {
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{component.name}@{component.version}?arch=source",
        },
        {
            "referenceCategory": "SECURITY",
            "referenceType": "cpe23Type",
            "referenceLocator": f"cpe:2.3:a:{_cpe_vendor(component.name)}:{upstream}:*:*:*:*:*:*:*",
        },
    ]
    return package


def _cpe_vendor(name: str) -> str:
    vendor = {"curl": "haxx:libcurl", "openssl": "openssl:openssl", "cjson": "davegamble:cjson",
              "zlib": "zlib:zlib"}
    return vendor[name]


def document(manifest: Manifest, eap: bytes, eap_name: str, mtime: int, parts: list[Component]):
    """What is in the package `eap`; the same package gives the same document."""
    digest = hashlib.sha256(eap).hexdigest()
    version = ".".join(manifest.version)
    app = _package(
        "SPDXRef-Package", manifest.app_name, version, "Apache-2.0", manifest.setup["vendor"],
        "NOASSERTION",
    )
    app["packageFileName"] = eap_name
    app["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    made = datetime.datetime.fromtimestamp(mtime, datetime.timezone.utc)
    links = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package")]
    links += [("SPDXRef-Package", "STATIC_LINK", f"SPDXRef-{part.name}") for part in parts]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": eap_name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{manifest.app_name}-{version}-{digest}",
        "creationInfo": {
            "created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: {manifest.app_name}-make_eap-{version}"],
        },
        "packages": [app, *[_component(part) for part in parts]],
        "relationships": [
            {"spdxElementId": source, "relationshipType": kind, "relatedSpdxElement": target}
            for source, kind, target in links
        ],
    }


def text(spdx: dict) -> str:
    return json.dumps(spdx, indent=2) + "\n"
