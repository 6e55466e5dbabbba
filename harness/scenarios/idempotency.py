"""What is sent to judge idempotency, each as a history on one rule: first uses, replays, reuses, other callers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from operator import attrgetter, itemgetter
from typing import Any

from rules_harness.harness.intent import Acceptance
from rules_harness.harness.scenarios import key_owners, key_windows
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import (
    REPLAY,
    REUSE,
    again,
    first_use,
    need_replays,
    other_body,
)
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.paths import SLASH, other_paths
from rules_harness.harness.scenarios.planner import encode
from rules_harness.harness.scenarios.scenario import (
    Lane,
    Need,
    NeedsCredential,
    NeedsForeignRule,
    NeedsHook,
    NeedsRead,
    NeedsRules,
    Scenario,
)
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests import odd_keys
from rules_harness.strategies.world import World

NOT_POISONED = ("idempotency.not-poisoned",)
SHORT = 16
"""Digits after which no earlier run had the same number."""
WORDS = ("0", "null", "undefined", "constructor", "__proto__")
"""Keys that a program may take for none."""
TWINS = (("", "a"), (", another last one", "b"))
"""Two keys that are alike until their last character: what else they are called, and that character."""
REPLAYS = 10
TIMES = ("at once", "with an id", "many times")
"""The first of them, the second, and all the others."""
LARGE_BYTES = 70_000
"""More than 64 KiB."""
LONG_KEPT = "a key from the start of the run"
MANY_KEYS = 120
"""Of a cache that holds a hundred the first is gone by then."""

Row = tuple[str, tuple[str, ...], Callable[[Bench], None], Lane, tuple[Need, ...]]


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Histories of keys."""
    table: tuple[Row, ...] = (
        ("replay", (REPLAY,), _replay, "rule", ()),
        ("from-the-start", (REPLAY,), _from_the_start, "first", ()),
        ("no-reexecution", (REPLAY, "idempotency.no-reexecution"), _no_reexecution, "rule", (NeedsRead(),)),
        ("reuse", (REUSE, REPLAY), _reuse, "rule", ()),
        ("reuse-again", (REUSE,), _reuse_again, "rule", ()),
        ("same-json", (REPLAY,), _same_json, "rule", ()),
        ("auth-first", ("idempotency.auth-first",), key_owners.auth_first, "rule", ()),
        ("not-poisoned", (*NOT_POISONED, REPLAY), key_owners.not_poisoned, "rule", ()),
        (
            "refused-for-permission",
            NOT_POISONED,
            key_owners.refused_for_permission,
            "rule",
            (NeedsCredential("read_only"),),
        ),
        ("refused-for-body", (*NOT_POISONED, REPLAY), key_owners.refused_for_body, "rule", ()),
        ("refused-again", ("idempotency.not-stuck",), key_owners.refused_again, "rule", ()),
        ("same-rule", ("idempotency.same-rule",), _same_rule, "rule", (NeedsRead(),)),
        ("any-key", ("idempotency.any-key", REPLAY), _any_key, "rule", ()),
        ("odd-keys", ("idempotency.odd-keys",), _odd_keys, "rule", ()),
        ("words", ("idempotency.odd-keys",), _words, "rule", ()),
        ("without-key", ("idempotency.without-key",), _without_key, "rule", ()),
        ("per-rule", ("idempotency.per-rule",), key_owners.per_rule, "alone", (NeedsRules(2),)),
        ("per-rule-same-body", ("idempotency.per-rule",), key_owners.per_rule_same_body, "alone", (NeedsRules(2),)),
        (
            "per-caller",
            ("idempotency.per-caller",),
            key_owners.per_caller,
            "alone",
            (NeedsCredential("other_org"), NeedsForeignRule()),
        ),
        ("key-scope", ("idempotency.per-caller",), key_owners.key_scope, "limited", (NeedsCredential("limited"),)),
        ("window", ("idempotency.window",), key_windows.window, "alone", (NeedsHook("advance_clock"),)),
        (
            "enabled-since",
            ("status.enabled-becomes-disabled", "status.stored", "status.replay-keeps"),
            key_windows.enabled_since,
            "alone",
            (NeedsHook("advance_clock"), NeedsHook("enable_rule"), NeedsRead()),
        ),
    )
    for name, requirements, run, lane, needs in table:
        yield Scenario(f"idempotency/{name}", "idempotency", requirements, run, lane, needs)


def _replay(bench: Bench) -> None:
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    bench.sleep(bench.granule())
    replays = ((TIMES[min(number, len(TIMES) - 1)], number % 2 == 1) for number in range(REPLAYS))
    for _, with_id in bench.cases.of(replays, itemgetter(0)):
        again(bench, first, request_id=bench.new_key() if with_id else None)
    for _ in bench.cases.of(("after a read",), str):
        bench.read(requirement="idempotency.no-reexecution", label="after replays")
        again(bench, first)
    rare = (("a long answer", _large(bench)), ("an accented letter", _accented(bench)))
    for label, body in bench.cases.of(rare, itemgetter(0)):
        sent = bench.update(
            body, key=bench.new_key(), body="open", acceptance="open", label=f"first use of a key, {label}"
        )
        if sent.answer is not None and sent.answer.is_success:
            bench.sleep(bench.granule())
            again(bench, len(bench.exchanges) - 1, label=f"replay of {label}")


