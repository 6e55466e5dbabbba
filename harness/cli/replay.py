"""`rules-harness replay`: one finding of a recorded run, sent again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.interrupts import interruptible
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.recorded import recorded_target
from rules_harness.harness.cli.runs import EMBEDDED, contract_for, header_of, judged
from rules_harness.harness.cli.targets import Chosen, Opened, check_production, contract_option, opened
from rules_harness.harness.errors import CONFORMS, INTERRUPTED, NOT_JUDGED, VIOLATED, Unreachable, UsageError
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import EpisodeRecord, Footer, FoundRule, Header, Journal, Restored
from rules_harness.harness.judging.outcome import Finding, Violation
from rules_harness.harness.judging.tally import closest, judge_episode
from rules_harness.harness.session.keeping import Keeping, share
from rules_harness.harness.session.session import profile_record
from rules_harness.harness.smaller.minimise import REPLAYS, Minimiser
from rules_harness.harness.smaller.resending import Recording
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.wire.client import BudgetSpent, Client, Stopped, TargetDown
from rules_harness.openapi.contract import Contract

FOLDER = "replays"


@click.command(short_help="Send one finding of a recorded run again.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("finding")
@click.option("--target", type=click.Path(path_type=Path), metavar="FILE", help="Another target than the recorded one.")
@contract_option
@click.pass_obj
def command(output: Output, run: Path, finding: str, target: Path | None, contract: Path | None) -> int:
    """Send the requests of FINDING (its id, or how that begins) again, with new keys, and say whether it still fails.

    Rules are read first and put back last. Exit code 1 where it still fails, 0 where it no longer does.
    """
    path = journal.locate(run)
    header = header_of(path)
    held_to = contract_for(header, contract)
    wanted, episode = _wanted(path, finding, held_to)
    violation = closest(_as_violation(wanted), judge_episode(episode, held_to))
    if violation is None:
        raise UsageError(f"finding {wanted.id} rests on the whole run, not on one episode: `rules-harness judge {run}`")
    with _opened(header, target, held_to) as chosen:
        check_production(chosen.profile, held_to)
        cleaner = output.guard(chosen.keyring)
        record = Journal(path.parent / FOLDER / wanted.id, clean=cleaner.clean_text)
        try:
            record.write(_header(header, chosen.profile, held_to), sync=True)
            client = Client(chosen.profile, chosen.keyring, run_seed=header.seed)
            remedy = f"ended at once; put the rules back with: rules-harness restore {record.path.parent}"
            with interruptible(client.stop, output, remedy=remedy):
                replaying = _Replaying(held_to, chosen, client, record, header)
                shown = replaying.run(episode, violation)
        finally:
            record.close()
    if shown is None:
        output.error(replaying.problem)
        return INTERRUPTED if replaying.is_interrupted else NOT_JUDGED
    output.print(
        f"{wanted.id} {wanted.requirement}: "
        + (f"still fails, {shown} of {REPLAYS}" if shown else f"no longer fails, {REPLAYS} times sent")
    )
    return VIOLATED if shown else CONFORMS


def _wanted(path: Path, finding: str, contract: Contract) -> tuple[Finding, Episode]:
    """The finding and its episode; raises `UsageError` where there is none, or several begin so."""
    findings = judged(path, contract).findings
    found = [one for one in findings if one.id.startswith(finding)] if finding else []
    if len(found) != 1:
        told = ", ".join(one.id for one in (found or findings)[:20]) or "none"
        problem = "several findings begin so" if found else "the run has no such finding"
        raise UsageError(f"{finding}: {problem}; there are: {told}")
    for record in journal.stream(path):
        if isinstance(record, EpisodeRecord) and record.episode.id == found[0].episode:
            return found[0], record.episode
    raise UsageError(f"finding {found[0].id} has no requests of its own in the journal")


def _as_violation(finding: Finding) -> Violation:
    return Violation(
        finding.requirement, finding.place, finding.kind, finding.expected, finding.actual, finding.shown_by
    )


@contextmanager
def _opened(header: Header, target: Path | None, contract: Contract) -> Iterator[Opened]:
    """The target of a run again, or another one."""
    if target is not None or header.options.get(EMBEDDED):
        with opened(Chosen(target), contract) as chosen:
            yield chosen
    else:
        profile, keyring = recorded_target(header)
        yield Opened(profile, keyring, embedded=False)


def _header(header: Header, profile: Profile, contract: Contract) -> Header:
    return Header(
        schema_version=header.schema_version,
        tool_version=header.tool_version,
        kind="replay",
        target=profile.target.name,
        base_url=profile.target.base_url,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        contract_document=dict(contract.document),
        profile=profile_record(profile),
        seed=header.seed,
        now=header.now,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        options=header.options,
    )


class _Replaying:
    """Sends one episode several times, with the rules in custody."""

    def __init__(self, contract: Contract, chosen: Opened, client: Client, record: Journal, header: Header) -> None:
        self.problem = ""
        """Why nothing can be said, if so."""
        self.is_interrupted = False
        self._contract = contract
        self._client = client
        self._record = record
        self._then = datetime.fromisoformat(header.now)
        self._profile = chosen.profile
        shared = share(
            contract,
            chosen.profile,
            client,
            Hooks(chosen.profile, chosen.keyring),
            now=datetime.now(UTC).replace(microsecond=0),
            seed=header.seed,
            nonce=datetime.now(UTC).isoformat(),
            applicable=chosen.keyring.applicable,
        )
        self._keeping = Keeping(shared, chosen.profile, self, {})

    def rule(self, rule: FoundRule) -> None:
        """A rule as it stood before."""
        self._record.write(rule, sync=True)

    def episode(self, episode: Episode) -> None:
        """What was sent."""
        self._record.write(EpisodeRecord(episode))

    def restored(self, rule: Restored) -> None:
        """A rule that was put back, or could not be."""
        self._record.write(rule, sync=True)

    def run(self, episode: Episode, violation: Violation) -> int | None:
        """How often the violation showed again; ``None`` where that cannot be said."""
        try:
            return self._replayed(episode, violation)
        except (BudgetSpent, TargetDown) as reason:
            self.problem = str(reason)
        except Stopped:
            self.problem, self.is_interrupted = "interrupted", True
        finally:
            with self._client.restoring():
                problems = self._keeping.give_back()
            self._client.close()
            self._record.write(self._footer(), sync=True)
        if problems:
            self.problem += "; not put back: " + ", ".join(f"{rule}: {why}" for rule, why in problems.items())
        return None

    def _replayed(self, episode: Episode, violation: Violation) -> int | None:
        situation = self._keeping.take()
        if situation is None:
            raise Unreachable(self._keeping.stop.text if self._keeping.stop else "nothing can be judged")
        minimiser = Minimiser(self._contract, self._keeping.shared.world, self._keeping.bench, self._rules)
        shown = 0
        for number in range(REPLAYS):
            sent = minimiser.attempt(Recording.of(episode, self._then), f"replay/{number + 1}")
            if sent is None:
                self.problem = "the target cannot be prepared as it was: a hook or a rule of the profile is missing"
                return None
            self.episode(sent)
            shown += minimiser.shows(sent, violation) is not None
        return shown

    def _rules(self, recording: Recording) -> dict[str, str]:
        """Each rule itself where the profile has it; another target's rules take the others' places in their order."""
        own = self._profile.rules.all
        spare = [rule for rule in self._profile.rules.writable if rule not in recording.rules]
        return {rule: rule if rule in own or not spare else spare.pop(0) for rule in recording.rules}

    def _footer(self) -> Footer:
        return Footer(
            requests=self._client.requests_sent,
            seconds=round(self._client.now(), 3),
            ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
            interrupted=self.is_interrupted,
        )
