"""What rests on comparing states is tried again, by whoever alone writes to the rule, and on states that were read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from rules_harness.harness.dry_run.rehearsal import Rehearsal
from rules_harness.harness.dry_run.target import PretendedTarget
from rules_harness.harness.exchange import Answer, Exchange, Payload
from rules_harness.harness.judging.outcome import Judgement, Violation
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.known import Known
from rules_harness.harness.scenarios.planner import Shared
from rules_harness.harness.scenarios.scenario import Lane, Scenario
from rules_harness.harness.session.confirming import confirm
from rules_harness.harness.session.keeping import share, watched
from rules_harness.harness.session.opening import specimen
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Permissions, Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import load

CONTRACT = load()
PROFILE = specimen(CONTRACT)
NOW = datetime.now(UTC)
RULE = PROFILE.rules.writable[0]
SHOWN = Violation("auth.no-effect", "refused with 401", "changed", "as before", "another", (0,), compares_states=True)
DOUBTFUL = frozenset({SHOWN.finding_id})


@pytest.fixture
def target() -> Rehearsal:
    return Rehearsal(CONTRACT, PROFILE, NOW)


@pytest.fixture
def shared(target: Rehearsal) -> Shared:
    return _shared(PROFILE, target)


@pytest.fixture
def abroad(target: Rehearsal) -> Shared:
    """The same target, as if it were elsewhere: what could move money may not be sent."""
    elsewhere = msgspec.structs.replace(PROFILE.target, base_url="http://staging.test/api/v1")
    profile = msgspec.structs.replace(PROFILE, target=elsewhere, permissions=Permissions())
    return _shared(profile, target)


def _shared(profile: Profile, target: Rehearsal) -> Shared:
    shared = share(CONTRACT, profile, target, Hooks(profile, Keyring({})), now=NOW, seed=1, nonce="")
    shared.guard.writable |= set(PROFILE.rules.all)
    return shared


def _confirmed(shared: Shared, answers: Sequence[Sequence[Judgement]], lane: Lane = "rule") -> int:
    """How often a scenario is run again where it shows this each time."""
    known, left, runs = Known(), list(answers), list[Bench]()
    scenario = Scenario("auth/missing", "auth", (), runs.append, lane)
    confirm(
        scenario,
        DOUBTFUL,
        lambda scenario_id, attempt: Bench(shared, known, scenario_id, (RULE,), attempt=attempt),
        lambda bench, disturbed: left.pop(0),
    )
    assert len({bench.episode("auth", "missing", confirms="auth/missing").id for bench in runs}) == len(runs)
    return len(runs)


@pytest.mark.parametrize(
    ("answers", "runs"),
    [([[SHOWN]], 1), ([[], [SHOWN]], 2), ([[], [], [SHOWN]], 3), ([[], [], []], 3)],
)
def test_a_scenario_is_run_again_until_it_shows(shared: Shared, answers: list[list[Judgement]], runs: int) -> None:
    assert _confirmed(shared, answers) == runs


@pytest.mark.parametrize("lane", ["unknown", "last"])
def test_rules_of_other_lanes_are_left_alone(shared: Shared, target: Rehearsal, lane: Lane) -> None:
    """Their own lanes write to them meanwhile: a look would call that somebody else's doing."""
    assert _confirmed(shared, [[SHOWN]], lane) == 1
    assert target.requests_sent == 0


def test_a_read_beside_an_update_tells_nothing(shared: Shared) -> None:
    known = Known()
    bench = Bench(shared, known, "concurrency/one-rule", (RULE,))
    bench.begin()
    bench.send_all([bench.plan_update(bench.inert()), bench.plan_read()], together=True)
    assert bench.state() is None
    again = Bench(shared, known, "auth/missing", (RULE,))
    again.begin()
    assert [one.request.method for one in again.exchanges] == ["GET"]


def test_a_read_that_fails_shows_no_state(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(shared, Known(), "auth/missing", (RULE,))
    assert bench.read() is not None
    monkeypatch.setattr(PretendedTarget, "answer", lambda *_: Answer(500))
    assert bench.read() is None


def _reads_show(monkeypatch: pytest.MonkeyPatch, *states: Mapping[str, Any]) -> None:
    """From now on the target answers with these states, one after the other, the last again and again."""
    left = list(states)

    def answer(*_: object) -> Answer:
        shown = left.pop(0) if len(left) > 1 else left[0]
        return Answer(200, (), Payload(json.dumps({CONTRACT.names.data: shown})))

    monkeypatch.setattr(PretendedTarget, "answer", answer)


@pytest.mark.parametrize(
    ("shown", "somebody"),
    [
        (("before", "ours", "ours"), False),
        (("before", "before", "ours"), False),
        (("before", "theirs", "theirs"), True),
        (("before", "ours", "theirs"), True),
        (("ours", "ours", "theirs"), True),
    ],
)
def test_reads_that_show_our_own_update_late_are_nobody_else_s_doing(
    shared: Shared, monkeypatch: pytest.MonkeyPatch, shown: Sequence[str], somebody: bool
) -> None:
    bench = Bench(shared, Known(), "safety/watch", (RULE,))
    before = bench.read()
    bench.update(bench.distinct(1))
    ours = bench.answered(RULE)
    assert before is not None
    assert ours is not None
    states = {"before": before, "ours": ours, "theirs": {**ours, CONTRACT.names.marker: "Theirs"}}
    _reads_show(monkeypatch, *(states[name] for name in shown))
    assert watched(bench) == (RULE if somebody else "")


def test_what_no_update_of_ours_was_answered_is_somebody_else_s_doing(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(shared, Known(), "safety/watch", (RULE,))
    before = bench.read()
    assert before is not None
    _reads_show(monkeypatch, before, {**before, CONTRACT.names.marker: "Theirs"})
    assert watched(bench) == RULE


def _renewed(shared: Shared, monkeypatch: pytest.MonkeyPatch, now_holds: Mapping[str, Any]) -> Exchange:
    """The update by which a rule is renewed that a run has read, and that holds this since."""
    bench = Bench(shared, Known(), "safety/renew", (RULE,))
    first = bench.read()
    assert first is not None
    with monkeypatch.context() as patch:
        _reads_show(patch, {**first, **now_holds})
        bench.read()
    bench.renew(RULE)
    [update] = [exchange for exchange in bench.exchanges if exchange.intent.operation == "update"]
    return update


@pytest.mark.parametrize(("note", "body"), [("a note", "valid"), ({"taken": "as it came"}, "open")])
def test_a_rule_is_renewed_with_what_it_holds_however_odd(
    abroad: Shared, monkeypatch: pytest.MonkeyPatch, note: Any, body: str
) -> None:
    """An update that repeats what was odd already may be refused, and that is no finding."""
    update = _renewed(abroad, monkeypatch, {"description": note})
    assert _sent(update)["description"] == note
    assert update.intent.body == body


def test_where_anything_may_be_sent_a_rule_is_renewed_with_what_it_held_first(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = _renewed(shared, monkeypatch, {"description": {"taken": "as it came"}})
    assert _sent(update)["description"] == CONTRACT.example_body()["description"]
    assert update.intent.body == "valid"


def _sent(update: Exchange) -> dict[str, Any]:
    assert update.request.body is not None
    body: dict[str, Any] = json.loads(update.request.body.content)
    return body
