from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.exchange import Facts
from rules_harness.harness.journal import EpisodeRecord, Footer, Header, stream
from rules_harness.harness.judging.outcome import ReadingOutcome
from rules_harness.reports.model import RunReport
from tests.reports.factories import (
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
    written,
)
from tests.reports.samples import sample_records, sample_report


@pytest.fixture(scope="module")
def report() -> RunReport:
    return sample_report()


def test_every_requirement_stands_in_its_family(report: RunReport) -> None:
    assert [row.id for row in report.requirements] == list(contract().requirements)
    assert [family.name for family in report.families][:3] == ["envelope", "request-id", "auth"]
    assert report.count("failed") == 6
    assert report.count("passed") == len(contract().requirements) - 11


def test_findings_that_fail_the_gate_come_first_and_accepted_ones_last(report: RunReport) -> None:
    ranks = [(view.finding.accepted, view.finding.level) for view in report.findings]
    assert ranks == sorted(ranks, key=lambda rank: (rank[0], rank[1] != "must"))
    assert [group.requirement.id for group in report.groups][-1] == "authz.organization"


def test_a_finding_has_its_exchanges_and_says_which_show_it(report: RunReport) -> None:
    view = next(view for view in report.findings if view.finding.requirement == "idempotency.replay")
    assert [shown.is_proof for shown in view.episode] == [True, False, True, False]
    assert [shown.position for shown in view.needed] == [0, 1, 2]
    assert view.stability == "flaky: 2 of 3"
    never = msgspec.structs.replace(view, finding=msgspec.structs.replace(view.finding, stability="0 of 3"))
    assert never.stability == "flaky: 0 of 3 when sent alone; it may take simultaneous requests"


def test_difference_shows_what_a_replay_changed(report: RunReport) -> None:
    view = next(view for view in report.findings if view.finding.requirement == "idempotency.replay")
    assert view.difference is not None
    changed = {(one.kind, one.text.strip()) for one in view.difference.lines if one.kind in ("gone", "new")}
    assert ("new", '"updated_at": "2026-01-01T08:30:03Z"') in changed


def test_difference_of_a_refusal_compares_before_and_after() -> None:
    sent = update(refusal(400, "invalid"), {}, body="broken")
    after = read(rule(nickname="Changed"))
    one = episode("validation/atomic", sent, after, facts=Facts(before={"rule_a": rule()}))
    found = finding("validation.atomic", one.id, [0, 1], place="/nickname")
    difference = report_of([header(), EpisodeRecord(one), footer()], outcome([found])).findings[0].difference
    assert difference is not None
    assert (difference.left, difference.right) == ("before", "read afterwards")
    assert [one.text.strip() for one in difference.lines if one.kind != "same" and one.text] == [
        '"nickname": "Monthly savings transfer"',
        '"nickname": "Changed"',
    ]


def test_order_of_names_is_no_difference() -> None:
    sent = {**contract().example_body(), "status": "disabled"}
    one = episode("update/replaces", update(success(rule(**dict(reversed(sent.items())))), sent))
    found = finding("update.replaces", one.id, [0])
    assert report_of([header(), EpisodeRecord(one), footer()], outcome([found])).findings[0].difference is None


def test_enabling_is_told_from_what_was_read() -> None:
    one = episode(
        "status/enabled",
        read(rule()),
        read(rule(status="enabled")),
        update(success(rule(status="enabled"))),
        read(rule(status="enabled")),
    )
    found = finding("status.stored", one.id, [2, 3])
    view = report_of([header(), EpisodeRecord(one), footer()], outcome([found])).findings[0]
    assert [step.enable or step.positions for step in view.steps] == [(0,), "rule_a", (1,), (2,), (3,)]


def test_authorization_grid_shows_callers_and_marks_findings(report: RunReport) -> None:
    rows = {row.name: dict(zip(report.grid.columns, row.cells, strict=True)) for row in report.grid.rows}
    assert next(iter(rows)) == "full"
    assert rows["none"]["valid update"].statuses == (("200", 1),)
    assert rows["none"]["valid update"].findings
    assert rows["read_only"]["valid update"].statuses == (("403", 1),)
    assert not rows["read_only"]["valid update"].findings
    assert rows["full"]["unknown id"].statuses == (("timed out", 1),)


