"""docs/zoo.md, from the results."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from tests.targets.results import CLEAN, Finding, Key, Result, Results
from tests.targets.stacks import HERE, STACKS, Mistake, Stack

NOTES = HERE / "notes.toml"
"""What people know: what was mended, and why a mistake is missed."""
HABITS = {
    CLEAN: "clean",
    "jitter": "50–300 ms of jitter",
    "lag": "reads lag 0.3 s",
    "rate": "60 requests a second",
    "writer": "another writer",
    "minimal": "one key, one rule",
    "share": "accounts of two organizations",
}
_ABSENT = "—"
COULD_NOT_JUDGE = "could not judge"
_INTRODUCTION = """# A zoo of strangers

Made by `make zoo` from the results of its last runs: seven conforming servers by other hands (`tests/targets/`), whose
authors had not seen the checks, each on its own stack and with its own habits. As they are they must come through; and
each has honest mistakes to be found, one at a time.

A cell gives the verdict of the gate, then those of the campaigns: *conforms*; *fails*, with the requirements; *warns*,
of what is a *should*; *could not judge*, where the run says so itself.
"""


def render(results: Results) -> str:
    """The document."""
    notes = tomllib.loads(NOTES.read_text(encoding="utf-8"))
    parts = [
        _INTRODUCTION,
        "## Conforming servers\n",
        _habits(results),
        "## What they may do otherwise\n",
        _allowed(results),
    ]
    parts += ["## Findings that were true\n", _mended(notes), "## Mistakes\n", _summary(results)]
    parts += [_mistakes(stack, results, notes.get("missed", {}).get(stack.name, {})) for stack in STACKS]
    return "\n".join(parts)


def _table(*rows: tuple[str, ...]) -> str:
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _habits(results: Results) -> str:
    head = ("", *(stack.name for stack in STACKS))
    rows = [
        (text, *(_ABSENT if name in stack.without else _cell(results, stack, name) for stack in STACKS))
        for name, text in HABITS.items()
    ]
    return _table(head, *rows)


def _allowed(results: Results) -> str:
    rows = [
        (stack.name, row.name, row.text, _cell(results, stack, f"allowed {row.name}"))
        for stack in STACKS
        for row in stack.allowed
    ]
    return _table(("stack", "switch", "is", "verdict"), *rows)


def _mended(notes: dict[str, Any]) -> str:
    rows = [(each["stack"], each["requirement"], each["text"]) for each in notes.get("mended", ())]
    return _table(("stack", "requirement", "what was wrong with the server"), *rows) if rows else "None so far.\n"


def _cell(results: Results, stack: Stack, condition: str) -> str:
    gate = results.get(Key(stack.name, condition, "gate", 1))
    if gate is None:
        return "not run"
    campaigns = results.campaigns(stack.name, condition)
    told = "; ".join(dict.fromkeys(_verdict(result) for result in campaigns))
    return f"{_verdict(gate)}" + (f"; {len(campaigns)} campaigns: {told}" if campaigns else "")


def _verdict(result: Result) -> str:
    if not result.is_judged:
        return f"{COULD_NOT_JUDGE} ({result.outcome})"
    failed, warned = result.requirements("failed"), result.requirements("warned")
    outcomes: dict[int | None, str] = {0: "conforms", 1: "fails", 3: COULD_NOT_JUDGE}
    text = outcomes.get(result.exit_code, f"ended with {result.exit_code}")
    text += f": {', '.join(failed)}" if failed else ""
    return text + (f", warns of {', '.join(warned)}" if warned else "")


def _summary(results: Results) -> str:
    rows = []
    for stack in STACKS:
        found = [_found_by(results, stack, mistake) for mistake in stack.mistakes]
        counts = [
            sum(each is not None and each.startswith(kind) for each in found) for kind in ("gate", "campaign", "not")
        ]
        rows.append((stack.name, str(len(found)), *map(str, counts)))
    return _table(("stack", "mistakes", "found by the gate", "by a campaign", "not found"), *rows)


def _mistakes(stack: Stack, results: Results, why: dict[str, str]) -> str:
    rows = []
    for mistake in stack.mistakes:
        found = _found_by(results, stack, mistake)
        note = f": {why[mistake.name]}" if found == "not found" and mistake.name in why else ""
        rows.append((mistake.name, mistake.text, ", ".join(mistake.breaks), (found or "not run") + note))
    return f"### {stack.title}\n\n" + _table(("mistake", "is", "breaks", "found by"), *rows)


def _found_by(results: Results, stack: Stack, mistake: Mistake) -> str | None:
    condition = f"mistake {mistake.name}"
    gate = results.get(Key(stack.name, condition, "gate", 1))
    if gate is None:
        return None
    runs = (gate, *results.campaigns(stack.name, condition))
    for result in runs:
        findings = results.beyond_clean(result)
        if findings:
            name = "gate" if result.key.kind == "gate" else f"campaign {result.key.seed}"
            return f"{name}: {', '.join(_named(findings, mistake))}"
    return "not found" if all(result.is_judged for result in runs) else COULD_NOT_JUDGE


def _named(findings: tuple[Finding, ...], mistake: Mistake) -> Iterator[str]:
    """The requirements, those that the mistake is said to break first; a *should* in brackets."""
    verdicts = dict[str, str]()
    for finding in findings:
        if verdicts.get(finding.requirement) != "failed":
            verdicts[finding.requirement] = finding.verdict
    for requirement in sorted(verdicts, key=lambda each: each not in mistake.breaks):
        yield requirement if verdicts[requirement] == "failed" else f"({requirement})"
