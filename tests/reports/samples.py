"""A sample run: a target with defects of many families, as the gate would have recorded it."""

from __future__ import annotations

from typing import Any

from rules_harness.harness.exchange import Episode, Exchange, Facts, TransportFault
from rules_harness.harness.journal import EpisodeRecord, FoundRule, Note, Record, Restored, Skipped
from rules_harness.harness.judging.outcome import Finding, Outcome, ReadingOutcome, Verdict
from rules_harness.reports.model import RunReport
from rules_harness.strategies.keys import KeyReference
from tests.reports.factories import (
    HOSTILE,
    answer,
    contract,
    episode,
    finding,
    footer,
    header,
    outcome,
    read,
    refusal,
    report_of,
    rule,
    success,
    update,
)


def some_readings() -> dict[str, ReadingOutcome]:
    answers: dict[str, tuple[str | None, int, bool, dict[str, tuple[str, ...]]]] = {
        "reading.validation-status": ("422", 96, True, {"": ("422",)}),
        "reading.other-organization": ("404", 5, True, {"": ("404",)}),
        "reading.enable-by-body": ("becomes-enabled", 2, False, {"": ("becomes-enabled",)}),
        "reading.empty": ("varies", 8, True, {"empty-steps": ("refused",), "zero-amount": ("stored",)}),
        "reading.after-window": (None, 0, True, {}),
    }
    return {id: ReadingOutcome(id, *values) for id, values in answers.items()}


def mutations() -> list[Exchange]:
    """What a target that knows most of the contract answers to broken bodies."""
    places = ["/status", "/trigger", "/trigger:SCHEDULED/start_date", "/steps", "/steps/*/actions"]
    places += [f"/steps/*/actions/*:{kind}/amount_in_cents" for kind in ("fixed_amount", "top_up", "round_down")]
    places += ["/steps/*/actions/*/source", "/steps/*/actions/*/source/type", "/steps/*/actions/*/group_index"]
    kinds = ["type:string", "type:number", "type:boolean", "type:null", "required:missing", "enum:unknown"]
    kinds += ["enum:case", "bounds:negative", "bounds:fraction", "format:impossible date"]
    made: list[Exchange] = []
    for number, place in enumerate(places):
        for kind in kinds[: 6 + number % 5]:
            got = refusal(422, "validation_failed", f"{place} is wrong")
            if "group_index" in place and kind == "type:string":
                got = success(rule())
            if place == "/trigger" and kind == "type:null":
                got = answer(500, "Internal Server Error", media_type="text/plain")
            body = {"place": place, "kind": kind}
            made.append(
                update(
                    got,
                    body,
                    body="broken",
                    place=place,
                    mutation=kind,
                    requirement="validation.type",
                    at=2 + len(made) / 50,
                    label=f"{place} {kind}",
                )
            )
    return made


