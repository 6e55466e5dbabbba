"""Why a requirement has the verdict that it has in a recorded run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rules_harness.harness.cli.findings import named
from rules_harness.harness.exchange import Episode, Exchange, TransportFault
from rules_harness.harness.journal import EpisodeRecord, Skipped, stream
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.harness.judging.tally import judge_episode
from rules_harness.harness.judging.unjudged import unjudged
from rules_harness.harness.session.recorded import judged
from rules_harness.openapi.contract import Contract
from rules_harness.reports.text import counted, line

_EPISODES_SHOWN: Final = 25
_EXCHANGES_SHOWN: Final = 12
_WIDTH: Final = 120


def verdict_lines(run: Path, requirement: str, contract: Contract) -> Iterator[str]:
    """The verdict, then each episode that was made for the requirement or that speaks of it, and what came of it.

    Raises `UsageError` where the run cannot be read, or judged something else.
    """
    outcome = judged(run, contract).requirements.get(requirement)
    yield f"{requirement}  ({contract.requirements[requirement].level})"
    yield f"  {contract.requirements[requirement].sentence}"
    if outcome is None:
        yield "  This run was not asked to judge it (--select)."
        return
    reason = f": {outcome.reason}" if outcome.reason else ""
    yield f"  {outcome.verdict}, {counted(outcome.exercised, 'time')} put to the test{reason}"
    printed = 0
    for record in stream(run):
        if isinstance(record, Skipped) and requirement in record.requirements:
            yield f"  {record.scenario} was skipped: {line(record.reason, _WIDTH)}"
        if not isinstance(record, EpisodeRecord):
            continue
        lines = [*_told(record.episode, requirement, judge_episode(record.episode, contract))]
        printed += bool(lines)
        if printed <= _EPISODES_SHOWN:
            yield from lines
    if printed > _EPISODES_SHOWN:
        yield f"  … and {counted(printed - _EPISODES_SHOWN, 'more episode')}"


def finding_lines(run: Path, text: str, contract: Contract) -> Iterator[str]:
    """A finding by its id or how that begins: what was expected, what came, the episode that shows it, how to see it
    again.

    Raises `UsageError` where the run cannot be read, has no such finding, or has several.
    """
    finding = named(judged(run, contract).findings, text)
    requirement, times = contract.requirements[finding.requirement], counted(finding.count, "time")
    yield f"{finding.id}  {finding.requirement}  ({finding.level})"
    yield f"  {requirement.sentence}"
    yield f"  place     {line(finding.place)}"
    yield f"  expected  {line(finding.expected)}"
    yield f"  actual    {line(finding.actual)}"
    yield f"  seen {times}{f', when sent again {finding.stability}' if finding.stability else ''}"
    for record in stream(run):
        if isinstance(record, EpisodeRecord) and record.episode.id == finding.episode:
            yield from _told(record.episode, finding.requirement, judge_episode(record.episode, contract))
    yield ""
    if finding.shown_by:
        yield f"Sent again by: rules-harness replay {shlex.quote(str(run))} {finding.id}"
    yield f"The whole requirement: rules-harness explain {shlex.quote(str(run))} {finding.requirement}"


def _told(episode: Episode, requirement: str, judgements: list[Judgement]) -> Iterator[str]:
    """An episode as far as it has to do with a requirement; nothing where it has not."""
    own = [
        judgement
        for judgement in judgements
        if isinstance(judgement, Kept | Violation) and judgement.requirement == requirement
    ]
    reasons = [reason for about, reason in unjudged(episode, judgements) if about == requirement]
    if not own and not reasons:
        return
    yield ""
    yield f"  {episode.id}"
    for position, exchange in enumerate(episode.exchanges[:_EXCHANGES_SHOWN]):
        yield f"    {position + 1:>3}  {line(_exchange(exchange), _WIDTH)}"
    if len(episode.exchanges) > _EXCHANGES_SHOWN:
        yield f"         … and {counted(len(episode.exchanges) - _EXCHANGES_SHOWN, 'more exchange')}"
    kept = sum(isinstance(judgement, Kept) for judgement in own)
    if kept:
        yield f"    it held {counted(kept, 'time')}"
    for judgement in own:
        if isinstance(judgement, Violation):
            what = f"{judgement.place}: {judgement.kind}; expected {judgement.expected}, got {judgement.actual}"
            yield f"    {line(what, _WIDTH)}"
    for reason in reasons:
        yield f"    not judged: {line(reason, _WIDTH)}"


def _exchange(exchange: Exchange) -> str:
    outcome, request, intent = exchange.outcome, exchange.request, exchange.intent
    came = f"{outcome.kind}: {outcome.detail}" if isinstance(outcome, TransportFault) else str(outcome.status)
    return f"{request.method} {request.target}  as {intent.caller}, {intent.label or intent.purpose}  ->  {came}"
