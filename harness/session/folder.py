"""The folder of a run: a new run replaces what an earlier one left there, so that nothing in it is out of date."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness import journal
from rules_harness.harness.errors import UsageError
from rules_harness.harness.session.recorded import keep_unrestored
from rules_harness.reports import script
from rules_harness.reports.again import FOLDER as FINDINGS
from rules_harness.reports.formats import FORMATS

REPLAYS: Final = "replays"
"""Where `replay` puts a folder for each finding that was sent again, by its id."""


def make_room(folder: Path) -> None:
    """Remove what an earlier run left in a folder; whatever else is there stays.

    Raises `UsageError` where the only record of how rules stood would be lost, something cannot be removed, or what has
    the names of a run's files is somebody else's: neither a journal nor a summary beside it says that a run was here.
    """
    replays = _folders(folder / REPLAYS, journal.FILE_NAME) + _folders(folder / REPLAYS, journal.PACKED_NAME)
    for run in (folder, *replays):
        keep_unrestored(run)
    in_the_way = [*_files(folder), *_folders(folder / FINDINGS, script.FILE_NAME)]
    if any(path.is_dir() or path.stat().st_size for path in in_the_way) and not _is_of_a_run(folder):
        names = ", ".join(str(path.relative_to(folder)) for path in in_the_way)
        raise UsageError(
            f"{folder} holds {names}, and neither a journal nor a summary says that a run left that: it would be lost; "
            "move it away, or give another folder with --out"
        )
    try:
        for path in _files(folder):
            path.unlink()
        for left in (*_folders(folder / FINDINGS, script.FILE_NAME), *replays):
            shutil.rmtree(left)
        for parent in (folder / FINDINGS, folder / REPLAYS):
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
    except OSError as error:
        raise UsageError(
            f"cannot remove what an earlier run left in {folder}: {error.strerror}; give another folder with --out"
        ) from error


def _is_of_a_run(folder: Path) -> bool:
    """Whether an earlier run was here; a journal that is none was objected to before."""
    recorded = journal.recorded_in(folder)
    if recorded.is_file() and recorded.stat().st_size:
        return True
    try:
        content = msgspec.json.decode((folder / FORMATS["summary"].file_name).read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(content, dict) and content.keys() >= {"tool_version", "outcome", "exit_code", "requirements"}


def _files(folder: Path) -> Iterator[Path]:
    names = [journal.FILE_NAME, journal.PACKED_NAME, *(form.file_name for form in FORMATS.values())]
    yield from (folder / name for name in names if (folder / name).is_file())


def _folders(parent: Path, mark: str) -> list[Path]:
    """The folders in one that hold a file by this name: those that a run made."""
    return [path.parent for path in sorted(parent.glob(f"*/{mark}"))]
