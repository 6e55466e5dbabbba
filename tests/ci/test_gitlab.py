"""The GitLab job, run as a runner does."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules_harness.harness.reference.process import ReferenceServer
from tests.ci.conftest import BIN, ROOT, SELECT

GITLAB = ROOT / ".gitlab/rules-harness.yml"


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


class Artifacts(BaseHTTPRequestHandler):
    """GitLab's API, as far as the recipe asks it: the artifacts of the last successful job of a branch."""

    asked: list[tuple[str, str | None]]
    journal: bytes | None

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["JOB-TOKEN"]))
        self.send_response(404 if self.journal is None or ".zst?" in self.path else 200)
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


@pytest.mark.slow
def test_gitlab_keeps_what_the_job_writes(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure()
    ended = gitlab(server, tmp_path)
    assert ended.returncode == 0, ended.stderr
    kept = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["rules-harness"]["artifacts"]
    assert (tmp_path / kept["reports"]["junit"]).is_file()
    assert [(tmp_path / path / "report.html").is_file() for path in kept["paths"]] == [True]


@pytest.mark.slow
def test_gitlab_compares_a_merge_request(
    server: ReferenceServer, base: Path, tmp_path: Path, artifacts: tuple[type[Artifacts], str]
) -> None:
    handler, url = artifacts
    handler.journal = (base / "journal.jsonl").read_bytes()
    server.configure(faults=["auth.no-challenge"])
    merging = {"CI_API_V4_URL": url, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/1.2", "no_proxy": "*"}
    ended = gitlab(server, tmp_path, **merging)
    folder = "/api/v4/projects/7/jobs/artifacts/release%2F1.2/raw/rules-harness-out"
    assert handler.asked == [(f"{folder}/journal.jsonl{end}?job=rules-harness", "token") for end in (".zst", "")]
    assert "Nothing got worse" in ended.stdout
    assert (ended.returncode, (tmp_path / "rules-harness-out/diff.html").is_file()) == (0, True)

    shutil.rmtree(tmp_path / "rules-harness-out")
    handler.journal = None
    ended = gitlab(server, tmp_path, **merging)
    assert ended.returncode == 0
    assert "release/1.2 has no run to compare with yet" in ended.stdout


@pytest.mark.slow
def test_gitlab_fails_where_the_contract_is_violated(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure(faults=["auth.any-scheme"])
    assert gitlab(server, tmp_path, RULES_SELECT="auth.malformed").returncode == 1
