"""From judgements to verdicts: levels by place, open questions, doubts, and what a run concludes."""

from __future__ import annotations

from typing import Any

import pytest

from rules_harness.harness.intent import Level
from rules_harness.harness.journal import Count, Note, Skipped
from rules_harness.harness.judging.judge import FOR_FINDINGS, LIMITED
from rules_harness.harness.judging.outcome import (
    Judgement,
    Kept,
    Outcome,
    Seen,
    Stored,
    finding_id,
)
from rules_harness.harness.judging.tally import Tally
from tests.judging.episodes import CONTRACT, episode, lost, put
from tests.judging.tallies import DAILY, NULL, PLACE, a_violation, an_episode, concluded, tally_of, verdict_of


@pytest.mark.parametrize(
    ("judgements", "verdict"),
    [
        ((a_violation(),), "failed"),
        ((a_violation(inferred_place=True),), "warned"),
        ((a_violation(inferred_place=True), Stored((PLACE,))), "failed"),
        ((Stored((PLACE,)), a_violation(inferred_place=True)), "failed"),
        ((a_violation(inferred_place=True), Stored(("/nickname",))), "warned"),
        ((a_violation(inferred_place=True, level="should"), Stored((PLACE,))), "warned"),
        ((a_violation(level="should"),), "warned"),
        ((a_violation(level="must"), a_violation(level="should", place="/nickname")), "failed"),
        ((a_violation(level="should", features=(DAILY, NULL)), Stored((NULL,))), "passed"),
        ((a_violation(level="should", features=(DAILY, NULL)), Stored((DAILY,))), "warned"),
        ((a_violation(level="should", features=(DAILY, NULL)), Stored((DAILY, NULL))), "warned"),
        ((a_violation(level="must", features=(DAILY, NULL)), Stored((NULL,))), "failed"),
        ((Kept("update.replaces"),), "passed"),
        ((), "inconclusive"),
    ],
)
def test_level_by_place(judgements: tuple[Judgement, ...], verdict: str) -> None:
    assert verdict_of(tally_of(*judgements)) == verdict


def test_stored_in_a_later_episode() -> None:
    tally = tally_of(a_violation(inferred_place=True))
    tally.add(an_episode("later"), [Stored((PLACE,))])
    assert verdict_of(tally) == "failed"
    assert {finding.level for finding in tally.findings()} == {"must"}


def test_should_warns_and_fails_the_gate_where_asked() -> None:
    tally = tally_of(a_violation("auth.challenge"))
    assert (concluded(tally).conclusion, concluded(tally).exit_code) == ("conforms", 0)
    strict = concluded(tally, fail_on="should")
    assert (strict.conclusion, strict.exit_code) == ("violates", 1)
    assert strict.requirements["auth.challenge"].verdict == "warned"


def _reading(*seen: Seen, narrowed: dict[str, Any] | None = None) -> Outcome:
    return concluded(tally_of(Kept("auth.missing"), *seen), {"readings": narrowed or {}})


def test_one_answer() -> None:
    outcome = _reading(*[Seen("reading.key-reuse", "422")] * 3)
    found = outcome.readings["reading.key-reuse"]
    assert (found.answer, found.observations, found.accepted) == ("422", 3, True)
    assert outcome.findings == ()


def test_question_that_was_not_put() -> None:
    found = _reading().readings["reading.key-reuse"]
    assert (found.answer, found.observations, found.accepted) == (None, 0, True)


def test_two_answers_to_one_kind_of_input() -> None:
    seen = [Seen("reading.unknown-properties", token, "top level") for token in ("ignored", "refused", "ignored")]
    outcome = _reading(*seen)
    assert outcome.readings["reading.unknown-properties"].answer == "mixed"
    assert not outcome.readings["reading.unknown-properties"].accepted
    requirement = CONTRACT.readings["reading.unknown-properties"].requirement
    assert outcome.requirements[requirement].verdict == "warned"
    [finding] = outcome.findings
    assert "ignored 2 times, refused 1 times" in finding.actual
    assert "top level" in finding.actual


