"""What the contract expects of states: what is stored, what a replay does, what stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from rules_harness.reports.expected.case import REFUSED, Case, Expectation, Lines, status, unchanged


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
    fields = tuple(case.contract.resolve(case.contract.body_schema).get("properties", {}))
    for i in case.updates:
        yield f"if answers[{i}].is_success:"
        yield f"    for name in {fields}:"
        yield f"        assert cleared(body(requests[{i}]).get(name), data(answers[{i}]).get(name))"


def _read_back(case: Case) -> Lines:
    for i in case.reads:
        rule = case.requests[i].intent.rule
        written = [j for j in case.executed if j < i and case.requests[j].intent.rule == rule]
        if written:
            yield f"assert same(data(answers[{written[-1]}]), data(answers[{i}]))"


def _unaltered(case: Case) -> Lines:
    for i in case.updates:
        body = case.requests[i].request.body
        try:
            json.loads(body.content if body is not None else b"")
        except ValueError:
            yield REFUSED.replace("{i}", str(i))
        else:
            yield from _stored(case)


def _identity(case: Case) -> Lines:
    names = case.contract.names
    owned = (names.created_at, names.updated_at)
    for i in case.updates:
        yield f"if answers[{i}].is_success:"
        yield f"    assert data(answers[{i}])[{names.id!a}] == {case.requests[i].intent.rule!a}"
        yield f"    for name in {owned}:"
        yield f"        sent = body(requests[{i}]).get(name)"
        yield f"        assert sent is None or not same(sent, data(answers[{i}])[name])"
    yield f"assert read({case.rule})[{names.id!a}] == {case.rule}"


def _created_at(case: Case) -> Lines:
    name = ascii(case.contract.names.created_at)
    yield f"assert instant(read({case.rule})[{name}]) == instant(before[{name}])"


def _a_second_later(case: Case) -> Lines:
    yield from _before(case)
    yield "time.sleep(1.1)"


def _updated_at(case: Case) -> Lines:
    names = case.contract.names
    updated, created = ascii(names.updated_at), ascii(names.created_at)
    last = f"requests[{case.executed[-1] if case.executed else 0}]"
    yield f"after = read({case.rule})"
    yield f"is_changed = not same(without_status(body({last})), before)"
    yield f"assert instant(after[{updated}]) >= instant(before[{updated}])"
    yield f"assert instant(after[{updated}]) > instant(before[{updated}]) or not is_changed"
    yield f"assert instant(after[{updated}]) >= instant(after[{created}])"


def _untouched(case: Case) -> Lines:
    for i in case.reads:
        rule = case.requests[i].intent.rule
        known = [j for j in range(i) if case.requests[j].intent.rule == rule]
        earlier = f"data(answers[{known[-1]}])" if known else "before"
        yield f"assert same({earlier}, data(answers[{i}]))"


def _repeatable(case: Case) -> Lines:
    name = ascii(case.contract.names.updated_at)
    first, last = (case.executed * 2)[-2:]
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


def _was_disabled(case: Case) -> Lines:
    names = case.contract.names
    yield f"assert read({case.rule})[{names.status!a}] == {names.disabled!a}"


def _kept_state(case: Case) -> Lines:
    name = ascii(case.contract.names.status)
    yield f"assert read({case.rule})[{name}] == before[{name}]"


def _replays(case: Case) -> Iterable[tuple[int, int]]:
    """(original, replay) of every request that is sent again with its key."""
    for i, exchange in enumerate(case.requests):
        if exchange.intent.purpose == "replay" and exchange.intent.repeats is not None:
            yield exchange.intent.repeats, i


def _reused(case: Case) -> Iterable[tuple[int, int]]:
    """(original, other request) of every other request with a key that was used."""
    for i, exchange in enumerate(case.requests):
        if exchange.intent.purpose != "replay" and exchange.intent.repeats is not None:
            yield exchange.intent.repeats, i


def _replayed(case: Case) -> Lines:
    for first, again in _replays(case):
        yield f"assert original(answers[{again}]) == original(answers[{first}])"


def _own_key(case: Case) -> Lines:
    for first, other in _reused(case):
        yield f"assert original(answers[{other}]) != original(answers[{first}])"
    for i in case.updates:
        yield f"assert answers[{i}].status_code in (200, 403, 404)"


def _authenticated_first(case: Case) -> Lines:
    for i in case.updates:
        if case.requests[i].intent.access != "allowed":
            yield f"assert answers[{i}].status_code in (401, 403)"


def _latest_stays(case: Case) -> Lines:
    latest = case.executed[-1] if case.executed else 0
    yield f"assert same(data(answers[{latest}]), read({case.rule}))"


def _first_stays(case: Case) -> Lines:
    for first, _ in list(_reused(case))[:1]:
        yield f"assert same(data(answers[{first}]), read({case.requests[first].intent.rule!a}))"


def _one_executes(case: Case) -> Lines:
    yield f"simultaneous = [answers[i] for i in {tuple(case.updates)}]"
    yield "executed = [original(answer) for answer in simultaneous if answer.is_success]"
    yield "assert all(answer.status_code < 500 for answer in simultaneous)"
    yield "assert executed"
    yield "assert all(answer == executed[0] for answer in executed)"


def _own_rule(case: Case) -> Lines:
    name = ascii(case.contract.names.id)
    for i, exchange in enumerate(case.requests):
        if exchange.intent.operation != "update" or exchange.intent.purpose == "replay":
            continue
        yield f"if answers[{i}].is_success:"
        yield f"    assert data(answers[{i}])[{name}] == {exchange.intent.rule!a}"
        yield f"    assert same(without_status(body(requests[{i}])), data(answers[{i}]))"
    yield from _read_back(case)


def _whole(case: Case) -> Lines:
    rule = case.requests[case.proof[-1]].intent.rule
    own = [(i, exchange.intent.operation) for i, exchange in enumerate(case.requests) if exchange.intent.rule == rule]
    written = tuple(i for i, operation in own if operation == "update")
    yield f"wanted = [before] + [without_status(body(requests[i])) for i in {written}]"
    yield f"for seen in [data(answers[i]) for i in {tuple(i for i, operation in own if operation == 'read')}]:"
    yield "    assert any(same(without_status(one), seen) for one in wanted)"
    yield f"after = read({case.rule})"
    yield "assert any(same(one, after) for one in wanted[1:])"


def _own_body(case: Case) -> Lines:
    name = ascii(case.contract.names.id)
    for i in case.executed:
        rule = ascii(case.requests[i].intent.rule)
        yield f"if answers[{i}].is_success:"
        yield f"    assert data(answers[{i}])[{name}] == {rule}"
        yield f"    assert same(without_status(body(requests[{i}])), data(answers[{i}]))"


def _odd_keys(case: Case) -> Lines:
    for i in case.updates:
        wanted = "== 200" if case.requests[i].intent.acceptance == "must" else "< 500"
        yield f"assert answers[{i}].status_code {wanted}"


def _each_executes(case: Case) -> Lines:
    for i in case.executed:
        yield f"assert answers[{i}].status_code == 200"
        yield f"assert same(without_status(body(requests[{i}])), data(answers[{i}]))"
    yield from _read_back(case)


def _refused(case: Case) -> Lines:
    for i in case.updates:
        yield REFUSED.replace("{i}", str(i))


def _before(case: Case) -> Lines:
    yield f"before = read({case.rule})"


STATES: Final[Mapping[str, Expectation]] = {
    "auth.no-effect": unchanged(),
    "authz.no-effect": unchanged(),
    "not-found.no-upsert": Expectation(_no_upsert),
    "update.replaces": Expectation(_stored, is_single=True, needs_state=True),
    "update.omitted-is-cleared": Expectation(_cleared, is_single=True, needs_state=True),
    "update.steps-replaced": Expectation(_stored, is_single=True, needs_state=True),
    "update.amounts-exact": Expectation(_stored, is_single=True),
    "update.read-back": Expectation(_read_back, before=_before, needs_state=True),
    "update.identity": Expectation(_identity, is_single=True),
    "update.created-at-kept": Expectation(_created_at, before=_before, needs_state=True),
    "update.updated-at": Expectation(_updated_at, before=_a_second_later, needs_state=True),
    "update.isolated": Expectation(_untouched, before=_before, needs_state=True),
    "update.repeatable": Expectation(_repeatable),
    "update.documented-example": status(200),
    "update.accepts-valid": status(200),
    "status.enabled-becomes-disabled": _state("disabled"),
    "status.stored": _state("disabled"),
    "status.stays-disabled": Expectation(_state("disabled").after, before=_was_disabled, needs_state=True),
    "status.no-enable-by-body": _state("disabled"),
    "status.rejected-keeps": _state("enabled"),
    "status.replay-keeps": Expectation(_kept_state, before=_before),
    "status.not-triggerable": Expectation(_refused),
    "idempotency.replay": Expectation(_replayed),
    "idempotency.no-reexecution": Expectation(_latest_stays),
    "idempotency.reuse-not-executed": Expectation(_first_stays),
    "idempotency.concurrent": Expectation(_one_executes),
    "idempotency.per-caller": Expectation(_own_key),
    "idempotency.per-rule": Expectation(_own_rule),
    "idempotency.auth-first": Expectation(_authenticated_first),
    "idempotency.not-poisoned": Expectation(lambda case: [f"assert answers[{case.proof[-1]}].status_code == 200"]),
    "idempotency.any-key": Expectation(_executes),
    "idempotency.odd-keys": Expectation(_odd_keys, is_single=True),
    "idempotency.without-key": Expectation(_each_executes),
    "validation.atomic": unchanged(),
    "validation.encoding": Expectation(_unaltered, is_single=True),
    "concurrency.whole": Expectation(_whole, before=_before),
    "concurrency.disabled": _state("disabled"),
    "concurrency.isolated": Expectation(_own_body),
}
