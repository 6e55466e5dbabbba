"""The variants: other behaviour that the contract allows. At most one of each group can be on."""

from rules_harness.harness.reference.stand_ins import Variant
from rules_harness.harness.reference.variants import answers, bodies, keys, readings, refusals, requests, writing

VARIANTS: tuple[Variant, ...] = tuple(
    entry
    for module in (readings, keys, bodies, answers, requests, refusals, writing)
    for entry in module.variant.listed
)
