"""`rules-harness selftest`: the checks on trial."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import CONFORMS, VIOLATED, UsageError
from rules_harness.harness.files import write_private
from rules_harness.harness.selftest import Verdict, matrix, run_trials, trials


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
    verdicts = []
    for verdict in run_trials(chosen, workers=workers):
        verdicts.append(verdict)
        if not output.quiet or verdict.problem is not None:
            output.print(_line(verdict))
    results = matrix(verdicts)
    output.print(f"{results['passed']} of {len(verdicts)} trials went as they must")
    if json_path is not None:
        try:
            write_private(json_path, [(json.dumps(results, indent=2) + "\n").encode()])
        except OSError as error:
            raise UsageError(f"cannot write {json_path}: {error.strerror}") from error
    return VIOLATED if results["failed"] else CONFORMS


def _line(verdict: Verdict) -> str:
    trial = verdict.trial
    result = verdict.problem or ("killed" if trial.kind == "fault" else "nothing flagged")
    expects = f" ({trial.expects})" if trial.expects else ""
    mark = "ok " if verdict.problem is None else "BAD"
    return f"{mark}  seed {trial.seed}  {trial.kind:<11}  {trial.name}{expects}: {result}"
