"""Variants: other ways to take requests that the contract allows."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from rules_harness.harness.reference import endpoints, errors, rules, syntax, update
from rules_harness.harness.reference.calls import BASE, Call
from rules_harness.harness.reference.effects import without
from rules_harness.harness.reference.endpoints import Endpoint
from rules_harness.harness.reference.messages import Json, Refused, Reply
from rules_harness.harness.reference.rules import Kinds
from rules_harness.harness.reference.seed import account
from rules_harness.harness.reference.stand_ins import Variants, changed, refuse_if
from rules_harness.harness.reference.syntax import Bounds
from rules_harness.harness.reference.validation.body import Configuration
from rules_harness.harness.reference.validation.values import instant

variant = Variants()
_BUSY_EVERY = 397
_LONGEST_ID = 128
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]+")


def _is_odd(rule_id: str) -> bool:
    return len(rule_id) > _LONGEST_ID or _PLAIN_ID.fullmatch(rule_id) is None


variant("odd-ids.400", "not-found.odd-ids", endpoints.act).short(
    "Odd rule ids are answered 400 before any look-up.",
    refuse_if(
        lambda call, caller: _is_odd(call.rule_id), lambda call, caller: errors.invalid("The rule id is malformed.")
    ),
)


def _redirected(call: Call) -> Refused:
    location = f"{BASE}/rules/{quote(call.rule_id[:16], safe='')}-"
    return Refused(Reply(status=308, headers=(("Location", location),), instead=("text/plain", b"")))


variant("odd-ids.redirected", "not-found.odd-ids", endpoints.act).short(
    "Odd rule ids are redirected.",
    refuse_if(lambda call, caller: _is_odd(call.rule_id), lambda call, caller: _redirected(call)),
)
variant("media-type.400", "validation.media-type", errors.unsupported_media_type).short(
    "Another Content-Type is answered as an invalid body.",
    lambda usual: errors.invalid("The body must be sent as application/json."),
)


@variant("encoding.detected", "validation.encoding", syntax.text_of)
def encoding_detected(usual: Callable[[bytes], str], body: bytes) -> str:
    """UTF-16, UTF-32 and a BOM are understood."""
    try:
        return body.decode(json.detect_encoding(body))
    except UnicodeDecodeError as error:
        raise errors.malformed("The body is in no encoding of JSON.") from error


variant("size.small-limits", "validation.size", syntax.bounds, group="size").short(
    "Bodies beyond 64 KiB and nesting beyond 32 levels are refused.",
    lambda usual: Bounds(size=usual().size // 16, depth=usual().depth // 4),
)
_PAYMENTS = frozenset(
    {"next_payment_minimum", "total_amount_due", "last_statement_balance", "percentage_liability_balance"}
)


def _plausible(wanted: Configuration, now: datetime) -> Configuration:
    """What is wanted. Raises a refusal where it has the right shape but could never run sensibly."""
    if not wanted.steps or any(not step["actions"] for step in wanted.steps):
        raise errors.invalid("/steps must hold at least one step, each with at least one action.")
    for step in wanted.steps:
        _check_percentages(step["actions"])
        for action in step["actions"]:
            _check_action(action)
    if wanted.trigger["type"] == "SCHEDULED":
        _check_schedule(wanted.trigger, wanted.steps, now)
    return wanted


def _check_percentages(actions: list[Json]) -> None:
    sums: Counter[str] = Counter()
    for action in actions:
        if action["type"] == "percentage":
            sums[action["source"]["id"]] += action["percentage_value"]
    if any(total > 100.000001 for total in sums.values()):
        raise errors.invalid("The percentages of one source sum to more than 100.")


def _check_action(action: dict[str, Json]) -> None:
    if action["source"]["id"] == action["destination"]["id"]:
        raise errors.invalid("An action's source and destination must differ.")
    if action["type"] in _PAYMENTS and not account(action["destination"]["id"]).liability:
        raise errors.invalid("A payment must go to a liability.")
    if action.get("amount_in_cents") == 0:
        raise errors.invalid("An amount must be at least 1 cent.")


def _check_schedule(trigger: dict[str, Json], steps: list[Json], now: datetime) -> None:
    sources = {action["source"]["id"] for step in steps for action in step["actions"]}
    if trigger.get("account_id") is not None and trigger["account_id"] not in sources:
        raise errors.invalid("The trigger's account must be the source of an action.")
    start = instant(trigger["start_date"])
    if start is None or start < now or start.year > now.year + 10:
        raise errors.invalid("/trigger/start_date must lie in the next ten years.")


variant("plausibility.strict", "1. Facts, what makes a body plausible", update.validated).short(
    "Bodies that could never run sensibly are refused.",
    changed(lambda wanted, call, body: _plausible(wanted, call.service.clock.now())),
)
variant("kinds.documented-only", "update.accepts-valid", rules.kinds, warns=("update.accepts-valid",)).short(
    "Only the documented types of triggers and actions are accepted.",
    lambda usual: Kinds(triggers=frozenset({"SCHEDULED"}), actions=frozenset({"fixed_amount"})),
)


def _without_get(call: Call, possible: Mapping[str, Endpoint]) -> Mapping[str, Endpoint]:
    if call.asks_rule("GET"):
        raise errors.path_not_found()
    return without(possible, "GET")


variant("read.404", "1. Facts, companion", endpoints.endpoints).short(
    "There is no GET: 404.", lambda usual, call: _without_get(call, usual(call))
)
variant("read.405", "1. Facts, companion", endpoints.endpoints).short(
    "There is no GET: 405.", lambda usual, call: without(usual(call), "GET")
)
variant("patch.404", "http.methods", endpoints.endpoints).short(
    "PATCH is answered 404.",
    refuse_if(lambda call: call.asks_rule("PATCH"), lambda call: errors.path_not_found()),
)
_requests = itertools.count(1)


def _is_busy(call: Call) -> bool:
    """Now and then a busy edge answers by itself, as proxies do."""
    return next(_requests) % _BUSY_EVERY == 0


def _busy(status: int) -> Refused:
    return Refused(Reply(status=status, headers=(("Retry-After", "0"),), instead=("text/plain", b"busy\n")))


variant("edge.503", "2. Requirements, edges", endpoints.handle).short(
    "A proxy is busy now and then: 503 with Retry-After.", refuse_if(_is_busy, lambda call: _busy(503))
)
variant("edge.429", "2. Requirements, edges", endpoints.handle).short(
    "A proxy limits the rate now and then: 429 with Retry-After.", refuse_if(_is_busy, lambda call: _busy(429))
)
