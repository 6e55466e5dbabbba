"""What is sent to judge idempotency, each as a history on one rule: first uses, replays, reuses, other callers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from harness.exchange import Access, Exchange
from harness.model import same_answer
from harness.profile import Profile
from harness.scenarios.bench import Bench, Unmet
from harness.scenarios.case import Case, Lane
from openapi.contract import Contract
from strategies.requests import odd_keys
from strategies.world import World

REPLAY = "idempotency.replay"
REUSE = "idempotency.reuse-not-executed"
MARGIN_SECONDS = 60
SHORT = 16
"""Keys shorter than this could have been used by an earlier run."""

Row = tuple[str, tuple[str, ...], Callable[[Bench], None], Lane, tuple[str, ...]]


def cases(contract: Contract, world: World, profile: Profile) -> Iterator[Case]:
    """Histories of keys."""
    table: tuple[Row, ...] = (
        ("replay", (REPLAY,), _replay, "rule", ()),
        ("no-reexecution", (REPLAY, "idempotency.no-reexecution"), _no_reexecution, "rule", ("read",)),
        ("reuse", (REUSE, REPLAY), _reuse, "rule", ()),
        ("reuse-again", (REUSE,), _reuse_again, "rule", ()),
        ("same-json", (REPLAY,), _same_json, "rule", ()),
        ("auth-first", ("idempotency.auth-first",), _auth_first, "rule", ()),
        ("not-poisoned", ("idempotency.not-poisoned",), _not_poisoned, "rule", ()),
        ("refused-for-permission", (), _refused_for_permission, "rule", ("credential:read_only",)),
        ("refused-for-body", (), _refused_for_body, "rule", ()),
        ("any-key", ("idempotency.any-key", REPLAY), _any_key, "rule", ()),
        ("odd-keys", ("idempotency.odd-keys",), _odd_keys, "rule", ()),
        ("without-key", ("idempotency.without-key",), _without_key, "rule", ()),
        ("per-rule", ("idempotency.per-rule",), _per_rule, "alone", ("rules:2",)),
        ("per-rule-same-body", ("idempotency.per-rule",), _per_rule_same_body, "alone", ("rules:2",)),
        ("per-caller", ("idempotency.per-caller",), _per_caller, "alone", ("credential:other_org", "foreign-rule")),
        ("key-scope", (), _key_scope, "limited", ("credential:limited",)),
        ("window", ("idempotency.window",), _window, "alone", ("hook:advance_clock",)),
    )
    for name, requirements, run, lane, needs in table:
        yield Case(f"idempotency/{name}", "idempotency", requirements, run, lane, needs)


def _first(bench: Bench, body: dict[str, Any], key: str, /, **details: Any) -> int:
    """Send an update that uses a key for the first time; returns its position."""
    details.setdefault("requirement", "idempotency.any-key")
    bench.update(body, key=key, acceptance="open", case=details.pop("case", "first use of a key"), **details)
    return len(bench.exchanges) - 1


def _again(bench: Bench, first: int, case: str = "replay", **details: Any) -> Exchange:
    """Send the very same request again."""
    original = bench.exchanges[first]
    details.setdefault("requirement", REPLAY)
    request, intent = bench.plan_update(
        original.request.body.content if original.request.body else None,
        rule=original.intent.rule,
        caller=original.intent.caller,
        existence=original.intent.existence,
        key=original.intent.key,
        repeats=first,
        purpose="replay",
        body="valid",
        acceptance="open",
        case=case,
        **details,
    )
    return bench.send(request, intent)


def _other(bench: Bench, body: Any, first: int, /, **details: Any) -> Exchange:
    """Send another body under a key that was used."""
    details.setdefault("requirement", REUSE)
    details.setdefault("body", "valid")
    key = bench.exchanges[first].intent.key
    return bench.update(
        body, key=key, repeats=first, acceptance="open", case=details.pop("case", "same key, other body"), **details
    )


def _replay(bench: Bench) -> None:
    bench.begin()
    first = _first(bench, bench.distinct(1), bench.new_key())
    for pause in (bench.granule(), 0.0, 0.0):
        bench.sleep(pause)
        _again(bench, first)
    bench.read(requirement="idempotency.no-reexecution", case="after replays")
    _again(bench, first)


def _no_reexecution(bench: Bench) -> None:
    """A, replay A, B with another key, replay A again: nothing is reverted."""
    bench.begin()
    first = _first(bench, bench.distinct(1), bench.new_key())
    _again(bench, first)
    second = _first(bench, bench.distinct(2), bench.new_key())
    bench.read(requirement="idempotency.no-reexecution", case="after the second update")
    bench.sleep(bench.granule())
    for position in (first, second, first):
        _again(bench, position, case="replay after another update")
        bench.read(requirement="idempotency.no-reexecution", case="after the replay of an earlier update")
    bench.update(bench.distinct(3), acceptance="open", case="an update without a key")
    _again(bench, first, case="replay after an update without a key")
    bench.read(requirement="idempotency.no-reexecution", case="after the replay of an earlier update")


def _reuse(bench: Bench) -> None:
    bench.begin()
    first = _first(bench, bench.distinct(1), bench.new_key())
    _other(bench, bench.distinct(2), first)
    bench.read(requirement=REUSE, case="after the reuse of a key")
    _again(bench, first, case="replay after the reuse of its key")
    bench.read(requirement=REUSE, case="after the reuse of a key")


def _reuse_again(bench: Bench) -> None:
    """Bodies that differ from the first in one thing each, for targets that compare only a part."""
    names = bench.names
    bench.begin()
    body = bench.distinct(1)
    first = _first(bench, body, bench.new_key())
    for case, other in (
        ("same key, other nickname", {**body, names.nickname: "Another nickname"}),
        ("same key, description left out", {n: v for n, v in body.items() if n != names.description}),
        ("same key, steps twice", {**body, names.steps: [*body[names.steps], *body[names.steps]]}),
    ):
        _other(bench, other, first, case=case)
        bench.read(requirement=REUSE, case=f"after: {case}")


def _same_json(bench: Bench) -> None:
    """The same JSON value in other bytes."""
    bench.begin()
    body = bench.distinct(1)
    first = _first(bench, body, bench.new_key())
    spaced = json.dumps(body, indent=1, ensure_ascii=False).encode()
    turned = json.dumps(dict(reversed(body.items())), ensure_ascii=False).encode()
    for case, content in (("same JSON with white space", spaced), ("same JSON in other order", turned)):
        _other(bench, content, first, requirement=REPLAY, case=case)
        bench.read(requirement=REUSE, case=f"after: {case}")


def _auth_first(bench: Bench) -> None:
    """A replay by whoever may not ask: never the stored answer."""
    requirement = "idempotency.auth-first"
    names, credentials = bench.names, bench.shared.profile.credentials
    bench.begin()
    first = _first(bench, bench.distinct(1), bench.new_key())
    original = bench.exchanges[first]
    content = original.request.body.content if original.request.body else b""
    unknown = f"{names.auth_scheme} {{key:unknown}}"
    callers: list[tuple[str, Access, str | None]] = [
        ("none", "unauthenticated", ""),
        ("unknown", "unauthenticated", unknown),
        ("revoked", "unauthenticated", None),
        ("read_only", "no-permission", None),
        ("unrelated", "no-permission", None),
        ("limited", "outside-resources", None),
        ("other_org", "other-organization", None),
    ]
    for caller, access, authorization in callers:
        if authorization is None and caller not in credentials:
            continue
        bench.update(
            content,
            authorization=authorization,
            caller=caller,
            access=access,
            key=original.intent.key,
            repeats=first,
            purpose="replay",
            body="valid",
            acceptance="open",
            requirement=requirement,
            case=f"replay by {caller}",
        )
    bench.read(requirement=requirement, case="after replays by others")
    _again(bench, first, case="rightful replay after those of others")


def _not_poisoned(bench: Bench) -> None:
    """A 401 first, then the rightful request with the same key."""
    bench.begin()
    for number, authorization in enumerate(("", f"{bench.names.auth_scheme} {{key:unknown}}"), start=1):
        key, body = bench.new_key(), bench.distinct(number)
        bench.update(
            body, key=key, authorization=authorization, caller="none", access="unauthenticated", case="refused with 401"
        )
        _first(bench, body, key, requirement="idempotency.not-poisoned", case="after a 401 with the same key")
        bench.read(requirement="idempotency.not-poisoned", case="after a 401 with the same key")


def _refused_for_permission(bench: Bench) -> None:
    """A 403 first, then the rightful request with the same key."""
    bench.begin()
    key, body = bench.new_key(), bench.distinct(1)
    bench.update(body, key=key, caller="read_only", access="no-permission", case="refused with 403")
    _first(bench, body, key, requirement="idempotency.not-poisoned", case="after a 403 with the same key")
    bench.read()


def _refused_for_body(bench: Bench) -> None:
    """A refused body first, then a right one with the same key."""
    bench.begin()
    key = bench.new_key()
    _, wrong = bench.wrong_bodies()[1]
    bench.update(wrong, key=key, body="broken", case="refused for its body")
    _first(bench, bench.distinct(1), key, requirement="idempotency.not-poisoned", case="after a refused body, same key")
    bench.read()


def _any_key(bench: Bench) -> None:
    """Keys that are no UUID, and keys that differ in case or late in the string."""
    unique = bench.new_key().replace("-", "")
    long = unique + "k" * (254 - len(unique))
    keys = (
        ("not a UUID", f"Order:{unique}/1"),
        ("digits", str(int(unique, 16))),
        ("lower case", f"case-{unique}-abcdef"),
        ("upper case", f"case-{unique}-ABCDEF"),
        ("the last character", f"late-{unique}-0"),
        ("another last character", f"late-{unique}-1"),
        ("255 characters", long + "a"),
        ("255 characters, another last one", long + "b"),
    )
    bench.begin()
    firsts = []
    for number, (case, key) in enumerate(keys, start=1):
        firsts.append(_first(bench, bench.distinct(number), key, case=f"key: {case}"))
        bench.read(requirement="idempotency.any-key", case=f"after key: {case}")
    for first in firsts:
        answer = bench.exchanges[first].answer
        if answer is None or not answer.is_success:
            continue
        _again(bench, first, case=f"replay, {bench.exchanges[first].intent.case}")


def _odd_keys(bench: Bench) -> None:
    hooks = bench.shared.profile.hooks
    bench.begin()
    for odd in odd_keys(bench.contract, bench.new_key()):
        value = next((value for name, value in odd.headers if name == bench.names.idempotency_key), "")
        if len(value.strip()) < SHORT and value.strip() and "reset" not in hooks:
            bench.notes.append(f"{odd.name} was left out: an earlier run may have used so short a key (no hook reset)")
            continue
        bench.send(*bench.plan_odd(odd, bench.marked(), kind=odd.expect, access="open"))
    bench.read()


def _without_key(bench: Bench) -> None:
    """Without the header every request executes."""
    requirement = "idempotency.without-key"
    bench.begin()
    bodies = (bench.distinct(1), bench.distinct(2))
    for number in (0, 1, 0, 1, 0):
        bench.update(bodies[number], acceptance="open", requirement=requirement, case="without a key")
        bench.read(requirement=requirement, case="after an update without a key")


def _per_rule(bench: Bench) -> None:
    """The key of one rule's update on another rule, with another body."""
    requirement = "idempotency.per-rule"
    one, other = bench.rules[:2]
    bench.begin(one, other)
    key = bench.new_key()
    _first(bench, bench.distinct(1), key, rule=one)
    bench.update(
        bench.distinct(2),
        rule=other,
        key=key,
        repeats=len(bench.exchanges) - 1,
        acceptance="open",
        requirement=requirement,
        case="the same key on another rule",
    )
    for rule in (other, one):
        bench.read(rule, requirement=requirement, case="after the same key on another rule")


