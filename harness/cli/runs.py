"""`rules-harness runs`: folders of runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.session.recorded import header_of, unrestored
from rules_harness.reports.text import counted


@click.group(short_help="Keep a folder of runs small.")
def command() -> None:
    """For folders that hold many runs, each in a folder of its own."""


@command.command("prune", short_help="Remove old runs, pack the others.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--keep", type=click.IntRange(min=1), default=20, show_default=True, help="Runs of each target that stay."
)
@click.option("--dry-run", is_flag=True, help="Remove and pack nothing; say what would be.")
@click.pass_obj
def prune_command(output: Output, folder: Path, keep: int, dry_run: bool) -> None:
    """Remove the oldest runs in FOLDER, and pack the journals of the others.

    A run whose rules were not put back stays, as does everything that is not a run.
    """
    by_target: dict[str, list[tuple[str, Path]]] = {}
    for run in sorted(path for path in folder.iterdir() if path.is_dir() and journal.recorded_in(path).is_file()):
        try:
            header = header_of(run)
        except UsageError as error:
            output.say(f"left alone: {error}")
            continue
        by_target.setdefault(header.target, []).append((header.started_at, run))
    removed = packed = 0
    for runs in by_target.values():
        newest = [run for _, run in sorted(runs, reverse=True)]
        removed += sum([_remove(run, output, dry_run=dry_run) for run in newest[keep:]])
        packed += sum([_pack(run, output, dry_run=dry_run) for run in newest[:keep]])
    if output.quiet:
        output.print(f"{folder}: {counted(removed, 'run')} removed, {packed} packed")


def _remove(run: Path, output: Output, *, dry_run: bool) -> bool:
    """Whether it was, or would be."""
    if left := unrestored(run):
        output.say(f"left alone: {run}, the only record of how {counted(len(left), 'rule')} stood; see `restore`")
        return False
    if not dry_run:
        _tried(run, lambda: shutil.rmtree(run))
    output.detail(f"removed {run}")
    return True


def _pack(run: Path, output: Output, *, dry_run: bool) -> bool:
    """Whether it was, or would be."""
    path = journal.recorded_in(run)
    if path.name != journal.FILE_NAME or path.stat().st_size < journal.PACK_FROM:
        return False
    if not dry_run:
        _tried(run, lambda: journal.pack(path))
    output.detail(f"packed {path}")
    return True


def _tried(run: Path, step: Callable[[], object]) -> None:
    try:
        step()
    except OSError as error:
        raise UsageError(f"cannot prune {run}: {error.strerror}; give a folder that you may write to") from error
