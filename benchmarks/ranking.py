"""In which order single cases tell most: a greedy cover of the faults that each shows, for its requests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from highspy import Highs

from rules_harness.harness.scenarios.telling import outer_of

OVERHEAD: Final = 31
"""Requests before the first scenario and after the last, to survey the rules and to put them back."""
SPARE: Final = 3
"""Requests that are left for what begins and ends a second scenario of a list of cases that several share out."""
SHORT: Final = 300
"""The run that nothing is to be in that others in it make up for."""
Unit = tuple[str, str]
"""A scenario as its cases are listed, and one of them."""
Way = frozenset[Unit]
"""What it takes to see a fault."""


class Costs:
    """How many requests each unit takes, and what it puts to the test."""

    def __init__(self, sent: Mapping[str, Mapping[str, tuple[int, list[str]]]]) -> None:
        self.besides: dict[str, int] = {}
        self.units: dict[Unit, int] = {}
        self.tells: dict[Unit, frozenset[str]] = {}
        for name, cases in sent.items():
            of_all, requirements = cases.get("", (0, []))
            is_divided = cases.keys() != {""}
            self.besides[name] = of_all if is_divided else 0
            for case, (requests, tells) in cases.items():
                if case or not is_divided:
                    self.units[name, case] = requests
                    self.tells[name, case] = frozenset(tells if case else requirements)
        self.turn = {unit: turn for turn, unit in enumerate(self.units)}
        """When each has its turn, those of one scenario compared."""

    def with_outer(self, unit: Unit) -> Way:
        """A unit, and the one in whose turn it is sent: a case `A, read` is sent where `A` is."""
        name, case = unit
        return frozenset({unit, (name, outer_of(case))} & self.units.keys())

    def beside(self, way: Way, taken: Collection[Unit], opened: Collection[str]) -> int:
        """What a way takes beside the units that are taken, of these scenarios."""
        new = [unit for unit in way if unit not in taken]
        return sum(self.units[unit] for unit in new) + sum(
            self.besides[name] for name in {name for name, _ in new} if name not in opened
        )


def ways_of(trial: Mapping[str, Any], costs: Costs) -> Iterator[Way]:
    """Every way of seeing a fault.

    What several cases show together, the last of them may show alone.  What only the end of many cases shows has no way
    of its own; what the first look shows needs none.
    """
    for name, sets in trial["shown_in"].items():
        if name not in costs.besides:
            yield frozenset()
            continue
        for cases in sets:
            units = [(name, case) for case in cases or [""]]
            if costs.units.keys() >= set(units):
                yield frozenset().union(*map(costs.with_outer, units))
                yield costs.with_outer(max(units, key=costs.turn.__getitem__))


def sent_in(trial: Mapping[str, Any]) -> Way:
    """The units that a run sent."""
    return frozenset((name, case) for name, cases in trial["sent"].items() for case in (cases.keys() - {""} or {""}))


class Ranking:
    """Puts units in order: at each step what shows most further faults for its requests; of equal ones what puts more
    further requirements to the test."""

    def __init__(self, ways: Mapping[str, frozenset[Way]], costs: Costs) -> None:
        self._costs = costs
        numbers = {fault: number for number, fault in enumerate(ways)}
        self._shows: dict[Way, int] = {}
        for fault, shown in ways.items():
            for way in shown:
                self._shows[way] = self._shows.get(way, 0) | 1 << numbers[fault]
        self._all = (1 << len(ways)) - 1

    def order(self) -> list[Unit]:
        """All units, those last that show nothing."""
        kept = self._short()
        order = self._picked([], [way for way in self._shows if way <= set(kept)])
        order = self._picked(order, self._shows)
        while ways := [way for way in self._shows if not way <= set(order)]:
            # All are found: now what finds them another way.
            order = self._picked(order, ways, anew=True)
        return [*order, *(unit for unit in self._costs.units if unit not in set(order))]

    def _short(self) -> list[Unit]:
        """What shows most in a short run, and of that what takes fewest requests."""
        # In an order of their own: of several best covers the solver takes one by the order of what it is given.
        shown = {way: self._shown(way) for way in sorted(filter(None, self._shows), key=sorted)}
        model = Highs()  # type: ignore[no-untyped-call]  # the library leaves this one without types
        model.silent()
        taken = {unit: model.addBinary() for unit in sorted({unit for way in shown for unit in way})}
        opened = {name: model.addBinary() for name, _ in taken}
        complete = {way: model.addBinary() for way in shown}
        sought = self._all & ~self._shown_by(set())
        found = {fault: model.addBinary() for fault in range(sought.bit_length()) if sought >> fault & 1}
        for unit, variable in taken.items():
            model.addConstr(variable <= opened[unit[0]])
        for way, variable in complete.items():
            for unit in sorted(way):
                model.addConstr(variable <= taken[unit])
        for fault, variable in found.items():
            model.addConstr(variable <= model.qsum(complete[way] for way in shown if shown[way] >> fault & 1))
        cost = model.qsum(
            [self._costs.units[unit] * variable for unit, variable in taken.items()]
            + [self._costs.besides[name] * variable for name, variable in opened.items()]
        )
        model.addConstr(cost <= SHORT - OVERHEAD - SPARE)
        model.maximize(SHORT * model.qsum(found.values()) - cost)
        return [unit for unit, variable in taken.items() if round(model.val(variable))]

    def _picked(self, begun: Sequence[Unit], ways: Iterable[Way], *, anew: bool = False) -> list[Unit]:
        """The units that were begun with, and of these ways the best ones, until no further fault is shown."""
        picked = dict.fromkeys(begun)
        opened = {name for name, _ in begun}
        tested = {requirement for unit in begun for requirement in self._costs.tells[unit]}
        left = self._all if anew else self._all & ~self._shown_by(set(begun))
        ways = {way for way in ways if way and not way <= picked.keys()}

        def worth(way: Way) -> tuple[float, int, list[Unit]]:
            cost = max(self._costs.beside(way, picked, opened), 1)
            tells = {requirement for unit in way for requirement in self._costs.tells[unit]} - tested
            return (self._shown(way) & left).bit_count() / cost, len(tells), sorted(way, reverse=True)

        while ways:
            best = max(ways, key=worth)
            ways.discard(best)
            if not self._shown(best) & left:
                break
            left &= ~self._shown(best)
            picked.update(dict.fromkeys(sorted(best)))
            opened |= {name for name, _ in best}
            tested |= {requirement for unit in best for requirement in self._costs.tells[unit]}
        return list(picked)

    def _shown(self, way: Way) -> int:
        shown = self._shows[way]
        for unit in way if len(way) > 1 else ():
            shown |= self._shows.get(frozenset({unit}), 0)
        return shown

    def _shown_by(self, units: set[Unit]) -> int:
        shown = 0
        for way, faults in self._shows.items():
            if way <= units:
                shown |= faults
        return shown
