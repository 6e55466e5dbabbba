"""Chooses what is tried next: what was not reached yet comes first, then what drew new answers, then anything."""

from __future__ import annotations

import functools
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import msgspec

from rules_harness.harness.campaign.batches import ask_all, ask_for_unknown, break_all, send_all, send_odd
from rules_harness.harness.campaign.coverage import Coverage, Map
from rules_harness.harness.campaign.drawing import Supplies
from rules_harness.harness.campaign.messages import CorpusEntry, Shard, Stage
from rules_harness.harness.campaign.performing import Materials, perform
from rules_harness.harness.scenarios import SCENARIOS, crossing
from rules_harness.harness.scenarios.scenario import Scenario, Situation, lacking
from rules_harness.harness.scenarios.telling import most_telling_first
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, body_of, is_suitable, variations
from rules_harness.strategies.design import Factor, Row, drawn, row_of
from rules_harness.strategies.factors import CHANGED, CHANGES, ONE_FIELD, OUTSIDE, is_possible, kinds_of, of_updates
from rules_harness.strategies.histories import BODIES, History
from rules_harness.strategies.mutations import catalogue, circumstances
from rules_harness.strategies.requests import (
    OddRequest,
    encoding_bodies,
    media_types,
    odd_credentials,
    odd_header_sets,
    odd_ids,
    odd_request_ids,
    syntax_bodies,
)
from rules_harness.strategies.shapes import is_kind
from rules_harness.strategies.world import World

PLAUSIBLE_AT_ONCE: Final = 3
ASKED_AT_ONCE: Final = 4
ODD_AT_ONCE: Final = 12
CLOCK_HISTORIES: Final = 3
"""Histories that may move the target's clock: dates that lie ahead must stay ahead."""
UNTRIED_SHARE: Final = 0.8
"""Of a rule's turns, for the gate's own scenarios until each was run once."""
REUSED: Final = 3
"""How many times a drawn body is broken in bulk before another is drawn."""
_KEPT: Final = 64
_IN_TURN: Final = (
    *("broken",) * 10,
    *("plausible",) * 3,
    *("crossed",) * 2,
    *("odd",) * 2,
    *("history",) * 4,
    "asked",
)
DRAWN_AT_ONCE: Final = 4
"""Rows of which the one is taken that has most pairs of values that were not met."""


NOTHING_GIVEN: Final[Row] = MappingProxyType({})


class Attempt(msgspec.Struct, frozen=True):
    """A scenario with what it is led by: the mutations it sends and the body that it breaks."""

    scenario: Scenario
    name: str
    """What the episode is called: the same for all of a kind, since findings are grouped by it."""
    mutations: tuple[int, ...] = ()
    base: Body | None = None
    history: History = ()
    materials: Materials = Materials()


