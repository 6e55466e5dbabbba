"""Runs to report on, made from the harness's own records: what a gate would have written, without one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange, Payload, Request, TransportFault
from rules_harness.harness.intent import Intent, IntentFields
from rules_harness.harness.journal import (
    SCHEMA_VERSION,
    Footer,
    Header,
    Journal,
    Record,
)
from rules_harness.harness.judging.outcome import (
    Conclusion,
    Finding,
    Outcome,
    ReadingOutcome,
    RequirementOutcome,
    Verdict,
    finding_id,
)
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports.baseline import Baseline
from rules_harness.reports.collect import collect
from rules_harness.reports.model import RunReport
from rules_harness.strategies.keys import KeyReference

HOSTILE = "<script>window.hacked=1</script>\u202egnp.exe\x00\x1b[31m]]>|`*_[x](javascript:alert(1))@all & 'q' \"q\""

USUAL_KEY = KeyReference("full", "Authorization", "ApiKey ")


def contract() -> Contract:
    return load()


def header(**changes: Any) -> Header:
    values: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "tool_version": "0.1.0",
        "kind": "gate",
        "target": "staging",
        "base_url": "http://127.0.0.1:9101/api/v1",
        "contract_version": contract().version,
        "contract_sha256": contract().sha256,
        "contract_document": {},
        "profile": {
            "target": {"name": "staging", "base_url": "http://127.0.0.1:9101/api/v1"},
            "credentials": {
                "full": {"name": "full", "key_env": "RULES_KEY_FULL"},
                "read_only": {"name": "read_only", "key_env": "RULES_KEY_READ_ONLY"},
                "other_org": {"name": "other_org", "key_env": "RULES_KEY_OTHER_ORG"},
            },
        },
        "seed": 1,
        "now": "2026-01-01T00:00:00Z",
        "started_at": "2026-01-01T08:30:00+00:00",
    }
    return Header(**{**values, **changes})


def footer(**changes: Any) -> Footer:
    coverage = {
        "shapes": {"reached": 118, "of": 120, "missing": ["action:top_up/last_statement", "condition:depth-3"]},
        "mutations": {"reached": 412, "of": 412, "missing": []},
    }
    values: dict[str, Any] = {
        "requests": 812,
        "seconds": 6.2,
        "ended_at": "2026-01-01T08:30:06+00:00",
        "coverage": coverage,
    }
    return Footer(**{**values, **changes})


def rule(id: str = "rule_a", **changes: Any) -> dict[str, Any]:
    body = contract().example_body()
    made = {"created_at": "2024-03-01T10:00:00Z", "updated_at": "2026-01-01T08:30:01Z"}
    return {"id": id, **body, "status": "disabled", **made, **changes}


def success(data: Mapping[str, Any], request_id: str = "req_1") -> Answer:
    return answer(200, {"request_id": request_id, "data": data}, request_id=request_id)


def refusal(status: int, code: str, message: str = "No.") -> Answer:
    return answer(status, {"error": {"code": code, "message": message}})


def answer(status: int, content: Any, *, request_id: str = "req_1", media_type: str = "application/json") -> Answer:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    headers = (("content-type", media_type), ("x-request-id", request_id))
    return Answer(status, headers, Payload(text=text))


def update(
    outcome: Answer | TransportFault,
    content: Mapping[str, Any] | bytes | None = None,
    *,
    at: float = 1.0,
    took: float = 0.012,
    authorization: KeyReference | None = USUAL_KEY,
    headers: Sequence[tuple[str, str]] = (),
    **fields: Unpack[IntentFields],
) -> Exchange:
    meant = Intent(rule="rule_a", body="valid").but(**fields)
    sent = contract().example_body() | {"status": "disabled"} if content is None else content
    raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    lines = [("Content-Type", "application/json"), *headers]
    if meant.key is not None:
        lines.append(("Idempotency-Key", meant.key))
    request = Request("PUT", f"/rules/{meant.rule}", tuple(lines), Payload.of(raw), key=authorization)
    return Exchange(request, outcome, meant, at, at + took)


def read(data: Mapping[str, Any], *, at: float = 1.0, took: float = 0.006, caller: str = "full") -> Exchange:
    intent = Intent(operation="read", purpose="read", rule=data["id"], caller=caller)
    request = Request("GET", f"/rules/{data['id']}", key=KeyReference(caller, "Authorization", "ApiKey "))
    return Exchange(request, success(data), intent, at, at + took)


def episode(id: str, *exchanges: Exchange, **changes: Any) -> Episode:
    family, _, scenario = id.partition("/")
    return Episode(**{"id": id, "family": family, "scenario": scenario, "exchanges": exchanges, **changes})


def finding(requirement: str, episode: str, shown_by: Sequence[int], **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "level": "must",
        "place": "",
        "kind": "",
        "expected": "",
        "actual": "",
        "requirement": requirement,
        "episode": episode,
        "shown_by": tuple(shown_by),
    } | changes
    return Finding(id=finding_id(requirement, values["place"], values["kind"]), **values)


def outcome(
    findings: Iterable[Finding] = (),
    *,
    verdicts: Mapping[str, tuple[Verdict, str]] | None = None,
    readings: Mapping[str, ReadingOutcome] | None = None,
    conclusion: Conclusion | None = None,
) -> Outcome:
    """All requirements passed, but those with findings and those that are named."""
    found = tuple(findings)
    requirements = {}
    for requirement in contract().requirements.values():
        own = [one for one in found if one.requirement == requirement.id and not one.accepted]
        verdict: Verdict
        reason: str | None
        verdict, reason = (verdicts or {}).get(requirement.id, ("passed", None))
        if own:
            verdict = "failed" if any(one.level == "must" for one in own) else "warned"
            reason = f"{own[0].place}: {own[0].kind}"
        exercised = 0 if verdict in ("skipped", "inconclusive") else 4
        requirements[requirement.id] = RequirementOutcome(
            requirement.id, requirement.level, verdict, exercised, len(own), reason
        )
    failed = [row for row in requirements.values() if row.verdict == "failed"]
    ended = conclusion or ("violates" if failed else "conforms")
    reason = f"{len(failed)} of {len(requirements)} requirements do not hold" if failed else None
    code = {"conforms": 0, "violates": 1, "inconclusive": 3, "error": 3}[ended]
    return Outcome(ended, code, reason, requirements, dict(readings or {}), found)


def report_of(
    records: Sequence[Record | None], result: Outcome, *, run: str = "RUN", baseline: Baseline | None = None
) -> RunReport:
    return collect(lambda: iter(records), result, contract(), run=run, baseline=baseline)


def written(folder: Path, records: Iterable[Record]) -> Path:
    """A journal on disk."""
    journal = Journal(folder)
    for record in records:
        journal.write(record)
    journal.close()
    return journal.path


def with_answer(exchange: Exchange, outcome: Answer) -> Exchange:
    return msgspec.structs.replace(exchange, outcome=outcome)
