"""Each rule about programs is broken once, by the compiler or in the bytes, and found."""

import shutil
import struct
import subprocess

import pytest
from kit import ARCHS

from eap.rules_elf import CHECKS

E_FLAGS = 36  # offset in an ELF32 header
SOFT_FLOAT = 0x5000200
RANDOM = "#include <stdlib.h>\nint main(void) { return (int)arc4random(); }\n"
PATH = 'static const char *const where = "/home/dev/ntp/main.c";\n#include <stdio.h>\n' \
    "int main(void) { return puts(where) < 0; }\n"
USES_STUB = "int stub(void);\nint main(void) { return stub(); }\n"


def compiled(*flags, **how):
    return lambda kit, arch: kit.compile(arch, *flags, **how)


def soft_float(kit, arch):
    program = bytearray(kit.compile(arch))
    program[E_FLAGS : E_FLAGS + 4] = struct.pack("<I", SOFT_FLOAT)
    return bytes(program)


def with_stub(soname: str, script: str = ""):
    """A program linked to a library of our own making."""

    def build(kit, arch):
        folder = kit.folder / "stub"
        folder.mkdir(exist_ok=True)
        (folder / "map").write_text(script or "{ global: *; };")
        library = folder / f"lib{arch}.so"
        subprocess.run(
            [f"{ARCHS[arch]}gcc", "-shared", "-nostdlib", "-x", "c", "-", "-o", library,
             f"-Wl,-soname,{soname}", f"-Wl,--version-script={folder / 'map'}"],
            input="int stub(void); int stub(void) { return 0; }\n", text=True, check=True,
        )
        return kit.compile(arch, f"-L{folder}", f"-l{arch}", source=USES_STUB)

    return build


def other_arch(kit, arch):
    return kit.compile("aarch64" if arch == "armv7hf" else "armv7hf")


def x86(_kit, _arch):
    with open(shutil.which("true"), "rb") as file:
        return file.read()


BOTH = ("aarch64", "armv7hf")
ARM = ("armv7hf",)
PLANTED = [
    ("elf-program", BOTH, lambda kit, arch: b"#!/bin/sh\nexit 0\n"),
    ("elf-machine", BOTH, other_arch),
    ("elf-machine", BOTH, x86),
    ("elf-arm-abi", ARM, soft_float),
    ("elf-arm-cpu", ARM, compiled("-march=armv7ve+simd", "-mfpu=neon-vfpv4")),
    ("elf-interpreter", BOTH, compiled("-Wl,--dynamic-linker=/lib/ld-musl.so.1")),
    ("elf-stack", BOTH, compiled("-Wl,-z,execstack")),
    ("elf-pie", BOTH, compiled("-no-pie", "-fno-pie")),
    ("elf-relro", BOTH, compiled("-Wl,-z,norelro")),
    ("elf-relro", BOTH, compiled("-Wl,-z,lazy")),
    ("elf-stripped", BOTH, compiled(strip=False)),
    ("elf-stripped", BOTH, compiled("-g", strip=False)),
    ("elf-glibc", BOTH, compiled(source=RANDOM)),
    ("elf-versions", BOTH, with_stub("libcurl.so.4", "CURL_OPENSSL_4 { global: *; };")),
    ("elf-needed", BOTH, with_stub("libstrange.so.1")),
    ("elf-needed", BOTH, with_stub("libcurl.so.4")),
    ("elf-rpath", BOTH, compiled("-Wl,-rpath,/opt/lib")),
    ("elf-runpath", BOTH, compiled("-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib")),
    ("elf-build-path", BOTH, compiled(source=PATH)),
    ("elf-time64", ARM, compiled("-U_TIME_BITS", "-U_FILE_OFFSET_BITS")),
]
CASES = [(rule, arch, plant) for rule, archs, plant in PLANTED for arch in archs]


@pytest.mark.parametrize(
    "rule, arch, plant", CASES, ids=[f"{n}-{r}-{a}" for n, (r, a, _) in enumerate(CASES)]
)
def test_a_planted_fault_is_found(kit, rule, arch, plant):
    parts = kit.parts(arch)
    parts.files["ntp_logger"] = plant(kit, arch)
    assert rule in kit.judge(parts)


def test_every_rule_has_a_planted_fault():
    assert {rule.name for rule in CHECKS} == {rule for rule, _, _ in PLANTED}


@pytest.mark.parametrize("arch", BOTH)
def test_a_second_program_is_checked_like_the_first(kit, arch):
    parts = kit.parts(arch)
    parts.files["lib/libextra.so"] = kit.compile(arch, "-Wl,-z,execstack")
    assert "elf-stack" in kit.judge(parts)


@pytest.mark.parametrize("arch", BOTH)
def test_the_camera_s_libcurl_is_good_when_it_is_meant(kit, arch):
    parts = kit.parts(arch)
    parts.files["ntp_logger"] = with_stub("libcurl.so.4")(kit, arch)
    assert kit.judge(parts, "device") == {}
    assert kit.judge(parts, "auto") == {}


@pytest.mark.parametrize("arch", BOTH)
def test_a_library_path_beside_the_program_is_good(kit, arch):
    parts = kit.parts(arch)
    parts.files["ntp_logger"] = kit.compile(arch, "-Wl,-rpath,$ORIGIN/lib")
    assert kit.judge(parts) == {}
