"""Episodes made by hand: the one place of these tests that builds requests, intents and exchanges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from rules_harness.harness.exchange import (
    Answer,
    Episode,
    Exchange,
    Facts,
    FaultKind,
    Payload,
    Request,
    TransportFault,
)
from rules_harness.harness.intent import (
    Acceptance,
    Access,
    BodyKind,
    Existence,
    GroupBodies,
    Intent,
    Level,
    Purpose,
    Window,
)
from rules_harness.openapi.contract import load
from rules_harness.strategies.place import Standing

CONTRACT = load()
RULE, OTHER, THEIRS, NOWHERE = "rule_a", "rule_b", "rule_theirs", "rule_nowhere"
CREATED, UPDATED = "2026-03-01T10:00:00Z", "2026-06-01T09:00:00Z"
CODES = {401: "unauthorized", 403: "forbidden", 404: "resource_not_found"}
ACCOUNTS = ("acc_01HABC4567", "acc_01HSAV9999")
"""Those that the example names."""
JSON = (("Content-Type", "application/json"),)

Value = dict[str, Any]
Outcome = Answer | TransportFault


class Sent(msgspec.Struct, frozen=True):
    """A request with what came of it, not yet in an episode; ``at`` is when it began and ended, in seconds."""

    request: Request
    outcome: Outcome
    intent: Intent
    at: tuple[float, float] | None
    resent: bool = False


def body(**fields: Any) -> Value:
    """The documentation's example of a body, disabled, with these fields; `...` takes one away."""
    return _with({**CONTRACT.example_body(), "status": "disabled"}, fields)


def rule(id: Any = RULE, **fields: Any) -> Value:
    """A rule as it is stored and answered; without ``fields`` it holds what `body` says."""
    return _with({"id": id, **body(), "created_at": CREATED, "updated_at": UPDATED}, fields)


def action(**fields: Any) -> Value:
    """The example's action with these fields."""
    return _with(CONTRACT.example_body()["steps"][0]["actions"][0], fields)


def steps(*actions: Value) -> list[Value]:
    """One step without conditions that holds these actions."""
    return [{"conditions": None, "actions": list(actions)}]


def ok(
    state: Any = None,
    *,
    status: int = 200,
    request_id: Any = "req_1",
    header: str | None = None,
    headers: tuple[tuple[str, str], ...] = JSON,
    **further: Any,
) -> Answer:
    """A success that carries a rule; ``header`` is its X-Request-ID, ``further`` more members of the envelope."""
    envelope = _with({"request_id": request_id, "data": rule() if state is None else state}, further)
    return answered(status, envelope, headers=headers + _echo(header))


def refused(
    status: int = 400,
    code: str | None = None,
    message: str = "Refused.",
    *,
    header: str | None = None,
    headers: tuple[tuple[str, str], ...] = JSON,
    **further: Any,
) -> Answer:
    """A refusal in the error envelope, by default with the code that the contract has for its status."""
    error = {"code": CODES.get(status, "invalid") if code is None else code, "message": message}
    return answered(status, {"error": error, **further}, headers=headers + _echo(header))


def answered(status: int, content: Any, *, headers: tuple[tuple[str, str], ...] = JSON, cut: bool = False) -> Answer:
    """Any answer; ``content`` goes out as it is where it is bytes, else as JSON."""
    raw = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Answer(status, headers, Payload.of(raw), cut=cut)


def leaking(answer: Answer, *credentials: str) -> Answer:
    """The answer, as one in which the keys of these credentials stood."""
    return msgspec.structs.replace(answer, leaks=credentials)


def lost(kind: FaultKind = "closed") -> TransportFault:
    """Nothing came back."""
    return TransportFault(kind, "no answer came")