def test_an_answer_that_comes_by_chance() -> None:
    """A duplicate that did not meet its first request at work says nothing against one that did."""
    outcome = _reading(*[Seen("reading.key-in-flight", token) for token in ("409", "original", "409")])
    assert outcome.readings["reading.key-in-flight"].answer == "409"
    assert outcome.findings == ()


def test_an_answer_for_each_kind_of_input() -> None:
    outcome = _reading(
        Seen("reading.empty", "stored", "empty-steps"), *[Seen("reading.empty", "refused", "zero-amount")] * 2
    )
    found = outcome.readings["reading.empty"]
    assert (found.answer, found.observations, found.accepted) == ("varies", 3, True)
    assert found.by_kind == {"empty-steps": ("stored",), "zero-amount": ("refused",)}
    assert outcome.findings == ()


def test_what_a_selection_breaks_beside_it_fails_too() -> None:
    crash = a_violation("envelope.no-server-error", place="after the window")
    tally = tally_of(Kept("idempotency.window"), crash, a_violation("auth.challenge"))
    outcome = concluded(tally, select=("idempotency.*",))
    assert outcome.exit_code == 1
    assert outcome.requirements["envelope.no-server-error"].verdict == "failed"
    assert "not selected: envelope.no-server-error" in (outcome.reason or "")
    assert "auth.challenge" not in outcome.requirements
    assert concluded(tally, select=("idempotency.*", "!envelope.*")).exit_code == 0


def test_many_kinds_of_input_are_told_by_family() -> None:
    kinds = ("validation.type: /status null", "validation.type: /steps null", "validation.enum: /status case")
    seen = [
        Seen("reading.validation-status", token, kind) for token, kind in zip(("400", "422", "422"), kinds, strict=True)
    ]
    found = _reading(*seen).readings["reading.validation-status"]
    assert (found.answer, found.accepted) == ("varies", True)
    assert found.by_kind == {"validation.enum": ("422",), "validation.type": ("400", "422")}


@pytest.mark.parametrize(("narrowed", "verdict"), [(None, "warned"), (["stays-disabled"], "failed")])
def test_answer_that_is_not_accepted(narrowed: list[str] | None, verdict: str) -> None:
    seen = Seen("reading.enable-by-body", "becomes-enabled")
    outcome = _reading(seen, narrowed={"reading.enable-by-body": narrowed} if narrowed else None)
    assert outcome.requirements["status.no-enable-by-body"].verdict == verdict
    assert not outcome.readings["reading.enable-by-body"].accepted
    assert outcome.exit_code == (1 if narrowed else 0)


def test_answer_that_only_the_profile_accepts() -> None:
    seen = Seen("reading.enable-by-body", "becomes-enabled")
    outcome = _reading(seen, narrowed={"reading.enable-by-body": ["becomes-enabled"]})
    assert outcome.readings["reading.enable-by-body"].accepted
    assert outcome.findings == ()


def test_answer_that_the_profile_excludes() -> None:
    outcome = _reading(Seen("reading.key-reuse", "original"), narrowed={"reading.key-reuse": ["409", "422"]})
    requirement = CONTRACT.readings["reading.key-reuse"].requirement
    assert outcome.requirements[requirement].verdict == "failed"
    assert outcome.exit_code == 1


def test_same_defect_is_one_finding() -> None:
    tally = tally_of(a_violation(), a_violation())
    tally.add(an_episode("two"), [a_violation()])
    [finding] = concluded(tally).findings
    assert finding.count == 3
    assert finding.episode == "one"
    assert finding.id == finding_id("update.replaces", PLACE, "lost")


def test_accepted_findings_fail_nothing() -> None:
    tally = tally_of(a_violation(), Kept("auth.missing"))
    accepted = {finding_id("update.replaces", PLACE, "lost"): "known since May"}
    outcome = concluded(tally, accepted=accepted)
    assert outcome.exit_code == 0
    assert outcome.requirements["update.replaces"].verdict == "passed"
    assert [finding.accepted for finding in outcome.findings] == [True]
    other = concluded(tally_of(a_violation(place="/nickname")), accepted=accepted)
    assert other.exit_code == 1


