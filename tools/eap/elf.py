"""What readelf tells about an ELF file."""

import functools
import os
import re
import subprocess
import tempfile


class Elf:
    """One ELF file; each property is parsed from readelf's words when asked for."""

    def __init__(self, name: str, content: bytes):
        self.name = name
        self.content = content

    @functools.cached_property
    def _text(self) -> str:
        options = ["--wide", "-h", "-l", "-d", "-V", "-A", "-S", "--dyn-syms"]
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.content)
            file.flush()
            done = subprocess.run(
                ["readelf", *options, file.name],
                capture_output=True, text=True, errors="replace", env={**os.environ, "LC_ALL": "C"},
            )
        if done.returncode != 0:
            raise ValueError(f"readelf refuses it: {done.stderr.strip()[:200]}")
        return done.stdout

    def _header(self, key: str) -> str:
        found = re.search(rf"^  {key}:\s+(.*)$", self._text, re.M)
        return found[1].strip() if found else ""

    def _dynamic(self, tag: str) -> list[str]:
        found = re.findall(rf"\({tag}\)\s+[^\[\n]*\[([^\]]*)\]", self._text)
        return [path for value in found for path in value.split(":")]

    @property
    def elf_class(self) -> str:
        return self._header("Class")

    @property
    def machine(self) -> str:
        return self._header("Machine")

    @property
    def flags(self) -> str:
        return self._header("Flags")

    @property
    def position_independent(self) -> bool:
        return self._header("Type").startswith("DYN")

    @property
    def interpreter(self) -> str | None:
        found = re.search(r"program interpreter: ([^\]]*)\]", self._text)
        return found[1] if found else None

    @property
    def stack(self) -> str | None:
        """Flags of GNU_STACK, like "RW"; None when the program does not say."""
        found = re.search(r"^  GNU_STACK(?:\s+0x[0-9a-f]+){5}\s+([RWE ]+?)\s+0x", self._text, re.M)
        return found[1].replace(" ", "") if found else None

    @property
    def full_relro(self) -> bool:
        return "GNU_RELRO" in self._text and bool(
            re.search(r"\((?:FLAGS|FLAGS_1|BIND_NOW)\).*\b(?:BIND_NOW|NOW)\b", self._text)
        )

    @property
    def sections(self) -> set[str]:
        return set(re.findall(r"^  \[ *\d+\] (\S+)", self._text, re.M))

    @property
    def needed(self) -> list[str]:
        return self._dynamic("NEEDED")

    @property
    def rpath(self) -> list[str]:
        return self._dynamic("RPATH")

    @property
    def runpath(self) -> list[str]:
        return self._dynamic("RUNPATH")

    @property
    def versions(self) -> set[str]:
        """Symbol versions wanted from libraries."""
        return set(re.findall(r"Name: (\S+)  Flags:", self._text))

    @property
    def undefined(self) -> set[str]:
        """Names that libraries must provide, without their versions."""
        found = re.findall(r"\bUND +([^\s@]+)", self._text)
        return set(found)

    def attribute(self, tag: str) -> str | None:
        """One of ARM's build attributes."""
        found = re.search(rf"^  {tag}: (.*)$", self._text, re.M)
        return found[1].strip().strip('"') if found else None
