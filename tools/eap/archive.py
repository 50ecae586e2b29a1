"""The container: a gzip-compressed GNU tar, flat, the same bytes from the same content."""

import gzip
import io
import pathlib
import tarfile

DIRECTORY = 0o755
PROGRAM = 0o755
FILE = 0o644

# In the reference tool's order; a member that is not listed comes where "*" stands.
ORDER = ["package.conf", "param.conf", "LICENSE", "manifest.json", "*", "html", "lib", "cgi.conf"]


def _rank(name: str, program: str) -> tuple[int, str]:
    top = name.split("/")[0]
    if top == program:
        return -1, name
    return ORDER.index(top if top in ORDER else "*"), name


def _info(name: str, mode: int, size: int, mtime: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode = mode
    info.size = size
    info.mtime = mtime
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _directories(names: list[str]) -> list[str]:
    found = {str(parent) for name in names for parent in pathlib.PurePosixPath(name).parents}
    return sorted(found - {"."})


def pack(members: dict[str, tuple[bytes, int]], program: str, mtime: int) -> bytes:
    """The package of `members` (name -> content and mode); whoever builds it, owner is root."""
    raw = io.BytesIO()
    names = list(members) + _directories(list(members))
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(names, key=lambda name: _rank(name, program)):
            if name in members:
                content, mode = members[name]
                tar.addfile(_info(name, mode, len(content), mtime), io.BytesIO(content))
            else:
                info = _info(name, DIRECTORY, 0, mtime)
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
    # neither name nor time in the gzip header
    return gzip.compress(raw.getvalue(), compresslevel=9, mtime=0)
