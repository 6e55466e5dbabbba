"""A verdict rests on all that happened, whatever of it is kept, and in whatever order the lanes told it."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules_harness.harness.campaign.choosing import Attempt
from rules_harness.harness.campaign.collecting import Collector
from rules_harness.harness.campaign.coverage import Coverage, map_of
from rules_harness.harness.campaign.messages import Report, Shard, encode, report_from
from rules_harness.harness.campaign.recording import Recorder
from rules_harness.harness.exchange import Answer, Episode, Exchange, Facts, Payload, Request, TransportFault
from rules_harness.harness.intent import Intent
from rules_harness.harness.journal import SCHEMA_VERSION, Header, Journal, read
from rules_harness.harness.judging.judge import conclude, outcome_of
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import load
from tests.cli.conftest import Shell
from tests.judging.simulated import OURS, Break, Read, Step, Target, Tokens, Update

CONTRACT = load()
PROFILE = specimen(CONTRACT)
NAMES = CONTRACT.names
RULE = "rule_one"
_MADE = itertools.count(1)
Told = tuple[Episode, tuple[Episode, ...]]
"""An episode, and those that repeat it to confirm what it shows."""


def _coverage() -> Coverage:
    return Coverage(map_of(CONTRACT, PROFILE.world(datetime(2026, 6, 1, tzinfo=UTC)), risky=True))


class Campaigned(msgspec.Struct, frozen=True):
    """What a campaign concludes while it goes on, and from its journal afterwards."""

    live: Outcome
    again: Outcome
    exchanges: int


def campaigned(folder: Path, lanes: Sequence[Iterable[Told]], *, capture_all: bool) -> Campaigned:
    """What a campaign says of attempts: each lane's are judged by a worker of its own, whose reports come in turn."""
    journal = Journal(folder)
    journal.write(_header())
    collector = Collector(journal, Tally(CONTRACT), _coverage(), capture_all=capture_all)
    for number, lane in enumerate(lanes):
        shard = _shard(number, capture_all=capture_all)
        recorder = Recorder(CONTRACT, shard, _coverage(), lambda report: collector.add(_sent(report)))
        for episode, again in lane:
            attempt = Attempt(Scenario(episode.id, episode.family, (), lambda bench: None), episode.scenario)
            first = recorder.add(attempt, episode)
            recorder.keep(attempt, first, [recorder.add(attempt, one) for one in again])
            recorder.tell(0)
        recorder.tell(0, is_last=True)
    collector.count()
    live = conclude(collector.tally, profile={})
    journal.close()
    run = read(folder)
    return Campaigned(live, outcome_of(run.records(), CONTRACT), sum(len(one.exchanges) for one in run.episodes))


def _sent(report: Report) -> Report:
    """A report as it comes from another process."""
    return report_from(encode(report))


def _shard(number: int, *, capture_all: bool) -> Shard:
    return Shard(
        number=number,
        seed=1,
        now=datetime(2026, 6, 1, tzinfo=UTC),
        nonce="",
        profile=PROFILE,
        rules=OURS,
        seconds=1,
        at_most=1,
        readable=True,
        capture_all=capture_all,
    )


def _header() -> Header:
    return Header(SCHEMA_VERSION, "", "campaign", "", "", "", CONTRACT.sha256, {}, {}, 1, "", "")


def verdicts(outcome: Outcome) -> dict[str, Any]:
    """What must not depend on what is kept: verdicts and how often each was put to the test, findings, readings."""
    return {
        "requirements": {name: (row.verdict, row.exercised) for name, row in outcome.requirements.items()},
        "findings": {(one.id, one.level, one.count) for one in outcome.findings},
        "readings": {name: (row.answer, row.observations) for name, row in outcome.readings.items()},
    }


def assert_same(folder: Path, lanes: Sequence[Sequence[Told]]) -> Campaigned:
    """The same verdicts from all that happened and from what is kept of it, live and from the journal."""
    whole = campaigned(folder / "all", lanes, capture_all=True)
    kept = campaigned(folder / "kept", lanes, capture_all=False)
    expected = verdicts(whole.live)
    assert verdicts(whole.again) == verdicts(kept.live) == verdicts(kept.again) == expected
    return kept


def state(number: int, **details: Any) -> dict[str, Any]:
    body = {**CONTRACT.example_body(), "nickname": f"Version {number}", "status": "disabled"}
    stamps = {"created_at": "2026-06-01T00:00:00Z", "updated_at": f"2026-06-01T00:00:{number:02d}Z"}
    return {"id": RULE, **body, **stamps, **details}


