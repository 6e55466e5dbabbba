"""From judgements to verdicts: levels by place, open questions, doubts, and what a run concludes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rules_harness.harness.exchange import Episode
from rules_harness.harness.intent import Level
from rules_harness.harness.journal import Count, Note, Skipped
from rules_harness.harness.judging.judge import conclude
from rules_harness.harness.judging.outcome import (
    Judgement,
    Kept,
    Outcome,
    Seen,
    Stored,
    Violation,
    finding_id,
)
from rules_harness.harness.judging.tally import Tally
from tests.judging.episodes import CONTRACT, episode, lost, put

PLACE = "/steps/*/actions/*:fixed_amount/limit"
DAILY, NULL = "/trigger:SCHEDULED/schedule_type=DAILY", "/nickname=null"
"""A feature that is only inferred, and one that the page shows."""
DISTURBED = "rule_a changed while nothing was sent to it: somebody else writes to it"


def _violation(requirement: str = "update.replaces", **details: Any) -> Violation:
    return Violation(requirement, details.pop("place", PLACE), "lost", "kept", "lost", (0,), **details)


def _episode(name: str = "one", **details: Any) -> Episode:
    return msgspec.structs.replace(episode(), id=name, **details)


def _tally(*judgements: Judgement) -> Tally:
    tally = Tally(CONTRACT)
    tally.add(_episode(), judgements)
    return tally


def _concluded(tally: Tally, profile: dict[str, Any] | None = None, **details: Any) -> Outcome:
    return conclude(tally, profile=profile or {}, **details)


def _verdict(tally: Tally, requirement: str = "update.replaces", **details: Any) -> str:
    return _concluded(tally, **details).requirements[requirement].verdict


@pytest.mark.parametrize(
    ("judgements", "verdict"),
    [
        ((_violation(),), "failed"),
        ((_violation(inferred_place=True),), "warned"),
        ((_violation(inferred_place=True), Stored((PLACE,))), "failed"),
        ((Stored((PLACE,)), _violation(inferred_place=True)), "failed"),
        ((_violation(inferred_place=True), Stored(("/nickname",))), "warned"),
        ((_violation(inferred_place=True, level="should"), Stored((PLACE,))), "warned"),
        ((_violation(level="should"),), "warned"),
        ((_violation(level="must"), _violation(level="should", place="/nickname")), "failed"),
        ((_violation(level="should", features=(DAILY, NULL)), Stored((NULL,))), "passed"),
        ((_violation(level="should", features=(DAILY, NULL)), Stored((DAILY,))), "warned"),
        ((_violation(level="should", features=(DAILY, NULL)), Stored((DAILY, NULL))), "warned"),
        ((_violation(level="must", features=(DAILY, NULL)), Stored((NULL,))), "failed"),
        ((Kept("update.replaces"),), "passed"),
        ((), "inconclusive"),
    ],
)
def test_level_by_place(judgements: tuple[Judgement, ...], verdict: str) -> None:
    assert _verdict(_tally(*judgements)) == verdict


def test_stored_in_a_later_episode() -> None:
    tally = _tally(_violation(inferred_place=True))
    tally.add(_episode("later"), [Stored((PLACE,))])
    assert _verdict(tally) == "failed"
    assert {finding.level for finding in tally.findings()} == {"must"}


def test_should_warns_and_fails_the_gate_where_asked() -> None:
    tally = _tally(_violation("auth.challenge"))
    assert (_concluded(tally).conclusion, _concluded(tally).exit_code) == ("conforms", 0)
    strict = _concluded(tally, fail_on="should")
    assert (strict.conclusion, strict.exit_code) == ("violates", 1)
    assert strict.requirements["auth.challenge"].verdict == "warned"


def _reading(*seen: Seen, narrowed: dict[str, Any] | None = None) -> Outcome:
    return _concluded(_tally(Kept("auth.missing"), *seen), {"readings": narrowed or {}})


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


def test_an_answer_for_each_kind_of_input() -> None:
    outcome = _reading(
        Seen("reading.empty", "stored", "empty-steps"), *[Seen("reading.empty", "refused", "zero-amount")] * 2
    )
    found = outcome.readings["reading.empty"]
    assert (found.answer, found.observations, found.accepted) == ("varies", 3, True)
    assert found.by_kind == {"empty-steps": ("stored",), "zero-amount": ("refused",)}
    assert outcome.findings == ()


def test_what_a_selection_breaks_beside_it_fails_too() -> None:
    crash = _violation("envelope.no-server-error", place="after the window")
    tally = _tally(Kept("idempotency.window"), crash, _violation("auth.challenge"))
    outcome = _concluded(tally, select=("idempotency.*",))
    assert outcome.exit_code == 1
    assert outcome.requirements["envelope.no-server-error"].verdict == "failed"
    assert "not selected: envelope.no-server-error" in (outcome.reason or "")
    assert "auth.challenge" not in outcome.requirements
    assert _concluded(tally, select=("idempotency.*", "!envelope.*")).exit_code == 0


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


STATES = _violation(compares_states=True)


def _confirmed(*judgements: Judgement, times: int = 1, disturbed: str = "") -> Tally:
    tally = _tally(STATES)
    for _ in range(times):
        tally.add(_episode("again", confirms="one", disturbed=disturbed), judgements)
    return tally


def test_states_that_nobody_looked_at_again() -> None:
    assert _verdict(_tally(STATES)) == "failed"


def test_states_that_show_again() -> None:
    assert _verdict(_confirmed(STATES)) == "failed"


def test_states_that_do_not_show_again() -> None:
    tally = _confirmed(Kept("update.replaces"))
    assert _verdict(tally) == "inconclusive"
    assert "did not show again" in (_concluded(tally).requirements["update.replaces"].reason or "")


def test_states_that_somebody_else_writes_to() -> None:
    tally = _confirmed(STATES, disturbed=DISTURBED)
    assert _concluded(tally).requirements["update.replaces"].reason == DISTURBED
    assert _verdict(tally) == "inconclusive"


def test_later_sights_of_what_was_doubted() -> None:
    """More of the same is no proof while nobody has seen it again undisturbed."""
    tally = _confirmed(disturbed=DISTURBED)
    for number in range(5):
        tally.add(_episode(f"more {number}"), [STATES])
    assert _verdict(tally) == "inconclusive"
    tally.add(_episode("again", confirms="more 4"), [STATES])
    assert _verdict(tally) == "failed"


def test_what_rests_on_no_state_is_not_doubted() -> None:
    tally = _tally(_violation())
    tally.add(_episode("again", confirms="one", disturbed=DISTURBED), [])
    assert _verdict(tally) == "failed"


def test_same_defect_is_one_finding() -> None:
    tally = _tally(_violation(), _violation())
    tally.add(_episode("two"), [_violation()])
    [finding] = _concluded(tally).findings
    assert finding.count == 3
    assert finding.episode == "one"
    assert finding.id == finding_id("update.replaces", PLACE, "lost")


def test_accepted_findings_fail_nothing() -> None:
    tally = _tally(_violation(), Kept("auth.missing"))
    accepted = {finding_id("update.replaces", PLACE, "lost"): "known since May"}
    outcome = _concluded(tally, accepted=accepted)
    assert outcome.exit_code == 0
    assert outcome.requirements["update.replaces"].verdict == "passed"
    assert [finding.accepted for finding in outcome.findings] == [True]
    other = _concluded(_tally(_violation(place="/nickname")), accepted=accepted)
    assert other.exit_code == 1


def test_verdicts_without_a_judgement() -> None:
    tally = Tally(CONTRACT)
    tally.add(episode(put(lost("timeout"), requirement="auth.missing")), [])
    skipped = [Skipped("status/replay", ("status.replay-keeps",), "the profile has no hook enable_rule")]
    outcome = _concluded(tally, skipped=skipped)
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
        ((_violation(),), {"notes": [Note("stopped", "down", {"beats_findings": False})]}, ("violates", 1)),
        ((_violation(),), {"notes": [Note("stopped", "no endpoint", {"beats_findings": True})]}, ("inconclusive", 3)),
        ((Kept("auth.missing"),), {"notes": [Note("stopped", "down", {"beats_findings": False})]}, ("error", 3)),
        ((Kept("auth.missing"),), {"notes": [Note("contained", "rule_a was enabled")]}, ("violates", 1)),
        ((Kept("auth.missing"),), {"select": ("status.*",)}, ("inconclusive", 3)),
        ((_violation(),), {"select": ("auth.*",), "notes": []}, ("violates", 1)),
        ((_violation(),), {"interrupted": True}, ("violates", 130)),
    ],
)
def test_conclusion(judgements: tuple[Judgement, ...], details: dict[str, Any], expected: tuple[str, int]) -> None:
    outcome = _concluded(_tally(*judgements), **details)
    assert (outcome.conclusion, outcome.exit_code) == expected
    if details.get("notes"):
        assert outcome.reason == details["notes"][0].text or outcome.conclusion == "violates"


def test_required_by_the_profile() -> None:
    tally = _tally(Kept("auth.missing"))
    profile = {"gate": {"required": ["auth.missing", "status.*"]}}
    outcome = _concluded(tally, profile)
    assert (outcome.conclusion, outcome.exit_code) == ("inconclusive", 3)
    assert "status.stored" in (outcome.reason or "")
    assert "auth.missing" not in (outcome.reason or "")
    assert _concluded(tally, {"gate": {"required": ["auth.mis*"]}}).exit_code == 0


def test_counts_of_episodes_that_were_not_kept() -> None:
    tally = Tally(CONTRACT)
    tally.add_count(Count({"auth.missing": 40}, (PLACE,), (("reading.key-reuse", "422", "", 7),)))
    tally.add(_episode(), [_violation(inferred_place=True)])
    outcome = _concluded(tally)
    assert outcome.requirements["auth.missing"].exercised == 40
    assert outcome.requirements["update.replaces"].verdict == "failed"
    assert outcome.readings["reading.key-reuse"].observations == 7


def _sent_again(violation: Violation, stability: str) -> Tally:
    tally = _tally(violation)
    identity = finding_id(violation.requirement, violation.place, violation.kind)
    tally.add(_episode("smallest", smallest=identity, stability=stability), [violation])
    return tally


@pytest.mark.parametrize(
    ("violation", "stability", "verdict"),
    [
        (STATES, "0 of 3", "inconclusive"),
        (STATES, "1 of 3", "failed"),
        (STATES, "1 of 4", "failed"),
        (STATES, "0 of 2", "failed"),
        (STATES, "", "failed"),
        (_violation(), "0 of 3", "failed"),
    ],
)
def test_states_that_further_tries_do_not_show(violation: Violation, stability: str, verdict: str) -> None:
    tally = _sent_again(violation, stability)
    outcome = _concluded(tally)
    assert outcome.requirements["update.replaces"].verdict == verdict
    assert outcome.exit_code == (1 if verdict == "failed" else 0)
    if verdict == "inconclusive":
        assert "3 further tries" in (outcome.requirements["update.replaces"].reason or "")


def test_states_that_were_confirmed_when_they_were_seen() -> None:
    tally = _sent_again(STATES, "0 of 3")
    tally.add(_episode("again", confirms="one"), [STATES])
    assert _verdict(tally) == "failed"


def test_one_of_several_tries_that_shows_it_confirms() -> None:
    tally = _confirmed(times=2)
    tally.add(_episode("again", confirms="one"), [STATES])
    tally.add(_episode("again", confirms="one"), [])
    assert _verdict(tally) == "failed"


def test_a_name_that_is_used_twice_confirms_its_last() -> None:
    tally = _tally(STATES)
    tally.add(_episode("one"), [])
    tally.add(_episode("again", confirms="one"), [])
    assert _verdict(tally) == "failed"


@pytest.mark.parametrize("levels", [("should", "must"), ("must", "should")])
def test_the_order_of_sightings_changes_no_level(levels: tuple[Level, Level]) -> None:
    tally = _tally(*(_violation(level=level) for level in levels))
    assert _verdict(tally) == "failed"
    assert [finding.level for finding in tally.findings()] == ["must"]


def test_what_shows_without_comparing_states_counts_whatever_is_doubted() -> None:
    tally = _tally(STATES, _violation())
    tally.add(_episode("again", confirms="one"), [])
    assert _verdict(tally) == "failed"
