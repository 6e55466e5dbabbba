"""What may be written where; recording and putting back; containment.

Nothing is sent that could move money unless the profile allows it.  Every request passes `Guard.check` on its way out,
whichever scenario made it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from rules_harness.harness.exchange import Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Place, below, body_place, visited

INERT_AHEAD = timedelta(days=365)
_FOLD: Final = re.compile(r"\r\n[ \t]")
"""A value that goes on in the next line (RFC 9112, section 5.2) is still one value."""
_BREAKS_LINES: Final = re.compile(r"[\r\n\0]")
SENT_METHODS = frozenset({"GET", "PUT", "POST", "PATCH"})


class SafetyError(Exception):
    """A scenario asked for a request that must not leave; the harness, not the target, is at fault."""


def _real_time() -> datetime:
    return datetime.now(UTC)


class Guard:
    """Decides whether a request may leave, from the profile's permissions and the state of the rules.

    ``writable`` are the rules that were recorded and may be written; ``enabled`` those that may be enabled right now.
    """

    def __init__(self, contract: Contract, profile: Profile, clock: Callable[[], datetime] = _real_time):
        """``clock`` is what money goes by: dates are inert by it, whatever the dates of a run are counted from."""
        self.contract = contract
        self.profile = profile
        self._clock = clock
        self.writable: set[str] = set()
        self.enabled: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether live shapes may be sent: nothing leaves this machine, or the owner allows it."""
        return self.profile.allows_live_shapes

    def check(self, request: Request, intent: Intent) -> None:
        """Raise `SafetyError` where the request must not be sent.

        What decides is what goes over the wire; what a request was meant to be only says whether a body that no rule
        holds yet is to be harmless.
        """
        if request.method not in SENT_METHODS:
            raise SafetyError(f"{request.method} could destroy and is never sent")
        for name, value in request.headers:
            if _BREAKS_LINES.search(name + _FOLD.sub("", value)):
                raise SafetyError(f"the value of {name!r} would begin a header or a request of its own")
        rule, beyond = self._addressed(request)
        if request.method == "GET":
            return
        if self._is_trigger(beyond):
            if not self.profile.permissions.trigger:
                raise SafetyError("a trigger moves money: permissions.trigger is not given")
            return
        self._check_rule(rule, intent)
        self._check_body(request, intent)

    def _addressed(self, request: Request) -> tuple[str, str]:
        """The rule that a request target names, percent-decoded, and what stands behind it in the path."""
        path = request.target.partition("?")[0]
        prefix = self.contract.update.path.partition("{")[0]
        if not path.startswith(prefix):
            raise SafetyError(f"{request.target} is not an operation of the contract")
        segment, _, beyond = path.removeprefix(prefix).partition("/")
        return unquote(segment), unquote(beyond)

    def _is_trigger(self, beyond: str) -> bool:
        """Whether a lenient router could take this end of a path for the trigger's."""
        trigger = self.contract.trigger
        return trigger is not None and beyond.strip("/ ").lower() == trigger.path.partition("}")[2].strip("/").lower()

    def _check_rule(self, rule: str, intent: Intent) -> None:
        is_listed = rule in self.profile.rules.all
        if not is_listed and intent.existence not in ("own", "foreign"):
            return
        if rule not in self.writable:
            raise SafetyError(f"{rule} is not a rule that may be written")
        if self.profile.is_production(self.contract) and not self.profile.permissions.production_writes:
            raise SafetyError("a production host: permissions.production_writes is not given")

    def _check_body(self, request: Request, intent: Intent) -> None:
        if request.body is None or self.is_open or intent.purpose in ("restore", "contain"):
            return
        body = decoded(request.body.content)
        if body is None:
            return
        names = self.contract.names
        if body.get(names.status) == names.enabled and not self.is_inert(body):
            raise SafetyError("a body that says enabled must be inert off loopback")
        risky = intent.rule in self.enabled or intent.existence in ("unknown", "odd")
        if risky and intent.body in ("valid", "open") and not self.is_inert(body):
            raise SafetyError(f"the body for {intent.rule} must be inert off loopback")

    def says(self, request: Request) -> Any:
        """The status that a request's body asks for."""
        body = decoded(request.body.content) if request.body is not None else None
        return None if body is None else body.get(self.contract.names.status)

    def is_inert(self, body: Mapping[str, Any]) -> bool:
        """Whether a body could move nothing soon: scheduled a year or more ahead, and fixed amounts of one cent."""
        place = body_place(self.contract)
        dates = [instant(value) for value in _having(place, body, "start-date")]
        amounts = _having(place, body, "amount")
        actions = [value for at, _, value in visited(place, body) if _is_action(at)]
        earliest = self._clock() + INERT_AHEAD
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


def configuration(contract: Contract, state: Mapping[str, Any], *, bare: bool = False) -> dict[str, Any]:
    """The body that puts a rule back as it was read, disabled.

    Only fields of the contract; with ``bare`` also without what the server fills in and without documented defaults,
    for a target that refuses its own additions.
    """
    body: dict[str, Any] = _known(body_place(contract), state, bare=bare)
    body[contract.names.status] = contract.names.disabled
    return body


def amounts_in(contract: Contract, body: Mapping[str, Any]) -> list[int]:
    """The amounts of a plausible body, in cents."""
    return [value for value in _having(body_place(contract), body, "amount") if isinstance(value, int)]


def with_amount(contract: Contract, body: Mapping[str, Any], cents: int) -> dict[str, Any]:
    """A body with each of its amounts set."""
    changed = copy.deepcopy(dict(body))
    for place, pointer, _ in list(visited(body_place(contract), changed)):
        if place.offers("amount"):
            parent: Any = changed
            for step in pointer[:-1]:
                parent = parent[step]
            parent[pointer[-1]] = cents
    return changed


def group_index_name(contract: Contract) -> str:
    """The field of an action that says which group it belongs to."""
    places = (place for place in below(body_place(contract)) if place.offers("group-index"))
    return next(places).path.rpartition("/")[2]


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
