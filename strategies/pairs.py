"""Every two values of different factors that an update can meet together."""

from __future__ import annotations

import functools

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.design import Combination, named, pairs_of
from rules_harness.strategies.factors import INNER, OUTSIDE, OWN, is_own, updates_crossed
from rules_harness.strategies.mutations import settings
from rules_harness.strategies.shapes import all_shapes, is_kind


@functools.lru_cache(maxsize=16)
def all_pairs(contract: Contract) -> frozenset[Combination]:
    """The pairs of all that is crossed, where the accounts for every kind of action are there."""
    kinds = tuple(sorted(shape for shape in all_shapes(contract) if is_kind(shape) and "/conditions" not in shape))
    rows = (*settings(contract).values(), *updates_crossed(contract, kinds))
    crossed = {pair for row in rows for pair in pairs_of(named(row))}
    for kind in kinds:
        name = OWN if is_own(kind) else INNER
        crossed |= {named({name: kind, factor.name: value}) for factor in OUTSIDE for value in factor.values}
    return frozenset(crossed)
