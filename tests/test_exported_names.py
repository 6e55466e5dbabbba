"""The Python API, whole: what is exported, how it is called, and what comes of it."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import rules_harness
from rules_harness import ContractError, HarnessError, Profile, Run, UsageError, check, fuzz, judge, load_run
from rules_harness.harness.reference.process import ReferenceServer

SIGNATURES = {
    "Profile": "(path: 'StrPath | None' = None, *, base_url: 'str | None' = None, key_env: 'str | None' = None, "
    "rules: 'Sequence[str]' = (), contract: 'StrPath | None' = None, overlays: 'Sequence[StrPath]' = ()) -> 'None'",
    "check": "(profile: 'Profile', *, out: 'StrPath' = 'out', select: 'Sequence[str]' = (), "
    "fail_on: \"Literal['must', 'should']\" = 'must', seed: 'int' = 1, now: 'datetime | None' = None) -> 'Run'",
    "fuzz": "(profile: 'Profile', *, out: 'StrPath' = 'out', seconds: 'float' = 600, requests: 'int | None' = None, "
    "workers: 'int' = 1, seed: 'int' = 1) -> 'Run'",
    "judge": "(run: 'Run | StrPath', *, contract: 'StrPath | None' = None, overlays: 'Sequence[StrPath]' = ()) "
    "-> 'Outcome'",
    "load_run": "(path: 'StrPath') -> 'Run'",
}
RECORDS = {
    "Finding": ["id", "requirement", "level", "place", "kind", "expected", "actual", "episode", "shown_by"],
    "Outcome": ["conclusion", "exit_code", "reason", "requirements", "readings", "findings"],
    "ReadingOutcome": ["id", "answer", "observations", "accepted", "by_kind"],
    "RequirementOutcome": ["id", "level", "verdict", "exercised", "findings", "reason"],
}
ERRORS = {"ContractError", "HarnessError", "UsageError"}


def test_these_names_and_no_others_are_exported() -> None:
    assert {*rules_harness.__all__} == {*SIGNATURES, *RECORDS, *ERRORS, "Run", "__version__"}
    assert rules_harness.__all__ == sorted(rules_harness.__all__)
    assert dir(rules_harness) == rules_harness.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rules_harness.nothing


@pytest.mark.parametrize("name", [*SIGNATURES, *RECORDS, *sorted(ERRORS), "Run"])
def test_each_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(rules_harness, name))


@pytest.mark.parametrize("name", SIGNATURES)
def test_how_each_is_called(name: str) -> None:
    assert str(inspect.signature(getattr(rules_harness, name))) == SIGNATURES[name]


@pytest.mark.parametrize("name", RECORDS)
def test_what_a_record_has(name: str) -> None:
    fields = getattr(rules_harness, name).__struct_fields__
    assert [*fields][: len(RECORDS[name])] == RECORDS[name]


def test_what_a_run_has() -> None:
    assert [name for name in vars(Run) if not name.startswith("_")] == ["folder", "report"]
    assert str(inspect.signature(Run.report)) == "(self, *names: 'str', out: 'StrPath | None' = None) -> 'list[Path]'"


def test_importing_it_loads_nothing_that_sends() -> None:
    code = "import sys, rules_harness; print(sum(name.startswith(('httpx', 'hypothesis')) for name in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "0"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return check(Profile(), out=tmp_path_factory.mktemp("api") / "out", select=["auth.challenge", "auth.missing"])


@pytest.mark.slow
def test_a_conformance_run(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert (run.outcome.conclusion, run.outcome.exit_code, run.outcome.findings) == ("conforms", 0, ())
    assert {id: row.verdict for id, row in run.outcome.requirements.items()} == {
        "auth.challenge": "passed",
        "auth.missing": "passed",
    }
    assert json.loads((run.folder / "summary.json").read_text(encoding="utf-8"))["outcome"] == "conforms"
    assert (run.folder / "junit.xml").is_file()
    assert capsys.readouterr() == ("", "")


def test_a_recorded_run_says_the_same(run: Run, tmp_path: Path) -> None:
    for place in (run.folder, run.journal, str(run.folder)):
        again = load_run(place)
        assert again.outcome == run.outcome
        assert judge(again) == judge(place) == run.outcome
    written = run.report("sarif", "html", out=tmp_path)
    assert [path.name for path in written] == ["report.sarif", "report.html"]
    assert all(path.is_file() for path in written)


@pytest.mark.slow
def test_a_fault_is_found_and_left_as_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ReferenceServer(faults=("request-id.constant",)) as server:
        for name, key in server.environment.items():
            monkeypatch.setenv(name, key)
        path = tmp_path / "target.toml"
        path.write_text(server.profile_toml, encoding="utf-8")
        profile = Profile(path)
        found = check(profile, out=tmp_path / "gate", select=["request-id.unique"])
        assert (found.outcome.conclusion, found.outcome.exit_code) == ("violates", 1)
        assert {finding.requirement for finding in found.outcome.findings} == {"request-id.unique"}
        searched = fuzz(profile, out=tmp_path / "campaign", seconds=20, requests=150)
    assert "request-id.unique" in {finding.requirement for finding in searched.outcome.findings}
    assert list((searched.folder / "findings").iterdir())


def test_what_is_wrong_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    for attempt, error in (
        (lambda: Profile(tmp_path / "nowhere.toml"), UsageError),
        (lambda: Profile(base_url="http://127.0.0.1:1", key_env="NO_SUCH_KEY"), UsageError),
        (lambda: Profile(rules=["rule_1"]), UsageError),
        (lambda: Profile(contract=tmp_path / "nowhere.yaml"), ContractError),
        (lambda: check(Profile(), out=tmp_path, select=["no.such"]), UsageError),
        (lambda: fuzz(Profile(), out=tmp_path, seconds=0), UsageError),
        (lambda: load_run(tmp_path), UsageError),
        (lambda: run.report("no such format"), UsageError),
    ):
        with pytest.raises(error) as caught:
            attempt()
        assert str(caught.value)
    assert issubclass(UsageError, HarnessError)
