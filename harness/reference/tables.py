"""Finds faults and variants by their ids, and switches them on. One process is one server."""

import difflib
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.stand_ins import StandIn
from rules_harness.harness.reference.steps import stand_in
from rules_harness.harness.reference.variants import VARIANTS

S = TypeVar("S", bound=StandIn)


class UnknownSwitch(Exception):
    """An id that no table lists, or variants that exclude each other; the message says which and what to use."""


ON: dict[str, list[str]] = {"faults": [], "variants": []}
"""The ids of what is on."""


def switch(faults: Sequence[str], variants: Sequence[str]) -> None:
    """Switch these on and all others off. Faults go around variants, and of each the later in its table around the
    earlier, in whatever order they are named.

    Raises:
        UnknownSwitch: an id that no table lists, or two variants of one group.
    """
    chosen_faults = _chosen("fault", faults, FAULTS)
    chosen_variants = _chosen("variant", variants, VARIANTS)
    taken: dict[str, str] = {}
    for entry in chosen_variants:
        if entry.group in taken:
            raise UnknownSwitch(f"variants {taken[entry.group]} and {entry.id} exclude each other")
        taken[entry.group] = entry.id
    stand_in((entry.step, entry.function) for entry in (*chosen_variants, *chosen_faults))
    ON.update(faults=sorted(entry.id for entry in chosen_faults), variants=sorted(taken.values()))


def _chosen(kind: str, wanted: Iterable[str], table: Sequence[S]) -> list[S]:
    """The entries with the wanted ids, in the order of the table."""
    known = {entry.id for entry in table}
    for id in wanted:
        if id not in known:
            near = difflib.get_close_matches(id, known, n=3, cutoff=0.4)
            hint = f"; close to it: {', '.join(near)}" if near else ""
            raise UnknownSwitch(f"there is no {kind} {id!r}{hint}")
    return [entry for entry in table if entry.id in wanted]
