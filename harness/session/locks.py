"""One run at a time for each rule of a target, on one machine: a lock that ends with its process, however that ends.

Runs of other users and on other machines are not seen here; `harness.scenarios.own_texts` and a second look tell of
those.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LOCKED: Final = "another run on this machine is using it"


class RuleLocks:
    """The locks of one run on rules of one target; where no lock can be kept, there is none."""

    def __init__(self, base_url: str | None) -> None:
        """Without ``base_url`` nothing is sent anywhere, and nothing locked."""
        self._base_url = base_url
        self._held: dict[str, int] = {}

    def take(self, rule: str) -> bool:
        """Whether this run has the rule for itself from now on, as far as this machine goes."""
        folder = None if self._base_url is None or rule in self._held else _folder()
        if folder is None:
            return True
        name = hashlib.sha256(f"{self._base_url}\n{rule}".encode("utf-8", "surrogatepass")).hexdigest()
        try:
            descriptor = os.open(folder / name[:32], os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._held[rule] = descriptor
        return True

    def take_all(self, rules: Iterable[str]) -> dict[str, str]:
        """Why each of these rules cannot be used that another run has."""
        return {rule: LOCKED for rule in rules if not self.take(rule)}

    def release(self) -> None:
        """Let every rule go."""
        while self._held:
            os.close(self._held.popitem()[1])


def _folder() -> Path | None:
    """Where the locks of this user are; ``None`` where somebody else could write there."""
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"rules-harness-{os.geteuid()}"
    try:
        folder.mkdir(0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return folder if is_own else None