def answer(status: int, content: dict[str, Any]) -> Answer:
    """As a target answers that does everything right but to challenge whoever has no key."""
    made = content.get("request_id") or f"req_{next(_MADE)}"
    headers = (("Content-Type", "application/json"), (NAMES.request_id_header, made))
    return Answer(status, headers, Payload(text=json.dumps(content)))


def get(number: int) -> tuple[Request, Answer, Intent]:
    content = {"request_id": f"get_{number}", "data": state(number)}
    return Request("GET", f"/rules/{RULE}"), answer(200, content), Intent("read", "read", rule=RULE)


def put(number: int, **intent: Any) -> tuple[Request, Answer, Intent]:
    body = {name: value for name, value in state(number).items() if name in CONTRACT.example_body()}
    request = Request("PUT", f"/rules/{RULE}", (), Payload.of(json.dumps(body).encode()))
    content = {"request_id": f"put_{number}", "data": state(number)}
    return request, answer(200, content), Intent(rule=RULE, body="valid", acceptance="open", **intent)


def refused(status: int, code: str, **intent: Any) -> tuple[Request, Answer, Intent]:
    request, _, meant = put(9, **intent)
    return request, answer(status, {"error": {"code": code, "message": "No."}}), meant


def episode(name: str, *sent: tuple[Request, Any, Intent], before: int = 1, **details: Any) -> Episode:
    exchanges = tuple(
        Exchange(request, outcome, intent, float(at), at + 0.5) for at, (request, outcome, intent) in enumerate(sent)
    )
    facts = Facts(before={RULE: state(before)})
    return Episode(f"auth/{name}", "auth", name.partition("-")[0], exchanges, facts, **details)


def unauthorized(key: str) -> tuple[Request, Any, Intent]:
    return refused(401, "unauthorized", access="unauthenticated", caller="none", key=key, label="refused with 401")


def rightful(number: int, key: str) -> tuple[Request, Any, Intent]:
    return put(number, key=key, requirement="idempotency.not-poisoned", label="after a 401 with the same key")


def test_the_update_that_changed_a_rule_is_not_left_out(tmp_path: Path) -> None:
    """Without the rightful updates between them, the reads around a 401 would show an effect that it never had."""
    history = (get(1), unauthorized("a"), rightful(2, "a"), get(2), unauthorized("b"), rightful(3, "b"), get(3))
    kept = assert_same(tmp_path, [[(episode("history", *history), ())]])
    assert kept.live.requirements["auth.challenge"].verdict == "warned"
    assert kept.live.requirements["auth.no-effect"].verdict != "failed"


def test_what_a_finding_does_without_is_left_out_and_counted(tmp_path: Path) -> None:
    batch = [refused(400, "invalid", requirement="") for _ in range(40)]
    crash = (put(9, requirement="")[0], Answer(500), put(9)[2])
    kept = assert_same(tmp_path, [[(episode("batch", *batch, crash), ())]])
    assert kept.live.requirements["envelope.no-server-error"].verdict == "failed"
    assert kept.live.requirements["envelope.no-server-error"].exercised == 41
    assert kept.exchanges == 1


def test_what_is_bulky_is_kept_once(tmp_path: Path) -> None:
    sent, refusal, meant = refused(413, "too_large")
    large = (msgspec.structs.replace(sent, body=Payload.of(b"x" * 200_000)), refusal, meant)
    for content, times in ((large, 1), (refused(413, "too_large"), 4)):
        lanes: list[list[Told]] = [[(episode(f"large-{number}", content), ())] for number in range(9)]
        assert assert_same(tmp_path / str(times), lanes).exchanges == times


def test_a_sighting_that_needs_less_to_count_is_kept(tmp_path: Path) -> None:
    """The first ones are refused for shapes that the target never stores; a later one is refused without any."""
    lane: list[Told] = []
    for number in range(12):
        shapes = ("a", "b", f"c{number}") if number < 11 else ()
        sent = refused(400, "invalid", requirement="update.accepts-valid", shapes=shapes)
        plain = (sent[0], sent[1], msgspec.structs.replace(sent[2], acceptance="should"))
        lane.append((episode(f"drawn-{number}", plain), ()))
    kept = assert_same(tmp_path, [lane])
    assert kept.live.requirements["update.accepts-valid"].verdict == "warned"


def _changed(name: str) -> Episode:
    """A refused update after which the rule is another."""
    return episode(name, get(1), unauthorized("a"), get(2))


def _unchanged(name: str, confirms: str) -> Episode:
    return episode(name, get(1), unauthorized("a"), get(1), confirms=confirms)


