"""What an expectation is, and the forms that most of them take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from rules_harness.harness.exchange import Exchange
from rules_harness.openapi.contract import Contract

Lines = Iterable[str]

REFUSED: Final = "assert 400 <= answers[{i}].status_code < 500"
NO_SERVER_ERROR: Final = "assert answers[{i}].status_code < 500"


class Case(msgspec.Struct, frozen=True):
    """What an expectation may know: the requests in the order sent, and which of them show the finding."""

    contract: Contract
    requests: Sequence[Exchange]
    proof: Sequence[int]

    @property
    def updates(self) -> list[int]:
        """The updates among the requests that show the finding; all of them where none is an update."""
        return [i for i in self.proof if self.requests[i].intent.operation != "read"] or list(self.proof)

    @property
    def reads(self) -> list[int]:
        """The reads among the requests that show the finding."""
        return [i for i in self.proof if self.requests[i].intent.operation == "read"]

    @property
    def rule(self) -> str:
        """The rule that the finding is about, as a Python literal."""
        return ascii(self.requests[self.proof[-1]].intent.rule)

    @property
    def executed(self) -> list[int]:
        """The updates that were meant to be executed: not replays."""
        return [i for i, e in enumerate(self.requests) if e.intent.operation == "update" and e.intent.repeats is None]


class Expectation(msgspec.Struct, frozen=True):
    """Lines before the requests are sent, and lines after.

    ``is_single`` says that each request shows it by itself, whatever was sent before; ``needs_state`` that it takes
    the rule as it was before.
    """

    after: Callable[[Case], Lines]
    before: Callable[[Case], Lines] = lambda case: ()
    is_single: bool = False
    needs_state: bool = False


def each(template: str) -> Expectation:
    """One line for each request that shows the finding; ``{i}`` is its position."""
    return Expectation(lambda case: [template.replace("{i}", str(i)) for i in case.updates], is_single=True)


def status(*statuses: int) -> Expectation:
    """Each request that shows the finding is answered with one of these."""
    if len(statuses) == 1:
        return each(f"assert answers[{{i}}].status_code == {statuses[0]}")
    return each(f"assert answers[{{i}}].status_code in {statuses}")


def unchanged() -> Expectation:
    """The rule is afterwards what it was before."""
    return Expectation(
        lambda case: [f"assert read({case.rule}) == before"],
        before=lambda case: [f"before = read({case.rule})"],
        needs_state=True,
    )


def with_names(text: str) -> Expectation:
    """The template with the contract's names: ``<data>``, ``<status>``, ``<request_id_header>``."""

    def lines(case: Case) -> Lines:
        filled = text
        for name, value in _own_names(case.contract).items():
            filled = filled.replace(f"<{name}>", ascii(value))
        return [part.replace("{i}", str(i)) for i in case.updates for part in filled.split("\n")]

    return Expectation(lines, is_single=True)


def _own_names(contract: Contract) -> Mapping[str, str]:
    fields = msgspec.structs.asdict(contract.names)
    return {name: value for name, value in fields.items() if isinstance(value, str)}
