"""What the wheel adds to an environment: one importable name, and nothing that hides a repository's own folders."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer

OWN = ("openapi", "harness", "strategies", "reports")
OWN_TEST = """\
import openapi, harness, strategies, reports

def test_own_folders():
    assert {module.WHOSE for module in (openapi, harness, strategies, reports)} == {"the repository's"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository that has folders of our names."""
    for name in OWN:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('WHOSE = "the repository\'s"\n', encoding="utf-8")
    (tmp_path / "test_own.py").write_text(OWN_TEST, encoding="utf-8")
    return tmp_path


def run(project: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    python = sys._base_executable  # type: ignore[attr-defined]  # not in the stubs
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *arguments]
    return subprocess.run(command, cwd=project, env=dict(environment), capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_only_one_name_is_importable(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"rules_harness"}


@pytest.mark.slow
def test_a_repository_with_our_folder_names_runs_its_tests(project: Path, environment: Mapping[str, str]) -> None:
    ended = run(project, environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


@pytest.mark.slow
def test_it_can_judge_a_target_too(project: Path, environment: Mapping[str, str]) -> None:
    with ReferenceServer() as server:
        (project / "target.toml").write_text(server.profile_toml, encoding="utf-8")
        both = {**environment, **server.environment}
        ended = run(project, both, "--rules-target", "target.toml", "-k", "own_folders or auth.challenge")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_package_runs_as_a_module(tmp_path: Path, environment: Mapping[str, str]) -> None:
    command = [sys._base_executable, "-m", "rules_harness", "--version"]  # type: ignore[attr-defined]  # not in the stubs
    ended = subprocess.run(command, cwd=tmp_path, env=dict(environment), capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("rules-harness, version ")
