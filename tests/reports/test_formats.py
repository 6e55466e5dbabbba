from __future__ import annotations

import json
import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from junitparser.xunit2 import JUnitXml
from referencing import Registry, Resource

from rules_harness.harness.journal import EpisodeRecord, Record, stream
from rules_harness.reports.collect import collect
from rules_harness.reports.formats import FORMATS, render_all
from rules_harness.reports.model import RunReport
from tests.reports.factories import (
    contract,
    episode,
    finding,
    footer,
    header,
    outcome,
    refusal,
    report_of,
    rule,
    success,
    update,
    written,
)
from tests.reports.samples import sample_records, sample_report

SCHEMAS = Path(__file__).parent / "schemas"


@pytest.fixture(scope="module")
def report() -> RunReport:
    return sample_report()


def rendered(report: RunReport, name: str) -> str:
    return b"".join(FORMATS[name].render(report)).decode("utf-8")


def test_each_format_is_rendered_under_its_file_name(report: RunReport) -> None:
    made = {name: b"".join(pieces) for name, pieces in render_all(report, FORMATS)}
    assert list(made) == [one.file_name for one in FORMATS.values()]
    assert len(set(made)) == len(FORMATS)
    assert all(made.values())


def test_names_given_twice_are_rendered_once(report: RunReport) -> None:
    assert [name for name, _ in render_all(report, ["badge", "summary", "badge"])] == ["badge.json", "summary.json"]


def test_summary_has_the_documented_form(report: RunReport) -> None:
    summary = json.loads(rendered(report, "summary"))
    assert {key: summary[key] for key in ("schema_version", "outcome", "exit_code", "target", "requests", "seed")} == {
        "schema_version": 1,
        "outcome": "violates",
        "exit_code": 1,
        "target": "staging",
        "requests": 812,
        "seed": 1,
    }
    assert summary["seconds"] == 6.2
    assert [row["scenarios"] for row in summary["skipped"]] == [["idempotency/window"]]
    assert summary["requirements"]["auth.malformed"] == {
        "level": "must",
        "verdict": "passed",
        "exercised": 4,
        "findings": 0,
        "reason": None,
        "seconds": 0.0,
    }
    assert summary["readings"]["reading.validation-status"] == {
        "answer": "422",
        "observations": 96,
        "accepted": True,
        "by_kind": {"": ["422"]},
    }
    found = next(one for one in summary["findings"] if one["requirement"] == "auth.missing")
    assert found["expected"] == "401"
    assert found["count"] == 1
    assert found["episode"] == "auth/missing"
    assert summary["coverage"]["mutations"]["of"] == 412
    assert summary["rules"][1] == {
        "rule": "rule_b",
        "was_enabled": False,
        "restored": False,
        "problem": "409 conflict: somebody else wrote to it",
    }


def test_junit_has_a_case_for_each_requirement(report: RunReport) -> None:
    suites = JUnitXml.fromstring(rendered(report, "junit"))
    cases = {case.name: case for suite in suites for case in suite}
    assert list(cases) == [row.id for row in report.requirements]
    assert cases["auth.missing"].classname == "auth"
    assert cases["auth.missing"].is_failure
    assert "expected 401" in cases["auth.missing"].result[0].message
    assert "curl" in cases["auth.missing"].result[0].text
    assert cases["idempotency.window"].is_skipped
    assert "advance_clock" in cases["idempotency.window"].result[0].message
    assert cases["concurrency.whole"].is_skipped
    assert cases["not-found.unknown-id"].is_error
    assert cases["validation.type"].is_passed
    assert "group_index" in cases["validation.type"].system_out
    assert (suites.tests, suites.failures, suites.errors) == (len(cases), 6, 1)


def test_junit_carries_times() -> None:
    one = episode(
        "auth/missing", update(refusal(401, "unauthorized"), took=0.5), about=("auth.missing", "auth.challenge")
    )
    other = episode("auth/again", update(refusal(401, "unauthorized"), took=0.25), about=("auth.missing",))
    report = report_of([header(), EpisodeRecord(one), EpisodeRecord(other), footer(seconds=6.2)], outcome())
    document = JUnitXml.fromstring(rendered(report, "junit"))
    times = {case.name: case.time for suite in document for case in suite}
    assert (times["auth.missing"], times["auth.challenge"], times["auth.malformed"]) == (0.5, 0.25, 0)
    assert {suite.name: suite.time for suite in document}["auth"] == 0.75
    assert document.time == 6.2


def test_annotations_are_github_commands_the_most_telling_first(report: RunReport) -> None:
    lines = rendered(report, "github").splitlines()
    form = re.compile(r"::(error|warning|notice)( title=[^:,]+)?::[^\r\n]+")
    assert all(form.fullmatch(line) for line in lines)
    assert lines[0].startswith("::error title=Violates the contract::")
    assert lines[1].startswith("::error title=status.enabled-becomes-disabled::")
    assert "%0Aalso seen as status.stored%0A" in lines[1]
    assert "%0Arules-harness replay RUN " in lines[1]
    assert len(lines) <= 10
    assert "<script>" not in "".join(lines[:1])


def test_ndjson_has_a_record_a_line(report: RunReport) -> None:
    records = [json.loads(line) for line in rendered(report, "ndjson").splitlines()]
    assert records[0]["type"] == "run"
    assert records[0]["outcome"] == "violates"
    by_type = Counter(record["type"] for record in records)
    assert by_type == {
        "run": 1,
        "requirement": len(report.requirements),
        "reading": len(report.readings),
        "finding": len(report.findings),
    }
    summary = json.loads(rendered(report, "summary"))
    assert [record["id"] for record in records if record["type"] == "finding"] == [
        one["id"] for one in summary["findings"]
    ]