class Chooser:
    """One shard's choices; used by one thread at a time."""

    def __init__(
        self,
        contract: Contract,
        world: World,
        shard: Shard,
        coverage: Coverage,
        supplies: Supplies,
        *,
        open_shapes: bool,
    ):
        self.contract = contract
        self.world = world
        self.shard = shard
        self.coverage = coverage
        self.accepted: deque[dict[str, Any]] = deque(shard.bodies, maxlen=_KEPT)
        self._open = open_shapes
        self._chance = random.Random(f"{shard.seed}/{shard.number}")
        self._chart: Map = coverage.map
        self._supplies = supplies
        self._fresh: Body | None = None
        self._uses = 0
        self._kept: deque[Body] = deque(maxlen=_KEPT)
        self._asked = [
            mutation
            for mutation in catalogue(contract)
            if mutation.requirement is None and (open_shapes or not mutation.risky)
        ]
        self._situation = Situation(
            contract=contract,
            profile=shard.profile,
            readable=shard.readable,
            usable=tuple(rule for rule in shard.profile.rules.writable if rule in shard.rules),
            limited=shard.limited,
            foreign=shard.foreign,
        )
        self._kinds = crossing.kinds(contract, world) if open_shapes and is_suitable(contract, world) else {}
        """Bodies of each kind, where an enabled rule may have any."""
        self._times: Counter[str] = Counter()
        """How often each kind was drawn."""
        self._pending = self._chance.sample(coverage.unreached_mutations(), k=len(coverage.unreached_mutations()))
        self._scenarios = self._made_scenarios()
        self._entries: deque[CorpusEntry] = deque(shard.entries)
        self._numbers = {mutation.name: number for number, mutation in enumerate(self._chart.mutations)}
        self._made = 0

    def _made_scenarios(self) -> dict[str, deque[Scenario]]:
        """The gate's own scenarios that were not run yet, by lane."""
        lanes: dict[str, deque[Scenario]] = {}
        for scenario in made_scenarios(self.contract, self.world, self.shard.profile):
            if lacking(scenario, self._situation) is None and not self.coverage.has_scenario(scenario.id):
                lanes.setdefault(scenario.lane, deque()).append(scenario)
        return {lane: deque(self._about_in_order(scenarios)) for lane, scenarios in lanes.items()}

    def _about_in_order(self, scenarios: Iterable[Scenario]) -> list[Scenario]:
        """The most telling first, not to the place: several workers have the same before them."""
        places = {
            scenario.id: place * self._chance.uniform(0.25, 1.0)
            for place, scenario in enumerate(most_telling_first(scenarios))
        }
        return sorted(scenarios, key=lambda scenario: places[scenario.id])

    def learn(self, accepted: Iterable[dict[str, Any]], telling: Body | None) -> None:
        """What of an attempt was accepted, and the body that drew a new kind of answer, if any."""
        self.accepted.extend(accepted)
        if telling is not None:
            self._kept.append(telling)

    def next_alone(self, stage: Stage) -> Iterator[Attempt]:
        """What takes all rules at once, one after the other, and then nothing more."""
        for lane in ("first",) if stage == "first" else ("limited", "foreign", "alone"):
            for scenario in self._scenarios.pop(lane, ()):
                yield self._attempt(scenario, scenario.name)
        if stage == "alone" and "advance_clock" in self.shard.profile.hooks:
            for _ in range(CLOCK_HISTORIES):
                history = self._supplies.history(wait=True)
                if history is not None:
                    yield self._history(history)

    def next_for_rule(self, size: int) -> Attempt:
        """What one rule's lane does next; ``size`` is how many refusals are expected at once."""
        if self._entries:
            return self._entry(self._entries.popleft())
        if self._chance.random() < UNTRIED_SHARE and (scenario := self._untried("rule")) is not None:
            return self._attempt(scenario, scenario.name)
        if not is_suitable(self.contract, self.world):
            return self._odd_attempt() if self._chance.random() < 0.5 else self._next_history()
        if self._pending and self._chance.random() < 0.7:
            return self._broken(size)
        kind = self._chance.choice(_IN_TURN)
        makers: dict[str, Callable[[], Attempt]] = {
            "broken": lambda: self._broken(size),
            "plausible": self._plausible,
            "crossed": self._crossed,
            "odd": self._odd_attempt,
            "history": self._next_history,
            "asked": self._ask,
        }
        return makers[kind]()

    @property
    def puts_off_unknown_ids(self) -> bool:
        """Whether rules have scenarios before them that tell more than many ids that do not exist."""
        return bool(self._scenarios.get("rule")) and not any(map(self._scenarios.get, ("unknown", "last")))

    def next_off_rule(self, size: int) -> Attempt:
        """What the lane without a rule does next: unknown ids, and whoever may not ask."""
        scenario = self._untried("unknown") or self._untried("last")
        if scenario is not None:
            return self._attempt(scenario, scenario.name)
        run = partial(ask_for_unknown, count=size, number=self._chance.randrange(2**32))
        requirements = ("not-found.unknown-id", "auth.before-lookup")
        return self._attempt(Scenario("not-found/many", "not-found", requirements, run, "unknown"), "many")

    def _untried(self, lane: str) -> Scenario | None:
        scenarios = self._scenarios.get(lane)
        return scenarios.popleft() if scenarios else None

    def _attempt(self, scenario: Scenario, name: str, **led_by: Any) -> Attempt:
        self._made += 1
        numbered = msgspec.structs.replace(scenario, id=f"{scenario.family}/{name}-{self.shard.number}-{self._made}")
        return Attempt(numbered, name, **led_by)

    def _base(self) -> Body | None:
        """A body to break: a new one, one that drew something new, or for a third of the batches the simplest."""
        luck = self._chance.random()
        if luck < 0.34 or not is_suitable(self.contract, self.world):
            return None
        if luck < 0.5 and self._kept:
            return self._chance.choice(self._kept)
        if self._fresh is None or self._uses >= REUSED:
            self._fresh, self._uses = self._supplies.body() or self._fresh, 0
        self._uses += 1
        return self._fresh

    def _broken(self, size: int) -> Attempt:
        """A batch of refusals: what was never sent, then what this sort of body was never broken by, then anything."""
        base = self._base()
        size = min(size, len(self._chart.mutations))
        chosen = [self._pending.pop() for _ in range(min(size, len(self._pending)))]
        left = size - len(chosen)
        if left and base is not None:
            unpaired = self.coverage.unpaired(self.coverage.kinds_of(base.shapes))
            chosen += self._chance.sample(unpaired, k=min(left, len(unpaired)))
        left = size - len(chosen)
        if left:
            chosen += self._chance.sample(range(len(self._chart.mutations)), k=left)
        return self._breaking(tuple(chosen), base)

    def _breaking(self, chosen: tuple[int, ...], base: Body | None, given: Row = NOTHING_GIVEN) -> Attempt:
        mutations = [self._chart.mutations[number] for number in chosen]
        around = [circumstances(self.contract)[mutation.name] for mutation in mutations]
        rows = [self._row(factors, {**what, **given}) for what, factors in around]
        run = partial(break_all, mutations=list(zip(mutations, rows, strict=True)), base=base)
        requirements = tuple(sorted({mutation.requirement for mutation in mutations if mutation.requirement}))
        scenario = Scenario("validation/broken", "validation", requirements, run)
        return self._attempt(scenario, "broken", mutations=chosen, base=base)

    def _plausible(self) -> Attempt:
        taken = [self._supplies.body() for _ in range(PLAUSIBLE_AT_ONCE)]
        chosen = [body for body in taken if body is not None]
        if not chosen:
            return self._ask()
        self._times.update(kind for body in chosen for kind in filter(is_kind, body.shapes))
        self._fresh, self._uses = chosen[-1], 0
        return self._sending(chosen)

    def _sending(self, bodies: Sequence[Body], given: Row = NOTHING_GIVEN) -> Attempt:
        rows = [self._row(OUTSIDE, {**kinds_of(body, self._times), **given}) for body in bodies]
        run = partial(send_all, bodies=list(zip(bodies, rows, strict=True)))
        return self._attempt(Scenario("update/drawn", "update", ("update.accepts-valid",), run), "drawn")

    def _crossed(self) -> Attempt:
        """An update under circumstances of which three and more may never have met."""
        bodies = self._kinds
        row = self._row(of_updates(self.contract, tuple(bodies)), {}, is_possible)
        if row[CHANGES.name] == ONE_FIELD:
            row = self._row((CHANGED,), row)
        scenario = crossing.crossed(self.contract, "crossed", row, bodies)
        if lacking(scenario, self._situation) is not None:
            return self._ask()
        return self._attempt(scenario, "crossed")

    def _row(
        self, factors: Sequence[Factor], settled: Row, is_possible: Callable[[Row], bool] = lambda row: True
    ) -> Row:
        """Circumstances that met least of each other so far, of some that are drawn."""
        return self.coverage.least_met(
            [drawn(factors, self._chance, settled=settled, is_possible=is_possible) for _ in range(DRAWN_AT_ONCE)]
        )

    def _ask(self) -> Attempt:
        chosen = self._chance.sample(self._asked, k=min(ASKED_AT_ONCE, len(self._asked)))
        return self._attempt(
            Scenario("validation/asked", "validation", (), partial(ask_all, mutations=chosen)), "asked"
        )

    def _odd_attempt(self) -> Attempt:
        listed = _listed(self.contract, self.world, self.shard.profile.rules.all)
        if not self.shard.profile.permissions.expose_key:
            listed = tuple(odd for odd in listed if not odd.exposes_key)
        chosen = self._chance.sample(listed, k=ODD_AT_ONCE)
        odd = self._supplies.odd()
        if odd is not None:
            chosen.append(odd)
        requirements = tuple(sorted({odd.requirement for odd in chosen}))
        return self._attempt(Scenario("http/odd", "http", requirements, partial(send_odd, requests=chosen)), "odd")

    def _next_history(self) -> Attempt:
        history = self._supplies.history()
        return self._ask() if history is None else self._history(history)

    def _history(self, history: History) -> Attempt:
        known = list(self.accepted)
        if not known and is_suitable(self.contract, self.world):
            known = [body.value for body in variations(self.contract, self.world)]
        chosen = tuple(self._chance.sample(known, k=min(BODIES, len(known))))
        broken = tuple(self._chance.sample(self._chart.mutations, k=min(8, len(self._chart.mutations))))
        return self._performing(history, Materials(chosen, broken))

    def _performing(self, history: History, materials: Materials) -> Attempt:
        run = partial(perform, history=history, materials=materials)
        scenario = Scenario("idempotency/history", "idempotency", (), run)
        return self._attempt(scenario, "history", history=history, materials=materials)

    def _entry(self, entry: CorpusEntry) -> Attempt:
        """Something from the corpus; what this contract no longer has gives way to odd requests."""
        if entry.history:
            return self._performing(entry.history, Materials(entry.bodies, self._chart.mutations[:8]))
        base = None if entry.body is None else body_of(self.contract, self.world, entry.body)
        if entry.mutation in self._numbers:
            return self._breaking((self._numbers[entry.mutation],), base, row_of(entry.factors))
        if base is None or not is_suitable(self.contract, self.world):
            return self._odd_attempt()
        return self._sending([base], row_of(entry.factors))


def made_scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """The gate's scenarios that campaigns run too."""
    for source in SCENARIOS:
        if not source.gate_alone:
            yield from source.make(contract, world, profile)


@functools.lru_cache(maxsize=4)
def _listed(contract: Contract, world: World, known: tuple[str, ...]) -> tuple[OddRequest, ...]:
    """Every odd request that has a name of its own; those of an odd size are left to the gate's scenarios."""
    return (
        *odd_request_ids(contract),
        *odd_ids(known),
        *odd_header_sets(),
        *odd_credentials(contract),
        *syntax_bodies(contract, world),
        *encoding_bodies(contract, world),
        *media_types(contract, world),
    )
