"""Episodes in, verdicts out: a pure function of what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from rules_harness.harness.errors import CONFORMS, INTERRUPTED, NOT_JUDGED, VIOLATED
from rules_harness.harness.intent import Level
from rules_harness.harness.journal import Count, EpisodeRecord, Footer, Header, Note, Record, Skipped
from rules_harness.harness.judging.outcome import (
    FAMILY_ENDS,
    UNJUDGED,
    Conclusion,
    Finding,
    Outcome,
    ReadingOutcome,
    RequirementOutcome,
    Verdict,
    finding_id,
)
from rules_harness.harness.judging.tally import Tally
from rules_harness.openapi.contract import Contract, Reading, Requirement

STOPPED = "stopped"
"""The kind of note that says why nothing, or not everything, could be judged."""
CONTAINED = "contained"
"""The kind of note that names a rule that was enabled where it must not be."""
EXCLUDED = "!"
"""What a pattern begins with that takes requirements out."""
LIMITED = "limited"
"""The kind of note that says which limit ended a search before its time; it changes no verdict of a requirement."""
FOR_FINDINGS = "for findings"
"""In the data of such a note: the limit is one of findings, so that without any the rest was left out for nothing."""
EXIT_CODES: Mapping[Conclusion, int] = {
    "conforms": CONFORMS,
    "violates": VIOLATED,
    "inconclusive": NOT_JUDGED,
    "error": NOT_JUDGED,
}
"""Of a run that was not interrupted."""
REASONS_SHOWN = 3
NOT_SEEN_AGAIN_AT_ALL = "what ended the run early did not show again, and the rest was not sent"
UNFINISHED = "the run was cut off before its end"


def outcome_of(
    records: Iterable[Record | None], contract: Contract, *, accepted: Mapping[str, str] | None = None
) -> Outcome:
    """What today's checks say of a journal, its episodes judged one by one, so that a journal of any length fits.

    ``records`` yields the header first.  ``accepted`` maps the ids of findings that a baseline accepts to the reason;
    they are told and fail nothing.  Raises whatever the records raise.
    """
    tally = Tally(contract)
    skipped: list[Skipped] = []
    notes: list[Note] = []
    footer: Footer | None = None
    header: Header | None = None
    for record in records:
        match record:
            case EpisodeRecord(episode=episode):
                tally.add(episode)
            case Count():
                tally.add_count(record)
            case Skipped():
                skipped.append(record)
            case Note():
                notes.append(record)
            case Header():
                header = record
            case Footer():
                footer = record
            case _:
                pass
    assert header is not None
    return conclude(
        tally,
        profile=header.profile,
        skipped=skipped,
        notes=notes,
        select=header.select,
        fail_on=header.fail_on,
        accepted=accepted,
        interrupted=footer is not None and footer.interrupted,
        whole=footer is not None,
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
    """The outcome of what was added up; see `outcome_of`."""
    contract = tally.contract
    readings, on_readings = _readings(tally, profile.get("readings", {}))
    marked = tuple(
        msgspec.structs.replace(finding, accepted=finding.id in (accepted or {}))
        for finding in (*tally.findings(), *on_readings)
    )
    reasons = _skip_reasons(skipped)
    beyond = _broken_beyond(marked, select)
    cut_short = "interrupted" if interrupted else None if whole else UNFINISHED
    requirements = {
        requirement.id: _outcome(requirement, tally, marked, reasons, is_cut_short=cut_short is not None)
        for requirement in contract.requirements.values()
        if selected(requirement.id, select) or requirement.id in beyond
    }
    conclusion, why = _conclusion(requirements, profile, fail_on, tuple(notes), cut_short)
    if beyond:
        why = f"{why}; broken by what was sent for the selection, and not selected: {', '.join(sorted(beyond))}"
    return Outcome(
        conclusion=conclusion,
        exit_code=INTERRUPTED if interrupted else EXIT_CODES[conclusion],
        reason=cut_short or why,
        requirements=requirements,
        readings=readings,
        findings=tuple(finding for finding in marked if finding.requirement in requirements),
    )


def _broken_beyond(findings: Iterable[Finding], select: tuple[str, ...]) -> set[str]:
    """Requirements that were neither selected nor excluded, and that what was sent for the selection breaks.

    A requirement that passes beside a crash of its own requests would be a false all-clear.
    """
    exclusions = tuple(pattern for pattern in select if pattern.startswith(EXCLUDED))
    broken = {finding.requirement for finding in findings if finding.level == "must" and not finding.accepted}
    return {
        requirement for requirement in broken if not selected(requirement, select) and selected(requirement, exclusions)
    }


def selected(requirement: str, patterns: tuple[str, ...]) -> bool:
    """Whether a requirement id matches one of the patterns (``status.*``), and none of those that begin with ``!``.

    No patterns, or such alone, select everything else.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith(EXCLUDED)]
    is_wanted = not wanted or any(fnmatchcase(requirement, pattern) for pattern in wanted)
    excluded = [pattern.removeprefix(EXCLUDED) for pattern in patterns if pattern.startswith(EXCLUDED)]
    return is_wanted and not any(fnmatchcase(requirement, pattern) for pattern in excluded)


