"""One finding for each cause, at its cause."""

from __future__ import annotations

from typing import Any

from rules_harness.harness.judging.judge import conclude
from rules_harness.harness.judging.outcome import Judgement, RequirementOutcome, Stored, Violation
from rules_harness.harness.judging.tally import Tally
from tests.judging.episodes import CONTRACT, episode, put

DAILY, NULL = "/trigger:SCHEDULED/schedule_type=DAILY", "/nickname=null"
FALSE = "/steps/*/actions/*:fixed_amount/up_to_enabled=false"


def _violation(requirement: str = "update.replaces", *, place: str, **details: Any) -> Violation:
    return Violation(requirement, place, "lost", "kept", "lost", (0,), **details)


def _tally(*judgements: Judgement) -> Tally:
    tally = Tally(CONTRACT)
    tally.add(episode(put()), judgements)
    return tally


def _isolated(*judgements: Judgement) -> RequirementOutcome:
    return conclude(_tally(*judgements), profile={}).requirements["concurrency.isolated"]


def _refused(*features: str, place: str = "a plausible body") -> Violation:
    return _violation("update.accepts-valid", level="should", features=features, place=place)


def test_refusals_are_told_by_what_was_never_accepted() -> None:
    refused = (_refused(FALSE, NULL), _refused(FALSE, DAILY), _refused(FALSE), _refused(NULL))
    found = _tally(*refused, Stored((DAILY,))).findings()
    assert [(finding.place, finding.count) for finding in found] == [(FALSE, 3), (NULL, 1)]
    assert len({finding.id for finding in found}) == 2
    [other] = _tally(_refused(FALSE, NULL), Stored((FALSE, NULL))).findings()
    assert other.place == "a plausible body"
    assert other.id not in {finding.id for finding in found}


def test_one_crash_is_one_finding_at_its_cause() -> None:
    labels = ("optional fields null", "amount a text", "replay")
    crashes = [
        _violation("envelope.no-server-error", place=label, features=tuple(sorted({NULL, other})))
        for label, other in zip(labels, (FALSE, DAILY, NULL), strict=True)
    ]
    [finding] = _tally(*crashes, Stored((FALSE, DAILY))).findings()
    assert (finding.place, finding.count) == (NULL, 3)
    apart = _tally(*crashes, Stored((FALSE, DAILY, NULL))).findings()
    assert [finding.place for finding in apart] == list(labels)


def test_what_another_finding_explains_is_told_there_alone() -> None:
    cause = _violation(place="/trigger:SCHEDULED/start_date")
    mixed = _violation("concurrency.isolated", place="different rules", explained_by=(cause.finding_id,))
    assert _isolated(mixed).verdict == "failed"
    assert [finding.requirement for finding in _tally(mixed, cause).findings()] == [cause.requirement]
    told = _isolated(mixed, cause)
    assert (told.verdict, told.reason) == ("inconclusive", "what it shows is a finding of update.replaces already")
    unexplained = _violation("concurrency.isolated", place="different rules")
    assert _isolated(mixed, cause, unexplained).verdict == "failed"
