"""The whole gate on a target that conforms: every requirement is judged, the same way every time."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from rules_harness.openapi.contract import load
from tests.gate.runs import Ended, check, command

pytestmark = pytest.mark.slow

CONTRACT = load()
SAME = ("--seed", "7", "--now", "2026-06-01T00:00:00Z")
LATENCY = "20"
GENERATED = {CONTRACT.names.idempotency_key.lower(): 16, CONTRACT.names.request_id_header.lower(): 36}
"""Headers whose values are new in each run, once they are so many characters long; shorter ones are always the same."""
ANSWERED_BY_KIND = {"reading.empty"}
"""Readings that the contract asks of each kind of input apart."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    out = tmp_path_factory.mktemp("embedded")
    return command("check", "--quiet", "--out", out, *SAME, environ={}, folder=out)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """A target in another process that takes its time, through the profile that it prints."""
    folder = tmp_path_factory.mktemp("served")
    begun = [sys.executable, "-m", "rules_harness", "serve", "--port", "0", "--latency-ms", LATENCY]
    with subprocess.Popen(begun, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        while "no_restore" not in printed:
            printed += process.stdout.readline()
        environ = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
        profile = folder / "profile.toml"
        profile.write_text(printed[printed.index("[target]") :], encoding="utf-8")
        yield check(profile, *SAME, environ=environ, out=folder / "out")
        process.send_signal(signal.SIGINT)


def test_every_requirement_is_judged(embedded: Ended) -> None:
    assert embedded.code == 0, embedded.out
    assert set(embedded.verdicts) == set(CONTRACT.requirements)
    assert len(CONTRACT.requirements) == 83
    assert embedded.with_verdict("passed") == set(CONTRACT.requirements)
    assert all(row["exercised"] > 0 for row in embedded.requirements.values())
    assert embedded.summary["requests"] <= 3_500


def test_the_key_of_the_start_is_repeated_after_more_than_a_hundred(embedded: Ended) -> None:
    """A target that keeps the last hundred has forgotten it by then."""
    exchanges = [exchange for episode in embedded.run.episodes for exchange in episode.exchanges if exchange.intent.key]
    [again] = [each for each in exchanges if each.intent.label == "replay after many other keys"]
    first = min(each.started for each in exchanges if each.intent.key == again.intent.key)
    used = {
        each.intent.key
        for each in exchanges
        if first < each.started < again.started and each.answer is not None and each.answer.is_success
    }
    assert len(used - {again.intent.key}) > 100


def test_every_reading_is_answered(embedded: Ended) -> None:
    readings = embedded.summary["readings"]
    assert set(readings) == set(CONTRACT.readings)
    for name, row in readings.items():
        answers = [(row["answer"],)] if name not in ANSWERED_BY_KIND else row["by_kind"].values()
        assert all(len(answer) == 1 and {*answer} <= {*CONTRACT.readings[name].tokens} for answer in answers), row
        assert row["accepted"]
        assert row["observations"] > 0


def test_what_simultaneous_updates_find_is_known(embedded: Ended) -> None:
    """A read in between may show the state before them: without one that was read it would be nobody's body."""
    episode = next(episode for episode in embedded.run.episodes if episode.id == "concurrency/one-rule")
    before = [
        first
        for first, second in itertools.pairwise(episode.exchanges)
        if first.intent.group is None and second.intent.group is not None
    ]
    assert [exchange.intent.operation for exchange in before] == ["read"] * 3


def test_simultaneous_requests_overlap(embedded: Ended) -> None:
    groups = Counter[tuple[str, int]]()
    overlapping = Counter[tuple[str, int]]()
    for episode in embedded.run.episodes:
        together = [one for one in episode.exchanges if one.intent.group is not None]
        for exchange in together:
            others = [one for one in together if one is not exchange and one.intent.group == exchange.intent.group]
            groups[episode.id, exchange.intent.group or 0] += 1
            overlapping[episode.id, exchange.intent.group or 0] += any(
                exchange.started < one.ended and one.started < exchange.ended for one in others
            )
    assert len(groups) >= 12
    assert overlapping == groups


def test_latency_and_a_socket_change_nothing(embedded: Ended, served: Ended) -> None:
    assert served.code == 0, served.out
    assert served.verdicts == embedded.verdicts
    answers = [{name: row["answer"] for name, row in run.summary["readings"].items()} for run in (embedded, served)]
    assert answers[0] == answers[1]


def test_same_requests_byte_for_byte(embedded: Ended, served: Ended) -> None:
    one, other = _requests(embedded), _requests(served)
    assert one.keys() == other.keys()
    for episode in one:
        assert one[episode] == other[episode], episode
    assert sum(map(len, one.values())) > 2000


def test_generated_keys_do_not_meet_those_of_another_run(embedded: Ended, served: Ended) -> None:
    one, other = (_long_keys(run) for run in (embedded, served))
    assert len(one) > 40
    assert not one & other


def _requests(ended: Ended) -> dict[str, list[Any]]:
    """Every request of a run by episode, without what is generated."""
    return {
        episode.id: [
            (
                exchange.request.method,
                exchange.request.target,
                [
                    (name, "generated" if len(value) >= GENERATED.get(name.lower(), sys.maxsize) else value)
                    for name, value in exchange.request.headers
                ],
                exchange.request.body,
            )
            for exchange in episode.exchanges
        ]
        for episode in ended.run.episodes
    }


def _long_keys(ended: Ended) -> set[str]:
    keys = (exchange.intent.key or "" for episode in ended.run.episodes for exchange in episode.exchanges)
    return {key for key in keys if len(key) >= GENERATED[CONTRACT.names.idempotency_key.lower()]}
