from __future__ import annotations

from rules_harness.harness.reference.faults import FAULTS
from rules_harness.reports import again
from rules_harness.reports.cascades import CASCADES, grouped
from rules_harness.reports.model import FindingView, RunReport
from tests.reports.factories import contract, finding, footer, header, outcome, report_of
from tests.reports.samples import sample_report


def of(*requirements: str, accepted: tuple[str, ...] = ()) -> RunReport:
    found = [finding(id, "", [], accepted=id in accepted) for id in requirements]
    return report_of([header(), footer()], outcome(found))


def led(report: RunReport) -> list[tuple[str, list[str]]]:
    return [(group.requirement.id, [one.requirement.id for one in group.also]) for group in report.groups]


def test_each_cascade_is_proved_by_a_fault() -> None:
    seen = {(fault.requirement, also) for fault in FAULTS for also in fault.also}
    named = {(lead, also) for lead, others in CASCADES.items() for also in others}
    assert named <= seen, named - seen
    assert {id for pair in named for id in pair} <= set(contract().requirements)


def test_what_explains_most_comes_first_and_the_rest_folds_under_it() -> None:
    report = of(
        "request-id.unique", "update.replaces", "idempotency.replay", "idempotency.window", "status.replay-keeps"
    )
    assert led(report) == [
        ("idempotency.replay", ["status.replay-keeps", "idempotency.window"]),
        ("request-id.unique", []),
        ("update.replaces", []),
    ]
    assert [view.requirement.id for view in report.findings][:2] == ["idempotency.replay", "status.replay-keeps"]


def test_one_that_is_folded_explains_nothing_more() -> None:
    ids = ("status.stored", "status.enabled-becomes-disabled", "status.not-triggerable", "update.read-back")
    assert led(of(*ids)) == [
        ("status.enabled-becomes-disabled", ["status.stored", "status.not-triggerable"]),
        ("update.read-back", []),
    ]


def test_a_finding_that_is_accepted_explains_none_that_is_not() -> None:
    report = of("idempotency.replay", "idempotency.window", accepted=("idempotency.replay",))
    assert led(report) == [("idempotency.window", []), ("idempotency.replay", [])]


def test_within_a_group_what_was_seen_most_often_is_first() -> None:
    rare, often = (finding("update.replaces", "", [], place=f"/{count}", count=count) for count in (1, 7))
    (group,) = report_of([header(), footer()], outcome([rare, often])).groups
    assert [view.finding.count for view in group.views] == [7, 1]


def test_no_finding_is_lost() -> None:
    views: tuple[FindingView, ...] = sample_report().findings
    flat = [view.id for group in grouped(views) for view in group.all_views]
    assert sorted(flat) == sorted(view.id for view in views)


def test_the_command_names_the_run_and_the_profile() -> None:
    base = sample_report()
    (view,) = [one for one in base.findings if one.requirement.id == "idempotency.replay"]
    assert again.replay(view, base) == f"rules-harness replay RUN {view.id}"
    report = sample_report(options={"profile": "my staging.toml"})
    assert again.replay(view, report) == f"rules-harness replay RUN {view.id} --target 'my staging.toml'"
    assert again.replay(of("auth.missing").findings[0], base) == ""
