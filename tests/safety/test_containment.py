"""A rule that is enabled where it must not be is disabled with a harmless body, and the run ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.gate.runs import Ended
from tests.safety.staging import Staging, configuration, is_inert, puts_back, staging

CONTRACT = load()
NOW = datetime.now(UTC).replace(microsecond=0)
FOUND_ENABLED, FOUND_DISABLED = "rule_01HXYZ1234", "rule_01HXYZ5678"


def _contained(target: Staging, rule: str, *select: str) -> Ended:
    """A run that may write to this rule of the organization alone."""
    others = ("limited =", "other_org =")
    lines = target.profile_text(writable=(rule,)).split("\n")
    text = "\n".join(line for line in lines if not line.startswith(others))
    arguments = [argument for pattern in select for argument in ("--select", pattern)]
    return target.check("--now", NOW.isoformat(), *arguments, text=text)


def _containing(target: Staging, rule: str) -> int:
    """The position of the first harmless body that follows a sight of the rule enabled where it must not be."""
    may_be, sighted = target.before[rule]["status"] == "enabled", False
    keys = set[str]()
    for position, passed in enumerate(target.proxy.passed):
        key = dict(passed.headers).get(CONTRACT.names.idempotency_key, "")
        is_replay = key in keys
        keys |= {key} - {""}
        if passed.enables == rule:
            may_be = True
        elif is_replay:
            continue  # it leaves the rule as the operator made it
        elif passed.rule == rule and passed.status == 200:
            if sighted and passed.is_write and is_inert(passed.object, NOW) and passed.object["status"] == "disabled":
                return position
            if passed.is_write:
                may_be = not may_be and passed.object["status"] == "enabled"
            sighted = sighted or (passed.data["status"] == "enabled" and not may_be)
    raise AssertionError("nothing was contained")


@pytest.mark.parametrize("fault", ["status.kept", "status.only-answered"])
def test_rule_that_was_found_enabled(fault: str, server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path, fault) as target:
        ended = _contained(target, FOUND_ENABLED)
        assert ended.code == 1, ended.out
        assert len(target.proxy.passed) < 20
        assert f"{FOUND_ENABLED} was enabled where it must not be; IT IS STILL ENABLED" in ended.summary["reason"]
        assert ended.summary["reason"] in " ".join(ended.out.split())
        writes = [passed for passed in target.proxy.writes if passed.rule in target.before]
        assert [puts_back(passed, target.before) for passed in writes] == [True, False, True]
        assert configuration(target.states()[FOUND_ENABLED]) == configuration(target.before[FOUND_ENABLED])


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["status.from-body", "status.kept-with-key", "status.kept-without-change"])
def test_rule_that_the_operator_enabled(fault: str, server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path, fault) as target:
        ended = _contained(target, FOUND_DISABLED, "status.*")
        assert ended.code == 1, ended.out
        assert f"{FOUND_DISABLED} was enabled where it must not be; it was disabled again" in ended.summary["reason"]
        after = [passed for passed in target.proxy.passed[_containing(target, FOUND_DISABLED) + 1 :] if passed.is_write]
        back = [passed for passed in after if puts_back(passed, target.before)]
        assert FOUND_DISABLED in {passed.rule for passed in back}
        # What the scenario has left to send, its own containing included, and what the run contains.
        rest = [passed.object for passed in after if passed not in back]
        assert len(rest) <= 2
        assert all(is_inert(body, NOW) and body["status"] == "disabled" for body in rest)
        state = target.states()[FOUND_DISABLED]
        assert configuration(state) == configuration(target.before[FOUND_DISABLED])
        assert state["status"] == "disabled"


@pytest.mark.slow
def test_several_rules_at_once(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path, "status.kept-with-key") as target:
        ended = target.check("--select", "status.*", "--select", "validation.*")
        assert ended.code == 1, ended.out
        assert "was enabled where it must not be" in ended.summary["reason"]
        assert {state["status"] for rule, state in target.states().items() if rule in target.listed} == {"disabled"}


def test_requirements_that_were_not_selected(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path, "status.kept") as target:
        ended = _contained(target, FOUND_ENABLED, "auth.missing")
        assert ended.code == 1, ended.out
        assert FOUND_ENABLED in ended.summary["reason"]


def test_own_configuration_that_enables_stays_away(server: ReferenceServer, tmp_path: Path) -> None:
    """What could move money is not put back into a rule that this would enable."""
    with staging(server, tmp_path, "status.toggled") as target:
        ended = _contained(target, FOUND_DISABLED)
        assert ended.code == 1, ended.out
        state = target.states()[FOUND_DISABLED]
        assert state["status"] == "disabled"
        assert is_inert(configuration(state), NOW)
        [problem] = [record.problem for record in ended.run.restored if record.rule == FOUND_DISABLED]
        assert problem is not None
        assert "its own configuration left it enabled" in problem
        assert FOUND_DISABLED in ended.out


def test_rule_that_cannot_be_disabled_keeps_the_harmless_body(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path, "status.kept") as target:
        ended = _contained(target, FOUND_DISABLED, "status.*")
        assert ended.code == 1, ended.out
        assert "IT IS STILL ENABLED" in ended.summary["reason"]
        state = target.states()[FOUND_DISABLED]
        assert state["status"] == "enabled"
        assert is_inert(configuration(state), NOW)
        [problem] = [record.problem for record in ended.run.restored if record.rule == FOUND_DISABLED]
        assert problem is not None
        assert "STILL ENABLED" in problem
