"""What the contract expects of states: what is stored, what a replay does, what stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reports.expected.case import NO_SERVER_ERROR, REFUSED, Case, Expectation, Lines, each, status, unchanged


def _no_upsert(case: Case) -> Lines:
    yield f"assert reading({case.rule}).status_code == 404"


def _stored(case: Case) -> Lines:
    for i in case.updates:
        yield f"if answers[{i}].is_success:"
        yield f"    assert same(without_status(body(requests[{i}])), data(answers[{i}]))"


def _executes(case: Case) -> Lines:
    for i in case.updates:
        yield f"assert answers[{i}].status_code == 200"
        yield f"assert same(without_status(body(requests[{i}])), data(answers[{i}]))"


def _cleared(case: Case) -> Lines:
    schema = case.contract.resolve(case.contract.body_schema)
    optional = tuple(name for name in schema.get("properties", {}) if name not in schema.get("required", ()))
    for i in case.updates:
        yield f"for name in {optional}:"
        yield f"    assert data(answers[{i}]).get(name) == body(requests[{i}]).get(name)"


def _read_back(case: Case) -> Lines:
    yield f"assert same(data(answers[{case.executed[-1] if case.executed else 0}]), read({case.rule}))"


def _identity(case: Case) -> Lines:
    names = case.contract.names
    owned = (names.created_at, names.updated_at)
    for i in case.updates:
        yield f"if answers[{i}].is_success:"
        yield f"    assert data(answers[{i}])[{names.id!a}] == {case.requests[i].intent.rule!a}"
        yield f"    for name in {owned}:"
        yield f"        assert name not in body(requests[{i}]) or data(answers[{i}])[name] != body(requests[{i}])[name]"
    yield f"assert read({case.rule})[{names.id!a}] == {case.rule}"


def _created_at(case: Case) -> Lines:
    name = ascii(case.contract.names.created_at)
    yield f"assert instant(read({case.rule})[{name}]) == instant(before[{name}])"


def _updated_at(case: Case) -> Lines:
    names = case.contract.names
    updated, created = ascii(names.updated_at), ascii(names.created_at)
    yield f"after = read({case.rule})"
    yield f"assert instant(after[{updated}]) >= instant(before[{updated}])"
    yield f"assert instant(after[{updated}]) >= instant(after[{created}])"


def _other_rule(case: Case) -> str:
    written = {exchange.intent.rule for exchange in case.requests if exchange.intent.operation == "update"}
    others = [e.intent.rule for e in case.requests if e.intent.operation == "read" and e.intent.rule not in written]
    return ascii(others[0]) if others else case.rule


def _repeatable(case: Case) -> Lines:
    name = ascii(case.contract.names.updated_at)
    first, last = case.updates[0], case.updates[-1]
    yield f"first, last = data(answers[{first}]), data(answers[{last}])"
    yield f"assert {{**first, {name}: None}} == {{**last, {name}: None}}"


def _state(wanted: str) -> Expectation:
    """The answers and what a read shows afterwards carry this state (``enabled`` or ``disabled``)."""

    def lines(case: Case) -> Lines:
        names = case.contract.names
        state = ascii(getattr(names, wanted))
        for i in case.updates:
            yield f"if answers[{i}].is_success:"
            yield f"    assert data(answers[{i}])[{names.status!a}] == {state}"
        if case.contract.read is not None:
            yield f"assert read({case.rule})[{names.status!a}] == {state}"

    return Expectation(lines)


def _kept_state(case: Case) -> Lines:
    name = ascii(case.contract.names.status)
    yield f"assert read({case.rule})[{name}] == before[{name}]"


def _replays(case: Case) -> Iterable[tuple[int, int]]:
    """(original, replay) of every request that carries an earlier key again."""
    for i, exchange in enumerate(case.requests):
        if exchange.intent.repeats is not None and exchange.intent.repeats < i:
            yield exchange.intent.repeats, i


def _replayed(case: Case) -> Lines:
    for first, again in _replays(case):
        if again in case.proof:
            yield f"assert original(answers[{again}]) == original(answers[{first}])"


def _not_replayed(case: Case) -> Lines:
    for first, again in _replays(case):
        yield f"assert original(answers[{again}]) != original(answers[{first}])"


def _authenticated_first(case: Case) -> Lines:
    for i in case.updates:
        if case.requests[i].intent.access != "allowed":
            yield f"assert answers[{i}].status_code in (401, 403)"


def _latest_stays(case: Case) -> Lines:
    latest = case.executed[-1] if case.executed else 0
    yield f"assert same(data(answers[{latest}]), read({case.rule}))"


def _first_stays(case: Case) -> Lines:
    for first, again in _replays(case):
        if again in case.proof or not set(case.proof) & {first, again}:
            yield f"assert same(data(answers[{first}]), read({case.requests[first].intent.rule!a}))"


def _one_executes(case: Case) -> Lines:
    yield f"simultaneous = [answers[i] for i in {tuple(case.updates)}]"
    yield "executed = [original(answer) for answer in simultaneous if answer.is_success]"
    yield "assert executed"
    yield "assert all(answer == executed[0] for answer in executed)"


def _own_rule(case: Case) -> Lines:
    name = ascii(case.contract.names.id)
    for i in case.updates:
        rule = ascii(case.requests[i].intent.rule)
        yield f"assert not answers[{i}].is_success or data(answers[{i}])[{name}] == {rule}"


def _whole(case: Case) -> Lines:
    rule = case.requests[case.proof[-1]].intent.rule
    written = tuple(i for i, e in enumerate(case.requests) if e.intent.operation == "update" and e.intent.rule == rule)
    yield f"after = read({case.rule})"
    yield f"assert any(same(without_status(body(requests[i])), after) for i in {written})"


def _own_body(case: Case) -> Lines:
    for i in case.executed:
        rule = case.requests[i].intent.rule
        yield f"assert same(without_status(body(requests[{i}])), read({rule!a}))"


def _before(case: Case) -> Lines:
    yield f"before = read({case.rule})"


STATES: Final[Mapping[str, Expectation]] = {
    "auth.no-effect": unchanged(),
    "authz.no-effect": unchanged(),
    "not-found.no-upsert": Expectation(_no_upsert),
    "update.replaces": Expectation(_stored, is_single=True),
    "update.omitted-is-cleared": Expectation(_cleared, is_single=True),
    "update.steps-replaced": Expectation(_stored, is_single=True),
    "update.amounts-exact": Expectation(_stored, is_single=True),
    "update.read-back": Expectation(_read_back),
    "update.identity": Expectation(_identity, is_single=True),
    "update.created-at-kept": Expectation(_created_at, before=_before),
    "update.updated-at": Expectation(_updated_at, before=_before),
    "update.isolated": unchanged(of=_other_rule),
    "update.repeatable": Expectation(_repeatable),
    "update.documented-example": status(200),
    "update.accepts-valid": status(200),
    "status.enabled-becomes-disabled": _state("disabled"),
    "status.stored": _state("disabled"),
    "status.stays-disabled": _state("disabled"),
    "status.no-enable-by-body": _state("disabled"),
    "status.rejected-keeps": _state("enabled"),
    "status.replay-keeps": Expectation(_kept_state, before=_before),
    "status.not-triggerable": each(REFUSED),
    "idempotency.replay": Expectation(_replayed),
    "idempotency.no-reexecution": Expectation(_latest_stays),
    "idempotency.reuse-not-executed": Expectation(_first_stays),
    "idempotency.concurrent": Expectation(_one_executes),
    "idempotency.per-caller": Expectation(_not_replayed),
    "idempotency.per-rule": Expectation(_own_rule),
    "idempotency.auth-first": Expectation(_authenticated_first),
    "idempotency.not-poisoned": Expectation(lambda case: [f"assert answers[{case.proof[-1]}].status_code == 200"]),
    "idempotency.any-key": Expectation(_executes),
    "idempotency.odd-keys": each(NO_SERVER_ERROR),
    "idempotency.without-key": Expectation(_executes),
    "validation.atomic": unchanged(),
    "validation.encoding": Expectation(_stored, is_single=True),
    "concurrency.whole": Expectation(_whole),
    "concurrency.disabled": _state("disabled"),
    "concurrency.isolated": Expectation(_own_body),
}
