"""What two runs conclude differently: findings, requirements, readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from rules_harness.harness.judging.outcome import Finding, ReadingOutcome
from rules_harness.reports.regression.model import FindingChange, ReadingChange, RequirementChange
from rules_harness.reports.regression.side import Side
from rules_harness.reports.regression.traffic import Traffic
from rules_harness.reports.text import counted, line

_TEXT_LIMIT = 1000
_IDS_SHOWN = 8


class Findings(msgspec.Struct, frozen=True):
    """The findings of two runs, told apart."""

    new: tuple[FindingChange, ...]
    fixed: tuple[FindingChange, ...]
    still_failing: tuple[FindingChange, ...]
    not_seen_again: tuple[FindingChange, ...]


def finding_changes(base: Side, head: Side, before: Traffic, after: Traffic) -> Findings:
    """Which findings came, went and stayed.

    A finding is only fixed where HEAD put its requirement, and what showed it, to the test again; of a new one it is
    noted where BASE did not.
    """
    known = {finding.id: finding for finding in base.outcome.findings}
    now = {finding.id: finding for finding in head.outcome.findings}
    gone = [finding for finding in known.values() if finding.id not in now]
    come = [finding for finding in now.values() if finding.id not in known]
    stayed = [finding for finding in now.values() if finding.id in known]
    reasons = {finding.id: _untested(finding, before, "HEAD", head, after) for finding in gone}
    reasons |= {finding.id: _untested(finding, after, "BASE", base, before) for finding in come}
    return Findings(
        new=tuple(_change(head, finding, raised=False, note=reasons[finding.id]) for finding in come),
        fixed=tuple(_change(base, finding, raised=False) for finding in gone if not reasons[finding.id]),
        still_failing=tuple(
            _change(head, finding, raised=_is_raised(known[finding.id], finding)) for finding in stayed
        ),
        not_seen_again=tuple(
            _change(base, finding, raised=False, note=reasons[finding.id]) for finding in gone if reasons[finding.id]
        ),
    )


def _is_raised(before: Finding, now: Finding) -> bool:
    return now.level == "must" and before.level == "should"


def _untested(finding: Finding, shown: Traffic, name: str, other: Side, sent: Traffic) -> str:
    """Why the other run, of this name, says nothing about a finding; empty where it put it to the test."""
    if not other.is_judged(finding.requirement):
        return f"{finding.requirement} is {other.verdict(finding.requirement)} in {name}"
    reading = other.outcome.readings.get(finding.place)
    if reading is not None and reading.answer is None:
        return f"{finding.place} was not asked in {name}"
    inputs = shown.shows.get(finding.id, ())
    # Reads are the same everywhere, and say nothing of what they were sent after.
    telling = [kind for kind in inputs if kind.operation != "read"] or inputs
    if telling and not any(kind in sent.sent for kind in telling):
        return f"what shows it was not sent in {name}"
    return ""


def _change(side: Side, finding: Finding, *, raised: bool, note: str = "") -> FindingChange:
    requirement = side.contract.requirements.get(finding.requirement)
    view = msgspec.structs.replace(
        finding,
        requirement=line(finding.requirement),
        place=line(finding.place),
        kind=line(finding.kind),
        expected=line(finding.expected, _TEXT_LIMIT),
        actual=line(finding.actual, _TEXT_LIMIT),
    )
    sentence = requirement.sentence if requirement else "This contract does not say it."
    return FindingChange(view, sentence, raised=raised, note=note)


def no_longer_exercised(base: Side, head: Side) -> Iterator[RequirementChange]:
    """The requirements that BASE judged and HEAD did not, whatever kept it from it."""
    yield from _only_judged_by(base, head, base=base, head=head)


def newly_judged(base: Side, head: Side) -> Iterator[RequirementChange]:
    """The requirements that HEAD judged and BASE did not."""
    yield from _only_judged_by(head, base, base=base, head=head)


def _only_judged_by(judging: Side, other: Side, *, base: Side, head: Side) -> Iterator[RequirementChange]:
    for id, judged in judging.outcome.requirements.items():
        if not judging.is_judged(id) or other.is_judged(id):
            continue
        lacking = other.outcome.requirements.get(id)
        requirement = judging.contract.requirements.get(id)
        yield RequirementChange(
            id=line(id),
            level=judged.level,
            sentence=requirement.sentence if requirement else "",
            before=base.verdict(id),
            after=head.verdict(id),
            reason=line(lacking.reason, _TEXT_LIMIT) if lacking is not None and lacking.reason else "",
        )


def reading_changes(base: Side, head: Side) -> Iterator[ReadingChange]:
    """The open questions that are answered differently, kind of input by kind, where both runs put them.

    Two answers to one kind are a finding of their own; a kind whose answers overlap has not changed, unless one that
    is not accepted came up.
    """
    for id, now in head.outcome.readings.items():
        known, asked = base.outcome.readings.get(id), head.contract.readings.get(id)
        if known is None or asked is None:
            continue
        refused = frozenset() if _refused(base, known) else _refused(head, now)
        moved: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for kind in sorted(known.by_kind.keys() & now.by_kind.keys()):
            before, after = known.by_kind[kind], now.by_kind[kind]
            if not set(before) & set(after) or refused & set(after):
                moved.setdefault((before, after), []).append(kind)
        for (before, after), kinds in moved.items():
            yield ReadingChange(
                id=line(id),
                question=asked.question,
                before=tuple(line(token) for token in before),
                after=tuple(line(token) for token in after),
                kinds=tuple(line(kind.strip()) for kind in kinds if kind.strip()),
                refused=bool(refused & set(after)),
            )


def _refused(side: Side, reading: ReadingOutcome) -> frozenset[str]:
    """The answers that neither the contract nor, where it says, the profile of a run accepts."""
    narrowed: Mapping[str, Iterable[str]] = side.header.profile.get("readings", {})
    asked = side.contract.readings.get(reading.id)
    accepted = narrowed.get(reading.id, asked.accepted if asked else ())
    return frozenset(token for tokens in reading.by_kind.values() for token in tokens) - frozenset(accepted)


def what_is_worse(
    findings: Findings, lost: Iterable[RequirementChange], readings: Iterable[ReadingChange]
) -> Iterator[str]:
    """What may not come out: a must that fails and did not in BASE, or is no longer exercised; a reading no longer
    accepted."""
    failing: dict[str, list[FindingChange]] = {}
    raised = [change for change in findings.still_failing if change.raised]
    for change in sorted((*findings.new, *raised), key=lambda change: bool(change.note)):
        if change.finding.level == "must" and not change.finding.accepted:
            failing.setdefault(change.finding.requirement, []).append(change)
    for id, (first, *others) in failing.items():
        place = f" at {first.finding.place}" if first.finding.place else ""
        more = f", and {counted(len(others), 'more finding')}" if others else ""
        fails, reason = ("fails", f"; {first.note}") if first.note else ("newly fails", "")
        yield f"{id} {fails}{place}: {first.finding.kind}{more}{reason}"
    lacking: dict[str, list[str]] = {}
    for requirement in lost:
        if requirement.level == "must":
            lacking.setdefault(requirement.after, []).append(requirement.id)
    for verdict, ids in lacking.items():
        more = f" and {len(ids) - _IDS_SHOWN} more" if len(ids) > _IDS_SHOWN else ""
        yield f"no longer exercised ({verdict}): {', '.join(ids[:_IDS_SHOWN])}{more}"
    for reading in readings:
        if reading.refused:
            yield f"{reading.id} is no longer answered as accepted: {', '.join(reading.after)}"
