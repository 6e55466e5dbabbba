"""Checks ids of faults and variants against their tables."""

import difflib
from collections.abc import Iterable, Sequence

from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.variants import VARIANTS

FAULTS_BY_ID = {entry.id: entry for entry in FAULTS}
VARIANTS_BY_ID = {entry.id: entry for entry in VARIANTS}


class UnknownSwitch(Exception):
    """An id that no table lists, or variants that exclude each other; the message says which and what to use."""


def check(faults: Sequence[str], variants: Sequence[str]) -> None:
    """Raise `UnknownSwitch` for the first id that is not listed, and for two variants of one group."""
    _check_known("fault", faults, FAULTS_BY_ID)
    _check_known("variant", variants, VARIANTS_BY_ID)
    taken: dict[str, str] = {}
    for variant_id in dict.fromkeys(variants):
        group = VARIANTS_BY_ID[variant_id].group
        if group in taken:
            raise UnknownSwitch(f"variants {taken[group]} and {variant_id} exclude each other")
        taken[group] = variant_id


def _check_known(kind: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for switch_id in wanted:
        if switch_id not in known:
            near = difflib.get_close_matches(switch_id, known, n=3, cutoff=0.4)
            hint = f"; close to it: {', '.join(near)}" if near else ""
            raise UnknownSwitch(f"there is no {kind} {switch_id!r}{hint}")