def _per_rule_same_body(bench: Bench) -> None:
    """The very same body and key, on another rule."""
    requirement = "idempotency.per-rule"
    one, other = bench.rules[:2]
    bench.begin(one, other)
    key, body = bench.new_key(), bench.distinct(3)
    first = _first(bench, body, key, rule=one)
    bench.update(
        body,
        rule=other,
        key=key,
        repeats=first,
        acceptance="open",
        requirement=requirement,
        case="the same key and body on another rule",
    )
    bench.update(bench.distinct(4), rule=other, acceptance="open", case="an update without a key")
    _again(bench, first, case="replay after its key was used on another rule")
    bench.read(one, requirement=requirement, case="after the same key on another rule")


def _per_caller(bench: Bench) -> None:
    """The key of one organization, used by another on its own rule."""
    requirement = "idempotency.per-caller"
    ours, theirs = bench.rule, bench.shared.profile.rules.other_org or ""
    bench.begin(ours, theirs)
    key = bench.new_key()
    first = _first(bench, bench.distinct(1), key, rule=ours)
    bench.update(
        bench.own_body(theirs, "Theirs 1"),
        rule=theirs,
        caller="other_org",
        existence="foreign",
        key=key,
        repeats=first,
        acceptance="open",
        requirement=requirement,
        case="another organization's use of the same key",
    )
    bench.read(theirs, existence="foreign", requirement=requirement, case="after another organization's use of the key")
    _again(bench, first, case="replay after another organization's use of the key", requirement=requirement)
    bench.read(ours, requirement=requirement, case="after another organization's use of the key")


