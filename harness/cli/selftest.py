"""`rules-harness selftest`: the checks on trial."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import CONFORMS, VIOLATED, UsageError
from rules_harness.harness.files import write_private
from rules_harness.harness.selftest import TrialResult, matrix, run_trials, trials


@click.command(short_help="Put the checks on trial: every fault killed, nothing allowed flagged.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many seeds, from 1 on.")
@click.option("--only", default="", metavar="ID", help="Only trials with this in their name.")
@click.option("--requests", type=click.IntRange(min=1), metavar="N", help="Short runs, as `check --requests N` makes.")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="FILE", help="Write the matrix there.")
@click.pass_obj
def command(output: Output, seeds: int, only: str, requests: int | None, workers: int, json_path: Path | None) -> int:
    """Run every fault of the embedded target against the scenarios of its requirement, and the whole gate against the
    clean target, each variant and random combinations of variants.

    A fault is killed when its own requirement does not hold and nothing fails that its entry does not list.
    """
    chosen = [trial for trial in trials(range(1, seeds + 1), requests=requests) if only in trial.name]
    if not chosen:
        raise UsageError(f"no trial has {only!r} in its name; see `rules-harness list faults` and `list variants`")
    results = []
    for result in run_trials(chosen, workers=workers):
        results.append(result)
        if not output.quiet or result.problem is not None:
            output.print(_line(result))
    totals = matrix(results)
    output.print(f"{totals['passed']} of {len(results)} trials went as they must")
    if json_path is not None:
        try:
            write_private(json_path, [(json.dumps(totals, indent=2) + "\n").encode()])
        except OSError as error:
            raise UsageError(f"cannot write {json_path}: {error.strerror}") from error
    return VIOLATED if totals["failed"] else CONFORMS


def _line(result: TrialResult) -> str:
    trial = result.trial
    ended = result.problem or ("killed" if trial.kind == "fault" else "nothing flagged")
    expects = f" ({trial.expects})" if trial.expects else ""
    mark = "ok " if result.problem is None else "BAD"
    return f"{mark}  seed {trial.seed}  {trial.kind:<11}  {trial.name}{expects}: {ended}"