def test_junit_fails_on_should_where_the_run_does() -> None:
    strict = sample_report(fail_on="should")
    cases = {case.name: case for suite in JUnitXml.fromstring(rendered(strict, "junit")) for case in suite}
    assert cases["validation.type"].is_failure


def test_junit_is_valid_by_jenkins_schema(report: RunReport) -> None:
    schema = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")
    schema.validate(rendered(report, "junit"))
    assert [schema.is_valid(rendered(empty, "junit")) for empty in (report_of([header(), footer()], outcome()),)] == [
        True
    ]


def test_junit_holds_no_character_that_xml_forbids(report: RunReport) -> None:
    ET.fromstring(rendered(report, "junit"))


def test_sarif_is_valid_and_fingerprinted(report: RunReport) -> None:
    document = json.loads(rendered(report, "sarif"))
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [row.id for row in report.requirements]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert (levels["auth.missing"], levels["validation.type"]) == ("error", "warning")
    assert {result["partialFingerprints"]["findingId/v1"] for result in run["results"]} == {
        view.id for view in report.findings
    }
    (accepted,) = [result for result in run["results"] if "suppressions" in result]
    assert accepted["ruleId"] == "authz.organization"


def test_sarif_points_at_a_file_that_the_caller_has(report: RunReport) -> None:
    def places(of: RunReport) -> set[str]:
        (run,) = json.loads(rendered(of, "sarif"))["runs"]
        locations = [result["locations"][0]["physicalLocation"] for result in run["results"]]
        return {location["artifactLocation"]["uri"] for location in locations}

    assert places(report) == {"openapi/rules.yaml"}
    assert places(sample_report(options={"profile": "ci/my staging.toml"})) == {"ci/my%20staging.toml"}
    assert places(sample_report(options={"profile": "/etc/staging.toml"})) == {"file:///etc/staging.toml"}


def test_ctrf_is_valid(report: RunReport) -> None:
    document = json.loads(rendered(report, "ctrf"))
    jsonschema.validate(document, json.loads((SCHEMAS / "ctrf-0.0.json").read_text(encoding="utf-8")))
    statuses = {test["name"]: test["status"] for test in document["results"]["tests"]}
    raw = {test["name"]: test["rawStatus"] for test in document["results"]["tests"]}
    assert statuses["auth.missing"] == "failed"
    assert (statuses["concurrency.whole"], raw["concurrency.whole"]) == ("skipped", "inconclusive")
    assert document["results"]["summary"]["failed"] == 6
    assert document["results"]["summary"]["tests"] == len(statuses)


def har_schema() -> tuple[dict[str, Any], Registry[Any]]:
    parts = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (SCHEMAS / "har").glob("*.json")}
    registry: Registry[Any] = Registry()
    for name, part in parts.items():
        registry = registry.with_resource(name, Resource.from_contents(part))
    return parts["har.json"], registry


def test_har_is_valid_and_holds_every_exchange(report: RunReport) -> None:
    document = json.loads(rendered(report, "har"))
    schema, registry = har_schema()
    jsonschema.Draft6Validator(schema, registry=registry).validate(document)
    entries = document["log"]["entries"]
    assert len(entries) == sum(count for _, count in report.statuses)
    assert entries[0]["request"]["url"] == "http://127.0.0.1:9101/api/v1/rules/rule_a"
    assert {"name": "Authorization", "value": "ApiKey {key:full}"} in entries[0]["request"]["headers"]
    unanswered = [entry for entry in entries if entry["response"]["status"] == 0]
    assert [entry["response"]["comment"] for entry in unanswered] == ["timed out: no answer within 10 s"]


def test_badge_counts_what_holds(report: RunReport) -> None:
    badge = json.loads(rendered(report, "badge"))
    held = report.count("passed")
    assert set(badge) == {"schemaVersion", "label", "message", "color", "isError"}
    assert (badge["schemaVersion"], badge["message"], badge["color"]) == (1, f"{held} of {held + 7} hold", "red")
    good = json.loads(rendered(report_of([header(), footer()], outcome()), "badge"))
    assert (good["message"], good["color"]) == (
        f"{len(contract().requirements)} of {len(contract().requirements)} hold",
        "brightgreen",
    )


@pytest.mark.parametrize("cut", [1, 3, 6, 9])
def test_each_format_is_made_from_a_journal_that_was_cut_off(tmp_path: Path, cut: int) -> None:
    records, result = sample_records()
    path = written(tmp_path, records)
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    path.write_bytes(content[: first + (len(content) - first) * cut // 10])
    report = collect(partial(stream, path), result, contract())
    made = {name: b"".join(pieces) for name, pieces in render_all(report, FORMATS)}
    assert json.loads(made["summary.json"])["missing"]
    assert json.loads(made["report.sarif"])["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert json.loads(made["report.har"])["log"]["version"] == "1.2"
    assert b"was cut off" in made["report.html"]
    assert b"was cut off" in made["report.md"]
    xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd").validate(made["junit.xml"].decode())


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_exchanges() -> None:
    great = update(success(rule(description="x" * 20_000)))

    def records() -> Iterator[Record]:
        yield header()
        for number in range(1000):
            yield EpisodeRecord(episode(f"update/{number}", great, great))
        yield footer()

    report = collect(records, outcome([finding("update.replaces", "update/7", [0])]), contract())
    tracemalloc.start()
    try:
        written_bytes = sum(len(piece) for _, pieces in render_all(report, FORMATS) for piece in pieces)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written_bytes > 40_000_000
    assert peak < 10_000_000
