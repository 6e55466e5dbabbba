"""A short run: what it takes, and what it says of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from rules_harness.harness.dry_run.rehearsal import Rehearsal
from rules_harness.harness.exchange import Episode
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal
from rules_harness.harness.scenarios.cases import Cases
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.scenarios.telling import (
    UNKNOWN_CASE_COST,
    UNKNOWN_COST,
    cases_first,
    chunked,
    outer_of,
    telling,
    telling_first,
)
from rules_harness.harness.session.opening import Opened, specimen
from rules_harness.harness.session.session import Settings, Silent
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import load
from tests.gate.runs import NOW

LIST = "validation/broken"


def scenarios(*names: str) -> list[Scenario]:
    return [Scenario(name, name.partition("/")[0], (), lambda bench: None) for name in names]


def listed(*cases: str, name: str = LIST) -> list[Scenario]:
    """One scenario for every two cases of a list."""
    return list(chunked(name, cases, 2, str, lambda name, share: scenarios(name)[0]))


def whole() -> Iterator[tuple[str, int]]:
    """Scenarios without cases, the most telling first, with their requests."""
    return ((name, cost) for name, case, cost in telling().units if not case)


def of_list() -> Iterator[tuple[str, int]]:
    return ((case, cost) for name, case, cost in telling().units if name == LIST)


def test_the_most_telling_are_taken_and_keep_their_order() -> None:
    (first, cost), (second, further), *_ = whole()
    short = telling_first(scenarios("nobody/knows", second, first), cost + further)
    assert [scenario.id for scenario in short.kept] == [second, first]
    assert [scenario.id for scenario in short.left_out] == ["nobody/knows"]
    assert not short.cut


def test_what_is_not_listed_comes_last() -> None:
    unknown = scenarios("nobody/knows")
    assert telling_first(unknown, UNKNOWN_COST).kept == tuple(unknown)
    assert telling_first(unknown, UNKNOWN_COST - 1).left_out == tuple(unknown)


def test_telling_cases_come_first_and_the_others_as_they_come() -> None:
    (first, _), (second, _), *_ = of_list()
    assert cases_first(LIST, ["b", second, "a", first], str) == [first, second, "b", "a"]
    assert [scenario.cases for scenario in listed("b", second, "a", first)] == [(first, second), ("b", "a")]
    assert cases_first("nobody/knows", ["b", first], str) == ["b", first]


def test_a_scenario_is_cut_to_the_cases_that_there_is_room_for() -> None:
    (first, cost), (second, _), *_ = of_list()
    besides = telling().besides[LIST]
    (scenario,) = listed(second, first)
    short = telling_first([scenario], besides + cost)
    assert [kept.id for kept in short.kept] == [scenario.id]
    assert short.cut == (scenario,)
    assert not telling_first([scenario], besides + cost - 1).kept
    everything = telling_first([scenario], 100)
    assert everything.kept == (scenario,)
    assert not everything.cut


def test_what_a_list_shares_beside_its_cases_is_reckoned_for_each_scenario() -> None:
    names = [name for name, _ in of_list()][:3]
    split = listed(*names)
    besides = telling().besides[LIST]
    assert len(telling_first(split, besides + 3).kept) == 1
    assert len(telling_first(split, 2 * besides + 3).kept) == 2


def test_a_case_that_is_sent_in_the_turn_of_another_comes_after_it() -> None:
    ranks = {(name, case): rank for rank, (name, case, _) in enumerate(telling().units)}
    inner = {(name, case): (name, outer_of(case)) for name, case in ranks if outer_of(case)}
    inner = {unit: outer for unit, outer in inner.items() if outer in ranks}
    assert len(inner) > 100
    assert {unit for unit, outer in inner.items() if ranks[unit] < ranks[outer]} == set()


def test_a_case_that_is_sent_in_the_turn_of_another_is_not_taken_without_it() -> None:
    name = "update/covering"
    (both,), (alone,) = listed("body 1", "body 1, read", name=name), listed("body 1, read", name=name)
    assert telling_first([both], 100).kept == (both,)
    assert telling_first([alone], 100).left_out == (alone,)


def test_unknown_cases_come_last() -> None:
    (first, cost), *_ = of_list()
    (scenario,) = listed("nobody knows", first)
    besides = telling().besides[LIST]
    assert telling_first([scenario], besides + cost + UNKNOWN_CASE_COST - 1).cut == (scenario,)
    assert not telling_first([scenario], besides + cost + UNKNOWN_CASE_COST).cut


@pytest.mark.parametrize(
    ("wanted", "known", "sent"),
    [
        ("b", "abc", ["b"]),
        ("ca", "abc", ["a", "a", "c"]),
        ("", "abc", []),
        ("", "", ["a"]),
        ("x", "xy", ["a"]),
    ],
    ids=["one", "several under one name", "none", "a list that is not known", "a list of others"],
)
def test_only_the_wanted_cases_are_sent(wanted: str, known: str, sent: Sequence[str]) -> None:
    cases = Cases()
    cases.limit(frozenset(wanted), frozenset(known))
    turns = [(item, cases.current) for item in cases.of("abac", str)]
    assert [item for item, _ in turns] == sorted(sent)
    assert all(item == current for item, current in turns)
    assert not cases.current


def test_all_are_sent_where_nothing_is_limited() -> None:
    assert list(Cases().of("abac", str)) == ["a", "b", "a", "c"]


class _Noted(Silent):
    """The units that a run sends."""

    def __init__(self) -> None:
        self.units: set[tuple[str, str]] = set()

    def finished(self, scenario: Scenario, episode: Episode) -> None:
        cases = {exchange.intent.case for exchange in episode.exchanges} - {""}
        self.units |= {(scenario.listed_as, case) for case in cases or {""}}


@pytest.mark.slow
def test_the_order_knows_what_is_sent(tmp_path: Path) -> None:
    """Where this fails: `rules-harness selftest --json FILE`, then `python -m benchmarks.curve FILE --write`."""
    contract = load()
    profile, noted = specimen(contract), _Noted()
    now = datetime.fromisoformat(NOW)
    sender = Rehearsal(contract, profile, now)
    settings = Settings(seed=1, now=now)
    keyring = Keyring(dict.fromkeys(profile.credentials, "Key_of_the_run_1234567890"))
    opened = Opened(profile, keyring, embedded=False)
    Gate(contract, opened, Journal(tmp_path), settings, noted, client=sender, hooks=sender.hooks(keyring)).run()
    ordered = {(name, case) for name, case, _ in telling().units}
    assert noted.units - ordered == set()
    assert ordered - noted.units == set()
