"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterator

from desk.errors import DeskError


@contextlib.contextmanager
def replace_whole(path: str, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file to write; it takes the place of PATH, with MODE, only when the block ends well."""
    target = Path(path)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise DeskError(
            f"'{path}' cannot be written: {error.strerror}.",
            "choose another --output, or free some space.",
        ) from None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
