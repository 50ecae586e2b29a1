"""Rules for every ELF file in a package: will this camera's loader and kernel take it?"""

import re

from eap.package import Package
from eap.rules import Checklist

CHECKS = Checklist()

MACHINE = {"aarch64": ("ELF64", "AArch64"), "armv7hf": ("ELF32", "ARM")}
INTERPRETER = {"aarch64": "/lib/ld-linux-aarch64.so.1", "armv7hf": "/lib/ld-linux-armhf.so.3"}
NEWEST_GLIBC = (2, 34)  # AXIS OS 11.0; also where Debian 12's pthread and start-up symbols are
ALWAYS_THERE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-aarch64.so.1",
                "ld-linux-armhf.so.3"}
DEVICE_LIBRARIES = {"libcurl.so.4", "libssl.so.3", "libcrypto.so.3", "libaxparameter.so",
                    "libaxparameter.so.1", "libglib-2.0.so.0", "libgobject-2.0.so.0",
                    "libgio-2.0.so.0"}
# Functions whose plain names have a 32-bit time_t or off_t on this architecture.
TIME32 = set("""
    time stime gettimeofday settimeofday adjtime adjtimex ntp_adjtime ntp_gettime ntp_gettimex
    clock_gettime clock_settime clock_getres clock_nanosleep clock_adjtime nanosleep
    timer_gettime timer_settime timerfd_gettime timerfd_settime getitimer setitimer
    stat fstat lstat fstatat utime utimes futimes futimens utimensat
    gmtime gmtime_r localtime localtime_r mktime timegm timelocal ctime ctime_r difftime
    pthread_cond_timedwait pthread_cond_clockwait pthread_mutex_timedlock pthread_mutex_clocklock
    pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock pthread_clockjoin_np
    pthread_timedjoin_np sem_timedwait sem_clockwait mtx_timedlock cnd_timedwait thrd_sleep
    select pselect ppoll epoll_pwait2 recvmmsg sigtimedwait mq_timedreceive mq_timedsend
    getrusage wait3 wait4 timespec_get timespec_getres
    open openat creat fopen freopen lseek ftruncate truncate mmap pread pwrite statfs fstatfs
    statvfs fstatvfs readdir glob fallocate posix_fallocate posix_fadvise sendfile lockf
""".split())


def version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


@CHECKS.rule("elf-program", "the program is an ELF file")
def _program(package: Package):
    if package.manifest.app_name not in [elf.name for elf in package.elves]:
        yield f"{package.manifest.app_name} is none"


@CHECKS.rule("elf-machine", "every ELF file is for the package's architecture")
def _machine(package: Package):
    for elf in package.elves:
        if (elf.elf_class, elf.machine) != MACHINE[package.arch]:
            yield f"{elf.name} is {elf.elf_class} {elf.machine}"


@CHECKS.rule("elf-arm-abi", "armv7hf: EABI version 5, floats in VFP registers")
def _arm_abi(package: Package):
    for elf in package.elves if package.arch == "armv7hf" else []:
        if "Version5 EABI" not in elf.flags or "hard-float ABI" not in elf.flags:
            yield f"{elf.name} has flags {elf.flags}"
        elif elf.attribute("Tag_ABI_VFP_args") != "VFP registers":
            yield f"{elf.name}: Tag_ABI_VFP_args is {elf.attribute('Tag_ABI_VFP_args')}"


@CHECKS.rule("elf-arm-cpu", "armv7hf: runs on a Cortex-A9 (v7, VFPv3, no divide instruction)")
def _arm_cpu(package: Package):
    for elf in package.elves if package.arch == "armv7hf" else []:
        arch, fp = elf.attribute("Tag_CPU_arch"), elf.attribute("Tag_FP_arch")
        if arch != "v7" or fp not in ("VFPv2", "VFPv3", "VFPv3-D16"):
            yield f"{elf.name} wants {arch} and {fp}"
        if "Allowed" in (elf.attribute("Tag_DIV_use") or ""):
            yield f"{elf.name} divides by instruction"