def test_verdicts_without_a_judgement() -> None:
    tally = Tally(CONTRACT)
    tally.add(episode(put(lost("timeout"), requirement="auth.missing")), [])
    skipped = [Skipped("status/replay", ("status.replay-keeps",), "the profile has no hook enable_rule")]
    outcome = concluded(tally, skipped=skipped)
    assert outcome.requirements["auth.missing"].verdict == "error"
    assert outcome.requirements["auth.missing"].reason == "timeout: no answer came"
    assert outcome.requirements["status.replay-keeps"].verdict == "skipped"
    assert outcome.requirements["auth.unknown-key"].verdict == "inconclusive"
    assert (outcome.conclusion, outcome.exit_code) == ("error", 3)


@pytest.mark.parametrize(
    ("judgements", "details", "expected"),
    [
        ((Kept("auth.missing"),), {}, ("conforms", 0)),
        ((), {}, ("inconclusive", 3)),
        ((a_violation(),), {"notes": [Note("stopped", "down", {"beats_findings": False})]}, ("violates", 1)),
        ((a_violation(),), {"notes": [Note("stopped", "no endpoint", {"beats_findings": True})]}, ("inconclusive", 3)),
        ((Kept("auth.missing"),), {"notes": [Note("stopped", "down", {"beats_findings": False})]}, ("error", 3)),
        ((Kept("auth.missing"),), {"notes": [Note("contained", "rule_a was enabled")]}, ("violates", 1)),
        ((Kept("auth.missing"),), {"select": ("status.*",)}, ("inconclusive", 3)),
        ((a_violation(),), {"select": ("auth.*",), "notes": []}, ("violates", 1)),
        ((a_violation(),), {"interrupted": True}, ("violates", 130)),
    ],
)
def test_conclusion(judgements: tuple[Judgement, ...], details: dict[str, Any], expected: tuple[str, int]) -> None:
    outcome = concluded(tally_of(*judgements), **details)
    assert (outcome.conclusion, outcome.exit_code) == expected
    if details.get("notes"):
        assert outcome.reason == details["notes"][0].text or outcome.conclusion == "violates"


def test_required_by_the_profile() -> None:
    tally = tally_of(Kept("auth.missing"))
    profile = {"gate": {"required": ["auth.missing", "status.*"]}}
    outcome = concluded(tally, profile)
    assert (outcome.conclusion, outcome.exit_code) == ("inconclusive", 3)
    assert "status.stored" in (outcome.reason or "")
    assert "auth.missing" not in (outcome.reason or "")
    assert concluded(tally, {"gate": {"required": ["auth.mis*"]}}).exit_code == 0


def test_counts_of_episodes_that_were_not_kept() -> None:
    tally = Tally(CONTRACT)
    tally.add_count(Count({"auth.missing": 40}, (PLACE,), (("reading.key-reuse", "422", "", 7),)))
    tally.add(an_episode(), [a_violation(inferred_place=True)])
    outcome = concluded(tally)
    assert outcome.requirements["auth.missing"].exercised == 40
    assert outcome.requirements["update.replaces"].verdict == "failed"
    assert outcome.readings["reading.key-reuse"].observations == 7


@pytest.mark.parametrize("levels", [("should", "must"), ("must", "should")])
def test_the_order_of_sightings_changes_no_level(levels: tuple[Level, Level]) -> None:
    tally = tally_of(*(a_violation(level=level) for level in levels))
    assert verdict_of(tally) == "failed"
    assert [finding.level for finding in tally.findings()] == ["must"]


def test_a_run_that_ended_for_findings_that_do_not_count_in_the_end_is_no_pass() -> None:
    ended = Note(LIMITED, "--max-failures 1 is reached: 1 finding", {FOR_FINDINGS: True})
    none = concluded(tally_of(Kept("update.replaces")), notes=(ended,))
    assert (none.conclusion, none.exit_code) == ("inconclusive", 3)
    found = concluded(tally_of(a_violation()), notes=(ended,))
    assert (found.conclusion, found.exit_code) == ("violates", 1)
    short = concluded(tally_of(Kept("update.replaces")), notes=(Note(LIMITED, "left out"),))
    assert (short.conclusion, short.exit_code) == ("conforms", 0)
