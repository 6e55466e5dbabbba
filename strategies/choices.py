"""The choices of a body as a tree: at each place the options, and below each option the choices that follow.

A choice counts once for all alternatives that share a field: the `limit` of every action is one choice, so that
pairs of choices stay few enough to be sent. Of the members of a list the first one chooses; a second one stands
beside it, of each alternative in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec
from hypothesis import Phase, find, settings

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import text
from rules_harness.strategies.contents import bounds_of, is_text, listed_shapes
from rules_harness.strategies.drawing import ABSENT
from rules_harness.strategies.places import Place, below
from rules_harness.strategies.plausible import latest_start, plausible_place, soonest_start, sources
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.schema import allowed, values
from rules_harness.strategies.world import World

_LEVELS: Final = 3
_FREE_NUMBERS: Final = (100, -12.5, 0.1, 0, 250_000)
_ALWAYS_THE_SAME: Final = settings(
    database=None, derandomize=True, max_examples=10, phases=[Phase.generate, Phase.shrink]
)
_INNER_ALTERNATIVE: Final = re.compile(r":[^/:=]+(?=/)")


class Choice(msgspec.Struct, frozen=True):
    """What is chosen at a place: a shape, or the part of its name that all alternatives share."""

    name: str
    siblings: str = ""
    """For an alternative, what all alternatives of its place have here."""
    pairs_with: Literal["all", "siblings", "none"] = "all"
    """`siblings`: an alternative of a second member, paired with those of the first; `none`: it has to occur, and
    that is all."""


class Option(msgspec.Struct, eq=False):
    """One way to fill a place: one of `values` in turn, an object of `settings` and `fields`, or an array of
    `members`; nothing, if absent."""

    choices: tuple[Choice, ...]
    values: tuple[Any, ...] = ()
    settings: Mapping[str, Any] = {}
    fields: tuple[tuple[str, Decision], ...] = ()
    members: tuple[Decision, ...] = ()
    absent: bool = False

    def decisions(self) -> Iterator[Decision]:
        yield from (decision for _, decision in self.fields)
        yield from self.members

    def filled(self, turn: int, parts: list[Any]) -> Any:
        """The value of this option, given those of its decisions; `ABSENT` for none."""
        if self.absent:
            return ABSENT
        if self.values:
            return self.values[turn % len(self.values)]
        if self.members:
            return parts
        names = (name for name, _ in self.fields)
        return {**self.settings, **{name: part for name, part in zip(names, parts, strict=True) if part is not ABSENT}}


class Decision(msgspec.Struct, eq=False):
    """A place to fill, and the ways to."""

    options: tuple[Option, ...]


def shared(shape: str) -> str:
    """The shape without the alternatives that its path goes through."""
    return _INNER_ALTERNATIVE.sub("", shape)


def _named(place: Place, own: bool, choice: str) -> tuple[Choice, ...]:
    """The shape of a choice, if it counts. One that the server may make itself is paired with nothing, and keeps its
    alternatives."""
    if not own:
        return ()
    shape = f"{place.path}={choice}"
    return (Choice(shape, pairs_with="none") if place.keywords.get("x-server-filled") else Choice(shared(shape)),)


def decision_of(contract: Contract, world: World) -> Decision:
    """The choices of a plausible body; the type of account that the money comes from is the first of them."""
    by_type = {source.type: source for source in reversed(sources(contract, world))}
    tree = _Tree(contract, world)
    places = [plausible_place(contract, world, source) for source in by_type.values()]
    return Decision(tuple(option for place in places for option in tree.decide(place, _LEVELS, own=True).options))


class _Tree:
    """Turns places into decisions, each anew: what stands below an option depends on the way there."""

    def __init__(self, contract: Contract, world: World) -> None:
        self._contract = contract
        self._world = world
        self._simplest: dict[str, Any] = {}

    def decide(self, place: Place, levels: int, *, own: bool, beside: bool = False, optional: bool = False) -> Decision:
        """The choices at a place. Those that are not `own` count for nothing, but for the alternative where they
        stand `beside` others."""
        options: list[Option] = []
        if optional:
            options.append(Option(_named(place, own, "absent"), absent=True))
        if place.nullable:
            options.append(Option(_named(place, own, "null"), values=(None,)))
        present = _named(place, own and (optional or place.nullable), "present")
        for option in self._present(place, levels, own, beside):
            option.choices += present
            options.append(option)
        return Decision(tuple(options))

    def _present(self, place: Place, levels: int, own: bool, beside: bool) -> Iterator[Option]:
        if place.alternatives:
            for inner in place.alternatives.values():
                if beside and any(deeper.offers("percentage") for deeper in below(inner)):
                    continue  # two shares beside each other would have to be reduced, and miss their bounds
                for option in self._present(inner, levels, own, beside=False):
                    option.choices += self._alternative(place, inner, levels, own, beside)
                    yield option
        elif "array" in place.types and place.items is not None:
            yield from self._arrays(place, place.items, levels, own)
        elif "object" in place.types:
            yield from self._objects(place, levels, own)
        else:
            yield from self._scalars(place, own)

    def _alternative(self, place: Place, inner: Place, levels: int, own: bool, beside: bool) -> tuple[Choice, ...]:
        if not own and not beside:
            return ()
        level = f"level {_LEVELS - levels + 1} of " if levels < _LEVELS else ""
        return (Choice(level + shared(inner.name), level + shared(place.name), "all" if own else "siblings"),)

    def _below(
        self, parent: Place, place: Place, levels: int, *, own: bool, beside: bool = False, optional: bool = False
    ) -> Decision:
        if not place.path.startswith(parent.path + "/"):
            levels -= 1
        if levels == 0:
            return Decision(())
        return self.decide(place, levels, own=own, beside=beside, optional=optional)

    def _arrays(self, place: Place, items: Place, levels: int, own: bool) -> Iterator[Option]:
        first = self._below(place, items, levels, own=own)
        if not first.options:
            return
        least, most = place.keywords.get("minItems", 0), place.keywords.get("maxItems", 2)
        if least <= 1:
            yield Option(_named(place, own, "one"), members=(first,))
        second = self._below(place, items, levels, own=False, beside=own)
        if second.options and most > 1:
            others = (second,) * (max(least, 2) - 1)
            yield Option(_named(place, own, "several"), members=(first, *others))

    def _objects(self, place: Place, levels: int, own: bool) -> Iterator[Option]:
        fields = []
        for name, inner in place.properties.items():
            if name in place.excluded or (place.pins and name in place.pins[0]):
                continue
            decision = self._below(place, inner, levels, own=own, optional=not inner.required)
            if inner.required and not decision.options:
                return
            fields.append((name, decision))
        for pin, shapes in self._pins(place).items() if place.pins else [((), ())]:
            yield Option(
                tuple(Choice(shared(shape)) for shape in shapes if own), settings=dict(pin), fields=tuple(fields)
            )

    def _pins(self, place: Place) -> dict[tuple[tuple[str, Any], ...], tuple[str, ...]]:
        """One account of each type."""
        pins: dict[tuple[str, ...], tuple[tuple[str, Any], ...]] = {}
        for pin in place.pins:
            shapes = tuple(
                listed_shapes(place.properties[name])[value]
                for name, value in pin.items()
                if listed_shapes(place.properties[name])
            )
            pins.setdefault(shapes, tuple(pin.items()))
        return {pin: shapes for shapes, pin in pins.items()}

    def _scalars(self, place: Place, own: bool) -> Iterator[Option]:
        listed = listed_shapes(place)
        bounds = bounds_of(place)
        if listed:
            yield from (
                Option((Choice(shared(shape)),) if own else (), values=(value,)) for value, shape in listed.items()
            )
        elif bounds is not None:
            for end, value in zip(("least", "most"), bounds, strict=True):
                yield Option(_named(place, own, end), values=(value,))
        elif place.types:
            yield Option((), values=self._samples(place))

    def _samples(self, place: Place) -> tuple[Any, ...]:
        if "enum" in place.keywords:
            return allowed(self._contract, place, place.keywords["enum"])
        if "days-ahead" in place.plausible:
            soonest, latest = soonest_start(self._contract, self._world), latest_start(self._contract, self._world)
            return tuple(instant_text(instant) for instant in (soonest + timedelta(days=30), soonest, latest))
        texts = text.PLAIN if place.standing == "documented" else text.BRIEF
        samples = allowed(self._contract, place, [*_FREE_NUMBERS, *(texts if is_text(place) else ())])
        if not samples and place.path not in self._simplest:
            drawn = values(self._contract, place)
            self._simplest[place.path] = find(drawn, lambda value: value is not None, settings=_ALWAYS_THE_SAME)
        return samples or (self._simplest[place.path],)