def test_odd_credentials_that_are_answered_alike_share_a_row() -> None:
    callers = [f"credential:{name}" for name in ("empty", "bare", "star")]
    exchanges = [update(refusal(401, "unauthorized"), caller=caller, access="unauthenticated") for caller in callers]
    bearer = update(success(rule()), caller="credential:bearer", access="unauthenticated")
    one = episode("auth/malformed", *exchanges, bearer)
    grid = report_of([header(), EpisodeRecord(one), footer()], outcome()).grid
    assert [(row.name, row.callers) for row in grid.rows] == [
        ("3 odd credentials", ("empty", "bare", "star")),
        ("credential:bearer", ()),
    ]


def test_heat_map_finds_the_odd_answers(report: RunReport) -> None:
    marks = {
        (place, mark.kind): mark
        for place, cells in report.heat_map.rows
        for marks in cells
        for mark in marks
        if mark.odd
    }
    assert report.heat_map.usual == "422"
    assert {key: mark.cell.statuses for key, mark in marks.items()} == {
        ("/trigger", "null"): (("500", 1),),
        ("/steps/*/actions/*/group_index", "string"): (("200", 1),),
    }
    assert all(mark.cell.findings for mark in marks.values())


def test_latency_percentiles_are_those_of_the_answers(report: RunReport) -> None:
    assert report.latency is not None
    assert report.latency.longest == pytest.approx(0.4)
    assert report.latency.p50 == pytest.approx(0.012)
    assert sum(count for _, _, count in report.latency.buckets) == report.latency.count


def test_coverage_rules_and_notes_are_told(report: RunReport) -> None:
    assert [(one.name, one.reached, one.total) for one in report.coverage] == [
        ("shapes", 118, 120),
        ("mutations", 412, 412),
    ]
    assert [(row.rule, row.was_enabled, row.restored) for row in report.rules] == [
        ("rule_a", True, True),
        ("rule_b", False, False),
    ]
    assert report.notes == ("3 of 9 action types were tried on an enabled rule: no more were enabled.",)


def test_a_whole_run_misses_nothing(report: RunReport) -> None:
    assert report.missing == ()


def test_missing_end_and_torn_lines_are_told(tmp_path: Path) -> None:
    records, result = sample_records()
    path = written(tmp_path, [record for record in records if not isinstance(record, Footer)])
    with path.open("ab") as file:
        file.write(b'{"record":"episode","episode":{"id":"torn')
    report = report_of([*stream(path)], result)
    assert any("was cut off" in sentence for sentence in report.missing)
    assert any("1 line of the journal could not be read" in sentence for sentence in report.missing)


def test_findings_whose_exchanges_are_lost_are_told() -> None:
    report = report_of([header(), footer()], outcome([finding("auth.missing", "auth/gone", [0])]))
    assert any("exchanges of 1 finding are not in the journal" in sentence for sentence in report.missing)
    assert report.findings[0].episode == ()


def test_findings_about_readings_need_no_exchange() -> None:
    against = finding("status.no-enable-by-body", "", [], place="reading.enable-by-body", level="should")
    asked = {"reading.enable-by-body": ReadingOutcome("reading.enable-by-body", "becomes-enabled", 2, False)}
    assert report_of([header(), footer()], outcome([against], readings=asked)).missing == ()


def test_interruption_and_another_contract_are_told() -> None:
    report = report_of([header(contract_sha256="0" * 64), footer(interrupted=True)], outcome())
    assert any("interrupted" in sentence for sentence in report.missing)
    assert any("another contract (000000000000)" in sentence for sentence in report.missing)


def test_requirements_of_another_contract_are_kept() -> None:
    result = outcome()
    strange = next(iter(result.requirements.values()))
    result.requirements["future.promise"] = type(strange)("future.promise", "must", "passed", 1, 0)
    row = next(row for row in report_of([header(), footer()], result).requirements if row.id == "future.promise")
    assert row.family == "future"


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_journal_cut_anywhere_still_makes_a_report(tmp_path: Path, cut: int) -> None:
    records, result = sample_records()
    path = written(tmp_path, records)
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    path.write_bytes(content[: first + (len(content) - first) * cut // 12])
    report = report_of([*stream(path)], result)
    assert isinstance(report.header, Header)
    assert report.missing
