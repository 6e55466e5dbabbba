"""What an outcome says of requirements and readings, with what the contract says of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rules_harness.harness.judging.outcome import Outcome, RequirementOutcome
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import Family, ReadingRow, RequirementRow
from rules_harness.reports.text import line

TEXT_LIMIT: Final = 1000


def requirement_rows(contract: Contract, outcome: Outcome) -> Iterable[RequirementRow]:
    """Those of the contract in its order, then those that only the outcome knows."""
    ids = [id for id in contract.requirements if id in outcome.requirements]
    ids += [id for id in outcome.requirements if id not in contract.requirements]
    for id in ids:
        yield requirement_row(contract, outcome.requirements[id])


def requirement_row(contract: Contract, judged: RequirementOutcome) -> RequirementRow:
    """One verdict, with what the contract says of it."""
    promised = contract.requirements.get(judged.id)
    return RequirementRow(
        id=line(judged.id),
        family=promised.family if promised else line(judged.id.partition(".")[0]),
        level=judged.level,
        sentence=line(promised.sentence, TEXT_LIMIT) if promised else "This contract does not have the requirement.",
        basis_kind=promised.basis_kind if promised else "",
        basis=line(promised.basis, TEXT_LIMIT) if promised else "",
        note=line(promised.note, TEXT_LIMIT) if promised and promised.note else None,
        verdict=judged.verdict,
        exercised=judged.exercised,
        findings=judged.findings,
        reason=None if judged.reason is None else line(judged.reason, TEXT_LIMIT),
    )


def families(rows: Iterable[RequirementRow]) -> tuple[Family, ...]:
    """The rows by family."""
    by_family: dict[str, list[RequirementRow]] = {}
    for row in rows:
        by_family.setdefault(row.family, []).append(row)
    return tuple(Family(name, tuple(members)) for name, members in by_family.items())


def reading_rows(contract: Contract, outcome: Outcome) -> Iterable[ReadingRow]:
    """The answers to open questions."""
    for id, judged in outcome.readings.items():
        asked = contract.readings.get(id)
        yield ReadingRow(
            id=line(id),
            question=line(asked.question, TEXT_LIMIT) if asked else "This contract does not ask it.",
            tokens=asked.tokens if asked else (),
            answer=None if judged.answer is None else line(judged.answer),
            observations=judged.observations,
            accepted=judged.accepted,
            by_kind=tuple((line(kind), tuple(map(line, tokens))) for kind, tokens in judged.by_kind.items()),
            requirement=asked.requirement if asked else "",
        )