def _confirmed(number: int, *, is_seen_again: bool) -> Told:
    first = _changed(f"history-{number}")
    again = msgspec.structs.replace(_changed(f"history-{number}~again"), confirms=first.id)
    return first, (again if is_seen_again else _unchanged(f"history-{number}~again", first.id),)


def test_what_is_confirmed_late_is_kept(tmp_path: Path) -> None:
    """The first sightings were somebody else's; a later one, after enough of its kind were kept, is the target's."""
    lanes = [[_confirmed(number, is_seen_again=number == 9) for number in range(10)]]
    kept = assert_same(tmp_path, lanes)
    assert kept.live.requirements["auth.no-effect"].verdict == "failed"


def test_what_was_not_answered_is_told_without_its_exchanges(tmp_path: Path) -> None:
    silent = (put(1)[0], TransportFault("timeout", "10 s"), put(1, requirement="auth.missing")[2])
    lane: list[Told] = [(episode(f"batch-{number}", refused(400, "invalid")), ()) for number in range(9)]
    kept = assert_same(tmp_path, [[*lane, (episode("batch-9", silent), ())]])
    assert kept.live.requirements["auth.missing"].verdict == "error"


BROKEN: tuple[Break, ...] = ("", "replay executes", "reuse executes", "401 is stored", "keys cut short")
updates = st.builds(
    Update,
    caller=st.sampled_from(("full", "full", "none", "read_only")),
    key=st.sampled_from((None, "order-0001-a", "order-0001-b")),
    body=st.integers(1, 3),
    broken=st.booleans(),
)
histories = st.lists(st.one_of(updates, st.just(Read())), min_size=1, max_size=8)
ASKED = {"none": "auth.missing", "full": "idempotency.replay"}


def _recorded(name: str, history: list[Step], broken: Break, wrong: int) -> Episode:
    """A history as it was answered, its updates made for requirements; some refusals are not what they should be."""
    told = Target(Tokens(), broken).recorded(history)
    exchanges = []
    for position, one in enumerate(told.exchanges):
        asked = ASKED.get(one.intent.caller, "") if one.intent.operation == "update" else ""
        outcome = Answer(418) if position % 7 == wrong else one.outcome
        exchanges.append(
            msgspec.structs.replace(one, intent=msgspec.structs.replace(one.intent, requirement=asked), outcome=outcome)
        )
    return msgspec.structs.replace(told, id=f"idempotency/{name}", scenario="history", exchanges=tuple(exchanges))


attempts = st.tuples(histories, st.sampled_from(BROKEN), st.integers(0, 20), st.sampled_from((None, True, False)))


def _told(number: int, drawn: tuple[list[Step], Break, int, bool | None]) -> Told:
    history, broken, wrong, confirming = drawn
    first = _recorded(f"history-{number}", history, broken, wrong)
    if confirming is None:
        return first, ()
    again = _recorded(f"history-{number}~again-1", history, broken if confirming else "", wrong)
    return first, (msgspec.structs.replace(again, confirms=first.id),)


@pytest.mark.slow
@given(drawn=st.lists(attempts, min_size=1, max_size=14), lanes=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_capture_changes_no_verdict(
    drawn: list[tuple[list[Step], Break, int, bool | None]],
    lanes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    told = [_told(number, one) for number, one in enumerate(drawn)]
    assert_same(tmp_path_factory.mktemp("run"), [told[lane::lanes] for lane in range(lanes)])


@pytest.fixture
def recorded(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> Callable[[], list[Told]]:
    """All that a campaign exchanged with a target that breaks some promises."""

    def record() -> list[Told]:
        reference.configure(faults=["validation.texts-written-first", "envelope.created-201", "auth.no-challenge"])
        arguments = ("--requests", "500", "--time", "60s", "--capture", "all", "--quiet")
        assert shell("fuzz", "--target", whole_profile, *arguments).code == 1
        episodes = [one for one in read(shell.folder / "out").episodes if not one.smallest]
        return [
            (first, tuple(again for again in episodes if again.confirms == first.id))
            for first in episodes
            if not first.confirms
        ]

    return record


@pytest.mark.slow
def test_capture_changes_no_verdict_of_a_real_run(recorded: Callable[[], list[Told]], tmp_path: Path) -> None:
    told = recorded()
    expected = None
    for number, lanes in enumerate((1, 3)):
        random.Random(number).shuffle(told)
        kept = assert_same(tmp_path / f"{number}-{lanes}", [told[lane::lanes] for lane in range(lanes)])
        found = verdicts(kept.live)
        assert found == (expected or found)
        expected = found
        assert {"validation.atomic", "envelope.success-status"} <= {one.requirement for one in kept.live.findings}
        assert kept.exchanges < sum(len(each.exchanges) for first, again in told for each in (first, *again))
