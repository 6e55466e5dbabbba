"""`rules-harness baseline`: findings that are known and accepted for a while."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click
import msgspec

from rules_harness.harness import journal
from rules_harness.harness.cli.findings import named
from rules_harness.harness.cli.options import OutputPath
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.files import write_private
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Finding, Outcome
from rules_harness.harness.session.recorded import contract_for, header_of, judged
from rules_harness.reports.baseline import Baseline, Entry, accept, load, render
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


_finding_option = click.option(
    "--finding", "findings", multiple=True, metavar="ID", help="Only this one, or how its id begins."
)


@command.command("accept", short_help="Accept findings of a recorded run.")
@click.argument("run", type=click.Path(path_type=Path))
@_finding_option
@click.option("--reason", required=True, callback=_words, metavar="TEXT", help="Why it is accepted.")
@click.option("--owner", required=True, callback=_words, metavar="NAME", help="Who sees to it that it ends.")
@click.option("--expires", required=True, callback=_day, metavar="DATE", help="The last day on which it is accepted.")
@click.option("--out", required=True, type=OutputPath(), metavar="FILE", help="The baseline; entries in it stay.")
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
    _rewrite(out, accept(chosen, known, reason=reason, owner=owner, expires=expires))
    for finding in chosen:
        output.detail(f"accepted until {expires}: {finding.id} {finding.requirement} {line(finding.place)}".rstrip())
    output.say(f"wrote {out}: {counted(len(chosen), 'finding')} of this run")


def _chosen(outcome: Outcome, ids: Sequence[str], fail_on: str) -> list[Finding]:
    if not ids:
        failing = [finding for finding in outcome.findings if finding.level == "must" or fail_on == "should"]
        if not failing:
            raise UsageError("no finding fails the gate of this run; name one with --finding to accept it all the same")
        return failing
    return list(dict.fromkeys(named(outcome.findings, id) for id in ids))


@command.command("prune", short_help="Remove entries that no longer hold.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--run", type=click.Path(path_type=Path), metavar="RUN", help="Remove also what this run shows is gone.")
@_finding_option
@click.pass_obj
def prune_command(output: Output, file: Path, run: Path | None, findings: tuple[str, ...]) -> None:
    """Remove from FILE, a baseline, the entries whose last day has passed.

    With --run also those whose finding a recorded gate run put to the test and did not find. With --finding no others.
    """
    known = load(file, datetime.now(UTC))
    outcome = None if run is None else _outcome(run)
    meant = _meant(known, findings, file)
    gone = [entry for entry in (*known.expired, *(known.stale(outcome) if outcome else ())) if entry in meant]
    _rewrite(file, [entry for entry in known.entries if entry not in gone])
    for entry in gone:
        output.detail(f"removed: {line(entry.name)}")
    output.say(f"wrote {file}: {counted(len(known.entries) - len(gone), 'entry', 'entries')} left")


@command.command("update", short_help="Give entries a later last day.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--expires", required=True, callback=_day, metavar="DATE", help="The last day on which it is accepted.")
@_finding_option
@click.pass_obj
def update_command(output: Output, run: Path, file: Path, expires: date, findings: tuple[str, ...]) -> None:
    """Accept until a later day what RUN, a recorded run, still finds of FILE, a baseline; reason and owner stay."""
    known = load(file, datetime.now(UTC))
    still_found = {finding.id for finding in _outcome(run).findings}
    meant = _meant(known, findings, file)
    entries = [
        msgspec.structs.replace(entry, expires=expires) if entry in meant and entry.id in still_found else entry
        for entry in known.entries
    ]
    _rewrite(file, entries)
    for entry in (entry for entry, before in zip(entries, known.entries, strict=True) if before in meant):
        remark = f"accepted until {expires}" if entry.id in still_found else "not found, left as it is"
        output.detail(f"{remark}: {line(entry.name)}")
    output.say(f"wrote {file}")


def _meant(known: Baseline, ids: Sequence[str], file: Path) -> list[Entry]:
    """The entries that are named; all where none is."""
    return [named(known.entries, id, where=str(file)) for id in ids] or list(known.entries)


def _outcome(run: Path) -> Outcome:
    path = journal.locate(run)
    return judged(path, contract_for(header_of(path), None))


def _rewrite(path: Path, entries: Iterable[Entry]) -> None:
    """Write a baseline. Raises `UsageError` where it cannot be written."""
    try:
        write_private(path, [render(entries).encode()])
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give another file") from error
