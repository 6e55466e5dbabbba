"""One of the two runs of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from rules_harness.harness.journal import Header, Record
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.openapi.contract import Contract

JUDGED = ("passed", "failed", "warned")
"""The verdicts that say something about the target."""


class Side(msgspec.Struct, frozen=True):
    """A run: what it concluded, and how to read its journal again.

    ``name`` is how it is told from the other.  ``contract`` is the one that it was judged by, ``recorded`` the one in
    its journal; `None` where that cannot be read any more.  ``records`` yields the journal's records, header first.
    """

    name: str
    header: Header
    outcome: Outcome
    contract: Contract
    recorded: Contract | None
    records: Callable[[], Iterable[Record | None]]

    def is_judged(self, requirement: str) -> bool:
        """Whether the run has a verdict on the target in this respect."""
        judged = self.outcome.requirements.get(requirement)
        return judged is not None and judged.verdict in JUDGED

    def verdict(self, requirement: str) -> str:
        """The verdict on a requirement; ``not selected`` or ``not in the contract`` where there is none."""
        judged = self.outcome.requirements.get(requirement)
        if judged is not None:
            return judged.verdict
        return "not selected" if requirement in self.contract.requirements else "not in the contract"
