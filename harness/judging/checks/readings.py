"""Which answers a target gives to the questions that the documentation leaves open, where one request shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import executed, is_edge, run_by, updates
from rules_harness.harness.judging.equality import differences_from_body
from rules_harness.harness.judging.outcome import FAMILY_ENDS, Judgement, Seen
from rules_harness.harness.judging.states import sent_body
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Place, body_place


def validation_status(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which status has a validation failure?"""
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.repeats is not None:
            continue  # that the key was used may be what the answer is about
        if intent.body == "broken" and intent.access == "allowed" and answer.status in (400, 422):
            kind = f"{intent.place} {intent.mutation}" if intent.mutation else intent.label
            family = f"{intent.requirement}{FAMILY_ENDS}" if intent.requirement else ""
            yield Seen("reading.validation-status", str(answer.status), family + kind, (position,))


def unknown_properties(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What happens to unknown properties in the body (top level and nested apart)?"""
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.reading != "reading.unknown-properties" or not (answer.is_refusal or answer.is_success):
            continue
        if answer.is_refusal:
            token = "refused"
        else:
            names = set(_unknown_names(body_place(contract), sent_body(exchange)))
            token = "stored" if _holds_name(answer.part(contract.names.data), names) else "ignored"
        yield Seen("reading.unknown-properties", token, intent.place or "top level", (position,))


def duplicate_names(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What happens to a JSON object with a name twice?"""
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        values = _duplicated(exchange) if intent.reading == "reading.duplicate-names" else None
        if values is None:
            continue
        data = answer.part(contract.names.data)
        if answer.is_refusal:
            yield Seen("reading.duplicate-names", "refused", intent.place, (position,))
        elif answer.is_success and isinstance(values[0], dict):
            token = _object_taken(contract, exchange, values, data)
            yield Seen("reading.duplicate-names", token, intent.place, (position,))
        elif answer.is_success:
            first, last = (_is_within(value, data) for value in values)
            if first != last:
                yield Seen("reading.duplicate-names", "last" if last else "first", intent.place, (position,))


def _is_within(value: Any, data: Any) -> bool:
    return json.dumps(value, ensure_ascii=False) in json.dumps(data, ensure_ascii=False)


def _object_taken(contract: Contract, exchange: Exchange, values: tuple[Any, Any], data: Any) -> str:
    """Which of two objects under one outermost name a rule shows; ``neither`` where it is one made of both."""
    name = exchange.intent.place.rpartition("/")[2]
    for token, value in zip(("last", "first"), reversed(values), strict=True):
        differences = differences_from_body(contract, {**sent_body(exchange), name: value}, data)
        if not any(difference.place.startswith(f"/{name}") for difference in differences):
            return token
    return "neither"


def _duplicated(exchange: Exchange) -> tuple[Any, Any] | None:
    """The two values of the name that stands twice in a body."""
    duplicates: list[tuple[Any, Any]] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        for index, (name, value) in enumerate(items):
            duplicates.extend((value, other) for again, other in items[index + 1 :] if again == name)
        return dict(items)

    if exchange.request.body is not None:
        json.loads(exchange.request.body.content, object_pairs_hook=pairs)
    return duplicates[0] if duplicates else None


def null_conditions(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What happens when `conditions` is left out of a step?"""
    yield from _accepted_or_refused(episode, "reading.null-conditions", "null")


def integral_float(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What happens to `1.0` for an integer?"""
    yield from _accepted_or_refused(episode, "reading.integral-float", "accepted")


def lenient_date_times(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What happens to unambiguous ISO 8601 beyond RFC 3339 (no seconds, `+0100`, a comma, a week date)?"""
    reading = "reading.lenient-date-times"
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        kind = f"{intent.place} {intent.mutation}"
        if intent.reading != reading:
            continue
        if answer.status in (400, 422):
            yield Seen(reading, "refused", kind, (position,))
        elif answer.is_success and _is_unaltered(contract, exchange, answer):
            yield Seen(reading, "stored", kind, (position,))


def _is_unaltered(contract: Contract, exchange: Exchange, answer: Answer) -> bool:
    """Whether what is odd in a body is there afterwards; `update.replaces` judges it where it is not."""
    data = answer.part(contract.names.data)
    changed = differences_from_body(contract, sent_body(exchange), data)
    return all(difference.place != exchange.intent.place for difference in changed)


def empty(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What happens to empty steps, actions, any or all; zero amounts; empty, untrimmed or NUL-bearing text; an empty
    account id; more than two percentage digits (one answer per kind)?"""
    yield from _accepted_or_refused(episode, "reading.empty", "stored")


def _accepted_or_refused(episode: Episode, reading: str, accepted: str) -> Iterator[Judgement]:
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.reading == reading and (answer.is_success or answer.status in (400, 422)):
            token = accepted if answer.is_success else "refused"
            kind = " ".join(filter(None, (intent.place, intent.open_feature))) or intent.label
            yield Seen(reading, token, kind, (position,))


def defaults(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Is the documented default added to actions?"""
    for position, exchange, answer in executed(episode):
        body, data = sent_body(exchange), answer.part(contract.names.data)
        for place, is_added in sorted(set(_defaulted(body_place(contract), body, data))):
            yield Seen("reading.defaults", "added" if is_added else "not-added", place, (position,))


def _defaulted(place: Place, sent: Any, got: Any) -> Iterator[tuple[str, bool]]:
    """The places of fields with a documented default that were left out, and whether the answer has them."""
    waiting = [(place, sent, got)]
    while waiting:
        place, sent, got = waiting.pop()
        if isinstance(sent, list) and isinstance(got, list) and place.items is not None:
            waiting += [(place.items, left, right) for left, right in zip(sent, got, strict=False)]
        if not isinstance(sent, dict) or not isinstance(got, dict):
            continue
        place = place.alternative(sent) or place if place.alternatives else place
        for name, part in place.properties.items():
            if name in sent and isinstance(sent[name], dict | list):
                waiting.append((part, sent[name], got.get(name)))
            elif name not in sent and "default" in part.keywords:
                yield part.path, got.get(name) is not None


def error_request_id(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Has an error body a `request_id`?"""
    names = contract.names
    if names.request_id is None:
        return
    for position, exchange, answer in episode.answered:
        if answer.status in (400, 401, 403, 404, 422) and answer.first_part(names.error):
            intent = exchange.intent
            if intent.operation in ("update", "read") and not is_edge(contract, exchange, answer):
                token = "present" if names.request_id in answer.object() else "absent"
                yield Seen("reading.error-request-id", token, str(answer.status), (position,))


def timestamp_form(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which zone has the updated_at of executed updates?"""
    for position, _, answer in executed(episode):
        value = answer.part(contract.names.data).get(contract.names.updated_at)
        if isinstance(value, str) and value:
            yield Seen("reading.timestamp-form", "z" if value[-1] in "zZ" else "offset", "", (position,))


def _unknown_names(place: Place, value: Any) -> Iterator[str]:
    """The names in a body that the contract does not know."""
    if place.alternatives:
        place = place.alternative(value) or place
    if isinstance(value, list) and place.items is not None:
        for inner in value:
            yield from _unknown_names(place.items, inner)
    if isinstance(value, dict) and place.properties:
        for name, inner in value.items():
            if name not in place.properties:
                yield name
            else:
                yield from _unknown_names(place.properties[name], inner)


def _holds_name(value: Any, names: set[str]) -> bool:
    if isinstance(value, dict):
        return bool(names & value.keys()) or any(_holds_name(below, names) for below in value.values())
    return isinstance(value, list) and any(_holds_name(below, names) for below in value)


CHECKS = run_by(
    ("reading.validation-status", validation_status),
    ("reading.unknown-properties", unknown_properties),
    ("reading.duplicate-names", duplicate_names),
    ("reading.null-conditions", null_conditions),
    ("reading.integral-float", integral_float),
    ("reading.lenient-date-times", lenient_date_times),
    ("reading.empty", empty),
    ("reading.defaults", defaults),
    ("reading.error-request-id", error_request_id),
    ("reading.timestamp-form", timestamp_form),
)
