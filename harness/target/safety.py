"""What may be written where; recording and putting back; containment.

Nothing is sent that could move money unless the profile allows it.  Every request passes `Guard.check` on its way out,
whichever scenario made it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from rules_harness.harness.exchange import Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.target.form import problem_of
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.money import as_written, in_cents
from rules_harness.strategies.places import Place, Pointer, below, body_place, visited
from rules_harness.strategies.requests import is_safe
from rules_harness.strategies.validity import is_valid_body

INERT_AHEAD = timedelta(days=365)
"""Money goes by the real time: dates are inert by it, whatever the dates of a run are counted from."""
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


class SafetyError(Exception):
    """A scenario asked for a request that must not leave; the harness, not the target, is at fault."""


class Guard:
    """Decides whether a request may leave, from the profile's permissions and the state of the rules.

    ``writable`` are the rules that were recorded and may be written; ``enabled`` those that may be enabled right now.
    Of a request that this run did not make itself, but took from a record that may be somebody else's (`distrust`),
    nothing is believed: an id counts as unknown only once the target said so.
    """

    def __init__(self, contract: Contract, profile: Profile):
        self.contract = contract
        self.profile = profile
        self.writable: set[str] = set()
        self.enabled: set[str] = set()
        self.is_distrustful = False
        self._vacant: set[str] = set()

    def distrust(self) -> None:
        """From now on requests may be somebody else's: what they were meant to be is found out, not believed."""
        self.is_distrustful = True

    def believe_vacant(self, target: str) -> None:
        """The target has said that there is no rule at this request target."""
        self._vacant.add(target)

    @property
    def is_open(self) -> bool:
        """Whether live shapes may be sent: nothing leaves this machine, or the owner allows it."""
        return self.profile.allows_live_shapes

    def check(self, request: Request, intent: Intent) -> None:
        """Raise `SafetyError` where the request must not be sent.

        What decides is what goes over the wire; what a request was meant to be only says whether a body that no rule
        holds yet is to be harmless.
        """
        problem = problem_of(request)
        if problem is not None:
            raise SafetyError(problem)
        self._check_key(request)
        rule, beyond = self._addressed(request)
        if self._is_trigger(beyond) and request.method != "GET":
            self._check_trigger(rule)
            return
        if beyond.strip("/"):
            raise SafetyError(f"{request.target!r} is not an operation of the contract")
        if request.method == "GET":
            return
        self._check_rule(request, rule, intent)
        self._check_body(request, rule, intent)

    def check_enabling(self, rule: str) -> None:
        """Raise `SafetyError` where the operator's hook must not be asked to enable a rule."""
        if rule not in self.writable or rule not in self.profile.rules.all:
            raise SafetyError(f"{rule} is not {self.contract.noun.with_article} that may be enabled")

    def may_be_enabled(self, state: Mapping[str, Any]) -> bool:
        """Whether a rule in this state may be enabled: it could move nothing soon, or live shapes are allowed."""
        return self.is_open or self.is_inert(state)

    def is_unlisted(self, request: Request) -> bool:
        """Whether a request addresses something that is not a rule of the profile."""
        return self._addressed(request)[0] not in self.profile.rules.all

    def _addressed(self, request: Request) -> tuple[str, str]:
        """The rule that a request target names, percent-decoded, and what stands behind it in the path."""
        path = request.target.partition("?")[0]
        prefix = self.contract.update.path.partition("{")[0]
        if not path.startswith(prefix):
            raise SafetyError(f"{request.target!r} is not an operation of the contract")
        segment, _, beyond = path.removeprefix(prefix).partition("/")
        return unquote(segment), unquote(beyond)

    def _is_trigger(self, beyond: str) -> bool:
        """Whether a lenient router could take this end of a path for the trigger's."""
        trigger = self.contract.trigger
        return trigger is not None and beyond.strip("/ ").lower() == trigger.path.partition("}")[2].strip("/").lower()

    def _check_key(self, request: Request) -> None:
        is_exposed = request.key is not None and request.key.place in ("query", "cookie")
        if is_exposed and not self.profile.permissions.expose_key:
            raise SafetyError("a key in the query or a cookie stays in logs: permissions.expose_key is not given")

    def _check_trigger(self, rule: str) -> None:
        if not self.profile.permissions.trigger:
            raise SafetyError("a trigger moves money: permissions.trigger is not given")
        if rule not in self.profile.rules.all:
            raise SafetyError(f"{rule} is not {self.contract.noun.with_article} of the profile, and is not triggered")

    def _check_rule(self, request: Request, rule: str, intent: Intent) -> None:
        if rule not in self.profile.rules.all and self._is_vacant(request, intent):
            return
        if rule not in self.writable:
            raise SafetyError(f"{rule} is not {self.contract.noun.with_article} that may be written")
        if self.profile.is_production(self.contract) and not self.profile.permissions.production_writes:
            raise SafetyError("a production host: permissions.production_writes is not given")

    def _is_vacant(self, request: Request, intent: Intent) -> bool:
        """Whether there is no rule where a request goes: this run knows that, or the target has said so."""
        if not self.is_distrustful:
            return intent.existence not in ("own", "foreign")
        segment = request.target.partition("?")[0].rpartition("/")[2]
        return request.target in self._vacant and is_safe(segment, set(self.profile.rules.all) - self.writable)

    def _check_body(self, request: Request, rule: str, intent: Intent) -> None:
        if request.body is None or self.is_open or intent.purpose in ("restore", "contain"):
            return
        content = request.body.content
        body = decoded(content)
        if self._may_enable(content, body) and not self.is_inert(body or {}):
            raise SafetyError("a body that says enabled must be inert off loopback")
        if body is None:
            return
        risky = bool({rule, intent.rule} & self.enabled) or rule not in self.profile.rules.all
        is_taken = intent.body in ("valid", "open")
        if self.is_distrustful:
            is_taken = is_valid_body(self.contract, content) or self._holds_live(body)
        if risky and is_taken and not self.is_inert(body):
            raise SafetyError(f"the body for {rule} must be inert off loopback")

    def _may_enable(self, content: bytes, body: Mapping[str, Any] | None) -> bool:
        """Whether a target could read in a body that the rule is to be enabled; of somebody else's, a lenient one."""
        names = self.contract.names
        if body is not None and body.get(names.status) == names.enabled:
            return True
        return self.is_distrustful and re.search(rb"[\"']%b[\"']" % names.enabled.encode(), content) is not None

    def _holds_live(self, body: Mapping[str, Any]) -> bool:
        """Whether anything in a body that is not valid could still move money soon, for whoever is lenient."""
        place = body_place(self.contract)
        amounts, dates = _having(place, body, "amount"), map(instant, _having(place, body, "start-date"))
        earliest = datetime.now(UTC) + INERT_AHEAD
        return any(isinstance(amount, int | float) and amount > 1 for amount in amounts) or any(
            date is not None and date < earliest for date in dates
        )

    def says(self, request: Request) -> Any:
        """The status that a request's body asks for."""
        body = decoded(request.body.content) if request.body is not None else None
        return None if body is None else body.get(self.contract.names.status)

    def is_inert(self, body: Mapping[str, Any]) -> bool:
        """Whether a body could move nothing soon: scheduled a year or more ahead, and fixed amounts of one cent."""
        place = body_place(self.contract)
        dates = [instant(value) for value in _having(place, body, "start-date")]
        amounts = [in_cents(value) for value in _having(place, body, "amount")]
        actions = [value for at, _, value in visited(place, body) if _is_action(at)]
        earliest = datetime.now(UTC) + INERT_AHEAD
        far = bool(dates) and all(date is not None and date >= earliest for date in dates)
        return far and amounts == [1] * len(actions) and len(actions) <= 1