def sample_findings() -> tuple[list[Episode], list[Finding]]:
    """Episodes as the gate makes them, of a target with defects of many families, and what was found in them."""
    key = "5f0c2a1e-8d5b-4c8e-9a51-0d9f6f1f2b11"
    example = contract().example_body()
    enabled = rule(status="enabled")
    changed = {**example, "status": "disabled", "nickname": "Rent", "description": None}
    replay = rule(nickname="Rent")
    broken = mutations()
    crash = next(i for i, e in enumerate(broken) if e.answer is not None and e.answer.status == 500)
    lenient = next(i for i, e in enumerate(broken) if e.answer is not None and e.answer.status == 200)
    episodes = [
        episode(
            "auth/missing",
            read(rule()),
            update(success(rule(), "req_2"), authorization=None, caller="none", access="unauthenticated"),
            update(
                refusal(401, "unauthorized"),
                authorization=KeyReference("full", "Authorization", "Bearer "),
                caller="bearer",
                access="unauthenticated",
            ),
        ),
        episode(
            "status/enabled-becomes-disabled",
            update(success(rule(status="enabled"), "req_3"), {**example, "status": "enabled"}, at=1.5),
            read(rule(status="enabled"), at=1.6),
            facts=Facts(before={"rule_a": enabled}),
        ),
        episode(
            "idempotency/replay",
            update(success(replay, "req_4"), changed, key=key, at=2.1, took=0.031),
            update(success(rule(), "req_5"), at=2.2, took=0.044),
            update(
                success(rule(nickname="Rent", updated_at="2026-01-01T08:30:03Z"), "req_6"),
                changed,
                key=key,
                repeats=0,
                purpose="replay",
                at=2.3,
                took=0.102,
            ),
            read(replay, at=2.4),
        ),
        episode("validation/catalogue", *broken),
        episode(
            "update/replaces",
            update(
                success(rule(nickname="Caf", description=HOSTILE), "req_7"),
                {**example, "status": "disabled", "nickname": "Café 😀", "description": None},
                at=4,
                took=0.4,
            ),
        ),
        episode(
            "authz/scope",
            update(
                refusal(403, "forbidden"),
                authorization=KeyReference("read_only", "Authorization", "ApiKey "),
                caller="read_only",
                access="no-permission",
            ),
            update(
                refusal(404, "resource_not_found", "Rule not found."),
                authorization=KeyReference("other_org", "Authorization", "ApiKey "),
                caller="other_org",
                access="other-organization",
                existence="foreign",
            ),
            update(
                refusal(401, "unauthorized"),
                authorization=KeyReference("full", "Authorization", "ApiKey ", "truncated"),
                caller="full|truncated",
                access="unauthenticated",
            ),
            update(TransportFault("timeout", "no answer within 10 s"), existence="unknown", rule="rule_zzz"),
        ),
    ]
    findings = [
        finding(
            "auth.missing",
            "auth/missing",
            [1],
            place="none",
            kind="answered 200",
            expected="401",
            actual='200, status "disabled"',
        ),
        finding(
            "status.enabled-becomes-disabled",
            "status/enabled-becomes-disabled",
            [0],
            place="/status",
            kind="stays enabled",
            expected="the rule is disabled after the update",
            actual='/status is "enabled" in the answer',
            stability="3 of 3",
            count=4,
        ),
        finding(
            "status.stored",
            "status/enabled-becomes-disabled",
            [0, 1],
            place="/status",
            kind="stored enabled",
            expected="the stored status is disabled",
            actual='GET answers "enabled"',
        ),
        finding(
            "idempotency.replay",
            "idempotency/replay",
            [0, 2],
            place="body",
            kind="differs",
            expected="the original answer",
            actual="another body: updated_at differs",
            count=3,
            stability="2 of 3",
        ),
        finding(
            "envelope.no-server-error",
            "validation/catalogue",
            [crash],
            place="/trigger",
            kind="answered 500",
            expected="no 5xx",
            actual='500 "Internal Server Error"',
        ),
        finding(
            "validation.type",
            "validation/catalogue",
            [lenient],
            place="/steps/*/actions/*/group_index",
            kind="type:string accepted",
            expected="refused with 400 or 422",
            actual="200: accepted",
            level="should",
        ),
        finding(
            "update.replaces",
            "update/replaces",
            [0],
            place="/nickname",
            kind="cut",
            expected='"Café 😀" as it was sent',
            actual=f'"Caf", and description is {HOSTILE}',
        ),
        finding(
            "authz.organization",
            "authz/scope",
            [1],
            place="other_org",
            kind="no id named",
            level="should",
            expected="a message that names the id",
            actual="Rule not found.",
            accepted=True,
        ),
    ]
    return episodes, findings


def sample_records(**changes: Any) -> tuple[list[Record], Outcome]:
    """A whole journal, and its outcome."""
    episodes, findings = sample_findings()
    skipped = "the profile has no hook advance_clock"
    verdicts: dict[str, tuple[Verdict, str]] = {
        "idempotency.window": ("skipped", skipped),
        "status.not-triggerable": ("skipped", "the profile does not give permissions.trigger"),
        "concurrency.whole": ("inconclusive", "no two requests overlapped"),
        "not-found.unknown-id": ("error", "timeout: no answer within 10 s"),
    }
    records: list[Record] = [
        header(**changes),
        FoundRule("rule_a", "full", rule(status="enabled"), enabled=True),
        FoundRule("rule_b", "full", rule("rule_b"), enabled=False),
        *[EpisodeRecord(one) for one in episodes],
        Skipped("idempotency/window", ("idempotency.window",), skipped),
        Note("coverage", "3 of 9 action types were tried on an enabled rule: no more were enabled."),
        Restored("rule_a"),
        Restored("rule_b", "409 conflict: somebody else wrote to it"),
        footer(),
    ]
    return records, outcome(findings, verdicts=verdicts, readings=some_readings())


def sample_report(**changes: Any) -> RunReport:
    return report_of(*sample_records(**changes))
