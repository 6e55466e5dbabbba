"""What is sent to judge whose a key is: other callers, other rules, refusals that came first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter

from rules_harness.harness.exchange import IN_PROGRESS, Exchange
from rules_harness.harness.intent import Access
from rules_harness.harness.judging.histories import TIMES_IN_PROGRESS
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.details import Authorization
from rules_harness.harness.scenarios.foreign import with_unknown_account
from rules_harness.harness.scenarios.key_steps import (
    REPLAY,
    again,
    again_where_taken,
    first_use,
    is_replayed,
    other_body,
)
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.strategies.keys import UNKNOWN

PAUSE_SECONDS = 0.3
"""How far apart a request is sent again while it is said to be in progress."""


def auth_first(bench: Bench) -> None:
    """A replay by whoever may not ask: never the stored answer."""
    requirement = "idempotency.auth-first"
    credentials = bench.shared.profile.credentials
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    original = bench.exchanges[first]
    content = original.request.body.content if original.request.body else b""
    callers: list[tuple[str, Access, Authorization]] = [
        ("none", "unauthenticated", ""),
        ("unknown", "unauthenticated", bench.key_of(UNKNOWN)),
        ("revoked", "unauthenticated", None),
        ("read_only", "no-permission", None),
        ("unrelated", "no-permission", None),
        ("limited", "outside-resources", None),
        ("other_org", "other-organization", None),
    ]
    known = [row for row in callers if row[2] is not None or row[0] in credentials]
    for caller, access, authorization in bench.cases.of(known, itemgetter(0)):
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
            label=f"replay by {caller}",
        )
    bench.read(requirement=requirement, label="after replays by others")
    again(bench, first, label="rightful replay after those of others")


def not_poisoned(bench: Bench) -> None:
    """A 401 first, then the rightful request with the same key."""
    bench.begin()
    authorizations: tuple[tuple[str, int, Authorization], ...] = (
        ("no key", 1, ""),
        ("unknown", 2, bench.key_of(UNKNOWN)),
    )
    for _, number, authorization in bench.cases.of(authorizations, itemgetter(0)):
        key, body = bench.new_key(), bench.distinct(number)
        bench.update(
            body,
            key=key,
            authorization=authorization,
            caller="none",
            access="unauthenticated",
            label="refused with 401",
        )
        label = "after a 401 with the same key"
        first = first_use(bench, body, key, requirement="idempotency.not-poisoned", label=label)
        bench.read(requirement="idempotency.not-poisoned", label=label)
        again_where_taken(bench, first, f"replay {label}")


def refused_for_permission(bench: Bench) -> None:
    """A 403 first, then the rightful request with the same key."""
    bench.begin()
    key, body = bench.new_key(), bench.distinct(1)
    bench.update(body, key=key, caller="read_only", access="no-permission", label="refused with 403")
    first_use(bench, body, key, requirement="idempotency.not-poisoned", label="after a 403 with the same key")
    bench.read()


def refused_for_body(bench: Bench) -> None:
    """A refused body first, then a right one with the same key."""
    bench.begin()
    key = bench.new_key()
    _, wrong = bench.wrong_bodies()[1]
    bench.update(wrong, key=key, body="broken", label="refused for its body")
    label = "after a refused body, same key"
    first = first_use(bench, bench.distinct(1), key, requirement="idempotency.not-poisoned", label=label)
    bench.read()
    again_where_taken(bench, first, f"replay {label}")


def refused_again(bench: Bench) -> None:
    """A request that is refused for its body, the very same again until it is no longer in progress, then a right one
    with its key."""
    bench.begin()
    requirement = "idempotency.not-stuck"
    _, wrong = bench.wrong_bodies()[1]
    refused = {"refused for its body": wrong, "refused for its account": with_unknown_account(bench)}
    for label, body in bench.cases.of(refused.items(), itemgetter(0)):
        if body is None:
            continue
        key = bench.new_key()
        bench.update(body, key=key, body="broken", acceptance="open", label=label)
        first = len(bench.exchanges) - 1
        _until_settled(bench, partial(again, bench, first, f"{label}, again", requirement=requirement))
        then = f"{label}, then a right body"
        _until_settled(bench, partial(other_body, bench, bench.distinct(1), first, then, requirement=""))
    bench.read()


def _until_settled(bench: Bench, send: Callable[[], Exchange]) -> None:
    """Send a request until it is no longer said to be in progress, or is so for good."""
    for _ in range(TIMES_IN_PROGRESS):
        sent = send()
        if sent.answer is None or sent.answer.status != IN_PROGRESS:
            return
        bench.sleep(PAUSE_SECONDS)


def per_rule(bench: Bench) -> None:
    """The key of one rule's update on another rule, with another body."""
    requirement = "idempotency.per-rule"
    here, other = bench.rules[:2]
    bench.begin(here, other)
    key = bench.new_key()
    first_use(bench, bench.distinct(1), key, rule=here)
    bench.update(
        bench.distinct(2),
        rule=other,
        key=key,
        repeats=len(bench.exchanges) - 1,
        acceptance="open",
        requirement=requirement,
        label=f"the same key on another {bench.contract.noun}",
    )
    for rule in (other, here):
        bench.read(rule, requirement=requirement, label=f"after the same key on another {bench.contract.noun}")


def per_rule_same_body(bench: Bench) -> None:
    """The very same body and key, on another rule."""
    requirement = "idempotency.per-rule"
    here, other = bench.rules[:2]
    bench.begin(here, other)
    key, body = bench.new_key(), bench.distinct(3)
    first = first_use(bench, body, key, rule=here)
    bench.update(
        body,
        rule=other,
        key=key,
        repeats=first,
        acceptance="open",
        requirement=requirement,
        label=f"the same key and body on another {bench.contract.noun}",
    )
    bench.update(bench.distinct(4), rule=other, acceptance="open", label="an update without a key")
    again(bench, first, label=f"replay after its key was used on another {bench.contract.noun}")
    bench.read(here, requirement=requirement, label=f"after the same key on another {bench.contract.noun}")


def per_caller(bench: Bench) -> None:
    """The key of one organization, used by another on its own rule."""
    requirement = "idempotency.per-caller"
    ours, theirs = bench.rule, bench.shared.profile.rules.other_org or ""
    bench.begin(ours, theirs)
    key = bench.new_key()
    first = first_use(bench, bench.distinct(1), key, rule=ours)
    kept = requirement if is_replayed(bench, first) else REPLAY
    bench.update(
        bench.own_body(theirs, own("Theirs 1")),
        rule=theirs,
        caller="other_org",
        existence="foreign",
        key=key,
        repeats=first,
        acceptance="open",
        requirement=requirement,
        label="another organization's use of the same key",
    )
    bench.read(
        theirs, existence="foreign", requirement=requirement, label="after another organization's use of the key"
    )
    again(bench, first, label="replay after another organization's use of the key", requirement=kept)
    bench.read(ours, requirement=requirement, label="after another organization's use of the key")


def key_scope(bench: Bench) -> None:
    """One key, used by two credentials of one organization on a rule that both may update."""
    bench.begin()
    key = bench.new_key()
    first_use(bench, bench.distinct(1), key, caller="full")
    bench.update(
        bench.distinct(2),
        key=key,
        caller="limited",
        repeats=len(bench.exchanges) - 1,
        acceptance="open",
        label="key-scope",
        requirement="idempotency.per-caller",
    )
    bench.read()
