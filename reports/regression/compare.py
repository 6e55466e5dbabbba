"""Two runs in, their differences out: a pure function of what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rules_harness.reports import again, curl
from rules_harness.reports.collect import collect
from rules_harness.reports.model import FindingView, RunReport
from rules_harness.reports.regression.answers import answer_changes, common_kinds, field_changes
from rules_harness.reports.regression.contract import contract_changes
from rules_harness.reports.regression.latency import drifts
from rules_harness.reports.regression.model import Comparison, FindingChange, RunView
from rules_harness.reports.regression.side import Side
from rules_harness.reports.regression.traffic import Traffic, gather
from rules_harness.reports.regression.verdicts import (
    Findings,
    finding_changes,
    newly_judged,
    no_longer_exercised,
    reading_changes,
    what_is_worse,
)
from rules_harness.reports.text import counted, line


def compare(base: Side, head: Side, *, baseline_problems: Sequence[str] = ()) -> Comparison:
    """Everything that is different between two runs.

    ``baseline_problems`` are what the baseline itself fails the comparison with.  Raises whatever reading the journals
    raises.
    """
    before, after = _traffic(base), _traffic(head)
    common = common_kinds(before.seen, after.seen)
    findings = _with_commands(finding_changes(base, head, before, after), head)
    lost = tuple(no_longer_exercised(base, head))
    readings = tuple(reading_changes(base, head))
    return Comparison(
        base=_view(base),
        head=_view(head),
        remarks=(*_incomplete(base, before), *_incomplete(head, after), *_unlike(base, head)),
        worse=(*what_is_worse(findings, lost, readings), *baseline_problems),
        new=findings.new,
        fixed=findings.fixed,
        still_failing=findings.still_failing,
        not_seen_again=findings.not_seen_again,
        no_longer_exercised=lost,
        newly_judged=tuple(newly_judged(base, head)),
        readings=readings,
        answers=tuple(answer_changes(common, before.seen, after.seen)),
        fields=tuple(field_changes(common, before.seen, after.seen)),
        latency=tuple(drifts(common, before.seen, after.seen)),
        contract=contract_changes(base.recorded, head.recorded),
    )


def _with_commands(findings: Findings, head: Side) -> Findings:
    """The findings of HEAD with what a report of HEAD says of them."""
    if not findings.new and not findings.still_failing:
        return findings
    report = collect(head.records, head.outcome, head.contract, run=head.name)
    commands = {view.id: "\n".join(_again(view, report)) for view in report.findings}

    def added(changes: tuple[FindingChange, ...]) -> tuple[FindingChange, ...]:
        return tuple(msgspec.structs.replace(change, again=commands.get(change.finding.id, "")) for change in changes)

    return msgspec.structs.replace(findings, new=added(findings.new), still_failing=added(findings.still_failing))


def _again(view: FindingView, report: RunReport) -> Iterator[str]:
    yield f"# finding {view.id}: expected {view.expected}; was {view.actual}"
    if command := again.replay(view, report):
        yield command
    yield from curl.lines(view, report)


def _traffic(side: Side) -> Traffic:
    findings, names = side.outcome.findings, side.contract.names
    return gather(side.records, findings=findings, names=names, is_gate=side.header.kind == "gate")


def _incomplete(side: Side, traffic: Traffic) -> Iterator[str]:
    if not traffic.is_whole:
        yield f"{line(side.name)} was cut off before its end; {counted(traffic.episodes, 'episode')} were recorded."
    if traffic.torn_lines:
        yield f"{counted(traffic.torn_lines, 'line')} of the journal of {line(side.name)} could not be read."
    if side.recorded is None:
        yield f"The contract in the journal of {line(side.name)} cannot be read; contracts are not compared."


def _unlike(base: Side, head: Side) -> Iterator[str]:
    """What the two runs do not have in common, although they should."""
    for what, before, after in (
        ("targets", base.header.target, head.header.target),
        ("kinds", base.header.kind, head.header.kind),
        ("selections", ", ".join(base.header.select) or "all", ", ".join(head.header.select) or "all"),
    ):
        if before != after:
            yield f"The runs have different {what}: {line(before)} and {line(after)}."


def _view(side: Side) -> RunView:
    header, requirements = side.header, side.outcome.requirements
    verdicts = [requirement.verdict for requirement in requirements.values()]
    return RunView(
        name=line(side.name),
        target=line(header.target),
        base_url=line(header.base_url),
        kind=line(header.kind),
        started_at=line(header.started_at),
        seed=header.seed,
        tool_version=line(header.tool_version),
        contract_version=line(header.contract_version),
        noun=side.contract.noun,
        conclusion=side.outcome.conclusion,
        failed=verdicts.count("failed"),
        warned=verdicts.count("warned"),
        judged=sum(side.is_judged(id) for id in requirements),
    )
