"""The standalone tests are run by pytest, against the defect that they are about and against a target without it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.journal import EpisodeRecord, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.reports import pytest_case
from rules_harness.reports.collect import collect
from rules_harness.reports.expected import EXPECTATIONS
from rules_harness.reports.model import RunReport
from tests.reports.factories import answer, contract, episode, finding, footer, header, outcome, report_of, update
from tests.reports.recorded import record
from tests.reports.samples import sample_report

DEFECTS = {
    "auth.bearer-accepted": "auth.malformed",
    "update.limit-kept-when-omitted": "update.omitted-is-cleared",
    "status.kept-with-key": "status.enabled-becomes-disabled",
    "idempotency.replay-executes": "idempotency.no-reexecution",
    "validation.large-crash": "validation.size",
}


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


def run(file: Path, environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(file.parent), str(file)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RULES_")}
    done = subprocess.run(command, check=False, env={**kept, **environment}, cwd=file.parent, capture_output=True)
    if b"skipped" in done.stdout and b"passed" not in done.stdout and b"failed" not in done.stdout:
        return -1
    return done.returncode


@pytest.mark.parametrize(("fault", "requirement"), DEFECTS.items())
def test_fails_while_the_defect_is_there_and_only_then(
    server: ReferenceServer, tmp_path: Path, fault: str, requirement: str
) -> None:
    folder = record(server, tmp_path / "run", faults=[fault], select=[requirement])
    report = collect(partial(stream, folder), outcome_of(stream(folder), contract()), contract())
    view = next(view for view in report.findings if view.finding.requirement == requirement)
    text = pytest_case.render(view, report.target, contract())
    assert text is not None
    file = tmp_path / pytest_case.file_name(view)
    file.write_text(text, encoding="ascii")
    environment = {**server.environment, "RULES_BASE_URL": server.base_url}
    server.configure(faults=[fault])
    assert run(file, environment) == 1
    server.configure()
    assert run(file, environment) == 0
    if requirement.startswith("idempotency."):
        assert run(file, environment) == 0, "a second time, though its keys are used up"


def test_without_keys_it_is_skipped(tmp_path: Path) -> None:
    report = sample_report()
    view = next(view for view in report.findings if view.finding.requirement == "status.stored")
    text = pytest_case.render(view, report.target, contract())
    assert text is not None
    file = tmp_path / pytest_case.file_name(view)
    file.write_text(text, encoding="ascii")
    assert run(file, {}) == -1


def test_every_requirement_that_requests_alone_can_show_has_an_expectation() -> None:
    assert set(contract().requirements) - set(EXPECTATIONS) == {"idempotency.window"}
    assert set(EXPECTATIONS) <= set(contract().requirements)


def rendered(report: RunReport) -> dict[str, str]:
    texts = {view.finding.requirement: pytest_case.render(view, report.target, contract()) for view in report.findings}
    return {requirement: text for requirement, text in texts.items() if text is not None}


def test_files_are_plain_ascii_python_whatever_they_quote() -> None:
    for requirement, text in rendered(sample_report()).items():
        assert text.isascii()
        tree = ast.parse(text)
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert functions[-1] == "test_" + requirement.replace(".", "_").replace("-", "_")
        assert ast.get_docstring(tree)


def test_files_hold_only_the_helpers_and_imports_that_they_use() -> None:
    text = rendered(sample_report())["auth.missing"]
    tree = ast.parse(text)
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"Request", "send", "test_auth_missing"} <= names
    assert not names & {"fresh", "together", "same", "strict", "enable"}


def test_keys_stand_there_by_the_name_of_their_variable() -> None:
    for text in rendered(sample_report()).values():
        assert "{key:" not in text
    assert "key('RULES_KEY_READ_ONLY')" not in rendered(sample_report())["authz.organization"]
    assert "key('RULES_KEY_OTHER_ORG')" in rendered(sample_report())["authz.organization"]


def test_findings_without_exchanges_make_no_file() -> None:
    report = sample_report()
    view = report.findings[0]
    bare = msgspec.structs.replace(view, episode=(), steps=())
    assert pytest_case.render(bare, report.target, contract()) is None


def test_raw_requests_go_out_byte_for_byte(server: ReferenceServer, tmp_path: Path) -> None:
    one = episode("not-found/odd-ids", update(answer(200, {}), existence="odd", rule="a\x01b", label="control"))
    (sent,) = one.exchanges
    raw = msgspec.structs.replace(sent.request, target="/rules/a\x01b", raw=True)
    one = msgspec.structs.replace(one, exchanges=(msgspec.structs.replace(sent, request=raw),))
    found = finding("not-found.odd-ids", one.id, [0])
    report = report_of([header(), EpisodeRecord(one), footer()], outcome([found]))
    text = pytest_case.render(report.findings[0], report.target, contract())
    assert text is not None
    file = tmp_path / pytest_case.file_name(report.findings[0])
    file.write_text(text, encoding="ascii")
    server.configure()
    assert run(file, {**server.environment, "RULES_BASE_URL": server.base_url}) == 0
