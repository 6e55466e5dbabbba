"""`rules-harness baseline`: findings that are known and accepted for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.files import write_private
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Finding, Outcome
from rules_harness.harness.session.recorded import contract_for, header_of
from rules_harness.reports.baseline import accept, load, render
from rules_harness.reports.text import counted, line


@click.group(short_help="Accept known findings for a while.")
def command() -> None:
    """Keep the findings that are known and accepted for a while; see --baseline of check, fuzz and diff."""


def _day(ctx: click.Context, parameter: click.Parameter, value: str) -> date:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day such as 2027-01-31.", ctx, parameter) from None
    if day < datetime.now(UTC).date():
        raise click.BadParameter(f"{value} has passed.", ctx, parameter)
    return day


def _words(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say it in words.", ctx, parameter)
    return value.strip()


@command.command("accept", short_help="Accept findings of a recorded run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--finding", "findings", multiple=True, metavar="ID", help="Only this one; may be given several times.")
@click.option("--reason", required=True, callback=_words, metavar="TEXT", help="Why it is accepted.")
@click.option("--owner", required=True, callback=_words, metavar="NAME", help="Who sees to it that it ends.")
@click.option("--expires", required=True, callback=_day, metavar="DATE", help="The last day on which it is accepted.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The baseline; entries in it stay."
)
@click.pass_obj
def accept_command(
    output: Output, run: Path, findings: tuple[str, ...], reason: str, owner: str, expires: date, out: Path
) -> None:
    """Accept the findings that fail the gate of RUN, a recorded run, or those that are named.

    Each is accepted for its requirement, place and kind alone: the same requirement still fails in another place, or in
    another way.
    """
    path = journal.locate(run)
    header = header_of(path)
    outcome = outcome_of(journal.stream(path), contract_for(header, None))
    chosen = _chosen(outcome, findings, header.fail_on)
    known = load(out, datetime.now(UTC)).entries if out.exists() else ()
    text = render(accept(chosen, known, reason=reason, owner=owner, expires=expires))
    try:
        write_private(out, [text.encode()])
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}; give another file with --out") from error
    for finding in chosen:
        output.print(f"accepted until {expires}: {finding.id} {finding.requirement} {line(finding.place)}".rstrip())
    output.say(f"wrote {out}: {counted(len(chosen), 'finding')} of this run")


def _chosen(outcome: Outcome, ids: Sequence[str], fail_on: str) -> list[Finding]:
    if not ids:
        failing = [finding for finding in outcome.findings if finding.level == "must" or fail_on == "should"]
        if not failing:
            raise UsageError("no finding fails the gate of this run; name one with --finding to accept it all the same")
        return failing
    by_id = {finding.id: finding for finding in outcome.findings}
    for id in ids:
        if id not in by_id:
            known = ", ".join(by_id) or "it has none"
            raise UsageError(f"--finding {id} is not a finding of this run; its findings: {known}")
    return [by_id[id] for id in dict.fromkeys(ids)]
