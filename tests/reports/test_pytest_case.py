"""What a finding leaves behind is run: against the defect that it is about, and against a target without it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rules_harness.harness.cli.leaving import leave_findings
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import EpisodeRecord, FoundRule, Restored, stream
from rules_harness.harness.judging.judge import conclude, outcome_of
from rules_harness.harness.pytest_plugin.fixed import AssertFixed
from rules_harness.harness.pytest_plugin.judging import target_of
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.session.session import Settings
from rules_harness.reports import pytest_case
from rules_harness.reports.collect import collect
from tests.gate import runs
from tests.reports.factories import contract
from tests.reports.recorded import record, run_gate
from tests.reports.samples import sample_report

WHOLE_RUN = {
    "status.no-enable-by-body": "a reading: it rests on all answers of a run to one question, not on one episode",
}
"""Requirements of which no finding can be sent again by itself, and why."""
FAULT_OF = {
    **{fault.requirement: fault.id for fault in reversed(FAULTS)},
    # Without an envelope no rule can be read, and what cannot be read is not written.
    "envelope.success": "envelope.error-beside-data",
    # The first one is told as a reading.
    "idempotency.per-rule": "idempotency.stored-request-executed",
}
"""For each requirement a fault that breaks it."""
NOW = datetime.fromisoformat(runs.NOW)
has_shell = bool(os.environ.get("CI")) or all(map(shutil.which, ("bash", "curl")))
"""In CI they must be there: a script that was not tried is no proof."""


def left(server: ReferenceServer, folder: Path, requirement: str, fault: str = "", *, smaller: bool = False) -> Path:
    """The folder of a finding against a requirement: of those that a run leaves, the one with the fewest requests."""
    settings = Settings(now=NOW, select=(requirement,), fail_on="should", max_failures=1, smaller=smaller)
    gate = run_gate(server, folder, settings, faults=[fault or FAULT_OF[requirement]])
    report = collect(partial(stream, folder), conclude(gate.record.tally, profile={}), contract())
    views = [view for view in report.findings if view.requirement.id == requirement and view.finding.shown_by]
    view = min(views, key=lambda view: (max(view.finding.shown_by), view.finding.count))
    leave_findings(folder, report)
    return folder / "findings" / view.id


def sent_again(folder: Path, profile: Path, journals: Path) -> str:
    """What the generated test of a finding says when it fails; empty where it passes."""
    try:
        AssertFixed(target_of(profile), journals)(folder / "finding.json")
    except pytest.fail.Exception as failed:
        return str(failed)
    return ""


def shell(folder: Path, **environment: str) -> int:
    """How the script of a finding ends."""
    kept = {**os.environ, **environment}
    done = subprocess.run(["bash", str(folder / "curl.sh")], check=False, env=kept, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.returncode


def decides(folder: Path) -> bool:
    return 'case "$status" in' in (folder / "curl.sh").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("requirement", [id for id in contract().requirements if id not in WHOLE_RUN])
def test_fails_while_the_defect_is_there_and_only_then(
    server: ReferenceServer, tmp_path: Path, profile: Path, requirement: str
) -> None:
    folder = left(server, tmp_path / "run", requirement)
    server.configure(faults=[FAULT_OF[requirement]])
    problem = sent_again(folder, profile, tmp_path / "before")
    assert problem.startswith(f"{requirement} ("), problem
    assert "still fails" in problem
    by_script = has_shell and decides(folder)
    assert not by_script or shell(folder) == 1
    server.configure()
    assert not sent_again(folder, profile, tmp_path / "after")
    assert not by_script or shell(folder) == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["update.ach-description-kept-when-omitted", "update.limit-kept-when-omitted"])
def test_what_is_left_writes_itself_what_is_not_cleared(
    server: ReferenceServer, tmp_path: Path, profile: Path, fault: str
) -> None:
    folder = left(server, tmp_path / "run", "update.omitted-is-cleared", fault, smaller=True)
    server.configure(faults=[fault])
    assert "still fails" in sent_again(folder, profile, tmp_path / "before")


def test_keys_that_differ_in_case_are_new_each_time(server: ReferenceServer, tmp_path: Path, profile: Path) -> None:
    fault = "idempotency.uuids-in-lower-case"
    folder = left(server, tmp_path / "run", "idempotency.any-key", fault)
    assert "| tr a-f A-F)" in (folder / "curl.sh").read_text(encoding="utf-8")
    server.configure(faults=[fault])
    assert "still fails" in sent_again(folder, profile, tmp_path / "before")
    server.configure()
    assert not sent_again(folder, profile, tmp_path / "after")


@pytest.mark.parametrize("requirement", WHOLE_RUN)
def test_what_rests_on_a_whole_run_leaves_nothing(server: ReferenceServer, tmp_path: Path, requirement: str) -> None:
    run = record(server, tmp_path / "run", faults=[FAULT_OF[requirement]], select=[requirement], now=NOW)
    report = collect(partial(stream, run), outcome_of(stream(run), contract()), contract())
    assert report.findings
    assert leave_findings(run, report) == []


def run_pytest(folder: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    [file] = folder.glob("test_*.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, file, *options]
    return subprocess.run(list(map(str, command)), check=False, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("faults", [["idempotency.replay-executes"], []])
def test_as_a_file_of_pytest_and_as_a_script(
    server: ReferenceServer, tmp_path: Path, profile: Path, faults: list[str]
) -> None:
    folder = left(server, tmp_path / "run", "idempotency.no-reexecution", "idempotency.replay-executes")
    server.configure(faults=faults)
    expected = len(faults)
    done = run_pytest(folder, "--rules-target", profile, "--rules-out", tmp_path / "out")
    assert done.returncode == expected, done.stdout
    assert bool(faults) == ("still fails" in done.stdout)
    assert not decides(folder)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert not has_shell or shell(folder, PATH=path, RULES_TARGET=str(profile)) == expected


@pytest.mark.slow
@pytest.mark.skipif(not has_shell, reason="needs bash and curl")
def test_a_script_that_cannot_tell_ends_with_3(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure()
    undecided = left(server, tmp_path / "one", "update.replaces")
    assert shell(undecided, PATH="/usr/bin:/bin") == 3
    decided = left(server, tmp_path / "other", "validation.type")
    assert shell(decided, RULES_BASE_URL="https://api.getsequence.io/api/v1") == 3
    assert shell(decided, RULES_BASE_URL="https://API.getsequence.io.:443/api/v1") == 3
    assert shell(decided, RULES_KEY_FULL="wrong") == 3
    assert shell(decided, RULES_KEY_FULL="") == 3


@pytest.mark.slow
def test_without_a_target_it_is_an_error(server: ReferenceServer, tmp_path: Path) -> None:
    folder = left(server, tmp_path / "run", "auth.missing")
    done = run_pytest(folder)
    assert done.returncode == 1
    assert "needs a target: pytest --rules-target FILE" in done.stdout


def changed(profile: Path, old: str, new: str) -> Path:
    """A profile with something else in it."""
    text = profile.read_text(encoding="utf-8")
    assert re.search(old, text)
    path = profile.with_name("changed.toml")
    path.write_text(re.sub(old, new, text), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("enable_rule = .*", "", "the profile has no hooks.enable_rule"),
        ('/enable"', '/nowhere"', "hook enable_rule: answered 404"),
        ("writable = .*", "writable = []", "the profile has no rule that can take the place of"),
        ("writable = .*", 'writable = ["rule_nobody_has"]', "reading it was answered 404"),
        ("http://127.0.0.1:[0-9]+/api", "http://127.0.0.1:9/api", "the target did not answer"),
        ("http://127.0.0.1:[0-9]+/api", "https://api.getsequence.io/api", "is a production host"),
    ],
)
def test_what_cannot_be_judged_does_not_pass(
    server: ReferenceServer, tmp_path: Path, profile: Path, old: str, new: str, reason: str
) -> None:
    folder = left(server, tmp_path / "run", "status.enabled-becomes-disabled")
    server.configure()
    try:
        told = sent_again(folder, changed(profile, old, new), tmp_path)
    except UsageError as refused:
        told = str(refused)
    assert reason in told


def test_answers_that_tell_nothing_do_not_pass(server: ReferenceServer, tmp_path: Path, profile: Path) -> None:
    folder = left(server, tmp_path / "run", "update.accepts-valid")
    path = folder / "finding.json"
    evidence = json.loads(path.read_bytes())
    (exchange,) = evidence["episode"]["exchanges"][-1:]
    exchange["request"]["headers"] = [["Authorization", "Bearer nothing"], *exchange["request"]["headers"]]
    exchange["intent"] |= {"requirement": "auth.malformed", "access": "unauthenticated"}
    path.write_text(json.dumps(evidence), encoding="utf-8")
    server.configure()
    assert "no answer put update.accepts-valid to the test" in sent_again(folder, profile, tmp_path)
    path.write_text("{}", encoding="utf-8")
    assert "is not a finding" in sent_again(folder, profile, tmp_path)
    path.unlink()
    assert "cannot be read" in sent_again(folder, profile, tmp_path)


def test_only_the_rules_that_it_takes_are_touched(server: ReferenceServer, tmp_path: Path, profile: Path) -> None:
    folder = left(server, tmp_path / "run", "update.replaces")
    server.configure()
    assert not sent_again(folder, profile, tmp_path)
    found = next((tmp_path / "replays").glob("*"))
    recorded = {record.rule for record in stream(found) if isinstance(record, FoundRule)}
    restored = {record.rule for record in stream(found) if isinstance(record, Restored) and record.problem is None}
    episodes = [record.episode for record in stream(found) if isinstance(record, EpisodeRecord)]
    written = {
        exchange.intent.rule
        for episode in episodes
        for exchange in episode.exchanges
        if exchange.intent.operation != "read" and exchange.intent.existence == "own"
    }
    assert len(recorded) == 1
    assert recorded == restored == written


def test_rules_of_another_profile_take_the_places_of_those_recorded(
    server: ReferenceServer, tmp_path: Path, profile: Path
) -> None:
    fault = FAULT_OF["update.documented-example"]
    folder = left(server, tmp_path / "run", "update.documented-example")
    recorded = json.loads((folder / "finding.json").read_bytes())["episode"]["exchanges"][0]["intent"]["rule"]
    others = [rule for rule in ("rule_01HXYZ1234", "rule_01HXYZ5678", "rule_01HXZA2468") if rule != recorded]
    elsewhere = changed(profile, "writable = .*", f"writable = {json.dumps(others)}")
    server.configure(faults=[fault])
    assert "still fails" in sent_again(folder, elsewhere, tmp_path / "before")
    server.configure()
    assert not sent_again(folder, elsewhere, tmp_path / "after")
    no_accounts = changed(elsewhere, "acc_01HSAV9999", "acc_elsewhere")
    assert "names accounts that the profile does not list: acc_01HSAV9999" in sent_again(folder, no_accounts, tmp_path)


def rendered() -> dict[str, str]:
    report = sample_report()
    views = {view.requirement.id: view for view in report.findings if view.finding.shown_by}
    return {
        requirement: pytest_case.render(view, report.target, contract(), data="finding.json")
        for requirement, view in views.items()
    }


def test_files_are_short_plain_ascii_python_whatever_they_quote() -> None:
    for requirement, text in rendered().items():
        assert text.isascii()
        assert len(text.splitlines()) < 50
        tree = ast.parse(text)
        (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert function.name == "test_" + requirement.replace(".", "_").replace("-", "_")
        told = ast.get_docstring(tree)
        assert told is not None
        assert contract().requirements[requirement].sentence in told
        assert "pytest --rules-target PROFILE test_" in told
        assert "pip install" not in told  # no index has the package under this name


def test_the_head_tells_what_is_sent_and_no_key() -> None:
    text = rendered()["idempotency.replay"]
    assert re.findall(r"(?m)^  \d\. (.*)$", text) == [
        "PUT /rules/rule_a as full, Idempotency-Key: a new one, K1",
        "PUT /rules/rule_a as full",
        "PUT /rules/rule_a as full, Idempotency-Key: a new one, K1",
    ]
    assert not any("{key:" in text for text in rendered().values())


@pytest.mark.skipif(not has_shell, reason="needs bash and curl")
def test_a_script_sends_new_keys_each_time(server: ReferenceServer, tmp_path: Path) -> None:
    folder = left(server, tmp_path / "run", "idempotency.any-key", "idempotency.uuid-only")
    recorded = re.findall(r"renewed '?([^')\n]+)", (folder / "curl.sh").read_text(encoding="utf-8"))
    log, curl = tmp_path / "log", tmp_path / "bin/curl"
    curl.parent.mkdir()
    curl.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {log}\nprintf 200\n', encoding="ascii")
    curl.chmod(0o755)
    sent = []
    for _ in range(2):
        log.unlink(missing_ok=True)
        shell(folder, PATH=f"{curl.parent}:/usr/bin:/bin")
        sent.append(re.findall(r"(?m)^Idempotency-Key: (.*)$", log.read_text(encoding="utf-8")))
    for first, second, key in zip(*sent, recorded, strict=True):
        assert len({first, second, key}) == 3
        assert len(first) == len(second) == len(key)


def enabling(server: ReferenceServer, folder: Path, hook: dict[str, Any] | None) -> Path:
    """The folder of a finding that takes an enabled rule, from a profile with this hook."""
    run = record(server, folder, faults=["status.disabled-triggers"], select=["status.not-triggerable"], now=NOW)
    report = collect(partial(stream, run), outcome_of(stream(run), contract()), contract())
    target = msgspec.structs.replace(report.target, enable_hook=hook)
    (findings,) = leave_findings(run, msgspec.structs.replace(report, target=target))
    return findings / report.findings[0].id


@pytest.mark.skipif(not has_shell, reason="needs bash and curl")
@pytest.mark.parametrize(
    ("hook", "told"),
    [
        (None, "must be enabled by hand first: run this in a terminal"),
        ({"type": "command", "command": ["test", "{rule_id}", "=", "another"]}, "could not be enabled"),
        ({"type": "command", "command": ["true"]}, "the rule is not enabled"),
    ],
)
def test_a_script_has_the_rule_enabled_or_does_not_decide(
    server: ReferenceServer, tmp_path: Path, hook: dict[str, Any] | None, told: str
) -> None:
    folder = enabling(server, tmp_path / "run", hook)
    assert decides(folder)
    done = subprocess.run(
        ["bash", str(folder / "curl.sh")], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert (done.returncode, told in done.stdout) == (3, True), done.stdout


@pytest.mark.skipif(not has_shell, reason="needs bash and curl")
def test_a_script_for_another_address_enables_nothing_where_the_run_was(
    server: ReferenceServer, tmp_path: Path
) -> None:
    trace = tmp_path / "enabled"
    folder = enabling(server, tmp_path / "run", {"type": "command", "command": ["touch", str(trace)]})
    assert shell(folder, RULES_BASE_URL=server.base_url.replace("127.0.0.1", "localhost")) == 3
    assert not trace.exists()
    assert shell(folder) == 3
    assert trace.exists()
