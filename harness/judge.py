"""Episodes in, verdicts out: a pure function of what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from harness.checks import CHECKS
from harness.errors import CONFORMS, INTERRUPTED, NOT_JUDGED, VIOLATED
from harness.exchange import Episode, TransportFault
from harness.journal import Count, Note, Run, Skipped
from harness.outcome import (
    Conclusion,
    Finding,
    Judgement,
    Kept,
    Level,
    Outcome,
    ReadingOutcome,
    RequirementOutcome,
    Seen,
    Stored,
    Verdict,
    Violation,
    finding_id,
)
from openapi.contract import Contract, Reading, Requirement

STOPPED = "stopped"
"""The kind of note that says why nothing, or not everything, could be judged."""
UNFINISHED = "the run was cut off before its end"


def judge_episode(episode: Episode, contract: Contract) -> list[Judgement]:
    """What every check says of one episode."""
    return [judgement for check in CHECKS for judgement in check.judge(episode, contract)]


class _Shown(msgspec.Struct):
    """A violation with the first episode that shows it, and how often it did."""

    violation: Violation
    episode: str
    count: int = 0
    doubted: int = 0


class Tally:
    """Adds up judgements, one episode at a time, so that a journal of any length fits."""

    def __init__(self, contract: Contract):
        self.contract = contract
        self.exercised: Counter[str] = Counter()
        self.stored: set[str] = set()
        self.readings: dict[str, dict[str, Counter[str]]] = {}
        self.shown: dict[str, _Shown] = {}
        self.doubts: dict[str, str] = {}
        """Why violations of a requirement do not count, by requirement."""
        self.unanswered: dict[str, str] = {}
        """Requirements of episodes in which nothing was answered, with what happened instead."""
        self._awaiting: dict[str, list[Violation]] = {}
        self._confirmed: set[str] = set()
        self._refuted: dict[str, set[str]] = {}

    def add(self, episode: Episode, judgements: Iterable[Judgement] | None = None) -> list[Judgement]:
        """Count an episode; returns what was judged of it."""
        found = judge_episode(episode, self.contract) if judgements is None else list(judgements)
        if episode.confirms:
            self._add_confirmation(episode, found)
            return found
        for judgement in found:
            self._count(judgement, episode)
        self._note_faults(episode)
        return found

    def add_count(self, record: Count) -> None:
        """Count what a campaign judged without keeping the episodes."""
        self.exercised.update(record.kept)
        self.stored.update(record.places)
        for reading, token, kind, times in record.readings:
            self.readings.setdefault(reading, {}).setdefault(kind, Counter())[token] += times

    def _count(self, judgement: Judgement, episode: Episode) -> None:
        match judgement:
            case Kept():
                self.exercised[judgement.requirement] += 1
            case Stored():
                self.stored.update(judgement.places)
            case Seen():
                kinds = self.readings.setdefault(judgement.reading, {})
                kinds.setdefault(judgement.kind, Counter())[judgement.token] += 1
            case Violation():
                self._show(judgement, episode)

    def _show(self, violation: Violation, episode: Episode) -> None:
        self.exercised[violation.requirement] += 1
        if violation.compares_states and episode.disturbed:
            self.doubts[violation.requirement] = episode.disturbed
            return
        identity = finding_id(violation.requirement, violation.place, violation.kind)
        shown = self.shown.setdefault(identity, _Shown(violation, episode.id))
        shown.count += 1
        if violation.compares_states:
            self._awaiting.setdefault(episode.id, []).append(violation)

    def _add_confirmation(self, episode: Episode, found: list[Judgement]) -> None:
        """Violations that rest on comparing states count only if they show again when nobody else writes."""
        again = {
            finding_id(judgement.requirement, judgement.place, judgement.kind)
            for judgement in found
            if isinstance(judgement, Violation)
        }
        for violation in self._awaiting.get(episode.confirms, ()):
            identity = finding_id(violation.requirement, violation.place, violation.kind)
            if identity in again and not episode.disturbed:
                self._confirmed.add(identity)
                continue
            self.shown[identity].doubted += 1
            self.doubts[violation.requirement] = (
                episode.disturbed or "it did not show again when it was sent again: somebody else may have written"
            )

    def _note_faults(self, episode: Episode) -> None:
        faults = [e.outcome for e in episode.exchanges if isinstance(e.outcome, TransportFault)]
        if faults:
            for exchange in episode.exchanges:
                if exchange.intent.requirement:
                    self.unanswered.setdefault(exchange.intent.requirement, f"{faults[0].kind}: {faults[0].detail}")

    def findings(self) -> list[Finding]:
        """The violations that count, grouped, in the order in which they first showed."""
        result = []
        for identity, shown in self.shown.items():
            violation = shown.violation
            if shown.doubted >= shown.count and identity not in self._confirmed:
                continue
            if not set(violation.unless_unstored) <= self.stored:
                continue
            result.append(
                Finding(
                    id=identity,
                    requirement=violation.requirement,
                    level=self._level(violation),
                    place=violation.place,
                    kind=violation.kind,
                    expected=violation.expected,
                    actual=violation.actual,
                    episode=shown.episode,
                    shown_by=violation.shown_by,
                    count=shown.count,
                )
            )
        return result

    def _level(self, violation: Violation) -> Level:
        level = violation.level or _own_level(self.contract.requirements[violation.requirement])
        if level == "must" and violation.inferred_place and violation.place not in self.stored:
            return "should"
        return level


def judge(
    run: Run, contract: Contract, *, accepted: Mapping[str, str] | None = None, fail_on: str | None = None
) -> Outcome:
    """The outcome of a recorded run.

    ``accepted`` maps the ids of findings that a baseline accepts to the reason; they are told and fail nothing.
    """
    tally = Tally(contract)
    for count in run.counts:
        tally.add_count(count)
    for episode in run.episodes:
        tally.add(episode)
    return conclude(
        tally,
        profile=run.header.profile,
        skipped=run.skipped,
        notes=run.notes,
        select=run.header.select,
        fail_on=fail_on or run.header.fail_on,
        accepted=accepted or {},
        interrupted=run.footer is not None and run.footer.interrupted,
        whole=run.footer is not None,
    )


def conclude(
    tally: Tally,
    *,
    profile: Mapping[str, Any],
    skipped: Iterable[Skipped] = (),
    notes: Iterable[Note] = (),
    select: tuple[str, ...] = (),
    fail_on: str = "must",
    accepted: Mapping[str, str] | None = None,
    interrupted: bool = False,
    whole: bool = True,
) -> Outcome:
    """The outcome of what was added up; see `judge`."""
    contract = tally.contract
    readings, on_readings = _readings(tally, profile.get("readings", {}))
    marked = tuple(
        msgspec.structs.replace(finding, accepted=finding.id in (accepted or {}))
        for finding in (*tally.findings(), *on_readings)
    )
    reasons = _skip_reasons(skipped)
    requirements = {
        requirement.id: _verdict(requirement, tally, marked, reasons, whole=whole)
        for requirement in contract.requirements.values()
        if selected(requirement.id, select)
    }
    stopped = next((note for note in notes if note.kind == STOPPED), None)
    conclusion, exit_code, reason = _conclusion(requirements, profile, fail_on, stopped)
    if interrupted:
        exit_code, reason = INTERRUPTED, "interrupted"
    shown = tuple(finding for finding in marked if finding.requirement in requirements)
    return Outcome(conclusion, exit_code, reason, requirements, readings, shown)


def selected(requirement: str, patterns: tuple[str, ...]) -> bool:
    """Whether a requirement id matches one of the patterns (``status.*``); no patterns select everything."""
    return not patterns or any(fnmatchcase(requirement, pattern) for pattern in patterns)


def _own_level(requirement: Requirement) -> Level:
    return "must" if requirement.level == "must" else "should"


def _skip_reasons(skipped: Iterable[Skipped]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for record in skipped:
        for requirement in record.requirements:
            reasons.setdefault(requirement, record.reason)
    return reasons


def _verdict(
    requirement: Requirement,
    tally: Tally,
    findings: tuple[Finding, ...],
    skip_reasons: Mapping[str, str],
    *,
    whole: bool,
) -> RequirementOutcome:
    own = [finding for finding in findings if finding.requirement == requirement.id]
    exercised = tally.exercised[requirement.id]
    counting = [finding for finding in own if not finding.accepted]
    verdict: Verdict = "passed"
    reason: str | None = None
    if any(finding.level == "must" for finding in counting):
        verdict = "failed"
    elif counting:
        verdict = "warned"
    elif requirement.id in tally.doubts:
        verdict, reason = "inconclusive", tally.doubts[requirement.id]
    elif exercised:
        reason = f"{len(own)} accepted by the baseline" if own else None
    elif requirement.id in skip_reasons:
        verdict, reason = "skipped", skip_reasons[requirement.id]
    elif requirement.id in tally.unanswered:
        verdict, reason = "error", tally.unanswered[requirement.id]
    else:
        verdict, reason = "inconclusive", "no answer put it to the test" if whole else UNFINISHED
    if verdict in ("failed", "warned"):
        reason = f"{counting[0].place}: {counting[0].kind}"
    return RequirementOutcome(requirement.id, requirement.level, verdict, exercised, len(own), reason)


def _readings(tally: Tally, narrowed: Mapping[str, Iterable[str]]) -> tuple[dict[str, ReadingOutcome], list[Finding]]:
    outcomes: dict[str, ReadingOutcome] = {}
    findings: list[Finding] = []
    for reading in tally.contract.readings.values():
        kinds = tally.readings.get(reading.id, {})
        answer = _answer(kinds)
        accepted = tuple(narrowed.get(reading.id, reading.accepted))
        tokens = {token for counter in kinds.values() for token in counter}
        is_accepted = tokens <= set(accepted) and answer != "mixed"
        outcomes[reading.id] = ReadingOutcome(
            id=reading.id,
            answer=answer,
            observations=sum(counter.total() for counter in kinds.values()),
            accepted=is_accepted,
            by_kind={kind: tuple(sorted(counter)) for kind, counter in sorted(kinds.items())},
        )
        if not is_accepted:
            findings += _against(reading, tokens - set(accepted), accepted, firm=reading.id in narrowed, kinds=kinds)
    return outcomes, findings


def _answer(kinds: Mapping[str, Counter[str]]) -> str | None:
    tokens = {token for counter in kinds.values() for token in counter}
    if len(tokens) <= 1:
        return next(iter(tokens), None)
    return "mixed" if any(len(counter) > 1 for counter in kinds.values()) else "varies"


def _against(
    reading: Reading, refused: set[str], accepted: tuple[str, ...], *, firm: bool, kinds: Mapping[str, Counter[str]]
) -> list[Finding]:
    """The findings of a reading whose answer is not accepted, or that has two answers to one kind of input."""
    found: list[tuple[str, str, Level]] = [
        (f"answers {token}", f"the answer is {token}", "must" if firm else "should") for token in sorted(refused)
    ]
    mixed = {kind: counter for kind, counter in kinds.items() if len(counter) > 1}
    if mixed:
        kind, counter = next(iter(mixed.items()))
        told = ", ".join(f"{token} {times} times" for token, times in sorted(counter.items()))
        found.append(("mixed", f"two answers{' to ' + kind if kind else ''}: {told}", "should"))
    return [
        Finding(
            id=finding_id(reading.requirement, reading.id, kind),
            requirement=reading.requirement,
            level=level,
            place=reading.id,
            kind=kind,
            expected=f"{reading.question}: {' or '.join(accepted)}, always the same",
            actual=actual,
            episode="",
            shown_by=(),
        )
        for kind, actual, level in found
    ]


def _conclusion(
    requirements: Mapping[str, RequirementOutcome],
    profile: Mapping[str, Any],
    fail_on: str,
    stopped: Note | None,
) -> tuple[Conclusion, int, str | None]:
    failing = {"failed"} if fail_on == "must" else {"failed", "warned"}
    failed = [outcome.id for outcome in requirements.values() if outcome.verdict in failing]
    if stopped is not None and stopped.data.get("beats_findings"):
        return "inconclusive", NOT_JUDGED, stopped.text
    if failed:
        return "violates", VIOLATED, f"{len(failed)} of {len(requirements)} requirements do not hold"
    if stopped is not None:
        return "error", NOT_JUDGED, stopped.text
    wanted = tuple(profile.get("gate", {}).get("required", ()))
    missing = [
        outcome.id
        for outcome in requirements.values()
        if wanted and selected(outcome.id, wanted) and outcome.verdict in ("skipped", "inconclusive", "error")
    ]
    if missing:
        return "inconclusive", NOT_JUDGED, f"required by the profile and not judged: {', '.join(missing)}"
    if any(outcome.verdict == "error" for outcome in requirements.values()):
        names = [outcome.id for outcome in requirements.values() if outcome.verdict == "error"]
        return "error", NOT_JUDGED, f"could not be judged: {', '.join(names)}"
    if not any(outcome.exercised for outcome in requirements.values()):
        return "inconclusive", NOT_JUDGED, "nothing could be judged"
    return "conforms", CONFORMS, None