def _skip_reasons(skipped: Iterable[Skipped]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for record in skipped:
        for requirement in record.requirements:
            reasons.setdefault(requirement, record.reason)
    return reasons


def _outcome(
    requirement: Requirement,
    tally: Tally,
    findings: tuple[Finding, ...],
    skip_reasons: Mapping[str, str],
    *,
    is_cut_short: bool,
) -> RequirementOutcome:
    own = [finding for finding in findings if finding.requirement == requirement.id]
    verdict, reason = _verdict(requirement, tally, own, skip_reasons, is_cut_short=is_cut_short)
    exercised = tally.exercised[requirement.id]
    return RequirementOutcome(requirement.id, requirement.level, verdict, exercised, len(own), reason)


def _verdict(
    requirement: Requirement,
    tally: Tally,
    findings: list[Finding],
    skip_reasons: Mapping[str, str],
    *,
    is_cut_short: bool,
) -> tuple[Verdict, str | None]:
    """The verdict on a requirement that has these findings, and the reason."""
    counting = [finding for finding in findings if not finding.accepted]
    first = f"{counting[0].place}: {counting[0].kind}" if counting else ""
    if any(finding.level == "must" for finding in counting):
        return "failed", first
    if (crash := _crash(requirement, tally)) is not None:
        return "error", crash
    if counting:
        return "warned", first
    if doubt := tally.doubt_about(requirement.id):
        return "inconclusive", doubt
    if tally.exercised[requirement.id]:
        return "passed", f"{len(findings)} accepted by the baseline" if findings else None
    if requirement.id in skip_reasons:
        return "skipped", skip_reasons[requirement.id]
    if requirement.id in tally.unanswered:
        return "error", tally.unanswered[requirement.id]
    return "inconclusive", UNFINISHED if is_cut_short else _why_open(requirement, tally)


def _why_open(requirement: Requirement, tally: Tally) -> str:
    """What came of the attempts to judge a requirement."""
    reasons = tally.unjudged.get(requirement.id)
    if not reasons:
        return "nothing that was sent puts it to the test"
    return "; ".join(f"{reason} ({times} ×)" for reason, times in reasons.most_common(REASONS_SHOWN))


def _crash(requirement: Requirement, tally: Tally) -> str | None:
    """How a check broke that this requirement, or a reading that may speak against it, rests on."""
    readings = (reading.id for reading in tally.contract.readings.values() if reading.requirement == requirement.id)
    return next((tally.crashes[subject] for subject in (requirement.id, *readings) if subject in tally.crashes), None)


def _readings(tally: Tally, narrowed: Mapping[str, Iterable[str]]) -> tuple[dict[str, ReadingOutcome], list[Finding]]:
    outcomes: dict[str, ReadingOutcome] = {}
    findings: list[Finding] = []
    for reading in tally.contract.readings.values():
        kinds = {kind: _telling(reading, counter) for kind, counter in tally.readings.get(reading.id, {}).items()}
        answer = _answer(kinds)
        accepted = tuple(narrowed.get(reading.id, reading.accepted))
        tokens = {token for counter in kinds.values() for token in counter}
        is_accepted = tokens <= set(accepted) and answer != "mixed"
        outcomes[reading.id] = ReadingOutcome(
            id=reading.id,
            answer=answer,
            observations=sum(counter.total() for counter in kinds.values()),
            accepted=is_accepted,
            by_kind=_by_family(kinds),
        )
        if not is_accepted:
            findings += _against(reading, tokens - set(accepted), accepted, firm=reading.id in narrowed, kinds=kinds)
    return outcomes, findings


def _telling(reading: Reading, counter: Counter[str]) -> Counter[str]:
    """The answers to one kind of input, without one that only says that another did not show."""
    if len(counter) < 2:
        return counter
    return Counter({token: times for token, times in counter.items() if token != reading.by_chance})


def _by_family(kinds: Mapping[str, Counter[str]]) -> dict[str, tuple[str, ...]]:
    """The answers to each kind of input, or to each family of kinds."""
    answers: dict[str, set[str]] = {}
    for kind, counter in sorted(kinds.items()):
        family, _, rest = kind.partition(FAMILY_ENDS)
        answers.setdefault(family if rest else kind, set()).update(counter)
    return {kind: tuple(sorted(tokens)) for kind, tokens in answers.items()}


def _answer(kinds: Mapping[str, Counter[str]]) -> str | None:
    tokens = {token for counter in kinds.values() for token in counter}
    if len(tokens) <= 1:
        return next(iter(tokens), None)
    return "mixed" if any(len(counter) > 1 for counter in kinds.values()) else "varies"


def _against(
    reading: Reading, refused: set[str], accepted: tuple[str, ...], *, firm: bool, kinds: Mapping[str, Counter[str]]
) -> list[Finding]:
    """The findings of a reading whose answer is not accepted, or that has two answers to one kind of input."""
    refuted: list[tuple[str, str, Level]] = [
        (f"answers {token}", f"the answer is {token}", "must" if firm else "should") for token in sorted(refused)
    ]
    mixed = {kind: counter for kind, counter in kinds.items() if len(counter) > 1}
    if mixed:
        kind, counter = next(iter(mixed.items()))
        tokens = ", ".join(f"{token} {times} times" for token, times in sorted(counter.items()))
        refuted.append(("mixed", f"two answers{' to ' + kind if kind else ''}: {tokens}", "should"))
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
        for kind, actual, level in refuted
    ]