def _accented(bench: Bench) -> dict[str, Any]:
    """A body whose answer holds a letter beyond ASCII."""
    return {**bench.distinct(3), bench.names.texts[-1]: own("Épargne")}


def _large(bench: Bench) -> dict[str, Any]:
    """A body whose answer does not fit what a cache or a column holds."""
    body, parts = bench.distinct(2), bench.names.parts
    if parts is None:
        return {**body, bench.names.texts[-1]: "x" * LARGE_BYTES}
    return {**body, parts: body[parts] * (LARGE_BYTES // len(encode({parts: body[parts]})) + 1)}


def at_the_end(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """The key of a run's start again at its end, before any clock is moved."""
    requirements = (REPLAY, "idempotency.no-reexecution")
    yield Scenario(
        "idempotency/at-the-end",
        "idempotency",
        requirements,
        _at_the_end,
        "alone",
        (NeedsRead(),),
        alone_takes=MANY_KEYS,
    )


def _from_the_start(bench: Bench) -> None:
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key(), label="first use of a key, at the start")
    again(bench, first)
    bench.leave(LONG_KEPT)


def _at_the_end(bench: Bench) -> None:
    """A key that was used before many others, however many the rest of the run has sent."""
    bench.take_up(LONG_KEPT)
    first, rule = 0, bench.exchanges[0].intent.rule
    for number in range(max(MANY_KEYS - bench.keys_used, 1)):
        key = bench.new_key()
        bench.update(bench.distinct(number), rule=rule, key=key, acceptance="open", label="one of many other keys")
    bench.read(rule, requirement="idempotency.no-reexecution", label="after many other keys")
    again(bench, first, label="replay after many other keys")
    bench.read(rule, requirement="idempotency.no-reexecution", label="after the replay of an early update")


def _no_reexecution(bench: Bench) -> None:
    """A, replay A, B with another key, replay A again: nothing is reverted."""
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    again(bench, first)
    second = first_use(bench, bench.distinct(2), bench.new_key())
    bench.read(requirement="idempotency.no-reexecution", label="after the second update")
    bench.sleep(bench.granule())
    replays = (("the first", first), ("the second", second), ("the first again", first))
    for _, position in bench.cases.of(replays, itemgetter(0)):
        again(bench, position, label="replay after another update")
        bench.read(requirement="idempotency.no-reexecution", label="after the replay of an earlier update")
    for _ in bench.cases.of(("without a key in between",), str):
        bench.update(bench.distinct(3), acceptance="open", label="an update without a key")
        again(bench, first, label="replay after an update without a key")
        bench.read(requirement="idempotency.no-reexecution", label="after the replay of an earlier update")


def _reuse(bench: Bench) -> None:
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    other_body(bench, bench.distinct(2), first)
    bench.read(requirement=REUSE, label="after the reuse of a key")
    # Whoever looks at bodies first refuses it, and must not free the key for that.
    _, wrong = bench.wrong_bodies()[1]
    other_body(bench, wrong, first, "same key, a refused body", requirement="", kind="broken")
    again(bench, first, label="replay after the reuse of its key")
    bench.read(requirement=REUSE, label="after the reuse of a key")


def _reuse_again(bench: Bench) -> None:
    """Bodies that differ from the first in one thing each, for targets that compare only a part."""
    names = bench.names
    bench.begin()
    body = bench.distinct(1)
    first = first_use(bench, body, bench.new_key())
    others = {f"other {names.marker}": {**body, names.marker: own("Another marker")}}
    if names.note is not None:
        others[f"{names.note} left out"] = {name: value for name, value in body.items() if name != names.note}
    if names.parts is not None:
        others[f"{names.parts} twice"] = {**body, names.parts: [*body[names.parts], *body[names.parts]]}
    for label, other in bench.cases.of(
        ((f"same key, {changed}", other) for changed, other in others.items()), itemgetter(0)
    ):
        other_body(bench, other, first, label=label)
        bench.read(requirement=REUSE, label=f"after: {label}")


def _same_json(bench: Bench) -> None:
    """The same JSON value in other bytes; and another value, which tells a replay from the answer to any reuse."""
    bench.begin()
    body = bench.distinct(1)
    first = first_use(bench, body, bench.new_key())
    spaced = json.dumps(body, indent=1, ensure_ascii=False).encode()
    turned = json.dumps(dict(reversed(body.items())), ensure_ascii=False).encode()
    same = (("same JSON with white space", spaced), ("same JSON in other order", turned))
    for label, content in bench.cases.of(same, itemgetter(0)):
        other_body(bench, content, first, requirement=REPLAY, label=label)
        bench.read(requirement=REUSE, label=f"after: {label}")
    other_body(bench, bench.distinct(2), first)
    bench.read(requirement=REUSE, label="after the reuse of a key")


def _any_key(bench: Bench) -> None:
    """Keys that are not UUIDs, each sort of them used, read after, and the last of each used again."""
    bench.begin()
    bodies = map(bench.distinct, itertools.count(1))
    last: list[tuple[str, int]] = []
    for case, alike in bench.cases.of(_keys_of_any_sort(bench).items(), itemgetter(0)):
        used = [first_use(bench, next(bodies), key, label=f"key: {label}") for label, key in alike]
        last.append((f"{case}, again", used[-1]))
        # What was answered as one of the others was not executed last.
        for _ in bench.cases.of([f"{case}, read"], str):
            bench.read(requirement="idempotency.any-key", label=f"after key: {alike[-1][0]}")
    for _, first in bench.cases.of(last, itemgetter(0)):
        answer = bench.exchanges[first].answer
        if answer is None or not answer.is_success:
            continue
        again(bench, first, label=f"replay, {bench.exchanges[first].intent.label}")


def _keys_of_any_sort(bench: Bench) -> dict[str, tuple[tuple[str, str], ...]]:
    """Keys that are not UUIDs, keys that differ late in the string or before a colon alone, and UUIDs that differ in
    case: what they have in common, and each with what it is."""
    unique = bench.new_key().replace("-", "")
    digits = str(int(unique, 16))[:SHORT]
    lower = f"{bench.new_key()[:-6]}abcdef"
    long = ((length, unique.ljust(length, "k")) for length in (64, 128, 200, 254))
    return {
        "words": (("not a UUID", f"Order.x:{unique}_1"),),
        "digits": (("digits", str(int(unique, 16))),),
        "case": (("a UUID in lower case", lower), ("that UUID in upper case", lower.upper())),
        "late": (("the last character", f"late-{unique}:0"), ("another last character", f"late-{unique}:1")),
        "punctuation": (
            ("an underscore", f"{unique}_1"),
            ("a tilde in its place", f"{unique}~1"),
            ("a hyphen in its place", f"{unique}-1"),
            ("nothing in its place", f"{unique}1"),
        ),
        "number": (
            ("a number", digits),
            ("that number with a zero ahead", f"0{digits}"),
            ("that number with an exponent", f"{digits}e0"),
            ("that number with a fraction", f"{digits}.0"),
        ),
        **{
            f"{length + 1} characters": tuple((f"{length + 1} characters{twin}", shared + last) for twin, last in TWINS)
            for length, shared in long
        },
    }


def _odd_keys(bench: Bench) -> None:
    bench.begin()
    for odd in bench.cases.of(odd_keys(bench.contract, bench.new_key()), attrgetter("name")):
        acceptance: Acceptance = "must" if odd.expect == "accepted" else "open"
        bench.send(*bench.plan_odd(odd, bench.marked(), access="open", acceptance=acceptance))
    bench.read()


def _words(bench: Bench) -> None:
    """What programs write for nothing is a key like others; nothing follows where an earlier run has used it, or where
    others are not keys either."""
    requirement = "idempotency.odd-keys"
    bench.begin()
    need_replays(bench, first_use(bench, bench.distinct(1), bench.new_key()))
    for word in bench.cases.of(WORDS, str):
        body = bench.marked()
        first = first_use(bench, body, word, requirement="", label=f"key: {word}")
        answer = bench.exchanges[first].answer
        data = answer.part(bench.names.data) if answer is not None else {}
        if data.get(bench.names.marker) != body[bench.names.marker]:
            continue
        bench.sleep(bench.granule())
        again(bench, first, f"replay, key: {word}", requirement=requirement)
        for _ in bench.cases.of([f"{word}, another body"], str):
            other_body(bench, bench.marked(), first, f"other body, key: {word}", requirement=requirement)
            bench.read(requirement=requirement, label=f"after other body, key: {word}")


def _same_rule(bench: Bench) -> None:
    """The same request under other spellings of the rule's path, each after another update, which it must not
    revert."""
    requirement = "idempotency.same-rule"
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    need_replays(bench, first)
    paths = other_paths(bench.contract, bench.rule)
    for label, target in bench.cases.of((item for item in paths.items() if item[0] != SLASH), itemgetter(0)):
        bench.update(bench.marked(), acceptance="open", label="another update")
        bench.sleep(bench.granule())
        again(bench, first, label, requirement=requirement, target=target)
        bench.read(requirement=requirement, label=f"after: {label}")


def _without_key(bench: Bench) -> None:
    """Without the header every request executes."""
    requirement = "idempotency.without-key"
    bench.begin()
    bodies = (bench.distinct(1), bench.distinct(2))
    seen = bench.new_key()
    rows = ((0, None), (1, None), (0, None), (1, seen), (0, seen), (1, seen))
    labels = {None: "without a key", seen: "without a key, with an id that was seen"}
    for number, request_id in bench.cases.of(rows, lambda row: labels[row[1]]):
        label = labels[request_id]
        bench.update(bodies[number], request_id=request_id, acceptance="open", requirement=requirement, label=label)
        bench.read(requirement=requirement, label="after an update without a key")
