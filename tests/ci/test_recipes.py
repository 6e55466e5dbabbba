"""The CI recipes: valid by the schemas of their systems, and their commands do what they say when they are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from rules_harness.harness.reference.process import ReferenceServer
from tests.ci.conftest import BIN, ROOT, SELECT

ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github/workflows/contract.yml"
GITLAB = ROOT / ".gitlab/rules-harness.yml"
DOCUMENT = ROOT / "docs/ci.md"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "schema"),
    [(ACTION, "github-actions"), (WORKFLOW, "github-workflows"), (GITLAB, "gitlab-ci")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_recipes_satisfy_their_schemas(path: Path, schema: str) -> None:
    check(path, schema)


@pytest.mark.parametrize(("position", "schema"), [(0, "github-workflows"), (1, "gitlab-ci")])
def test_what_the_documentation_shows_satisfies_them_too(tmp_path: Path, position: int, schema: str) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    path = tmp_path / "shown.yml"
    path.write_text(blocks[position], encoding="utf-8")
    check(path, schema)


def test_every_input_is_documented() -> None:
    inputs = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    rows = re.findall(r"^\| (`.*?) \| ", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} >= inputs.keys()


def check(path: Path, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", [ACTION, WORKFLOW, DOCUMENT])
def test_actions_of_others_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: ([\w.-]+/[\w./-]+)@(\S+)", path.read_text(encoding="utf-8"))
    assert used or path == WORKFLOW
    assert [(name, at) for name, at in used if not re.fullmatch(r"[0-9a-f]{40}|COMMIT", at)] == []


class Step(msgspec.Struct, frozen=True):
    """A step of the action that is ours: what runs, under which condition, with which environment."""

    name: str
    run: str
    id: str = ""
    condition: str = msgspec.field(default="", name="if")
    env: dict[str, str] = {}


def steps() -> dict[str, Step]:
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    found = [msgspec.convert(step, Step) for step in document["runs"]["steps"] if "run" in step]
    return {step.name: step for step in found}


def test_no_input_is_pasted_into_a_command() -> None:
    """Whatever a branch is called, it is data: it reaches commands by the environment alone."""
    assert [step.name for step in steps().values() if "${{" in step.run] == []


class Job:
    """A job on a runner: its steps share a folder, a PATH and the files by which they speak to the runner."""

    def __init__(self, folder: Path, environment: Mapping[str, str], inputs: Mapping[str, str]) -> None:
        self.folder = folder
        self.inputs = {name: str(one.get("default", "")) for name, one in self._document()["inputs"].items()}
        self.inputs |= inputs
        self.outputs: dict[str, dict[str, str]] = {}
        self.stubs = folder / "stubs"
        self.stubs.mkdir()
        (folder / "temp").mkdir()
        for name in ("output", "summary", "path"):
            (folder / name).touch()
        self._environment = {
            **environment,
            "PATH": os.pathsep.join([str(self.stubs), str(BIN), os.environ["PATH"]]),
            "HOME": str(folder),
            "RUNNER_TEMP": str(folder / "temp"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_PATH": str(folder / "path"),
            "GITHUB_REPOSITORY": "acme/rules",
            "GITHUB_WORKFLOW": "contract",
        }

    @staticmethod
    def _document() -> Any:
        return yaml.safe_load(ACTION.read_text(encoding="utf-8"))

    def stub(self, name: str, script: str) -> None:
        """A program of the runner that is not here."""
        path = self.stubs / name
        path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a step as a runner does: `bash -eo pipefail`, with its environment filled in."""
        step = steps()[name]
        env = {key: re.sub(r"\$\{\{ *(.*?) *\}\}", self._value, value) for key, value in step.env.items()}
        (self.folder / "output").write_text("", encoding="utf-8")
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.run]
        ended = subprocess.run(
            command, cwd=self.folder, env=self._environment | env, capture_output=True, text=True, check=False
        )
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        self.outputs[step.id] = dict(line.split("=", 1) for line in lines)
        return ended

    def _value(self, match: re.Match[str]) -> str:
        place = match[1].split(".")
        if place[0] == "inputs":
            return self.inputs[place[1]]
        assert place[0] == "steps"
        return self.outputs.get(place[1], {}).get(place[3], "")

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text(encoding="utf-8")


