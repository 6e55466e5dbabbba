"""Everything that one whole run sends to a target off loopback whose profile gives no permission."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from rules_harness.harness.journal import FoundRule, read
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.scenarios.http import METHOD_OVERRIDES
from rules_harness.reports.formats import FORMATS
from tests.gate.runs import Ended
from tests.safety.staging import (
    CAP,
    HOST,
    UNLISTED,
    Staging,
    amounts,
    check_writes,
    configuration,
    is_inert,
    key_fragments,
    puts_back,
    staging,
)

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(microsecond=0)


class Watched:
    """One run, and what its journal held when each rule was first written."""

    def __init__(self, target: Staging) -> None:
        self.target = target
        self.recorded: dict[str, list[FoundRule]] = {}
        target.proxy.before = self._look
        self.ended: Ended = target.check("--now", NOW.isoformat(), "--report", ",".join(FORMATS))
        self.passed = target.proxy.passed
        self.writes = target.proxy.writes

    def _look(self, method: str, path: str) -> None:
        rule = path.rpartition("/")[2]
        if method != "GET" and rule in self.target.listed and rule not in self.recorded:
            found = read(self.target.out).rules
            self.recorded[rule] = [record for record in found if record.rule == rule]


@pytest.fixture(scope="module")
def run(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with staging(server, tmp_path_factory.mktemp("whole")) as target:
        yield Watched(target)


def test_conforms(run: Watched) -> None:
    assert run.ended.code == 0, run.ended.out
    assert run.ended.with_verdict("skipped") == {"status.not-triggerable"}
    assert len(run.writes) > 1000


def test_nothing_that_destroys_or_triggers(run: Watched) -> None:
    assert {passed.method for passed in run.passed} == {"GET", "PUT", "POST", "PATCH"}
    assert not [passed for passed in run.passed if passed.path.endswith("/trigger")]
    others = [passed for passed in run.writes if passed.method != "PUT"]
    assert all(passed.object["status"] == "disabled" and is_inert(passed.object, NOW) for passed in others)
    overrides = [[(name, value) for name, value in passed.headers if "method" in name.lower()] for passed in run.writes]
    assert Counter(passed.method for passed in others) == {"POST": 1 + len(METHOD_OVERRIDES), "PATCH": 1}
    assert sorted(filter(None, overrides)) == sorted([(name, "PUT")] for name in METHOD_OVERRIDES)


def test_everything_goes_to_the_target(run: Watched) -> None:
    assert {passed.host for passed in run.passed if passed.rule} == {HOST}
    assert {passed.path.split("/")[1] for passed in run.passed if not passed.rule} == {"__control__"}


def test_writes_reach_listed_rules_only(run: Watched) -> None:
    check_writes(run.target, run.writes)
    assert UNLISTED in run.target.before.keys() - run.target.listed


def test_first_write_puts_the_same_configuration_back(run: Watched) -> None:
    firsts = {passed.rule: passed for passed in reversed(run.writes) if passed.rule in run.target.listed}
    assert firsts.keys() == run.target.listed
    for rule, first in firsts.items():
        assert puts_back(first, run.target.before), first.body
        reads = [passed for passed in run.passed if passed.rule == rule and passed.method == "GET"]
        assert reads[0].ended < first.moment
        [found] = run.recorded[rule]
        assert configuration(found.state) == configuration(run.target.before[rule])
        assert found.enabled == (run.target.before[rule]["status"] == "enabled")


def test_what_could_stay_enabled_is_inert(run: Watched) -> None:
    before = run.target.before
    enabled = {rule for rule, state in before.items() if state["status"] == "enabled"}
    reasons = Counter[str]()
    for passed in run.passed:
        if passed.enables:
            enabled.add(passed.enables)
        if not passed.is_write:
            continue
        reason = "enabled" if passed.rule in enabled else "no rule" if passed.rule not in before else ""
        if re.search(rb'"status":(?!"disabled")', passed.body):
            reason = "says otherwise"
        if reason and not puts_back(passed, before):
            reasons[reason] += 1
            assert is_inert(passed.object, NOW), (reason, passed.rule, passed.body)
        if passed.status == 200:
            enabled.discard(passed.rule)
    assert reasons.keys() == {"enabled", "no rule", "says otherwise"}


def test_raw_bodies_do_not_say_enabled(run: Watched) -> None:
    raw = [passed.body for passed in run.writes if not passed.object]
    assert raw
    assert not [body for body in raw if re.search(rb"[\"']enabled[\"']", body)]


def test_amounts_stay_within_the_cap(run: Watched) -> None:
    own = [passed for passed in run.writes if passed.status == 200 and not puts_back(passed, run.target.before)]
    sent = [amount for passed in own for amount in amounts(passed.object)]
    assert max(sent) == CAP


def test_keys_stay_where_no_log_keeps_them(run: Watched) -> None:
    keys = run.target.environ.values()
    for passed in run.passed:
        cookies = "".join(value for name, value in passed.headers if name.lower() == "cookie")
        assert not [key for key in keys if key in unquote(passed.path + passed.query + cookies)]


def test_limits(run: Watched) -> None:
    moments = sorted(
        [(passed.moment, 1) for passed in run.passed if passed.rule]
        + [(passed.ended, -1) for passed in run.passed if passed.rule]
    )
    under_way, most = 0, 0
    for _, step in moments:
        under_way += step
        most = max(most, under_way)
    assert 2 <= most <= 8


def test_everything_is_put_back(run: Watched) -> None:
    after = run.target.states()
    for rule in run.target.listed:
        assert configuration(after[rule]) == configuration(run.target.before[rule])
        assert after[rule]["status"] == "disabled"
    enabled = {rule for rule in run.target.listed if run.target.before[rule]["status"] == "enabled"}
    assert enabled
    told = next(line for line in run.ended.out.splitlines() if "a human re-enables" in line)
    assert set(re.findall(r"rule_\w+", told)) == enabled


def test_no_key_is_written_or_printed(run: Watched) -> None:
    written = b"".join(path.read_bytes() for path in run.ended.folder.rglob("*") if path.is_file())
    assert not key_fragments(run.target, written + (run.ended.out + run.ended.err).encode())
