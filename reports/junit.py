"""JUnit XML: one test case per requirement, one suite per family; valid by the schema of Jenkins' xUnit plugin."""

from __future__ import annotations

from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import JUnitXml, TestCase, TestSuite

from rules_harness.reports import plain
from rules_harness.reports.model import Family, FindingView, RequirementRow, RunReport


def render(report: RunReport) -> str:
    """The document.

    Failed is a failure, error an error, skipped and inconclusive are skipped with their reason.  Warned passes and
    tells its text, unless the run was told to fail on *should*.
    """
    document = JUnitXml(report.target.name)
    for family in report.families:
        document.add_testsuite(_suite(family, report))
    document.update_statistics()  # type: ignore[no-untyped-call]  # junitparser types only a part of itself
    document.time = round(report.seconds, 3)
    text: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return text.decode("utf-8") + "\n"


def _suite(family: Family, report: RunReport) -> TestSuite:
    suite = TestSuite(family.name)  # type: ignore[no-untyped-call]
    suite.timestamp = report.header.started_at
    for row in family.rows:
        suite.add_testcase(_case(row, report))
    return suite


def _case(row: RequirementRow, report: RunReport) -> TestCase:
    case = TestCase(row.id, classname=row.family, time=row.seconds)
    views = [view for view in report.findings if view.finding.requirement == row.id]
    text = plain.findings(views, report) or row.reason or ""
    match row.verdict:
        case "failed":
            case.result = [_failure(row, views, text)]
        case "warned" if report.header.fail_on == "should":
            case.result = [_failure(row, views, text)]
        case "error":
            error = Error(row.reason or "", "error")
            error.text = text
            case.result = [error]
        case "skipped" | "inconclusive":
            case.result = [Skipped(f"{row.verdict}: {row.reason or ''}", row.verdict)]
        case _:
            if text:
                case.system_out = text
    return case


def _failure(row: RequirementRow, views: list[FindingView], text: str) -> Failure:
    first = f"expected {views[0].expected}; was {views[0].actual}" if views else row.reason or row.sentence
    failure = Failure(first, row.level)
    failure.text = text
    return failure
