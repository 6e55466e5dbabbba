"""How many faults are found for how many requests: `python -m benchmarks.curve MATRIX [--write] [--detection FILE]`.

MATRIX is what `rules-harness selftest --json MATRIX` writes. The curve is that of `check --requests N`, reckoned from
what each case shows; with ``--write`` the order that it is drawn for is kept where `check` looks for it.  With the
table of `benchmarks.detection` each tool that is in it has a line of its own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.detection_table import Rows, median
from benchmarks.ranking import OVERHEAD, Costs, Ranking, Unit, Way, sent_in, ways_of
from benchmarks.sightings import TOOLS
from rules_harness.harness.scenarios.telling import ORDER

POINTS: Final = (50, 100, 200, 300, 500, 1_000, 2_000, 3_500)
WIDTH: Final = 50


def main() -> None:
    """Draw the curve, and keep the order if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--write", action="store_true", help=f"keep the order in {ORDER.name}")
    parser.add_argument("--detection", type=Path, metavar="FILE", help="detection.json of `benchmarks.detection`")
    parser.add_argument(
        "--tried",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="matrix of `selftest --requests N`: what was sent there and has not shown a fault is no way of seeing it",
    )
    options = parser.parse_args()
    trials = json.loads(options.matrix.read_text(encoding="utf-8"))["trials"]
    costs = Costs(next(trial["sent"] for trial in trials if trial["kind"] == "clean"))
    found = {trial["name"]: set(ways_of(trial, costs)) for trial in trials if trial["kind"] == "fault"}
    for path in options.tried:
        tried = json.loads(path.read_text(encoding="utf-8"))["trials"]
        sent = next(sent_in(trial) for trial in tried if trial["kind"] == "clean")
        for trial in tried:
            if trial["kind"] == "fault" and (trial["problem"] or "").endswith((" is passed", " is skipped")):
                found[trial["name"]] = {way for way in found[trial["name"]] if not way <= sent}
    ways = {fault: frozenset(shown) for fault, shown in found.items() if shown}
    order = Ranking(ways, costs).order()
    if options.write:
        ORDER.write_text(written(order, costs), encoding="utf-8")
    draw("check --requests N", [found_by(order, ways, costs, limit - OVERHEAD) for limit in POINTS], len(found))
    if options.detection:
        rows = msgspec.json.decode(options.detection.read_bytes(), type=Rows)
        for tool in TOOLS:
            cells = [median(row[tool]).requests for row in rows.values() if tool in row]
            counts = [sum(cell is not None and cell <= limit for cell in cells) for limit in POINTS]
            draw(tool, counts, len(cells))


def draw(name: str, counts: Sequence[int], total: int) -> None:
    """One line of the curve."""
    print(name)
    for limit, count in zip(POINTS, counts, strict=True):
        share = count / max(total, 1)
        print(f"{limit:>6,} requests  {count:>4} of {total}  {share:>6.1%}  {'#' * round(share * WIDTH)}")


def found_by(order: Sequence[Unit], ways: Mapping[str, frozenset[Way]], costs: Costs, limit: int) -> int:
    """How many faults the units show that so many requests have room for."""
    taken: set[Unit] = set()
    opened: set[str] = set()
    for unit in order:
        cost = costs.beside(frozenset({unit}), taken, opened)
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
