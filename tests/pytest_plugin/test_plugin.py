"""The plugin in whole pytest sessions, against the embedded target."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Failure, JUnitXml, Skipped

import rules_harness.harness.pytest_plugin.items
import rules_harness.harness.pytest_plugin.judging  # noqa: F401 - sessions in this process would import it anew, one by one
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load

pytestmark = pytest.mark.slow
pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
REQUIREMENTS = tuple(load().requirements)
FAMILY = tuple(id for id in REQUIREMENTS if id.startswith("request-id."))
Session = Callable[..., pytest.RunResult]


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as running:
        yield running


@pytest.fixture
def target(server: ReferenceServer, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> ReferenceServer:
    """The embedded target, its profile in the folder of the session."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    server.configure()
    (pytester.path / "target.toml").write_text(server.profile_toml, encoding="utf-8")
    return server


@pytest.fixture
def session(pytester: pytest.Pytester) -> Session:
    """Runs pytest with the plugin, whether or not its entry point is installed."""

    def run(*arguments: str, in_process: bool = True) -> pytest.RunResult:
        runs = pytester.runpytest_inprocess if in_process else pytester.runpytest_subprocess
        return runs("-p", "no:rules_harness", "-p", "rules_harness.harness.pytest_plugin", *arguments)

    return run


def journal(pytester: pytest.Pytester) -> Path:
    return pytester.path / ".pytest_cache/d/rules-harness/journal.jsonl"


def header(path: Path) -> dict[str, object]:
    with path.open(encoding="utf-8") as file:
        found: dict[str, object] = json.loads(file.readline())
    return found


def collected(result: pytest.RunResult) -> list[str]:
    return [line.partition("::")[2] for line in result.outlines if line.startswith("target.toml::")]


def test_one_item_for_each_requirement(target: ReferenceServer, session: Session) -> None:
    result = session("--rules-target", "target.toml", "--collect-only", "-q")
    assert tuple(collected(result)) == REQUIREMENTS


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-k", "not-found"), [id for id in REQUIREMENTS if "not-found" in id]),
        (("-k", "auth.challenge"), ["auth.challenge"]),
        (("target.toml::auth.missing",), ["auth.missing"]),
        (("test_own.py",), []),
        (("--deselect", "target.toml"), []),
    ],
)
def test_items_are_selected_as_tests_are(
    target: ReferenceServer,
    session: Session,
    pytester: pytest.Pytester,
    arguments: Sequence[str],
    expected: Sequence[str],
) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    assert collected(session("--rules-target", "target.toml", "--collect-only", "-q", *arguments)) == list(expected)