def _key_scope(bench: Bench) -> None:
    """One key, used by two credentials of one organization on a rule that both may update."""
    bench.begin()
    key = bench.new_key()
    _first(bench, bench.distinct(1), key, caller="full")
    bench.update(
        bench.distinct(2),
        key=key,
        caller="limited",
        repeats=len(bench.exchanges) - 1,
        acceptance="open",
        case="key-scope",
        requirement="idempotency.key-scope",
    )
    bench.read()


def _window(bench: Bench) -> None:
    """Just inside and just outside the window; only where a replay is answered as one in the first place."""
    requirement, hooks = "idempotency.window", bench.shared.hooks
    seconds = bench.names.key_window_seconds
    bench.begin()
    first = _first(bench, bench.distinct(1), bench.new_key())
    bench.sleep(bench.granule())
    replay = _again(bench, first)
    original = bench.exchanges[first].answer
    if original is None or replay.answer is None or not same_answer(bench.contract, original, replay.answer):
        raise Unmet("a replay at once is not answered as one, so that its window cannot be judged")
    bench.update(bench.distinct(2), key=bench.new_key(), acceptance="open", case="another update")
    passed = 0
    for moment in (seconds // 4, seconds - MARGIN_SECONDS):
        hooks.advance_clock(moment - passed)
        passed = moment
        _again(bench, first, case="replay within the window", requirement=requirement, window="within")
        bench.read(requirement=requirement, case="after a replay within the window")
    hooks.advance_clock(2 * MARGIN_SECONDS)
    _again(bench, first, case="after the window", requirement=requirement, window="beyond")
    bench.read(requirement=requirement, case="after the window")
