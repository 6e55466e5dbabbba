"""Files that hold what a target answered: nobody but their owner reads them."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

_FILE: Final = 0o600
FOLDER_MODE: Final = 0o700


def make_private(folder: Path) -> None:
    """Make a folder, and those above it, that only its owner may enter; one that is there stays as it is.

    Raises `OSError`.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(FOLDER_MODE, exist_ok=True)
    if not missing:
        folder.mkdir(exist_ok=True)


def open_private(path: Path, *, append: bool = False, buffering: int = -1) -> IO[bytes]:
    """Open a file for writing that only its owner may read, also where it was there before; raises `OSError`.

    What is appended to may be read as well.
    """
    flags = os.O_CREAT | (os.O_RDWR | os.O_APPEND if append else os.O_WRONLY | os.O_TRUNC)
    descriptor = os.open(path, flags, _FILE)
    status = os.fstat(descriptor)
    # Whoever writes to a pipe or a device, or to a file of somebody else, does not say who may read it.
    if sys.platform != "win32" and stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
        os.fchmod(descriptor, _FILE)
    return os.fdopen(descriptor, "ab+" if append else "wb", buffering)


def write_private(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that only its owner may read; raises `OSError`."""
    with open_private(path) as file:
        file.writelines(pieces)
