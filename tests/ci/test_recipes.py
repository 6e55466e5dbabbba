"""The CI recipes: valid by the schemas of their systems, and their commands do what they say when they are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from rules_harness.harness.cli import COMMANDS
from rules_harness.harness.reference.process import ReferenceServer
from tests.reports.recorded import record

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github/workflows/contract.yml"
JENKINS = ROOT / "ci/Jenkinsfile"
GITLAB = ROOT / ".gitlab/rules-harness.yml"
DOCUMENT = ROOT / "docs/ci.md"
BIN = Path(sys.executable).parent
SELECT = "auth.challenge"


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


def test_a_container_has_what_it_copies_and_ends_as_the_command() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert 'ENTRYPOINT ["/opt/rules-harness/bin/rules-harness"]' in lines


def has_docker() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not (has_docker() and os.environ.get("CI")), reason="takes Docker, and minutes: in CI")
def test_the_container_is_built_and_runs() -> None:
    subprocess.run(["docker", "build", "--quiet", "--tag", "rules-harness:test", "."], cwd=ROOT, check=True)
    told = subprocess.run(
        ["docker", "run", "--rm", "rules-harness:test", "check", "--select", "auth.missing", "--quiet"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Conforms to the contract" in told.stdout


def test_jenkins_runs_what_its_step_says(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure()
    (script,) = re.findall(r"sh '''\n(.*?)'''", JENKINS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "target.toml").write_text(server.profile_toml, encoding="utf-8")
    stub = tmp_path / "stubs" / "python3"
    stub.parent.mkdir()
    program = tmp_path / "rules-harness"
    program.write_text(f'#!/bin/sh\nexec "{BIN}/rules-harness" "$@" --select {SELECT}\n', encoding="utf-8")
    program.chmod(0o755)
    made = (
        f'mkdir -p "$3/bin" && ln -s {program} "$3/bin/rules-harness" && ln -s {shutil.which("true")} "$3/bin/python"'
    )
    stub.write_text(f"#!/bin/sh\n{made}\n", encoding="utf-8")
    stub.chmod(0o755)
    environment = {
        **server.environment,
        "PATH": os.pathsep.join([str(stub.parent), os.environ["PATH"]]),
        "RULES_HARNESS": ".",
        "RULES_TARGET": "target.toml",
    }
    ended = subprocess.run(["sh", "-xe", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "rules-harness-out/junit.xml").is_file()


def test_the_hook_names_a_command_that_is_there() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, command = hook["entry"].split()
    assert (program, command in COMMANDS) == ("rules-harness", True)
    assert re.search(hook["files"], "openapi/rules.yaml") is None or hook["types"] == ["yaml"]
    assert f"id: {hook['id']}" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(("given", "there", "asked"), [("", False, None), ("", True, "."), ("a.whl", False, "a.whl")])
def test_gitlab_installs_the_checkout_or_what_is_given(
    tmp_path: Path, given: str, there: bool, asked: str | None
) -> None:
    job = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["rules-harness"]
    if there:
        (tmp_path / "pyproject.toml").write_text('name = "sequence-rules-harness"\n', encoding="utf-8")
    stub = tmp_path / "python"
    stub.write_text('#!/bin/sh\necho "$5"\n', encoding="utf-8")
    stub.chmod(0o755)
    environment = {"PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]), "RULES_HARNESS": given}
    script = "\n".join(job["before_script"])
    ended = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout.strip() or None) == ((2, None) if asked is None else (0, asked))
    assert job["variables"]["RULES_HARNESS"] == ""


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


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as running:
        yield running


@pytest.fixture(scope="module")
def base(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base branch's last run."""
    return record(server, tmp_path_factory.mktemp("base") / "run", select=[SELECT])


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