def test_silent_unless_asked_for(pytester: pytest.Pytester, session: Session) -> None:
    pytester.makepyfile(test_own="def test_own(): pass\ndef test_other(rules_target): pass")
    result = session("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines("*needs a target: pytest --rules-target FILE")
    assert not journal(pytester).exists()


def test_verdicts_become_outcomes(target: ReferenceServer, session: Session, pytester: pytest.Pytester) -> None:
    target.configure(faults=["auth.any-scheme", "auth.no-challenge"])
    profile = pytester.path / "target.toml"
    profile.write_text(re.sub("(?m)^trigger = true$", "", profile.read_text(encoding="utf-8")), encoding="utf-8")
    wanted = ("auth.malformed", "auth.challenge", "auth.missing", "status.not-triggerable")
    result = session("--rules-target", "target.toml", "-k", " or ".join(wanted), "--junitxml", "junit.xml", "-rs")
    result.assert_outcomes(failed=1, passed=2, skipped=1, deselected=len(REQUIREMENTS) - 4)
    result.stdout.fnmatch_lines(
        [
            "*auth.malformed (must): *",
            "expected: *401",
            "actual: *200*",
            "curl -sS *",
            "*ContractWarning: auth.challenge (should)*",
            "*journal: *rules-harness",
            "SKIPPED*permissions.trigger*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    cases = {case.name: case for suite in JUnitXml.fromfile(str(pytester.path / "junit.xml")) for case in suite}
    assert sorted(cases) == sorted(wanted)
    assert [type(found) for found in cases["auth.malformed"].result] == [Failure]
    assert [type(found) for found in cases["status.not-triggerable"].result] == [Skipped]
    level = ElementTree.parse(pytester.path / "junit.xml").find(".//*[@name='auth.challenge']//*[@name='level']")
    assert level is not None
    assert level.get("value") == "should"

    select = header(journal(pytester))["select"]
    assert isinstance(select, list)
    assert sorted(select) == sorted(wanted)
    again = session("--rules-target", "target.toml", "--lf", "--collect-only", "-q")
    assert collected(again) == ["auth.malformed"]


def test_only_what_is_selected_is_sent(target: ReferenceServer, session: Session, pytester: pytest.Pytester) -> None:
    session("--rules-target", "target.toml", "-k", "auth.missing", "--rules-out", "kept").assert_outcomes(
        passed=1, deselected=len(REQUIREMENTS) - 1
    )
    lines = (pytester.path / "kept/journal.jsonl").read_text(encoding="utf-8").split("\n")
    episodes = [json.loads(line)["episode"]["id"] for line in lines if '"record":"episode"' in line]
    assert {id.partition("/")[0] for id in episodes} == {"safety", "auth"}


def test_one_process_owns_the_rules(target: ReferenceServer, session: Session, pytester: pytest.Pytester) -> None:
    target.configure(faults=["auth.any-scheme"])
    result = session(
        *("--rules-target", "target.toml", "-n", "2", "-k", "auth.malformed or auth.missing or request-id"),
        *("-p", "no:schemathesis", "-p", "no:hypothesispytest"),  # which each worker would import
    )
    result.assert_outcomes(failed=1, passed=1 + len(FAMILY))
    lines = journal(pytester).read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert [json.loads(line)["record"] for line in (lines[0], lines[-1])] == ["header", "footer"]
    assert sum('"record":"header"' in line for line in lines) == 1
    result.stdout.fnmatch_lines("journal: *")


def test_what_cannot_be_judged_is_an_error(
    target: ReferenceServer, session: Session, pytester: pytest.Pytester
) -> None:
    profile = pytester.path / "target.toml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text.replace(target.base_url, "http://127.0.0.1:9/api/v1"), encoding="utf-8")
    result = session("--rules-target", "target.toml", "-k", "auth.missing or auth.malformed")
    result.assert_outcomes(errors=2, deselected=len(REQUIREMENTS) - 2)
    profile.write_text(text.replace("[rules]", "[rulez]"), encoding="utf-8")
    result = session("--rules-target", "target.toml", "-k", "auth.missing")
    result.assert_outcomes(errors=1, deselected=len(REQUIREMENTS) - 1)
    result.stdout.fnmatch_lines("*target.toml*rulez*")


def test_a_profile_that_is_not_there(session: Session) -> None:
    result = session("--rules-target", "nowhere.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--rules-target nowhere.toml: there is no such file*")


OWN = """
    import httpx
    from hypothesis import HealthCheck, Phase, given, settings, strategies as st

    RULE = "rule_01HXYZ1234"
    quick = settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def put(target, body):
        return httpx.put(target.url(RULE), content=body.content, headers=target.headers())

    def get(target):
        return httpx.get(target.url(RULE), headers=target.headers())

    @quick
    @given(data=st.data())
    def test_bodies(data, rules_target, rule_bodies, judge):
        body = data.draw(rule_bodies)
        judge(body, put(rules_target, body))

    @quick
    @given(data=st.data())
    def test_broken(data, rules_target, broken_bodies, judge):
        body = data.draw(broken_bodies)
        judge(body, put(rules_target, body))

    @quick
    @given(data=st.data())
    def test_states(data, rules_target, rule_bodies, judge):
        body = data.draw(rule_bodies)
        before = get(rules_target).json()["data"]
        judge(body, put(rules_target, body), before=before, read=get(rules_target))
"""


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        (None, []),
        ("update.description-not-stored", ["test_states"]),
        ("validation.refused-200", ["test_broken"]),
        ("update.new-id", ["test_bodies", "test_states"]),
    ],
)
def test_a_teams_own_tests(
    target: ReferenceServer, session: Session, pytester: pytest.Pytester, fault: str | None, failing: Sequence[str]
) -> None:
    target.configure(faults=[fault] if fault else [])
    pytester.makepyfile(test_own=OWN)
    result = session("test_own.py", "--rules-target", "target.toml", "-rfE")
    failed = re.findall(r"^FAILED test_own.py::(\w+)", str(result.stdout), re.MULTILINE)
    assert failed == list(failing)
    assert bool(failing) == ("AssertionError: " in str(result.stdout))


def documented_example(rule: str = "rule_a", *, limits: str = "") -> str:
    """The example of the documentation, about this rule; ``limits`` are settings of hypothesis beside its own."""
    (example,) = re.findall(r"(?s)```python\n(.*?)```", (ROOT / "docs/ci.md").read_text(encoding="utf-8"))
    assert "deadline=None" in example
    return f"from hypothesis import Phase\n{example}".replace("rule_a", rule).replace(
        "deadline=None", f"deadline=None{limits}"
    )


SOON = ", max_examples=5, phases=[Phase.generate]"
"""Where every example fails, one does: a smaller one says the same."""


def test_the_example_of_the_documentation_runs(
    target: ReferenceServer, session: Session, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_own=documented_example("rule_01HXYZ1234"))
    session("test_own.py", "--rules-target", "target.toml").assert_outcomes(passed=2)


def test_bodies_are_drawn_in_the_time_that_hypothesis_allows_by_itself(
    target: ReferenceServer, session: Session, pytester: pytest.Pytester
) -> None:
    """In a process of its own: what is prepared for the first draw is there already where another test has drawn."""
    pytester.makepyfile(
        test_own="""
            from hypothesis import given, strategies as st

            @given(data=st.data())
            def test_broken(data, broken_bodies):
                assert data.draw(broken_bodies).meant.body == "broken"

            @given(data=st.data())
            def test_plausible(data, rule_bodies):
                assert data.draw(rule_bodies).meant.body != "broken"
        """
    )
    session("test_own.py", "--rules-target", "target.toml", in_process=False).assert_outcomes(passed=2)


def test_only_rules_of_the_profile(target: ReferenceServer, session: Session, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_example=documented_example(limits=SOON),
        test_judge="""
            def test_judge(rules_target, judge):
                judge(None, (200, {}, b""), rule="rule_a")
        """,
    )
    result = session("test_example.py", "test_judge.py", "--rules-target", "target.toml")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines("*'rule_a' is not a rule of the profile: its [[]rules] are rule_01HXYZ1234, *")


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [('writable = ["', 'writable = ["rule_gone", "', 404), ("RULES_KEY_FULL", "RULES_KEY_NOBODY", 401)],
)
def test_a_test_in_which_nothing_could_be_judged_does_not_pass(
    target: ReferenceServer,
    session: Session,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    status: int,
) -> None:
    monkeypatch.setenv("RULES_KEY_NOBODY", "sk_nobody_has_this_key")
    profile = pytester.path / "target.toml"
    profile.write_text(profile.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    rule = "rule_gone" if status == 404 else "rule_01HXYZ1234"
    pytester.makepyfile(test_own=documented_example(rule, limits=SOON))
    result = session("test_own.py", "--rules-target", "target.toml")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(f"*AssertionError: *{status}*")


def test_production_is_refused(target: ReferenceServer, session: Session, pytester: pytest.Pytester) -> None:
    profile = pytester.path / "target.toml"
    text = profile.read_text(encoding="utf-8").replace(target.base_url, "https://api.getsequence.io/api/v1")
    profile.write_text(text, encoding="utf-8")
    pytester.makepyfile(test_own="def test_own(rules_target): pass\ndef test_other(assert_fixed): pass")
    result = session("test_own.py", "--rules-target", "target.toml")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines("*is a production host. Nothing was sent.*")
    result.stdout.no_fnmatch_line("*Error*")


def test_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"rules_harness": "rules_harness.harness.pytest_plugin"}


def test_loading_imports_nothing_else() -> None:
    script = (
        "import pytest, sys; known = set(sys.modules); import rules_harness.harness.pytest_plugin;"
        "print(*sorted(set(sys.modules) - known))"
    )
    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [
        "rules_harness",
        "rules_harness.harness",
        "rules_harness.harness.pytest_plugin",
    ]