def _is_action(place: Place) -> bool:
    """Whether a place is an action: what has a source takes money from it."""
    return place.items is None and any(part.offers("source") for part in place.properties.values())


def _having(place: Place, body: Mapping[str, Any], role: str) -> list[Any]:
    return [value for at, _, value in visited(place, body) if at.offers(role)]


def decoded(content: bytes) -> dict[str, Any] | None:
    """A JSON object; ``None`` where the bytes are something else."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def configuration(
    contract: Contract, state: Mapping[str, Any], *, bare: bool = False, beyond: Iterable[Pointer] = ()
) -> dict[str, Any]:
    """The body that puts a rule back as it was read, disabled.

    Only fields of the contract, and those ``beyond`` it; with ``bare`` also without what the server fills in and
    without documented defaults, for a target that refuses its own additions.
    """
    body: dict[str, Any] = _known(body_place(contract), state, bare=bare)
    for pointer in beyond:
        _put(body, state, pointer)
    body[contract.names.status] = contract.names.disabled
    return body


def amounts_in(contract: Contract, body: Mapping[str, Any]) -> list[int]:
    """The amounts of a plausible body, in cents."""
    amounts = map(in_cents, _having(body_place(contract), body, "amount"))
    return [cents for cents in amounts if cents is not None]


def with_amount(contract: Contract, body: Mapping[str, Any], cents: int) -> dict[str, Any]:
    """A body with each of its amounts set."""
    changed = copy.deepcopy(dict(body))
    for place, pointer, _ in list(visited(body_place(contract), changed)):
        if place.offers("amount"):
            parent: Any = changed
            for step in pointer[:-1]:
                parent = parent[step]
            parent[pointer[-1]] = as_written(place, cents)
    return changed


def group_index_name(contract: Contract) -> str | None:
    """The field of an action that says which group it belongs to; None where the contract names none."""
    places = (place for place in below(body_place(contract)) if place.offers("group-index"))
    return next((place.path.rpartition("/")[2] for place in places), None)


def cleared(contract: Contract, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Pointer]:
    """Where a state had something beyond the contract, and has nothing any more.

    A name that is one of the contract's in other letters is no such thing: a target that compares names without regard
    to case would take it for that one, its status say.
    """
    yield from _cleared(body_place(contract), before, after, ())


def _cleared(place: Place, before: Any, after: Any, pointer: Pointer) -> Iterator[Pointer]:
    if place.alternatives:
        place = place.alternative(before) or place
    if isinstance(before, list) and isinstance(after, list) and place.items is not None:
        for index, (left, right) in enumerate(zip(before, after, strict=False)):
            yield from _cleared(place.items, left, right, (*pointer, index))
    if not isinstance(before, dict) or not isinstance(after, dict) or not place.properties:
        return
    known = {name.casefold() for name in place.properties}
    for name, left in before.items():
        right = after.get(name)
        if name in place.properties:
            yield from _cleared(place.properties[name], left, right, (*pointer, name))
        elif name.casefold() not in known and left not in _NOTHING and right in _NOTHING:
            yield (*pointer, name)


def _put(body: dict[str, Any], state: Mapping[str, Any], pointer: Pointer) -> None:
    """Give a body what a state has at a place whose parents the body has."""
    into: Any = body
    value: Any = state
    for step in pointer[:-1]:
        into, value = into[step], value[step]
    into[pointer[-1]] = value[pointer[-1]]


def _known(place: Place, value: Any, *, bare: bool) -> Any:
    if place.alternatives:
        place = place.alternative(value) or place
    if isinstance(value, list) and place.items is not None:
        return [_known(place.items, inner, bare=bare) for inner in value]
    if not isinstance(value, dict) or not place.properties:
        return value
    kept = {}
    for name, inner in value.items():
        part = place.properties.get(name)
        if part is None:
            continue
        added = part.keywords.get("x-server-filled") or inner == part.keywords.get("default", object())
        if not (bare and added):
            kept[name] = _known(part, inner, bare=bare)
    return kept