def put(
    outcome: Outcome | None = None,
    sent: Any = None,
    *,
    purpose: Purpose = "probe",
    rule: str = RULE,
    whose: Existence = "own",
    caller: str = "full",
    access: Access = "allowed",
    content: BodyKind = "valid",
    acceptance: Acceptance = "must",
    requirement: str = "",
    reading: str = "",
    named: str = "a probe",
    place: str = "",
    mutation: str = "",
    boundary: str = "",
    open_feature: str = "",
    shapes: tuple[str, ...] = (),
    foreign_account: str = "",
    level: Level = "must",
    standing: Standing = "documented",
    key: str | None = None,
    repeats: int | None = None,
    window: Window = "",
    request_id: str | tuple[str, ...] | None = None,
    hostile: bool = False,
    method: str = "",
    raw: bool = False,
    group: int | None = None,
    group_bodies: GroupBodies = "",
    at: tuple[float, float] | None = None,
) -> Sent:
    """An update; ``named`` is its label, and ``method`` makes it another operation."""
    given = body() if sent is None else sent
    ids = (request_id,) if isinstance(request_id, str) else request_id or ()
    headers = tuple((CONTRACT.names.request_id_header, value) for value in ids)
    raw_body = given if isinstance(given, bytes) else json.dumps(given, ensure_ascii=False).encode()
    request = Request(method or "PUT", CONTRACT.update.path_for(rule), headers, Payload.of(raw_body), raw)
    intent = Intent(
        purpose=purpose,
        operation="other" if method else "update",
        caller=caller,
        access=access,
        rule=rule,
        existence=whose,
        body=content,
        acceptance=acceptance,
        label=named,
        place=place,
        mutation=mutation,
        boundary=boundary,
        open_feature=open_feature,
        shapes=shapes,
        foreign_account=foreign_account,
        requirement=requirement,
        reading=reading,
        standing=standing,
        level=level,
        key=key,
        repeats=repeats,
        request_id_kind="none" if not ids else "hostile" if hostile else "plain",
        window=window,
        group=group,
        group_bodies=group_bodies,
    )
    return Sent(request, ok() if outcome is None else outcome, intent, at)


def get(
    found: Value | Outcome | None = None,
    *,
    rule: str = RULE,
    whose: Existence = "own",
    requirement: str = "",
    named: str = "",
    request_id: str | None = None,
    group: int | None = None,
    at: tuple[float, float] | None = None,
) -> Sent:
    """A read that finds this state, or that is answered so."""
    outcome = found if isinstance(found, Answer | TransportFault) else ok(found)
    headers = () if request_id is None else ((CONTRACT.names.request_id_header, request_id),)
    intent = Intent(
        purpose="read",
        operation="read",
        rule=rule,
        existence=whose,
        label=named,
        requirement=requirement,
        request_id_kind="none" if request_id is None else "plain",
        group=group,
    )
    return Sent(Request("GET", CONTRACT.update.path_for(rule), headers), outcome, intent, at)


def trigger(outcome: Outcome, *, requirement: str = "status.not-triggerable") -> Sent:
    """A request for an execution."""
    intent = Intent(
        purpose="trigger",
        operation="trigger",
        caller="trigger_only",
        rule=RULE,
        requirement=requirement,
        label="trigger after an update",
    )
    return Sent(Request("POST", f"{CONTRACT.update.path_for(RULE)}/trigger"), outcome, intent, None)


def episode(*sent: Sent, before: Value | tuple[Value, ...] = (), settle: float = 0.0, disturbed: str = "") -> Episode:
    """These requests, one after the other unless they say when; ``before`` are the states known at the beginning."""
    states = before if isinstance(before, tuple) else (before,)
    exchanges = tuple(
        Exchange(one.request, one.outcome, one.intent, *(one.at or (float(position), position + 0.5)), one.resent)
        for position, one in enumerate(sent)
    )
    facts = Facts(before={state["id"]: state for state in states}, accounts=ACCOUNTS, settle_seconds=settle)
    return Episode("made by hand", "any", "any", exchanges, facts, disturbed=disturbed)


def resent(sent: Sent) -> Sent:
    """The request as one that left twice: a proxy answered the first time."""
    return msgspec.structs.replace(sent, resent=True)


def under_another_path(sent: Sent) -> Sent:
    """The same request under another spelling of its path."""
    return msgspec.structs.replace(
        sent, request=msgspec.structs.replace(sent.request, target=f"{sent.request.target}/")
    )


def otherwise(original: Episode, outcome: Outcome, *, reads_only: bool = False) -> Episode:
    """The episode in which every request, or every read, comes to something else."""
    exchanges = tuple(
        exchange
        if reads_only and exchange.intent.operation != "read"
        else msgspec.structs.replace(exchange, outcome=outcome)
        for exchange in original.exchanges
    )
    return msgspec.structs.replace(original, exchanges=exchanges)


def disturbed(original: Episode) -> Episode:
    """The episode in which somebody else wrote to the rule."""
    return msgspec.structs.replace(original, disturbed=RULE)


def _echo(header: str | None) -> tuple[tuple[str, str], ...]:
    return () if header is None else ((CONTRACT.names.request_id_header, header),)


def _with(value: Mapping[str, Any], fields: Mapping[str, Any]) -> Value:
    return {name: inner for name, inner in {**value, **fields}.items() if inner is not ...}
