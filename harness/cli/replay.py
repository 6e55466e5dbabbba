"""`rules-harness replay`: one finding of a recorded run, sent again."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from rules_harness.harness import journal
from rules_harness.harness.cli.ending import leave
from rules_harness.harness.cli.findings import named
from rules_harness.harness.cli.options import contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.progress import QuietProgress
from rules_harness.harness.cli.trusting import consent, trust_option
from rules_harness.harness.errors import NOT_JUDGED, UsageError
from rules_harness.harness.journal import EpisodeRecord, Header, Journal
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.replaying import Replaying
from rules_harness.harness.session.demands import contract_demands, demands_of, key_demands
from rules_harness.harness.session.folder import REPLAYS, make_room
from rules_harness.harness.session.opening import Chosen, check_production, opened
from rules_harness.harness.session.recorded import (
    EMBEDDED,
    contract_for,
    header_of,
    judged,
)
from rules_harness.harness.session.session import Settings
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.smaller.again import places
from rules_harness.harness.smaller.evidence import Evidence
from rules_harness.openapi.contract import Contract


@click.command(short_help="Send one finding of a recorded run again.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("finding")
@click.option("--target", type=click.Path(path_type=Path), metavar="FILE", help="Your profile of the target.")
@trust_option
@contract_option
@click.pass_obj
def command(
    output: Output, run: Path, finding: str, target: Path | None, is_own: bool, contract: Contract | None
) -> int:
    """Send the requests of FINDING (its id, or how that begins) again, with new keys, and say whether it still fails.

    Rules are read first and put back last. Exit code 1 where it still fails, 0 where it no longer does. Without
    --target it asks before it does what the journal says.
    """
    path = journal.locate(run)
    header = header_of(path)
    held_to = contract_for(header, contract)
    evidence = _evidence(path, header, finding, held_to)
    wanted = evidence.finding
    asked = [
        *contract_demands(header, contract),
        *key_demands([msgspec.to_builtins(exchange.request) for exchange in evidence.episode.exchanges]),
    ]
    recorded = None if target is not None or header.options.get(EMBEDDED) else demands_of(header)
    is_own = consent(output, run, [*(recorded.lines() if recorded else ()), *asked], is_own=is_own)
    with opened(Chosen(target), held_to) if recorded is None else nullcontext(recorded.opened()) as chosen:
        check_production(chosen.profile, held_to)
        rules = places(evidence, chosen.profile.rules, held_to.noun)
        folder = path.parent / REPLAYS / wanted.id
        make_room(folder)
        replay = Replaying(
            held_to,
            chosen,
            Journal(folder, clean=output.guard(chosen.keyring).clean_text),
            _settings(header, wanted),
            QuietProgress(output),
            evidence=evidence,
            rules=rules,
            is_own=is_own,
        )
        with interruptible(replay):
            outcome = replay.run()
    if outcome.exit_code == NOT_JUDGED:
        output.error(outcome.reason or replay.again.reason)
    else:
        output.print(f"{wanted.id} {wanted.requirement}: {outcome.reason}")
    return leave(replay, outcome, output, tables=False)


def _settings(header: Header, wanted: Finding) -> Settings:
    """As the run had it, but for the dates ahead: these are counted from now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Settings(seed=header.seed, now=now, select=(wanted.requirement,), options=header.options)


def _evidence(path: Path, header: Header, finding: str, contract: Contract) -> Evidence:
    """The finding with its episode; raises `UsageError` where there is none, or several begin so."""
    wanted = named(judged(path, contract).findings, finding)
    if not wanted.shown_by:
        raise UsageError(
            f"finding {wanted.id} rests on the whole run, not on one episode: `rules-harness judge {path}`"
        )
    for record in journal.stream(path):
        if isinstance(record, EpisodeRecord) and record.episode.id == wanted.episode:
            return Evidence.of(wanted, contract.requirements[wanted.requirement].sentence, record.episode, header)
    raise UsageError(f"finding {wanted.id} has no requests of its own in the journal")
