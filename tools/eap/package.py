"""Reads a package as it lies there: every byte of it is somebody's claim, nothing is believed."""

import dataclasses
import functools
import io
import json
import pathlib
import tarfile
import zlib

from eap.elf import Elf
from eap.manifest import Manifest

BLOCK = 512
MOST_BYTES = 64 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Header:
    """One raw tar header: what tarfile does not tell."""

    name: str
    magic: bytes
    kind: bytes


class Package:
    """An .eap file and what the checks ask of it."""

    def __init__(self, path: pathlib.Path, libcurl: str = "auto"):
        self.path = path
        self._libcurl = libcurl
        self.raw = path.read_bytes()
        unzip = zlib.decompressobj(wbits=31)
        self.tar = unzip.decompress(self.raw, MOST_BYTES)
        if unzip.unconsumed_tail:
            raise ValueError(f"unpacks to more than {MOST_BYTES} bytes")
        # a signature is appended after the archive
        self.after = unzip.unused_data

    @functools.cached_property
    def members(self) -> list[tarfile.TarInfo]:
        with tarfile.open(fileobj=io.BytesIO(self.tar)) as archive:
            return archive.getmembers()

    @functools.cached_property
    def files(self) -> dict[str, bytes]:
        """Content of the regular members by name."""
        with tarfile.open(fileobj=io.BytesIO(self.tar)) as archive:
            return {
                member.name: archive.extractfile(member).read()
                for member in archive.getmembers()
                if member.isreg()
            }

    @functools.cached_property
    def headers(self) -> list[Header]:
        found = []
        at = 0
        while at + BLOCK <= len(self.tar) and self.tar[at : at + BLOCK].strip(b"\0"):
            block = self.tar[at : at + BLOCK]
            size = int(block[124:136].strip(b" \0") or b"0", 8)
            name = block[:100].split(b"\0")[0].decode("utf-8", "replace")
            found.append(Header(name, block[257:265], block[156:157]))
            at += BLOCK + -(-size // BLOCK) * BLOCK
        return found

    @functools.cached_property
    def manifest(self) -> Manifest:
        return Manifest(json.loads(self.files["manifest.json"]), "manifest.json")

    @functools.cached_property
    def conf(self) -> list[tuple[str, str]]:
        """package.conf as key and value, in its order."""
        pairs = []
        for line in self.files["package.conf"].decode().splitlines():
            key, equals, value = line.partition("=")
            if not equals or len(value) < 2 or value[0] not in "\"'" or value[-1] != value[0]:
                raise ValueError(f"package.conf: '{line}' is not KEY=\"value\"")
            pairs.append((key, value[1:-1]))
        return pairs

    @property
    def arch(self) -> str:
        """As the file name says."""
        return self.path.name.removesuffix(".eap").rpartition("_")[2]

    @functools.cached_property
    def libcurl(self) -> str:
        """Whose libcurl the program uses: "bundled", or "device" for the camera's own."""
        if self._libcurl != "auto":
            return self._libcurl
        return "device" if any("libcurl.so.4" in elf.needed for elf in self.elves) else "bundled"

    @functools.cached_property
    def elves(self) -> list[Elf]:
        """Every ELF file in it, whatever its name."""
        return [
            Elf(name, content) for name, content in self.files.items() if content[:4] == b"\x7fELF"
        ]
