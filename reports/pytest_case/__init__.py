"""A finding as a standalone pytest file that asserts the contract: it fails while the defect is there, and only then.

The file needs httpx and pytest, takes base URL and keys from the environment, and is plain ASCII whatever the target
or the request holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from rules_harness.harness.exchange import Exchange
from rules_harness.openapi.contract import Contract
from rules_harness.reports.expected import EXPECTATIONS, Case
from rules_harness.reports.model import FindingView, Shown, TargetView
from rules_harness.reports.pytest_case import support
from rules_harness.reports.pytest_case.requests import request
from rules_harness.reports.references import assembled


def file_name(view: FindingView) -> str:
    """What the file is called, so that pytest collects it."""
    return f"test_{_identifier(view.requirement.id)}_{view.id}.py"


def render(view: FindingView, target: TargetView, contract: Contract) -> str | None:
    """The file; ``None`` where requests alone do not show the finding, or where they are too long or not recorded."""
    exchanges = _renumbered(view)
    expectation = EXPECTATIONS.get(view.finding.requirement)
    if not exchanges or expectation is None or any(_is_unsayable(shown) for shown in view.needed):
        return None
    case = Case(contract, exchanges, [i for i, shown in enumerate(view.needed) if shown.is_proof])
    lines = [
        *_given(view, target, contract),
        *_requests(view, target, contract),
        *expectation.before(case),
        *_sending(view),
        *expectation.after(case),
    ]
    test = "\n".join([f"def test_{_identifier(view.requirement.id)}():", *_indented(lines)])
    return f"{_title(view, target)}\n\n{support.before(test, exchanges, target, contract)}\n\n\n{test}\n"


def _is_unsayable(shown: Shown) -> bool:
    return shown.too_long or not assembled(shown.exchange.request).is_usual


def _renumbered(view: FindingView) -> list[Exchange]:
    """The exchanges that must be sent; what one repeats is given by its position among them."""
    numbers = {shown.position: number for number, shown in enumerate(view.needed)}
    exchanges = []
    for shown in view.needed:
        intent = shown.exchange.intent
        repeats = None if intent.repeats is None else numbers.get(intent.repeats)
        intent = msgspec.structs.replace(intent, repeats=repeats)
        exchanges.append(msgspec.structs.replace(shown.exchange, intent=intent))
    return exchanges


def _title(view: FindingView, target: TargetView) -> str:
    told = [
        f"{view.requirement.id}: {view.requirement.sentence}",
        "",
        f"Expected: {view.expected}",
        f"Seen on {target.name}: {view.actual}",
        "",
        "Needs httpx and pytest; takes the base URL from RULES_BASE_URL and each key from the environment.",
    ]
    return '"""' + "\n".join(_harmless(line) for line in told) + '\n"""'


def _harmless(text: str) -> str:
    """The text as it may stand in a docstring."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    return plain.replace("\\", "\\\\").replace('"""', "'''")


def _identifier(id: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", id.lower())


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        for row in line.split("\n"):
            yield f"    {row}" if row else ""


def _given(view: FindingView, target: TargetView, contract: Contract) -> Iterator[str]:
    for step in view.steps:
        if step.given is not None:
            yield "given = " + request(step.given, None, target, contract)
            yield "assert send(given).status_code == 200"


def _requests(view: FindingView, target: TargetView, contract: Contract) -> Iterator[str]:
    yield "requests = ["
    for shown in view.needed:
        yield from _indented([request(shown.exchange.request, shown.packed, target, contract) + ","])
    yield "]"


def _sending(view: FindingView) -> Iterator[str]:
    """The lines that send the requests: in order, those of one group together, enabling rules as their owner did."""
    yield "answers = []"
    sent = 0
    for step in view.steps:
        if step.enable:
            yield f"enable({step.enable!a})"
        elif len(step.positions) == 1:
            yield f"answers.append(send(requests[{sent}]))"
        elif step.positions:
            yield f"answers += together(requests[{sent}:{sent + len(step.positions)}])"
        sent += len(step.positions)
