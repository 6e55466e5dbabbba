"""What histories of keys are made of: bodies that no others resemble, first uses, and what comes after them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from tests.judging.episodes import OTHER, THEIRS, Sent, Value, body, get, ok, put, refused, rule

BEFORE = (rule(nickname="Before", description="As it was"), rule(OTHER, nickname="Other", description="Its own"))
LONG_KEY = "k" * 200


def says(number: int) -> Value:
    """A body that no other resembles."""
    return body(nickname=f"Version {number}", description=f"Body {number}")


def held(number: int, id: str = "rule_a", **fields: Any) -> Value:
    """A rule that holds that body."""
    return rule(id, nickname=f"Version {number}", description=f"Body {number}", **fields)


def answer(number: int, id: str = "rule_a", *, request_id: str = "req_1", **fields: Any) -> Any:
    return ok(held(number, id, **fields), request_id=request_id)


def use(number: int = 1, key: str | None = "key-a", outcome: Any = None, **about: Any) -> Sent:
    """The first use of a key, with a body of its own; executed, unless it came to something else."""
    return put(answer(number) if outcome is None else outcome, says(number), key=key, **about)


def again(number: int = 1, outcome: Any = None, *, key: str = "key-a", repeats: int = 0, **about: Any) -> Sent:
    """The key once more; the original answer, unless it came to something else."""
    return put(answer(number) if outcome is None else outcome, says(number), key=key, repeats=repeats, **about)


def spaced(outcome: Any, **about: Any) -> Sent:
    """The first body in other bytes."""
    return put(outcome, json.dumps(says(1), indent=1).encode(), key="key-a", repeats=0, **about)


def reordered(outcome: Any, **about: Any) -> Sent:
    """The first body with its names in another order."""
    names = reversed(says(1).items())
    return put(outcome, json.dumps(dict(names)).encode(), key="key-a", repeats=0, **about)


def wrong(outcome: Any = None, **about: Any) -> Sent:
    """The first use of a key, with a broken body; refused, unless it came to something else."""
    return use(outcome=refused(400) if outcome is None else outcome, content="broken", **about)


def wrong_again(outcome: Any = None, number: int = 1) -> Sent:
    """The same again, or another body under its key."""
    requirement = "idempotency.not-stuck"
    return again(number, refused(400) if outcome is None else outcome, content="broken", requirement=requirement)


def in_progress(times: int, number: int = 1) -> list[Sent]:
    """The same again, so many times, answered that it is in progress."""
    return [wrong_again(refused(409), number) for _ in range(times)]


spelled = partial(again, requirement="idempotency.same-rule")
replay = partial(again, requirement="idempotency.replay")
no_more = partial(get, requirement="idempotency.no-reexecution", named="after a replay")
reuse = partial(again, 2, requirement="idempotency.reuse-not-executed")
not_reused = partial(get, requirement="idempotency.reuse-not-executed", named="after the reuse")
elsewhere = partial(again, 2, rule=OTHER, requirement="idempotency.per-rule")
per_rule = partial(get, requirement="idempotency.per-rule", named="after the same key elsewhere")
stranger = partial(again, 2, rule=THEIRS, whose="foreign", caller="other_org", requirement="idempotency.per-caller")
intruder = partial(again, requirement="idempotency.auth-first")
poison = partial(use, access="unauthenticated", caller="none", outcome=refused(401))
not_poisoned = partial(use, requirement="idempotency.not-poisoned")
any_key = partial(use, requirement="idempotency.any-key")
odd_key = partial(use, requirement="idempotency.odd-keys", key="☃", acceptance="open", named="a snowman")
windowed = partial(again, requirement="idempotency.window", window="within")
beyond = partial(again, requirement="idempotency.window", window="beyond")
keyless = partial(use, key=None, requirement="idempotency.without-key")
LATER = {"updated_at": "2026-06-01T09:00:05Z"}