@pytest.fixture
def job(server: ReferenceServer, tmp_path: Path) -> Job:
    server.configure()
    (tmp_path / "target.toml").write_text(server.profile_toml, encoding="utf-8")
    inputs = {"target": "target.toml", "select": SELECT, "out": "out", "base-branch": "main", "token": "t"}
    return Job(tmp_path, server.environment, inputs)


def gh(job: Job, base: Path | None) -> None:
    """GitHub's own command: two runs, of which the older one kept its journal, or none."""
    job.stub(
        "gh",
        f'echo "$@" >> "{job.folder}/asked"\n'
        'if [[ "$1 $2" == "run list" ]]; then printf "22\\n21\\n"; exit; fi\n'
        f'if [[ $3 != 21 || -z "{base or ""}" ]]; then echo "no artifact found" >&2; exit 1; fi\n'
        "while [[ $1 != --dir ]]; do shift; done\n"
        f'cp -r "{base}" "$2"',
    )


@pytest.mark.slow
def test_the_action_judges_and_conforms_and_a_base_branch_without_a_run_is_no_failure(job: Job) -> None:
    assert job.run("Check").returncode == 0
    assert job.outputs["check"] == {"exit-code": "0", "sarif": "out/report.sarif"}
    assert "Conforms to the contract" in job.summary
    assert sorted(path.name for path in (job.folder / "out").iterdir()) == [
        *("annotations.txt", "journal.jsonl", "junit.xml", "report.html", "report.md", "report.sarif", "summary.json")
    ]
    assert job.run("Verdict").returncode == 0
    # A base branch without a run is no failure.
    gh(job, None)
    fetched = job.run("Fetch the base branch's last run")
    assert fetched.returncode == 0
    assert "::notice::main has no run to compare with yet" in fetched.stdout
    assert job.run("Compare").returncode == 0
    assert job.outputs["compare"] == {}
    assert job.run("Verdict").returncode == 0


@pytest.mark.slow
def test_a_pull_request_is_compared_with_its_base_branch(job: Job, server: ReferenceServer, base: Path) -> None:
    server.configure(faults=["auth.any-scheme"])
    job.inputs["select"] = "auth.*"
    gh(job, base)
    assert job.run("Check").returncode == 0
    assert job.outputs["check"]["exit-code"] == "1"
    assert job.run("Fetch the base branch's last run").returncode == 0
    asked = (job.folder / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[0].startswith(
        "run list --repo acme/rules --workflow contract --branch main --event push --status completed"
    )
    assert [line.split()[2] for line in asked[1:]] == ["22", "21"]
    assert job.run("Compare").returncode == 0
    assert job.outputs["compare"] == {"worse": "true"}
    assert "HEAD is worse than BASE" in job.summary
    assert (job.folder / "out/diff.html").is_file()
    verdict = job.run("Verdict")
    assert verdict.returncode == 1
    assert "::error::worse than the base branch's last run" in verdict.stdout


@pytest.mark.slow
def test_what_is_not_worse_passes(job: Job, base: Path) -> None:
    gh(job, base)
    for name in ("Check", "Fetch the base branch's last run", "Compare", "Verdict"):
        assert job.run(name).returncode == 0, name
    assert job.outputs["compare"] == {"worse": "false"}


@pytest.mark.slow
def test_a_wrong_profile_is_an_error(job: Job) -> None:
    (job.folder / "target.toml").write_text("[target]\n", encoding="utf-8")
    checked = job.run("Check")
    assert checked.returncode == 0
    assert "target.toml" in checked.stderr
    assert job.outputs["check"] == {"exit-code": "2"}
    assert job.run("Verdict").returncode == 2


def test_the_action_installs_itself(job: Job) -> None:
    job.stub("python", f'mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; echo "$@" >> "{job.folder}/asked"')
    assert job.run("Install").returncode == 0
    environment = job.folder / "temp/rules-harness"
    asked = (job.folder / "asked").read_text(encoding="utf-8").splitlines()
    pip = "-m pip install --quiet --disable-pip-version-check"
    assert asked == [
        f"-m venv {environment}",
        f"{pip} --require-hashes --requirement {ROOT}/requirements.lock",
        f"{pip} --no-deps --no-build-isolation {ROOT}",
    ]
    assert (job.folder / "path").read_text(encoding="utf-8").splitlines() == [str(environment / "bin")]
