"""What a scenario may send: plausible bodies of its own, and requests with their intents, not yet sent."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

import msgspec

from rules_harness.harness.exchange import Payload, Request
from rules_harness.harness.intent import Existence, Intent, Meaning
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.scenarios.cases import Cases
from rules_harness.harness.scenarios.details import Authorization, UpdateDetails
from rules_harness.harness.scenarios.known import Known
from rules_harness.harness.scenarios.outgoing import Outgoing
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.unknown_ids import similar_id
from rules_harness.harness.scenarios.unmet import Unmet
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import Guard, configuration, with_amount
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, body_of, example, inert, is_suitable
from rules_harness.strategies.examples import starting_later
from rules_harness.strategies.keys import KeyReference
from rules_harness.strategies.mutations.pools import example_world
from rules_harness.strategies.places import body_place
from rules_harness.strategies.requests import OddRequest
from rules_harness.strategies.validity import is_valid_body
from rules_harness.strategies.world import World

Planned = tuple[Request, Intent]
EXAMPLE_ID = "rule_01HXYZ1234"
COARSE_SECONDS = 1.1
FINE_SECONDS = 0.02
"""Update times count whole seconds or milliseconds."""


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
    applicable: Callable[[KeyReference], bool] = lambda key: True
    """Whether there is such a key, and a deformed one differs from the real one."""


class Planner:
    """What a scenario may send, not yet sent: bodies, updates, reads, each with its intent.

    ``rules`` are the rules that the scenario may use, the first being the usual one.
    """

    def __init__(self, shared: Shared, known: Known, scenario_id: str, rules: Sequence[str], *, attempt: int = 0):
        self.shared = shared
        self.contract = shared.contract
        self.names = shared.contract.names
        self.world = shared.world
        self.rules = tuple(rules)
        self.cases = Cases()
        self.random = random.Random(f"{shared.seed}/{scenario_id}/{attempt}")
        self._attempt = attempt
        self._known = known
        self._scenario_id = scenario_id
        self._keys = random.Random(f"{shared.nonce}/{scenario_id}/{attempt}")

    @property
    def rule(self) -> str:
        return self.rules[0]

    @property
    def readable(self) -> bool:
        return self.shared.readable

    def new_key(self) -> str:
        """An Idempotency-Key that no other run uses: a UUID v4."""
        return str(uuid.UUID(int=self._keys.getrandbits(128), version=4))

    def unknown_id(self) -> str:
        """An id of the form of this target's own that is not a rule there."""
        like = self.rules[0] if self.rules else EXAMPLE_ID
        while (made := similar_id(like, self.random)) in self.shared.profile.rules.all:
            pass
        return made

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
        authorization: Authorization = None,
        content_type: str | None = "application/json",
        method: str | None = None,
        target: str | None = None,
        raw: bool = False,
        **meaning: Unpack[Meaning],
    ) -> Planned:
        """One update, not yet sent.

        ``caller`` names a credential; ``authorization`` is what takes the place of its key.  ``meaning`` goes into the
        `Intent` as it is; what it leaves out is told by the body.
        """
        names = self.names
        target_rule = self.rule if rule is None else rule
        if isinstance(body, Body):
            meaning.setdefault("acceptance", body.acceptance)
            meaning.setdefault("shapes", tuple(sorted(body.shapes)))
            meaning.setdefault("body", "open" if body.acceptance == "open" else "valid")
            body = body.value
        content = body if isinstance(body, bytes) or body is None else encode(body)
        if isinstance(body, Mapping):
            # One that repeats the state of a rule is no better than what was accepted there.
            meaning.setdefault("body", "valid" if content and is_valid_body(self.contract, content) else "open")
            meaning.setdefault("acceptance", "open")
        lines: list[tuple[str, str]] = []
        if content is not None and content_type is not None:
            lines.append(("Content-Type", content_type))
        if key is not None:
            lines.append((names.idempotency_key, key))
        if request_id is not None:
            lines.append((names.request_id_header, request_id))
            meaning.setdefault("request_id_kind", "plain")
        lines += headers
        request = Request(
            method=method or self.contract.update.method,
            target=self.contract.update.path_for(target_rule) if target is None else target,
            headers=tuple(lines),
            body=None if content is None else Payload.of(content),
            raw=raw,
            key=self.key_of(caller) if authorization is None else authorization or None,
        )
        return request, Intent(caller=caller, rule=target_rule, key=key, case=self.cases.current, **meaning)

    def plan_odd(self, odd: OddRequest, body: Body | Mapping[str, Any], /, **details: Unpack[UpdateDetails]) -> Planned:
        """A valid update with one thing odd in it, not yet sent."""
        value = body.value if isinstance(body, Body) else body
        content = encode(value) if odd.body is None else odd.body
        replaced = {name.lower() for name, _ in odd.headers} | {name.lower() for name in odd.without}
        details.setdefault("body", "valid")
        details.setdefault("acceptance", "open")
        details.setdefault("label", odd.name)
        details.setdefault("requirement", odd.requirement)
        request, intent = self.plan_update(content, **details)
        headers = tuple(line for line in request.headers if line[0].lower() not in replaced) + odd.headers
        target = request.target
        if odd.segment is not None:
            target = self.contract.update.path.rpartition("/")[0] + "/" + odd.segment
        key = odd.key or (None if self.names.authorization.lower() in replaced else request.key)
        return msgspec.structs.replace(request, headers=headers, target=target, raw=odd.raw, key=key), intent

    def plan_read(
        self,
        rule: str | None = None,
        *,
        caller: str | None = None,
        request_id: str | None = None,
        authorization: Authorization = None,
        **meaning: Unpack[Meaning],
    ) -> Planned:
        """One read by the companion GET, not yet sent; what is given means the same as in `plan_update`."""
        if self.contract.read is None:
            raise Unmet("the contract has no companion GET")
        rule = self.rule if rule is None else rule
        caller = caller or self.owner(rule)
        key = self.key_of(caller) if authorization is None else authorization or None
        headers = () if request_id is None else ((self.names.request_id_header, request_id),)
        if request_id is not None:
            meaning.setdefault("request_id_kind", "plain")
        request = Request("GET", self.contract.read.path_for(rule), headers, key=key)
        meaning.setdefault("purpose", "read")
        meaning["operation"] = "read"
        return request, Intent(caller=caller, rule=rule, case=self.cases.current, **meaning)

    def key_of(self, caller: str, scheme: str | None = None) -> KeyReference:
        """The key of a credential, or one that is nobody's, where and as the contract wants it."""
        return KeyReference(caller, self.names.authorization, f"{scheme or self.names.auth_scheme} ")

    def can_send(self, odd: OddRequest) -> bool:
        """Whether an odd request says anything here: a changed key is another key, and the profile lets keys show."""
        if odd.exposes_key and not self.shared.profile.permissions.expose_key:
            return False
        return odd.key is None or self.shared.applicable(odd.key)

    def marked(self, mark: str = "") -> dict[str, Any]:
        """The page's example, plausible here, with a nickname of this scenario's own, so that its effect would show."""
        body = dict(self.usual().value)
        body[self.names.marker] = own(f"Probe {mark}{self.random.randrange(10**6):06d}")
        return body

    def marked_for(self, caller: str, mark: str = "") -> dict[str, Any]:
        """`marked`, naming accounts of the caller's own organization where they are known."""
        theirs = self._theirs() if caller == "other_org" else None
        return (
            self.marked(mark) if theirs is None else {**theirs, self.names.marker: self.marked(mark)[self.names.marker]}
        )

    def harmless(self, rule: str) -> dict[str, Any]:
        """The inert body, naming accounts of the organization that the rule belongs to where they are known."""
        theirs = self._theirs() if self.existence(rule) == "foreign" else None
        return self.inert() if theirs is None else theirs

    def _theirs(self) -> dict[str, Any] | None:
        """The inert body of the other organization; None where its accounts are not known."""
        theirs = msgspec.structs.replace(self.world, accounts=self.world.foreign_accounts, foreign_accounts=())
        return dict(inert(self.contract, theirs).value) if is_suitable(self.contract, theirs) else None

    def distinct(self, number: int) -> dict[str, Any]:
        """A plausible body like no other of this scenario: texts, start and amount are its own."""
        body = dict(self.usual().value)
        body[self.names.marker] = own(f"Version {number}" + " again" * self._attempt)
        if self.names.note is not None:
            body[self.names.note] = f"Version {number} of {self._scenario_id}"
        body = starting_later(self.contract, body, number)
        if self.shared.guard.is_open:
            body = with_amount(self.contract, body, 1 + number % self.world.max_amount_in_cents)
        return body

    def own_body(self, rule: str, marker: str) -> dict[str, Any]:
        """A rule's own configuration under another marker: plausible whoever owns it.

        As it was first read, where live shapes may be sent: what a target made of it since is not plausible.
        """
        state = self._known.first.get(rule) if self.shared.guard.is_open else self.state(rule)
        if state is None:
            raise Unmet(f"{rule} cannot be read")
        return {**configuration(self.contract, state), self.names.marker: marker}

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
        if self.shared.guard.is_open:
            return example(self.contract, self.world)
        return body_of(self.contract, self.world, self.inert())

    def inert(self) -> dict[str, Any]:
        """A body that could move nothing soon, whatever becomes of it; of the page's accounts where none is known."""
        known = self.world
        if not is_suitable(self.contract, known):
            known = msgspec.structs.replace(example_world(self.contract), now=known.now)
        return {**copy.deepcopy(inert(self.contract, known).value), self.names.marker: own("Inert")}

    def wrong_bodies(self) -> list[tuple[str, dict[str, Any]]]:
        """Well-formed bodies of the wrong schema, for whoever may not even have them looked at."""
        usual, fields = self.inert(), body_place(self.contract).properties
        wrong: list[tuple[str, dict[str, Any]]] = [("an empty object", {})]
        structured = [name for name, field in fields.items() if field.types and not field.types & {"string"}]
        if structured:
            wrong.append((f"{structured[-1]} a string", {**usual, structured[-1]: "wrong"}))
        else:
            wrong.append((f"{self.names.marker} a number", {**usual, self.names.marker: 7}))
        required = [name for name, field in fields.items() if field.required and name != self.names.status]
        if required:
            wrong.append((f"no {required[0]}", {name: value for name, value in usual.items() if name != required[0]}))
        return wrong

    def owner(self, rule: str) -> str:
        """The credential that may update and read a rule."""
        return self.shared.profile.credential_of(rule)

    def existence(self, rule: str) -> Existence:
        """Whose a rule of the profile is, as the main credential sees it."""
        return "foreign" if rule == self.shared.profile.rules.other_org else "own"

    def state(self, rule: str | None = None) -> dict[str, Any] | None:
        """The state of a rule as last read, if nothing was written since."""
        rule = self.rule if rule is None else rule
        return None if rule in self._known.stale else self._known.states.get(rule)


def encode(body: Mapping[str, Any]) -> bytes:
    """A body as it goes over the wire: compact JSON, fields in the order given."""
    return msgspec.json.encode(body)
