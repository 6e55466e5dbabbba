"""What two versions of the contract say differently: requirements, readings, and the places of bodies and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rules_harness.openapi.contract import Contract, Reading, Requirement
from rules_harness.reports.regression.model import ContractChange
from rules_harness.reports.text import line
from rules_harness.strategies.places import below, place_of


def contract_changes(base: Contract | None, head: Contract | None) -> tuple[ContractChange, ...]:
    """What HEAD's contract adds, removes and changes; nothing where both are the same document, or one is unknown."""
    if base is None or head is None or base.sha256 == head.sha256:
        return ()
    return (
        *_requirements(base.requirements, head.requirements),
        *_readings(base.readings, head.readings),
        *_places(_signatures(base), _signatures(head)),
    )


def _requirements(base: Mapping[str, Requirement], head: Mapping[str, Requirement]) -> Iterator[ContractChange]:
    for id in (*base, *(id for id in head if id not in base)):
        if id not in head:
            yield ContractChange("requirement", line(id), "removed", line(base[id].sentence))
        elif id not in base:
            yield ContractChange("requirement", line(id), "added", f"{head[id].level}: {line(head[id].sentence)}")
        elif base[id].level != head[id].level:
            yield ContractChange("requirement", line(id), "changed", f"level {base[id].level} → {head[id].level}")
        elif base[id].sentence != head[id].sentence:
            yield ContractChange("requirement", line(id), "changed", f"now: {line(head[id].sentence)}")


def _readings(base: Mapping[str, Reading], head: Mapping[str, Reading]) -> Iterator[ContractChange]:
    for id in (*base, *(id for id in head if id not in base)):
        if id not in head:
            yield ContractChange("reading", line(id), "removed", line(base[id].question))
        elif id not in base:
            yield ContractChange("reading", line(id), "added", line(head[id].question))
        elif base[id].accepted != head[id].accepted:
            detail = f"accepted {', '.join(base[id].accepted)} → {', '.join(head[id].accepted)}"
            yield ContractChange("reading", line(id), "changed", line(detail))


def _places(base: Mapping[str, str], head: Mapping[str, str]) -> Iterator[ContractChange]:
    for name in (*base, *(name for name in head if name not in base)):
        if name not in head:
            yield ContractChange("place", line(name), "removed", base[name])
        elif name not in base:
            yield ContractChange("place", line(name), "added", head[name])
        elif base[name] != head[name]:
            yield ContractChange("place", line(name), "changed", f"{base[name]} → {head[name]}")


def _signatures(contract: Contract) -> dict[str, str]:
    """What may stand at each place of the update's body and of a rule as it is answered, in words."""
    signatures = {}
    for origin, schema in (("body", contract.body_schema), (contract.noun.singular, contract.rule_schema)):
        for place in below(place_of(contract, schema)):
            types = sorted(place.types) + ["null"] * place.nullable
            members = [str(member) for member in place.keywords.get("enum", ())]
            signature = f"{'required' if place.required else 'optional'} {' or '.join(types)}"
            signatures[f"{origin} {place.name or '/'}"] = line(
                signature + (f": {', '.join(members)}" if members else "")
            )
    return signatures
