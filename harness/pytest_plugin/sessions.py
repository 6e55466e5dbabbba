"""What a session of pytest gives those who send: a folder for journals, and one turn after the other."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pytest

from rules_harness.harness.pytest_plugin import shared_folder

_LOCK_NAME: Final = "lock"


def journal_folder(config: pytest.Config) -> Path:
    """Where journals go: where the caller says, else the cache of pytest, else a folder of their own."""
    given = config.getoption("rules_out")
    if given is not None:
        return config.invocation_params.dir / str(given)
    cache = getattr(config, "cache", None)
    return Path(cache.mkdir("rules-harness")) if cache is not None else Path(tempfile.mkdtemp(prefix="rules-harness-"))


@contextmanager
def turn(config: pytest.Config) -> Iterator[None]:
    """Be the only process of the session that sends: rules and rate have one owner at a time."""
    shared = shared_folder(config)
    if shared is None:
        yield
        return
    with (shared / _LOCK_NAME).open("wb") as file:
        # It is let go when the process ends, however it ends.
        _lock(file)
        yield


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - of this platform alone

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - of this platform alone

        fcntl.flock(file, fcntl.LOCK_EX)
