"""`rules-harness list`: what there is."""

# ruff: noqa: PLC0415 - a list imports what it shows and nothing else, so that it is there at once

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import click
import msgspec

from rules_harness.harness.cli.options import contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.openapi.contract import Contract, load

Row = dict[str, Any]


class _Kind(msgspec.Struct, frozen=True):
    """One kind of entry: where all of them come from, and the columns that are shown of each."""

    entries: Callable[[Contract], Iterable[Row]]
    columns: Callable[[Row], tuple[str, ...]]


def _requirements(contract: Contract) -> Iterable[Row]:
    from rules_harness.harness.judging.checks import CHECKS

    checked = {id for check in CHECKS for id in check.about}
    for requirement in contract.requirements.values():
        yield {**msgspec.to_builtins(requirement), "checked": requirement.id in checked}


def _readings(contract: Contract) -> Iterable[Row]:
    return map(msgspec.to_builtins, contract.readings.values())


def _faults(contract: Contract) -> Iterable[Row]:
    from rules_harness.harness.reference.faults import FAULTS

    for entry in FAULTS:
        yield {"id": entry.id, "requirement": entry.requirement, "summary": entry.summary, "also": entry.also}


def _variants(contract: Contract) -> Iterable[Row]:
    from rules_harness.harness.reference.variants import VARIANTS

    for entry in VARIANTS:
        described = {"id": entry.id, "group": entry.group, "summary": entry.summary}
        yield {**described, "allowed_by": entry.allowed_by, "warns": entry.warns}


def _mutations(contract: Contract) -> Iterable[Row]:
    from rules_harness.strategies.mutations import catalogue

    return map(msgspec.to_builtins, catalogue(contract))


def _sentence(row: Row) -> str:
    return str(row["sentence"]) + ("" if row["checked"] else " (not checked yet)")


_KINDS: Final[Mapping[str, _Kind]] = {
    "requirements": _Kind(_requirements, lambda row: (row["id"], row["level"], _sentence(row))),
    "readings": _Kind(_readings, lambda row: (row["id"], f"{row['question']} {', '.join(row['tokens'])}")),
    "faults": _Kind(_faults, lambda row: (row["id"], row["requirement"], row["summary"])),
    "variants": _Kind(_variants, lambda row: (row["id"], row["allowed_by"], row["summary"])),
    "mutations": _Kind(
        _mutations, lambda row: (row["name"], row.get("requirement") or row.get("reading") or "", row["detail"])
    ),
}


@click.command(short_help="List what there is.")
@click.argument("kind", type=click.Choice(list(_KINDS)))
@contract_option
@click.option("--json", "as_json", is_flag=True, help="Everything about each entry, as a JSON array.")
@click.pass_obj
def command(output: Output, kind: str, contract: Contract | None, as_json: bool) -> None:
    """List the contract's requirements or readings, the faults or variants of the embedded target, or all mutations."""
    rows = list(_KINDS[kind].entries(contract or load()))
    if as_json:
        output.print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    lines = [_KINDS[kind].columns(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for *columns, last in lines:
        padded = (text.ljust(width) for text, width in zip(columns, widths, strict=False))
        output.print("  ".join([*padded, last]))
