"""What one run sent and what came of it, by kind of input: what two runs have in common can then be compared.

A kind of input is named by what was meant (`Intent`), never by ids, keys, values or times, so that two runs with other
seeds, on other days, at other addresses have the same kinds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.journal import EpisodeRecord, Footer, Record
from rules_harness.harness.judging.outcome import Finding
from rules_harness.openapi.contract import Names
from rules_harness.reports.regression.fields import folded, places
from rules_harness.reports.regression.model import Answers

PASSING: Final = frozenset({425, 429, 502, 503, 504})
"""Statuses that say nothing about the input: whoever sends again may get another."""
_PURPOSES: Final = frozenset({"probe", "read", "replay", "trigger"})
_CODE_LIMIT: Final = 80


class Kind(msgspec.Struct, frozen=True):
    """One kind of input. ``scenario`` is that of a gate, which is the same in every run; a campaign has none."""

    scenario: str
    method: str
    purpose: str
    operation: str
    caller: str
    access: str
    existence: str
    body: str
    acceptance: str
    requirement: str
    reading: str
    odd: str
    place: str
    kind: str
    request_id: str
    window: str
    with_key: bool
    repeated: bool

    @property
    def name(self) -> str:
        """What is odd about this input, or else the scenario that it belongs to."""
        return " ".join(part for part in (self.place, self.kind) if part) or self.odd or self.scenario or self.operation


class InputTally:
    """What came of one kind of input: statuses with error codes, places in answers, seconds."""

    def __init__(self) -> None:
        self.answers: set[str] = set()
        self.places: dict[Answers, set[str]] = {}
        self.unsent: dict[Answers, set[str]] = {}
        """Of the places those that the client did not send: what the server put there by itself."""
        self.seconds: dict[Answers, array[float]] = {}

    def add(self, exchange: Exchange, answer: Answer, sent: frozenset[str] | None, names: Names) -> None:
        """Count one answer; ``sent`` are the places that the client wrote, `None` where nobody knows them."""
        sort: Answers = "successes" if answer.is_success else "errors"
        content = answer.json()
        self.answers.add(_told(answer, names))
        self.seconds.setdefault(sort, array("d")).append(max(exchange.ended - exchange.started, 0.0))
        if sent is not None and not answer.cut:
            pointers = places(content)
            self.places.setdefault(sort, set()).update(pointers)
            self.unsent.setdefault(sort, set()).update(pointers - sent)


def _told(answer: Answer, names: Names) -> str:
    """An answer without what differs from run to run: its status, and the error code where there is one."""
    code = answer.first_part(names.error).get(names.code)
    return f"{answer.status} {folded(code)[:_CODE_LIMIT]}" if isinstance(code, str) and code else str(answer.status)


class Traffic(msgspec.Struct):
    """The kinds of input of a run, in the order in which they were sent, and those that show each finding.

    ``seen`` are those with answers that can be compared, ``sent`` are all.  ``torn_lines`` counts what could not be
    read; ``is_whole`` says that the run came to its end.
    """

    seen: dict[Kind, InputTally] = {}
    sent: set[Kind] = set()
    shows: dict[str, tuple[Kind, ...]] = {}
    episodes: int = 0
    torn_lines: int = 0
    is_whole: bool = False


def gather(
    records: Callable[[], Iterable[Record | None]], *, findings: Sequence[Finding], names: Names, is_gate: bool
) -> Traffic:
    """Read a journal once; ``findings`` are those of its run.

    Requests that were released together are left out: what each of them is answered is a matter of luck.
    """
    wanted: dict[str, list[Finding]] = {}
    for finding in findings:
        wanted.setdefault(finding.episode, []).append(finding)
    traffic = Traffic()
    for record in records():
        match record:
            case EpisodeRecord(episode=episode):
                traffic.episodes += 1
                if not episode.confirms:
                    _add_episode(traffic, episode, wanted.get(episode.id, ()), names, is_gate=is_gate)
            case Footer(interrupted=interrupted):
                traffic.is_whole = not interrupted
            case None:
                traffic.torn_lines += 1
            case _:
                pass
    return traffic


def _add_episode(
    traffic: Traffic, episode: Episode, findings: Iterable[Finding], names: Names, *, is_gate: bool
) -> None:
    kinds = {
        position: _kind(episode, exchange, is_gate=is_gate)
        for position, exchange in enumerate(episode.exchanges)
        if exchange.intent.purpose in _PURPOSES
    }
    if not episode.smallest:
        traffic.sent.update(kinds.values())
        for position, exchange, answer, sent in _comparable(episode, names):
            traffic.seen.setdefault(kinds[position], InputTally()).add(exchange, answer, sent, names)
    for finding in findings:
        proof = dict.fromkeys(kinds[position] for position in finding.shown_by if position in kinds)
        traffic.shows.setdefault(finding.id, tuple(proof))


def _comparable(episode: Episode, names: Names) -> Iterator[tuple[int, Exchange, Answer, frozenset[str] | None]]:
    """The answers that can be compared, with the places that the client sent to the rule before or with them."""
    sent: dict[str, frozenset[str]] = {}
    written: set[str] = set()
    oversized: set[str] = set()
    for position, exchange in enumerate(episode.exchanges):
        intent, answer = exchange.intent, exchange.answer
        if intent.operation == "update" and exchange.request.body is not None:
            sent[intent.rule] = sent.get(intent.rule, frozenset()) | _sent_places(exchange, names)
            if intent.body == "size":
                oversized.add(intent.rule)
        if answer is None or answer.status in PASSING or intent.purpose not in _PURPOSES or intent.group is not None:
            continue
        if answer.is_success and intent.operation == "update":
            written.add(intent.rule)
        # A read before any write shows what another scenario left behind; of a huge body not every place is known.
        is_read_blindly = intent.operation == "read" and intent.rule not in written
        is_known = not answer.is_success or not (is_read_blindly or intent.rule in oversized)
        yield position, exchange, answer, sent.get(intent.rule, frozenset()) if is_known else None


def _sent_places(exchange: Exchange, names: Names) -> frozenset[str]:
    """The places of a body, where an answer would show them."""
    assert exchange.request.body is not None
    try:
        value = msgspec.json.decode(exchange.request.body.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return frozenset()
    return frozenset(f"/{names.data}{place}" for place in places(value))


def _kind(episode: Episode, exchange: Exchange, *, is_gate: bool) -> Kind:
    intent = exchange.intent
    return Kind(
        scenario=folded(f"{episode.family}/{episode.scenario}") if is_gate else "",
        method=exchange.request.method,
        purpose=intent.purpose,
        operation=intent.operation,
        caller=intent.caller,
        access=intent.access,
        existence=intent.existence,
        body=intent.body,
        acceptance=intent.acceptance,
        requirement=intent.requirement,
        reading=intent.reading,
        odd=intent.label,
        place=intent.place,
        kind=intent.violation or intent.open_feature,
        request_id=intent.request_id_kind,
        window=intent.window,
        with_key=intent.key is not None,
        repeated=intent.repeats is not None,
    )