@CHECKS.rule("elf-interpreter", "the program asks for the camera's loader")
def _interpreter(package: Package):
    for elf in package.elves:
        if elf.interpreter not in (None, INTERPRETER[package.arch]):
            yield f"{elf.name} asks for {elf.interpreter}"
        elif elf.interpreter is None and elf.name == package.manifest.app_name:
            yield f"{elf.name} asks for none"


@CHECKS.rule("elf-stack", "the stack is not executable: AXIS OS 13 refuses that")
def _stack(package: Package):
    for elf in package.elves:
        if elf.stack is None or "E" in elf.stack:
            yield f"{elf.name}: GNU_STACK is {elf.stack}"


@CHECKS.rule("elf-pie", "the program is position independent")
def _pie(package: Package):
    for elf in package.elves:
        if not elf.position_independent:
            yield elf.name


@CHECKS.rule("elf-relro", "relocations are read-only after start")
def _relro(package: Package):
    for elf in package.elves:
        if not elf.full_relro:
            yield elf.name


@CHECKS.rule("elf-stripped", "no symbol table and no debug information")
def _stripped(package: Package):
    for elf in package.elves:
        extra = [name for name in elf.sections if name == ".symtab" or name.startswith(".debug")]
        if extra:
            yield f"{elf.name} has {', '.join(sorted(extra))}"


@CHECKS.rule("elf-glibc", "no symbol newer than GLIBC_2.34")
def _glibc(package: Package):
    for elf in package.elves:
        for name in sorted(elf.versions):
            if name.startswith("GLIBC_") and name != "GLIBC_PRIVATE":
                if version(name.removeprefix("GLIBC_")) > NEWEST_GLIBC:
                    yield f"{elf.name} wants {name}"


@CHECKS.rule("elf-versions", "no symbol version that only Debian or a build machine has")
def _versions(package: Package):
    allowed = r"GLIBC_[0-9.]+|GCC_[0-9.]+"
    if package.libcurl == "device":
        allowed += r"|OPENSSL_3\.0\.\d+"
    for elf in package.elves:
        for name in sorted(elf.versions):
            if not re.fullmatch(allowed, name):
                yield f"{elf.name} wants {name}"


@CHECKS.rule("elf-needed", "every needed library is on the camera or in lib/")
def _needed(package: Package):
    there = ALWAYS_THERE | {name.removeprefix("lib/") for name in package.files}
    if package.libcurl == "device":
        there |= DEVICE_LIBRARIES
    for elf in package.elves:
        for name in elf.needed:
            if name not in there:
                yield f"{elf.name} needs {name}"


@CHECKS.rule("elf-rpath", "the library path is none or $ORIGIN/lib")
def _rpath(package: Package):
    for elf in package.elves:
        for path in elf.rpath:
            if path != "$ORIGIN/lib":
                yield f"{elf.name} has RPATH {path}"


@CHECKS.rule("elf-runpath", "no RUNPATH: it is not searched for libraries of libraries")
def _runpath(package: Package):
    for elf in package.elves:
        for path in elf.runpath:
            yield f"{elf.name} has RUNPATH {path}"


@CHECKS.rule("elf-build-path", "no path of the build machine")
def _build_path(package: Package):
    for elf in package.elves:
        found = re.search(rb"/(?:home|root|work|build|opt/src|github)/[\w./-]{3,60}", elf.content)
        if found:
            yield f"{elf.name} holds {found[0].decode()}"


@CHECKS.rule("elf-time64", "armv7hf: no function with a 32-bit time or file offset")
def _time64(package: Package):
    for elf in package.elves if package.arch == "armv7hf" else []:
        old = sorted(elf.undefined & TIME32)
        if old:
            yield f"{elf.name} calls {', '.join(old)}"