def _conclusion(
    requirements: Mapping[str, RequirementOutcome],
    profile: Mapping[str, Any],
    fail_on: str,
    notes: tuple[Note, ...],
    cut_short: str | None,
) -> tuple[Conclusion, str | None]:
    """What a run comes to, and why: the first of these that is so."""
    failing = {"failed"} if fail_on == "must" else {"failed", "warned"}
    failed = [outcome.id for outcome in requirements.values() if outcome.verdict in failing]
    stopped = next((note for note in notes if note.kind in (CONTAINED, STOPPED)), None)
    if stopped is not None and stopped.kind == CONTAINED:
        return "violates", stopped.text
    if stopped is not None and stopped.data.get("beats_findings"):
        return "inconclusive", stopped.text
    if failed:
        return "violates", f"{len(failed)} of {len(requirements)} requirements do not hold"
    if stopped is not None:
        return "error", stopped.text
    wanted = tuple(profile.get("gate", {}).get("required", ()))
    missing = [
        outcome.id
        for outcome in requirements.values()
        if wanted and selected(outcome.id, wanted) and outcome.verdict in UNJUDGED
    ]
    if missing:
        return "inconclusive", f"required by the profile and not judged: {', '.join(missing)}"
    broken = [outcome.id for outcome in requirements.values() if outcome.verdict == "error"]
    if broken:
        return "error", f"could not be judged: {', '.join(broken)}"
    if not any(outcome.exercised for outcome in requirements.values()):
        return "inconclusive", "nothing could be judged"
    left_out = NOT_SEEN_AGAIN_AT_ALL if any(note.data.get(FOR_FINDINGS) for note in notes) else cut_short
    return ("conforms", None) if left_out is None else ("inconclusive", left_out)
