"""The contract as a page to read: `python -m rules_harness.reports.requirements` prints docs/requirements.md."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rules_harness.openapi.contract import Contract, Reading, Requirement, load

_HEAD = """# Requirements and readings

What the harness holds a target to, made from the contract (`openapi/rules.yaml`) by `make docs`. A *must* that does not
hold fails the gate, a *should* warns. Where one level does not hold for everything, the last column says for what each
holds; for a *reading*, the answer decides. The page of each requirement has its basis, what is sent to judge it, an
example of a finding and the faults that prove the check; `rules-harness explain ID` shows the same."""
_READINGS = """## Readings

Questions that the documentation leaves open. Answers in bold are accepted where the profile says nothing.

| id | question | answers |
|---|---|---|"""


def page(contract: Contract) -> str:
    """Every requirement by family, then every reading, as Markdown."""
    families = groupby(contract.requirements.values(), lambda requirement: requirement.family)
    readings = "\n".join([_READINGS, *map(_reading, contract.readings.values())])
    return "\n\n".join([_HEAD, *("\n".join(_family(*family)) for family in families), readings]) + "\n"


def _family(name: str, requirements: Iterator[Requirement]) -> Iterator[str]:
    yield f"## {name}\n\n| id | level | requirement | levels in detail |\n|---|---|---|---|"
    for requirement in requirements:
        page = f"[{requirement.id}](requirements/{requirement.id}.md)"
        yield f"| {page} | {requirement.level} | {requirement.sentence} | {requirement.note or ''} |"


def _reading(reading: Reading) -> str:
    answers = (f"**{token}**" if token in reading.accepted else token for token in reading.tokens)
    return f"| {reading.id} | {reading.question} | {', '.join(answers)} |"


if __name__ == "__main__":
    print(page(load()), end="")  # noqa: T201 - the page is what this command is for
