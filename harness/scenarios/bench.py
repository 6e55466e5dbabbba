"""What a scenario works with: one lane of rules, the world, and one way to send.

A bench sends on behalf of one case, records every exchange with its intent, and hands over the episode.  It knows the
state of its rules as last read, so that an episode begins with known facts and no request is spent twice.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from harness.equality import instant
from harness.exchange import Answer, Episode, Exchange, Existence, Facts, Intent, Payload, Request, TransportFault
from harness.hooks import Hooks
from harness.profile import Profile
from harness.safety import Guard, configuration, with_amount
from openapi.contract import Contract
from strategies.bodies import Body, example, inert
from strategies.requests import OddRequest
from strategies.world import World

Planned = tuple[Request, Intent]
COARSE_SECONDS = 1.1
FINE_SECONDS = 0.02
"""Update times count whole seconds or milliseconds."""


class Outgoing(Protocol):
    """What sends: the client, or a rehearsal that sends nothing."""

    def send(self, request: Request) -> Sent: ...

    def send_many(self, requests: Sequence[Request]) -> Sequence[Sent]: ...

    def send_together(self, requests: Sequence[Request]) -> Sequence[Sent]: ...

    @property
    def most_together(self) -> int: ...


class Sent(Protocol):
    """An outcome with its times."""

    @property
    def outcome(self) -> Answer | TransportFault: ...

    @property
    def started(self) -> float: ...

    @property
    def ended(self) -> float: ...


class Unmet(Exception):
    """A case cannot be run after all; the text says why."""


class Shared(msgspec.Struct, frozen=True):
    """What all benches of a run share."""

    contract: Contract
    profile: Profile
    world: World
    guard: Guard
    client: Outgoing
    hooks: Hooks
    seed: int
    nonce: str
    """Random, new for each run: keys made from it do not meet those of another run."""
    readable: bool
    """The companion GET answers."""
    pause: Callable[[float], None] = time.sleep
    applicable: Callable[[str], bool] = lambda value: True
    """Whether the references in a header value make a key that differs from the real one."""


class Known:
    """The states of rules as last read; one for all benches, each rule used by one bench at a time."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.stale: set[str] = set()


