"""How many faults are found for how many requests: `python -m benchmarks.curve MATRIX [--write] [--detection FILE]`.

MATRIX is what `rules-harness selftest --json MATRIX` writes. The curve is that of `check --requests N`, reckoned from
what each case shows; with ``--write`` the order that it is drawn for is kept where `check` looks for it.  With the
table of `benchmarks.detection` the campaign and schemathesis have lines of their own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rules_harness.harness.scenarios.telling import ORDER

POINTS: Final = (50, 100, 200, 300, 500, 1_000, 2_000, 3_500)
OVERHEAD: Final = 31
"""Requests before the first scenario and after the last, to survey the rules and to put them back."""
WIDTH: Final = 50
Unit = tuple[str, str]
"""A scenario as its cases are listed, and one of them."""
Way = frozenset[Unit]
"""What it takes to see a fault."""


def main() -> None:
    """Draw the curve, and keep the order if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--write", action="store_true", help=f"keep the order in {ORDER.name}")
    parser.add_argument("--detection", type=Path, metavar="FILE", help="detection.json of `benchmarks.detection`")
    options = parser.parse_args()
    trials = json.loads(options.matrix.read_text(encoding="utf-8"))["trials"]
    costs = Costs(next(trial["sent"] for trial in trials if trial["kind"] == "clean"))
    found = {trial["name"]: frozenset(ways_of(trial, costs)) for trial in trials if trial["kind"] == "fault"}
    ways = {fault: shown for fault, shown in found.items() if shown}
    order = Ranking(ways, costs).order()
    if options.write:
        ORDER.write_text(written(order, costs), encoding="utf-8")
    draw("check --requests N", [found_by(order, ways, costs, limit - OVERHEAD) for limit in POINTS], len(found))
    if options.detection:
        rows = json.loads(options.detection.read_text(encoding="utf-8"))
        for tool in ("campaign", "schemathesis"):
            cells = [row[tool]["requests"] for row in rows.values() if row.get(tool)]
            counts = [sum(cell is not None and cell <= limit for cell in cells) for limit in POINTS]
            draw(tool, counts, len(cells))


def draw(name: str, counts: Sequence[int], total: int) -> None:
    """One line of the curve."""
    print(name)
    for limit, count in zip(POINTS, counts, strict=True):
        share = count / max(total, 1)
        print(f"{limit:>6,} requests  {count:>4} of {total}  {share:>6.1%}  {'#' * round(share * WIDTH)}")


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

    def of(self, way: Way, taken: set[Unit], opened: set[str]) -> int:
        """What it takes beside what is taken."""
        new = way - taken
        return sum(self.units[unit] for unit in new) + sum(
            self.besides[name] for name in {name for name, _ in new} - opened
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
                yield frozenset(units)
                yield frozenset({max(units, key=costs.turn.__getitem__)})


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
        self._order: dict[Unit, None] = {}
        self._taken: set[Unit] = set()
        self._opened: set[str] = set()
        self._tested: set[str] = set()

    def order(self) -> list[Unit]:
        """All units, those last that show nothing."""
        left = self._all & ~self._shows.get(frozenset(), 0)
        ways = {way for way in self._shows if way}
        while ways:
            best = max(ways, key=lambda way: self._worth(way, left))
            if not self._shown(best) & left:
                # All are found: now what finds them another way.
                left = self._all
                ways = {way for way in ways if not way <= self._taken}
                if not ways:
                    break
                best = max(ways, key=lambda way: self._worth(way, left))
            left &= ~self._shown(best)
            ways.discard(best)
            self._take(best)
        self._take(frozenset(self._costs.units))
        return list(self._order)

    def _take(self, way: Way) -> None:
        for unit in sorted(way - self._taken):
            self._order[unit] = None
            self._tested |= self._costs.tells[unit]
        self._taken |= way
        self._opened |= {name for name, _ in way}

    def _shown(self, way: Way) -> int:
        shown = self._shows[way]
        for unit in way if len(way) > 1 else ():
            shown |= self._shows.get(frozenset({unit}), 0)
        return shown

    def _worth(self, way: Way, left: int) -> tuple[float, int, list[Unit]]:
        cost = max(self._costs.of(way, self._taken, self._opened), 1)
        tells = frozenset[str]().union(*(self._costs.tells[unit] for unit in way)) - self._tested
        return (self._shown(way) & left).bit_count() / cost, len(tells), sorted(way, reverse=True)


def found_by(order: Sequence[Unit], ways: Mapping[str, frozenset[Way]], costs: Costs, limit: int) -> int:
    """How many faults the units show that so many requests have room for."""
    taken: set[Unit] = set()
    opened: set[str] = set()
    for unit in order:
        cost = costs.of(frozenset({unit}), taken, opened)
        if cost <= limit:
            taken.add(unit)
            opened.add(unit[0])
            limit -= cost
    return sum(any(way <= taken for way in shown) for shown in ways.values())


def written(order: Sequence[Unit], costs: Costs) -> str:
    """JSON with a row a line."""
    rows = [json.dumps([*unit, costs.units[unit]], ensure_ascii=False) for unit in order]
    besides = [f"{json.dumps(name)}: {count}" for name, count in costs.besides.items() if count]
    return '{"units": [\n' + ",\n".join(rows) + '\n],\n"besides": {\n' + ",\n".join(besides) + "\n}}\n"


if __name__ == "__main__":
    main()
