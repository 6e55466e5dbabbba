"""Jenkins, pre-commit and a container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from rules_harness.harness.cli import COMMANDS
from rules_harness.harness.reference.process import ReferenceServer
from tests.ci.conftest import BIN, ROOT, SELECT

JENKINS = ROOT / "ci/Jenkinsfile"
DOCUMENT = ROOT / "docs/ci.md"


def test_a_container_has_what_it_copies_and_ends_as_the_command() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert 'ENTRYPOINT ["/opt/rules-harness/bin/rules-harness"]' in lines


def has_base_image() -> bool:
    """Whether Docker is there and has, or can get, the image that ours begins with."""
    docker = shutil.which("docker")
    (base, *_) = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    return (
        docker is not None and subprocess.run([docker, "pull", base], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(
    not (os.environ.get("CI") and has_base_image()), reason="takes Docker, its registry, and minutes: in CI"
)
def test_the_container_is_built_and_runs() -> None:
    subprocess.run(["docker", "build", "--quiet", "--tag", "rules-harness:test", "."], cwd=ROOT, check=True)
    told = subprocess.run(
        ["docker", "run", "--rm", "rules-harness:test", "check", "--select", "auth.missing", "--quiet"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Conforms to the contract" in told.stdout


@pytest.mark.slow
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
