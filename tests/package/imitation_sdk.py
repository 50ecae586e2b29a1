"""An imitation of the vendor's SDK image: its folders, its environment, a stand-in packager."""

import pathlib
import shutil

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# As the vendor's setup scripts are called and what they say, as far as builds depend on it. On
# 32-bit ARM they undefine the macros of 64-bit time behind the compiler's name.
SETUP = {
    "aarch64": ("environment-setup-cortexa53-crypto-poky-linux", "aarch64-linux-gnu-", "aarch64",
                "-mcpu=cortex-a53+crc+crypto", ""),
    "armv7hf": ("environment-setup-cortexa9hf-neon-poky-linux-gnueabi", "arm-linux-gnueabihf-",
                "arm", "-mthumb -mfpu=neon -mfloat-abi=hard -mcpu=cortex-a9",
                " -U_TIME_BITS -U_FILE_OFFSET_BITS"),
}
SCRIPT = """\
export SDKTARGETSYSROOT=/opt/axis/acapsdk/sysroots/{arch}
export PATH=/opt/axis/acapsdk/axis-acap-manifest-tools/manifest-generator:$PATH
export PKG_CONFIG_SYSROOT_DIR=$SDKTARGETSYSROOT
export PKG_CONFIG_PATH=$SDKTARGETSYSROOT/usr/lib/pkgconfig:$SDKTARGETSYSROOT/usr/share/pkgconfig
export OECORE_TARGET_ARCH={oe_arch}
export CC="{cross}gcc {cpu} -L$SDKTARGETSYSROOT/usr/lib"
export STRIP={cross}strip
export CFLAGS=" -O2 -pipe -g -feliminate-unused-debug-types{undefine}"
export LDFLAGS="-Wl,-O1 -Wl,--hash-style=gnu -Wl,--as-needed -Wl,--disable-new-dtags"
export ARCH={kernel_arch}
export CROSS_COMPILE={cross}
"""
PC = """\
prefix=/usr
Name: {name}
Description: imitation
Version: {version}
Requires:{requires}
Cflags: -I${{prefix}}/include
Libs: -L${{prefix}}/lib -l{lib}
"""
LIBRARIES = (
    ("libcurl", "curl", "7.88.1", ""), ("libssl", "ssl", "3.0.0", " libcrypto"),
    ("libcrypto", "crypto", "3.0.0", ""),
)


def make_sdk(folder: pathlib.Path, arch: str, deps: pathlib.Path, with_curl: bool = True) -> None:
    """Fills `folder`, which becomes /opt of the image. Old SDKs had neither curl nor OpenSSL."""
    name, cross, oe_arch, cpu, undefine = SETUP[arch]
    sdk = folder / "axis" / "acapsdk"
    tools = sdk / "axis-acap-manifest-tools" / "manifest-generator"
    tools.mkdir(parents=True)
    script = SCRIPT.format(
        arch=arch, oe_arch=oe_arch, cross=cross, cpu=cpu, undefine=undefine,
        kernel_arch="arm64" if arch == "aarch64" else "arm",
    )
    (sdk / name).write_text(script)
    # the packager is a program of its own in the image: our modules go in beside it
    shutil.copy(HERE / "acap_build.py", tools / "acap-build")
    (tools / "acap-build").chmod(0o755)
    shutil.copytree(ROOT / "tools" / "eap", tools / "eap",
                    ignore=shutil.ignore_patterns("__pycache__"))
    usr = sdk / "sysroots" / arch / "usr"
    (usr / "lib" / "pkgconfig").mkdir(parents=True)
    if with_curl:
        add_libraries(usr, deps)


def add_libraries(usr: pathlib.Path, deps: pathlib.Path) -> None:
    shutil.copytree(deps / "device" / "include", usr / "include")
    for path in (deps / "device" / "lib").glob("*.so*"):
        shutil.copy(path, usr / "lib", follow_symlinks=False)
    for name, lib, version, requires in LIBRARIES:
        text = PC.format(name=name, lib=lib, version=version, requires=requires)
        (usr / "lib" / "pkgconfig" / f"{name}.pc").write_text(text)
