"""Every check on trial, without a socket: tables of episodes made by hand, and what each of them means."""

from __future__ import annotations

import json
from typing import Final

import pytest

from rules_harness.harness.exchange import Answer
from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.judging.outcome import Crash, Judgement, Kept, Violation
from rules_harness.harness.judging.tally import Tally, judge_episode
from tests.judging.episodes import (
    CONTRACT,
    JSON,
    Outcome,
    answered,
    body,
    disturbed,
    episode,
    get,
    lost,
    otherwise,
    put,
    refused,
    rule,
)
from tests.judging.rows import Broken, Holds, Row, Says, agrees
from tests.judging.tables import TABLES

PROMISED: Final = CONTRACT.requirements.keys() | CONTRACT.readings.keys()
OWN: Final = {check.about[0]: check for check in CHECKS if len(check.about) == 1 and check.about[0] in PROMISED}
ROWS: Final = [(name, row) for table in TABLES for name, rows in table.items() for row in rows]

MARK: Final = "here"
QUOTED: Final = b'"here"'
LEAF: Final = {"fact": "BALANCE", "operator": "EQUALS", "value": 1}
LATER: Final = (*JSON, ("Retry-After", "1"))

every_check = pytest.mark.parametrize("name", list(OWN))
every_row = pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{name}: {row.text}" for name, row in ROWS])


def _judged(name: str, row: Row) -> list[Judgement]:
    return list(OWN[name].judge(row.episode, CONTRACT))


@every_row
def test_row(name: str, row: Row) -> None:
    judgements = _judged(name, row)
    assert len(judgements) == len(row.expected), judgements
    for expected, judgement in zip(row.expected, judgements, strict=True):
        assert agrees(expected, judgement), f"{judgement} instead of {expected}"
        if isinstance(judgement, Violation):
            assert judgement.requirement == name
            assert judgement.place
            assert judgement.expected
            assert judgement.actual
            assert set(judgement.shown_by) <= set(range(len(row.episode.exchanges)))
            assert judgement.shown_by


@pytest.mark.parametrize("levels", [30, 100, 300, 450, 700, 3_000])
def test_no_depth_is_too_deep_to_be_judged(levels: int) -> None:
    tree = b'{"all": [' * levels + json.dumps({"condition": LEAF}).encode() + b"]}" * levels
    sent, stored = (json.dumps({**state, "steps": [MARK]}).encode() for state in (body(), rule()))
    step = json.dumps({**body()["steps"][0], "conditions": MARK}).encode()
    sent, stored = (state.replace(QUOTED, step.replace(QUOTED, tree)) for state in (sent, stored))
    success = answered(200, b'{"request_id": "r", "data": ' + stored + b"}")
    for outcome in (success, refused(400), answered(500, b"{}")):
        for content in ("size", "valid"):
            update = put(outcome, sent, content=content, requirement="validation.size")
            sight = episode(get(), update, get(success if outcome is success else None))
            judgements = judge_episode(sight, CONTRACT)
            assert [one for one in judgements if isinstance(one, Crash)] == []
            broken = {one.requirement for one in judgements if isinstance(one, Violation)}
            assert ("envelope.no-server-error" in broken) is (outcome.status == 500)


def test_an_integer_that_python_does_not_read_is_a_number_of_json_all_the_same() -> None:
    digits = "9" * 10_000
    sent, stored = (
        json.dumps({**state, "further": MARK}).replace(QUOTED.decode(), digits).encode() for state in (body(), rule())
    )
    success = answered(200, b'{"request_id": "r", "data": ' + stored + b"}")
    update = put(success, sent, content="open", reading="reading.unknown-properties", request_id="r")
    judgements = judge_episode(episode(update, get(success)), CONTRACT)
    assert {one.requirement for one in judgements if isinstance(one, Kept)} >= {"envelope.success", "update.read-back"}
    broken = {one.requirement for one in judgements if isinstance(one, Violation)}
    assert {name for name in broken if not name.startswith("request-id.")} == set()


@every_check
def test_without_an_answer_nothing_is_judged(name: str) -> None:
    for row in _rows(name):
        assert list(OWN[name].judge(otherwise(row.episode, lost("connect")), CONTRACT)) == [], row.text


@every_check
@pytest.mark.parametrize("answer", [refused(429), refused(503, headers=LATER)], ids=["429", "503"])
def test_an_answer_to_come_again_later_breaks_nothing(name: str, answer: Answer) -> None:
    for row in _rows(name):
        found = OWN[name].judge(otherwise(row.episode, answer), CONTRACT)
        assert not [one for one in found if isinstance(one, Violation)], row.text


@every_check
@pytest.mark.parametrize("outcome", [refused(429), lost("timeout")], ids=["refused", "lost"])
def test_without_reads_no_states_are_compared(name: str, outcome: Outcome) -> None:
    for row in _rows(name):
        found = OWN[name].judge(otherwise(row.episode, outcome, reads_only=True), CONTRACT)
        assert not [one for one in found if isinstance(one, Violation) and one.compares_states], row.text


@every_check
def test_another_writer_makes_void_what_rests_on_states(name: str) -> None:
    """And nothing else."""
    for row in _rows(name):
        tally = Tally(CONTRACT)
        tally.add(disturbed(row.episode), _judged(name, row))
        void = [expected.by_states for expected in row.expected if isinstance(expected, Broken)]
        assert bool(tally.suspects) == (False in void), row.text
        assert bool(tally.doubt_about(name)) == (True in void), row.text


@every_check
def test_check_has_rows_of_every_sort(name: str) -> None:
    rows = _rows(name)
    said = {type(expected) for row in rows for expected in row.expected}
    assert [row for row in rows if not row.expected], "no row in which it does not apply"
    if name in CONTRACT.readings:
        tokens = {expected.token for row in rows for expected in row.expected if isinstance(expected, Says)}
        assert tokens >= set(CONTRACT.readings[name].accepted)
        return
    assert Holds in said
    # Where a reading decides, the violation is an answer to it that is not accepted.
    assert Broken in said or CONTRACT.requirements[name].level == "reading"


def test_every_check_has_its_rows_in_one_place() -> None:
    assert sorted(name for table in TABLES for name in table) == sorted(OWN)


def test_rows_of_a_check_have_names_of_their_own() -> None:
    names = [(name, row.text) for name, row in ROWS]
    assert len(set(names)) == len(names)


def _rows(name: str) -> list[Row]:
    return [row for table in TABLES for row in table.get(name, ())]