def test_the_action_judges_and_conforms(job: Job) -> None:
    assert job.run("Check").returncode == 0
    assert job.outputs["check"] == {"exit-code": "0", "sarif": "out/report.sarif"}
    assert "Conforms to the contract" in job.summary
    assert sorted(path.name for path in (job.folder / "out").iterdir()) == [
        *("annotations.txt", "journal.jsonl", "junit.xml", "report.html", "report.md", "report.sarif", "summary.json")
    ]
    assert job.run("Verdict").returncode == 0


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


def test_what_is_not_worse_passes(job: Job, base: Path) -> None:
    gh(job, base)
    for name in ("Check", "Fetch the base branch's last run", "Compare", "Verdict"):
        assert job.run(name).returncode == 0, name
    assert job.outputs["compare"] == {"worse": "false"}


def test_a_base_branch_without_a_run_is_no_failure(job: Job) -> None:
    gh(job, None)
    assert job.run("Check").returncode == 0
    fetched = job.run("Fetch the base branch's last run")
    assert fetched.returncode == 0
    assert "::notice::main has no run to compare with yet" in fetched.stdout
    assert job.run("Compare").returncode == 0
    assert job.outputs["compare"] == {}
    assert job.run("Verdict").returncode == 0


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


class Artifacts(BaseHTTPRequestHandler):
    """GitLab's API, as far as the recipe asks it: the artifacts of the last successful job of a branch."""

    asked: list[tuple[str, str | None]]
    journal: bytes | None

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["JOB-TOKEN"]))
        self.send_response(404 if self.journal is None else 200)
        self.end_headers()
        self.wfile.write(self.journal or b"{}")

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def artifacts() -> Iterator[tuple[type[Artifacts], str]]:
    handler = type("Handler", (Artifacts,), {"asked": [], "journal": None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}/api/v4"
        server.shutdown()


def gitlab(server: ReferenceServer, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the job as a GitLab runner does: its lines in one shell that ends with the first failure."""
    job = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["rules-harness"]
    (folder / "target.toml").write_text(server.profile_toml, encoding="utf-8")
    environment = {
        **server.environment,
        **job["variables"],
        "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
        "HOME": str(folder),
        "RULES_TARGET": "target.toml",
        "RULES_SELECT": SELECT,
        "CI_PROJECT_ID": "7",
        "CI_JOB_NAME": "rules-harness",
        "CI_JOB_TOKEN": "token",
        **variables,
    }
    script = "\n".join(job["script"])
    command = ["bash", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_gitlab_keeps_what_the_job_writes(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure()
    ended = gitlab(server, tmp_path)
    assert ended.returncode == 0, ended.stderr
    kept = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["rules-harness"]["artifacts"]
    assert (tmp_path / kept["reports"]["junit"]).is_file()
    assert [(tmp_path / path / "report.html").is_file() for path in kept["paths"]] == [True]


def test_gitlab_compares_a_merge_request(
    server: ReferenceServer, base: Path, tmp_path: Path, artifacts: tuple[type[Artifacts], str]
) -> None:
    handler, url = artifacts
    handler.journal = (base / "journal.jsonl").read_bytes()
    server.configure(faults=["auth.no-challenge"])
    merging = {"CI_API_V4_URL": url, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/1.2", "no_proxy": "*"}
    ended = gitlab(server, tmp_path, **merging)
    assert handler.asked == [
        (
            "/api/v4/projects/7/jobs/artifacts/release%2F1.2/raw/rules-harness-out/journal.jsonl?job=rules-harness",
            "token",
        )
    ]
    assert "Nothing got worse" in ended.stdout
    assert (ended.returncode, (tmp_path / "rules-harness-out/diff.html").is_file()) == (0, True)

    shutil.rmtree(tmp_path / "rules-harness-out")
    handler.journal = None
    ended = gitlab(server, tmp_path, **merging)
    assert ended.returncode == 0
    assert "release/1.2 has no run to compare with yet" in ended.stdout


def test_gitlab_fails_where_the_contract_is_violated(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure(faults=["auth.any-scheme"])
    assert gitlab(server, tmp_path, RULES_SELECT="auth.malformed").returncode == 1
