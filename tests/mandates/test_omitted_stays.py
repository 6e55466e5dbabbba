"""A field left out keeps its value: judged of updates that say what changes, by episodes made by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules_harness.harness.exchange import Answer, Episode, Exchange, Facts, Payload, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.checks.replacement import omitted_stays
from rules_harness.harness.judging.outcome import Kept, Violation
from rules_harness.openapi.contract import load
from tests.mandates.server import FIRST
from tests.mandates.test_mandates import DOCUMENT, OVERLAY

CONTRACT = load(DOCUMENT, [OVERLAY])
STORED = {"label": "Rent", "purpose": "Flat", "state": "PAUSED", "limitAmount": "9.00", "currency": "GBP"}
TIMES = {"createdAt": "2026-03-01T10:00:00Z", "updatedAt": "2026-06-01T09:00:00Z"}
CHANGE = {"label": "New"}
PATH = CONTRACT.update.path_for(FIRST)

Step = tuple[Request, Answer, Intent]


def answered(content: Any, status: int = 200) -> Answer:
    headers = (("Content-Type", "application/json"),)
    return Answer(status, headers, Payload.of(json.dumps(content).encode()))


def held(**fields: Any) -> dict[str, Any]:
    return {"mandate": {"mandateId": FIRST, **STORED, **TIMES, **fields}}


def change(body: dict[str, Any], answer: Answer, **meaning: Any) -> Step:
    request = Request("PATCH", PATH, (), Payload.of(json.dumps(body).encode()))
    return request, answer, Intent(rule=FIRST, body="valid", **{"operation": "update", **meaning})


def shown(**fields: Any) -> Step:
    return Request("GET", PATH), answered(held(**fields)), Intent(purpose="read", operation="read", rule=FIRST)


def judged(*steps: Step, before: bool = True, at_once: bool = False) -> set[tuple[str, ...]]:
    exchanges = tuple(
        Exchange(request=request, outcome=answer, intent=intent, started=at, ended=at + (9.0 if at_once else 0.5))
        for at, (request, answer, intent) in enumerate(steps)
    )
    facts = Facts(before={FIRST: held()["mandate"]} if before else {})
    judgements = omitted_stays(Episode("e", "update", "update/left-out", exchanges=exchanges, facts=facts), CONTRACT)
    return {
        (judgement.place, judgement.kind) if isinstance(judgement, Violation) else ("kept",)
        for judgement in judgements
        if isinstance(judgement, Violation | Kept)
    }


KEPT = change(CHANGE, answered(held(label="New")))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([KEPT], {("kept",)}),
        ([change(CHANGE, answered(held(label="New", purpose=None)))], {("/purpose", "lost")}),
        ([change(CHANGE, answered(held(label="New", limitAmount="0.00")))], {("/limitAmount", "changed")}),
        ([change(CHANGE, answered(held(label="New", state="ACTIVE")))], {("kept",)}),
        ([change({"purpose": None}, answered(held()))], {("kept",), ("/purpose", "not-cleared")}),
        ([change({"purpose": None}, answered(held(purpose=None)))], {("kept",)}),
        ([change(STORED, answered(held(purpose="Flat")))], set()),
        ([KEPT, change({"purpose": "B"}, answered(held(label="New", purpose="B")))], {("kept",)}),
        ([KEPT, change({"purpose": "B"}, answered(held(purpose="B")))], {("kept",), ("/label", "changed")}),
        ([shown(label="Other"), change({"purpose": "B"}, answered(held(label="Other", purpose="B")))], {("kept",)}),
        ([change(CHANGE, answered({"errors": []}, 422)), KEPT], set()),
        ([change(CHANGE, answered(held(purpose=None)), repeats=0)], set()),
        ([change(CHANGE, answered(held(purpose=None)), group=1)], set()),
    ],
)
def test_what_is_said_of_updates(steps: list[Step], expected: set[tuple[str, ...]]) -> None:
    assert judged(*steps) == expected


def test_nothing_is_said_where_the_state_before_is_not_known() -> None:
    assert judged(KEPT, before=False) == set()
    lost = change({"purpose": "B"}, answered(held(purpose="B")))
    assert judged(KEPT, lost, at_once=True) == set()
