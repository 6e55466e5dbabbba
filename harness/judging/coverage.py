"""How much of the contract a run reached: shapes stored, mutations sent, requests for each requirement."""

from __future__ import annotations

from typing import Any

from rules_harness.harness.judging.tally import Tally
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import all_shapes
from rules_harness.strategies.mutations import catalogue
from rules_harness.strategies.pairs import all_pairs


def coverage_of(contract: Contract, tally: Tally) -> dict[str, Any]:
    """Shapes, mutations and pairs of factors reached of all, those not reached by name, how often each requirement was
    exercised, and in how many pairs."""
    pairs = {" and ".join(pair) for pair in all_pairs(contract)}
    met = {" and ".join(pair) for pair in tally.met}
    shapes, mutations = set(all_shapes(contract)), {mutation.name for mutation in catalogue(contract)}
    return {
        "shapes": _reached(shapes, tally.sent_shapes),
        "mutations": _reached(mutations, tally.sent_labels),
        "pairs": {
            **_reached(pairs, met),
            "by_requirement": {requirement: len(own) for requirement, own in sorted(tally.met_by.items())},
        },
        "requirements": {requirement: tally.exercised[requirement] for requirement in contract.requirements},
    }


def _reached(wanted: set[str], seen: set[str]) -> dict[str, Any]:
    return {"reached": len(wanted & seen), "of": len(wanted), "missing": sorted(wanted - seen)}
