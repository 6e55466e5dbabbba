"""What pytest shows of a team's own failing tests holds no key."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

import rules_harness.harness.pytest_plugin.judging  # noqa: F401 - sessions in this process would import it anew, one by one
from rules_harness.harness.reference.process import ReferenceServer

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
OWN = """
import logging

def test_status(rules_target):
    headers = rules_target.headers()
    assert headers == {}

def test_text(rules_target):
    key = rules_target.headers()["Authorization"]
    assert key == "ApiKey another"

def test_deeper(rules_target):
    raw = [(name.encode(), value.encode()) for name, value in rules_target.headers().items()]
    print(raw)
    logging.warning("sent %s", raw)
    raise ValueError(raw)
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("-vv", "--showlocals"), ("--tb=short", "-ra"), ("--tb=native",)])
def test_no_key_is_shown(
    arguments: tuple[str, ...], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ReferenceServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
        (pytester.path / "target.toml").write_text(server.profile_toml, encoding="utf-8")
        pytester.makepyfile(test_own=OWN)
        result = pytester.runpytest_inprocess(
            *("-p", "no:rules_harness", "-p", "rules_harness.harness.pytest_plugin", "test_own.py"),
            *("--rules-target", "target.toml", "--junit-xml", "junit.xml", *arguments),
        )
        keys = set(server.environment.values())
    result.assert_outcomes(failed=3)
    junit = (pytester.path / "junit.xml").read_text(encoding="utf-8")
    assert len(list(ElementTree.fromstring(junit).iter("failure"))) == 3
    shown = result.stdout.str() + result.stderr.str() + junit
    assert not [key for key in keys if key[:-3] in shown]
    assert "{key:full}" in shown


def test_a_test_without_a_key_is_shown_as_ever(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_it():\n    left, right = [1], [2]\n    assert left == right\n")
    result = pytester.runpytest_inprocess("-p", "no:rules_harness", "-p", "rules_harness.harness.pytest_plugin")
    result.stdout.fnmatch_lines(["*FAILED test_own.py::test_it - assert [[]1[]] == [[]2[]]*"])