class Bench:
    """One case at work. ``rules`` are the rules that it may use, the first being the usual one."""

    def __init__(self, shared: Shared, known: Known, case_id: str, rules: Sequence[str], *, attempt: int = 0):
        self.shared = shared
        self.contract = shared.contract
        self.names = shared.contract.names
        self.world = shared.world
        self.rules = tuple(rules)
        self.random = random.Random(f"{shared.seed}/{case_id}/{attempt}")
        self._attempt = attempt
        self.exchanges: list[Exchange] = []
        self.notes: list[str] = []
        self._known = known
        self._case_id = case_id
        self._keys = random.Random(f"{shared.nonce}/{case_id}/{attempt}")
        self._before: dict[str, Any] = {}
        self._groups = 0
        self._enabled_after_update: set[str] = set()

    @property
    def rule(self) -> str:
        return self.rules[0]

    @property
    def readable(self) -> bool:
        return self.shared.readable

    def episode(self, family: str, case: str, *, confirms: str = "", disturbed: str = "") -> Episode:
        """Everything that was exchanged so far."""
        facts = Facts(
            before=dict(self._before),
            readable=self.readable,
            settle_seconds=self.shared.profile.limits.settle_seconds,
        )
        return Episode(
            id=self._case_id + ("~again" if confirms else ""),
            family=family,
            case=case,
            exchanges=tuple(self.exchanges),
            facts=facts,
            confirms=confirms,
            disturbed=disturbed,
            notes=tuple(self.notes),
        )

    def new_key(self) -> str:
        """An Idempotency-Key that no other run uses: a UUID v4."""
        return str(uuid.UUID(int=self._keys.getrandbits(128), version=4))

    def unknown_id(self) -> str:
        """An id of the form of this target's own that is no rule there."""
        like = self.rules[0] if self.rules else "rule_01HXYZ1234"
        letters = [self.random.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(16)]
        return like.split("_")[0][:16] + "_" + "".join(letters)

    def plan_update(
        self,
        body: Body | Mapping[str, Any] | bytes | None,
        /,
        *,
        rule: str | None = None,
        caller: str = "full",
        key: str | None = None,
        request_id: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        authorization: str | None = None,
        content_type: str | None = "application/json",
        method: str = "PUT",
        target: str | None = None,
        raw: bool = False,
        **intent: Any,
    ) -> Planned:
        """One update, not yet sent.

        ``caller`` names a credential; ``authorization`` is the whole header value instead, with key references, or
        ``""`` for no such header.  What is given in ``intent`` goes into the `Intent` as it is.
        """
        names = self.names
        target_rule = self.rule if rule is None else rule
        if isinstance(body, Body):
            intent.setdefault("acceptance", body.acceptance)
            intent.setdefault("features", tuple(sorted(body.shapes)) if body.acceptance == "should" else ())
            intent.setdefault("body", "open" if body.acceptance == "open" else "valid")
            body = body.value
        elif isinstance(body, Mapping):
            intent.setdefault("body", "valid")
            intent.setdefault("acceptance", "open")
        content = body if isinstance(body, bytes) or body is None else encode(body)
        lines: list[tuple[str, str]] = []
        if authorization is None:
            lines.append((names.authorization, f"{names.auth_scheme} {{key:{caller}}}"))
        elif authorization:
            lines.append((names.authorization, authorization))
        if content is not None and content_type is not None:
            lines.append(("Content-Type", content_type))
        if key is not None:
            lines.append((names.idempotency_key, key))
        if request_id is not None:
            lines.append((names.request_id_header, request_id))
            intent.setdefault("request_id", "plain")
        lines += headers
        request = Request(
            method=method,
            target=self.contract.update.path_for(target_rule) if target is None else target,
            headers=tuple(lines),
            body=None if content is None else Payload.of(content),
            raw=raw,
        )
        return request, Intent(caller=caller, rule=target_rule, key=key, **intent)

    def plan_odd(self, odd: OddRequest, body: Body | Mapping[str, Any], /, **intent: Any) -> Planned:
        """A valid update with one thing odd in it, not yet sent."""
        value = body.value if isinstance(body, Body) else body
        content = encode({**value, **dict(odd.fields)}) if odd.body is None else odd.body
        replaced = {name.lower() for name, _ in odd.headers} | {name.lower() for name in odd.without}
        intent.setdefault("body", "valid")
        intent.setdefault("acceptance", "open")
        request_id = intent.pop("request_id", "none")
        request, plain = self.plan_update(content, case=odd.name, requirement=odd.requirement, **intent)
        plain = msgspec.structs.replace(plain, request_id=request_id)
        headers = tuple(line for line in request.headers if line[0].lower() not in replaced) + odd.headers
        target = request.target
        if odd.segment is not None:
            target = self.contract.update.path.rpartition("/")[0] + "/" + odd.segment
        if odd.query:
            target += "?" + odd.query
        return msgspec.structs.replace(request, headers=headers, target=target, raw=odd.raw), plain

    def can_send(self, odd: OddRequest) -> bool:
        """Whether an odd request says anything here: a changed key is another key, and the profile lets keys show."""
        if odd.exposes_key and not self.shared.profile.permissions.expose_key:
            return False
        return all(self.shared.applicable(value) for _, value in odd.headers)

    def marked(self, mark: str = "") -> dict[str, Any]:
        """The page's example, plausible here, with a nickname of this case's own, so that its effect would show."""
        body = dict(self.usual().value)
        body[self.names.nickname] = f"Probe {mark}{self.random.randrange(10**6):06d}"
        return body

    def distinct(self, number: int) -> dict[str, Any]:
        """A plausible body that no other of this case resembles: nickname, description and amount are its own."""
        body = dict(self.usual().value)
        body[self.names.nickname] = f"Version {number}" + " again" * self._attempt
        body[self.names.description] = f"Version {number} of {self._case_id}"
        if self.shared.guard.is_open:
            body = with_amount(self.contract, body, 1 + number % self.world.max_amount_in_cents)
        return body

    def renew(self, rule: str) -> None:
        """Give a rule a nickname that it never had, and read it back."""
        self.begin(rule)
        body = self.own_body(rule, f"Renewed {self.random.randrange(10**6):06d}")
        self.update(
            body,
            rule=rule,
            caller=self.writer(rule),
            existence=self.existence(rule),
            purpose="setup",
            acceptance="open",
            case="renewed before it is confirmed",
        )
        self.read(rule, existence=self.existence(rule))

    def own_body(self, rule: str, nickname: str) -> dict[str, Any]:
        """A rule's own configuration under another nickname: plausible whoever owns it."""
        state = self.state(rule)
        if state is None:
            raise Unmet(f"{rule} cannot be read")
        return {**configuration(self.contract, state), self.names.nickname: nickname}

    def granule(self) -> float:
        """Seconds after which the target's update times certainly differ, as far as they were seen."""
        known = [instant(state.get(self.names.updated_at)) for state in self._known.states.values()]
        is_coarse = any(moment is not None and moment.microsecond == 0 for moment in known)
        return COARSE_SECONDS if is_coarse or not known else FINE_SECONDS

    def width(self, wanted: int) -> int:
        """How many requests can be released together here."""
        return min(wanted, self.shared.client.most_together)

    def usual(self) -> Body:
        """The page's example where live shapes may be sent, else the inert body."""
        make = example if self.shared.guard.is_open else inert
        return make(self.contract, self.world)

    def inert(self) -> dict[str, Any]:
        """A body that could move nothing soon, whatever becomes of it."""
        return dict(inert(self.contract, self.world).value)

    def wrong_bodies(self) -> list[tuple[str, dict[str, Any]]]:
        """Well-formed bodies of the wrong schema, for whoever may not even have them looked at."""
        names, usual = self.names, self.inert()
        return [
            ("an empty object", {}),
            (f"{names.steps} a string", {**usual, names.steps: "wrong"}),
            (f"no {names.trigger}", {name: value for name, value in usual.items() if name != names.trigger}),
        ]

    def update(self, body: Body | Mapping[str, Any] | bytes | None, /, **details: Any) -> Exchange:
        """Send one update; see `plan_update`."""
        return self.send(*self.plan_update(body, **details))

    def plan_read(self, rule: str | None = None, *, caller: str | None = None, **intent: Any) -> Planned:
        """One read by the companion GET, not yet sent."""
        if self.contract.read is None:
            raise Unmet("the contract has no companion GET")
        rule = self.rule if rule is None else rule
        caller = caller or self.reader(rule)
        request_id = intent.pop("with_request_id", None)
        authorization = intent.pop("authorization", f"{self.names.auth_scheme} {{key:{caller}}}")
        headers = [(self.names.authorization, authorization)] if authorization else []
        if request_id is not None:
            headers.append((self.names.request_id_header, request_id))
            intent.setdefault("request_id", "plain")
        request = Request("GET", self.contract.read.path_for(rule), tuple(headers))
        intent.setdefault("purpose", "read")
        return request, Intent(operation="read", caller=caller, rule=rule, **intent)

    def reader(self, rule: str) -> str:
        """The credential that reads a rule."""
        foreign = rule == self.shared.profile.rules.other_org and "other_org" in self.shared.profile.credentials
        return "other_org" if foreign else self.main_caller()

    def main_caller(self) -> str:
        """The credential that may update and read every rule."""
        credentials = self.shared.profile.credentials
        return "full" if "full" in credentials else next(iter(credentials))

    def read(self, rule: str | None = None, **intent: Any) -> dict[str, Any] | None:
        """Read a rule and remember its state; ``None`` where it cannot be read.

        Waits for reads to catch up first, where the profile says that they may lag.
        """
        if not self.readable:
            return None
        rule = self.rule if rule is None else rule
        if rule in self._known.stale and self.shared.profile.limits.settle_seconds > 0:
            self.shared.pause(self.shared.profile.limits.settle_seconds)
        exchange = self.send(*self.plan_read(rule, **intent))
        return self._known.states.get(rule) if exchange.answer is not None else None

    def begin(self, *rules: str) -> None:
        """Make the state of rules known before anything is sent to them."""
        for rule in rules or (self.rule,):
            if rule in self._known.states and rule not in self._known.stale:
                self._before.setdefault(rule, self._known.states[rule])
            elif self.readable:
                self.read(rule)

    def trigger(self, caller: str, **intent: Any) -> Exchange:
        """Ask for an execution; only where the profile allows it (`Guard.check`)."""
        if self.contract.trigger is None:
            raise Unmet("the contract has no trigger")
        headers = ((self.names.authorization, f"{self.names.auth_scheme} {{key:{caller}}}"),)
        request = Request(self.contract.trigger.method, self.contract.trigger.path_for(self.rule), headers)
        return self.send(
            request, Intent(purpose="trigger", operation="trigger", caller=caller, rule=self.rule, **intent)
        )

    def existence(self, rule: str) -> Existence:
        """Whose a rule of the profile is, as the main credential sees it."""
        return "foreign" if rule == self.shared.profile.rules.other_org else "own"

    def writer(self, rule: str) -> str:
        """The credential that may update a rule."""
        return self.reader(rule)

    def state(self, rule: str | None = None) -> dict[str, Any] | None:
        """The state of a rule as last read, if nothing was written since."""
        rule = self.rule if rule is None else rule
        return None if rule in self._known.stale else self._known.states.get(rule)

    def send(self, request: Request, intent: Intent) -> Exchange:
        """Send one request, record it, and return the exchange."""
        return self.send_all([(request, intent)])[0]

    def send_all(self, planned: Sequence[Planned], *, together: bool = False) -> list[Exchange]:
        """Send several requests, up to the profile's number in flight at once, or released at one moment."""
        for request, intent in planned:
            self.shared.guard.check(request, intent)
            if intent.operation != "read":
                self._known.stale.add(intent.rule)
        requests = [request for request, _ in planned]
        if together:
            self._groups += 1
            group = self._groups
            planned = [(request, msgspec.structs.replace(intent, group=group)) for request, intent in planned]
            results = self.shared.client.send_together(requests)
        elif len(requests) == 1:
            results = [self.shared.client.send(requests[0])]
        else:
            results = self.shared.client.send_many(requests)
        sent = [
            Exchange(request, result.outcome, intent, result.started, result.ended)
            for (request, intent), result in zip(planned, results, strict=True)
        ]
        self.exchanges += sent
        for exchange in sent:
            self._remember(exchange)
        return sent

    def enable(self, rule: str | None = None) -> bool:
        """Have the operator's hook enable a rule, and read it to be sure; whether it is enabled now."""
        rule = self.rule if rule is None else rule
        self.shared.guard.enabled.add(rule)
        self.shared.hooks.enable_rule(rule)
        self._known.stale.add(rule)
        state = self.read(rule)
        return state is not None and state.get(self.names.status) == self.names.enabled

    def unexpectedly_enabled(self) -> list[str]:
        """Rules that a read or an answer of this bench showed enabled after an update that was executed."""
        return sorted(self._enabled_after_update)

    def sleep(self, seconds: float) -> None:
        self.shared.pause(seconds)

    def _remember(self, exchange: Exchange) -> None:
        """Keep what a read shows; what was written stays unknown until it is read."""
        self._watch_status(exchange)
        intent, answer = exchange.intent, exchange.answer
        if intent.operation != "read" or answer is None or answer.status != 200:
            return
        data = answer.object().get(self.names.data)
        if isinstance(data, dict):
            self._known.states[intent.rule] = data
            self._known.stale.discard(intent.rule)

    def _watch_status(self, exchange: Exchange) -> None:
        """Follow which rules may be enabled, and notice one that is where it must not be."""
        intent, answer, guard = exchange.intent, exchange.answer, self.shared.guard
        if answer is None or not answer.is_success or intent.existence not in ("own", "foreign"):
            return
        data = answer.object().get(self.names.data)
        status = data.get(self.names.status) if isinstance(data, dict) else None
        says = guard.says(exchange.request)
        if intent.operation == "update" and intent.repeats is None and says != self.names.enabled:
            guard.enabled.discard(intent.rule)
        if status == self.names.enabled and intent.rule not in guard.enabled:
            self._enabled_after_update.add(intent.rule)
            guard.enabled.add(intent.rule)


def encode(body: Mapping[str, Any]) -> bytes:
    """A body as it goes over the wire: compact JSON, fields in the order given."""
    return msgspec.json.encode(body)
