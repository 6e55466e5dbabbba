"""How many faults are found for how many requests: `python -m benchmarks.curve MATRIX [--write]`.

MATRIX is what `rules-harness selftest --json MATRIX` writes. The curve is that of `check --requests N`; with
``--write`` the order of the scenarios that it is drawn for is kept where `check` looks for it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rules_harness.harness.scenarios.telling import ORDER

POINTS: Final = (50, 100, 200, 300, 500, 1_000, 2_000, 3_500)
WIDTH: Final = 50


def main() -> None:
    """Draw the curve, and keep the order if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--write", action="store_true", help=f"keep the order in {ORDER.name}")
    options = parser.parse_args()
    trials = json.loads(options.matrix.read_text(encoding="utf-8"))["trials"]
    costs: dict[str, int] = next(trial["requests"] for trial in trials if trial["kind"] == "clean")
    kills = {trial["name"]: frozenset(trial["shown_in"]) & costs.keys() for trial in faults(trials)}
    order = in_order(kills, costs)
    if options.write:
        kept = {"cases": cases_of(trials), "scenarios": [[name, costs[name]] for name in order]}
        ORDER.write_text(written(kept), encoding="utf-8")
    for limit in POINTS:
        found = found_by(order, kills, costs, limit)
        share = found / len(kills)
        print(f"{limit:>6,} requests  {found:>4} of {len(kills)}  {share:>6.1%}  {'#' * round(share * WIDTH)}")


def written(kept: Mapping[str, Sequence[Any]]) -> str:
    """JSON with a row a line."""
    parts = []
    for name, rows in kept.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{" + ",\n".join(parts) + "}\n"


def faults(trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The trials of faults that were killed."""
    return [trial for trial in trials if trial["kind"] == "fault" and trial["shown_in"]]


def cases_of(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """The labels of single requests that show faults, those first that show most further ones."""
    kills = {
        trial["name"]: frozenset(label for labels in trial["shown_in"].values() for label in labels if label)
        for trial in faults(trials)
    }
    labels = sorted(set().union(*kills.values()))
    found = {name for name, shown in kills.items() if shown}
    return in_order({name: kills[name] for name in found}, dict.fromkeys(labels, 1))


def in_order(kills: Mapping[str, frozenset[str]], costs: Mapping[str, int]) -> list[str]:
    """Scenarios in the order in which each finds most further faults for its requests; once all are found, those that
    find them another way, and in the end those that find none."""
    order: list[str] = []
    left = dict(costs)
    to_find = list(kills.values())
    while left:
        found = {name: sum(name in shown for shown in to_find) for name in left}
        best = max(left, key=lambda name: found[name] / max(left[name], 1))
        if found[best]:
            order.append(best)
            del left[best]
            to_find = [shown for shown in to_find if best not in shown]
        else:
            to_find = [shown for shown in kills.values() if shown & left.keys()]
            if not to_find:
                return [*order, *left]
    return order


def found_by(order: Sequence[str], kills: Mapping[str, frozenset[str]], costs: Mapping[str, int], limit: int) -> int:
    """How many faults the scenarios show that so many requests have room for."""
    taken: set[str] = set()
    for name in order:
        if costs[name] <= limit:
            taken.add(name)
            limit -= costs[name]
    return sum(bool(shown & taken) for shown in kills.values())


if __name__ == "__main__":
    main()
