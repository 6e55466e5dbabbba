"""What leaves for a target off this machine, counted by a proxy on the way: a gate and a campaign.

`make attack` has it last as long as it may: the whole gate, and a minute of campaign.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import Ended, command
from tests.safety.proxy import Passed
from tests.safety.staging import Staging, check_writes, is_inert, puts_back, staging
from tests.wire.servers import answer

pytestmark = pytest.mark.slow

IS_WHOLE = bool(os.environ.get("RULES_HARNESS_WHOLE"))
EVERY = 41
"""Of so many requests one is put off."""
SECONDS = ("0.15", "0.4", "1")
NOW = datetime.now(UTC)
SELECTED = ("status.*", "update.*", "auth.*", "not-found.*", "concurrency.*")
RATE, IN_FLIGHT = 100, 3
TOGETHER = 0.05
"""Seconds within which requests arrive that are released at one moment."""


class Watched:
    """One command, and everything that it sent."""

    def __init__(self, target: Staging, *arguments: str, in_flight: int) -> None:
        self.target = target
        self.in_flight = in_flight
        self._count = 0
        target.proxy.instead = self._put_off
        text = target.profile_text()
        text = re.sub(r"requests_per_second = \d+", f"requests_per_second = {RATE}", text)
        profile = target.profile(re.sub(r"in_flight = \d+", f"in_flight = {in_flight}", text))
        out = target.folder / "out"
        self.ended: Ended = command(
            *arguments, "--target", profile, "--quiet", "--out", out, environ=target.environ, folder=out
        )
        self.passed = sorted((one for one in target.proxy.passed if one.rule), key=lambda one: one.moment)
        self.writes = [one for one in self.passed if one.is_write]

    def _put_off(self, method: str, path: str) -> bytes | None:
        if "/rules/" not in path or path.endswith("/enable"):
            return None
        self._count += 1
        if self._count % EVERY:
            return None
        seconds = SECONDS[self._count // EVERY % len(SECONDS)]
        return answer(b"{}", status="429 Too Many Requests", headers=f"Retry-After: {seconds}\r\n")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.fixture(scope="module", params=["gate", "campaign"])
def run(
    request: pytest.FixtureRequest, server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    with staging(server, tmp_path_factory.mktemp(request.param)) as target:
        if request.param == "gate":
            select = [] if IS_WHOLE else ["--select", ",".join(SELECTED), "--requests", "700"]
            yield Watched(target, "check", "--now", NOW.isoformat(), *select, in_flight=IN_FLIGHT)
        else:
            limits = ("--time", "60s") if IS_WHOLE else ("--time", "60s", "--requests", "700")
            yield Watched(target, "fuzz", *limits, in_flight=1)


def test_it_conforms_and_sends_enough_to_tell(run: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.ended.code == 0, run.ended.out + run.ended.err
    assert len(run.writes) > 100
    assert any(one.enables for one in run.target.proxy.passed)
    if IS_WHOLE:
        put_off = sum(one.status == 429 for one in run.passed)
        with capsys.disabled():
            print(  # noqa: T201 - the figures are what it is run for
                f"\n{len(run.passed):,} requests, {len(run.writes):,} of them writes; {put_off} put off; "
                f"most in a second {most_in_a_second(run.passed)} of {RATE}"
            )


def test_no_write_outside_the_profile_s_rules(run: Watched) -> None:
    check_writes(run.target, run.writes)


def test_nothing_destroys_or_triggers(run: Watched) -> None:
    assert {passed.method for passed in run.passed} <= {"GET", "PUT", "POST", "PATCH"}
    assert not [passed for passed in run.passed if passed.path.endswith("/trigger")]


def test_no_live_body(run: Watched) -> None:
    """What is enabled, is to be, or might be created by a mistake of the target's could move nothing soon."""
    before = run.target.before
    enabled = {rule for rule, state in before.items() if state["status"] == "enabled"}
    for passed in sorted(run.target.proxy.passed, key=lambda one: one.moment):
        if passed.enables:
            enabled.add(passed.enables)
        if not passed.is_write:
            continue
        says = re.search(rb'"status":(?!"disabled")', passed.body) is not None
        is_risky = says or passed.rule in enabled or passed.rule not in before
        if is_risky and passed.object and not puts_back(passed, before):
            assert is_inert(passed.object, NOW), (passed.rule, passed.body)
        if passed.status == 200:
            enabled.discard(passed.rule)


def test_the_rate_is_kept(run: Watched) -> None:
    assert most_in_a_second(run.passed) <= 1.1 * RATE


def most_in_a_second(passed: list[Passed]) -> int:
    moments = [one.moment for one in passed]
    return max(sum(start <= moment < start + 1 for moment in moments) for start in moments)


def test_the_number_in_flight_is_kept(run: Watched) -> None:
    steps = sorted([(one.moment, 1) for one in run.passed] + [(one.ended, -1) for one in run.passed])
    under_way = most = 0
    for _, step in steps:
        under_way += step
        most = max(most, under_way)
    assert most <= run.in_flight


def test_every_retry_after_is_kept(run: Watched) -> None:
    """To the millisecond: whoever was put off does not come again before; alone in flight, nobody else comes either."""
    put_off = [one for one in run.passed if one.status == 429]
    assert len(put_off) >= 3
    for one in put_off:
        asked = float(re.search(rb"Retry-After: ([\d.]+)", one.answer)[1])  # type: ignore[index] # each has it
        later = [other for other in run.passed if other.moment > one.ended]
        if run.in_flight > 1:
            # What was released at one moment with it was under way already.
            later = [other for other in later if is_same(one, other) and other.moment - one.moment > TOGETHER]
        assert not later or later[0].moment - one.ended >= asked - 0.001


def is_same(one: Passed, other: Passed) -> bool:
    """Whether it is the same update again."""
    return one.is_write and (one.method, one.path, one.headers, one.body) == (
        other.method,
        other.path,
        other.headers,
        other.body,
    )


def test_everything_is_put_back(run: Watched) -> None:
    after = run.target.states()
    for rule in run.target.listed:
        for name in ("nickname", "description", "trigger", "steps"):
            assert after[rule][name] == run.target.before[rule][name]
        assert after[rule]["status"] == "disabled"


def test_its_journal_is_whole(run: Watched, tmp_path: Path) -> None:
    assert run.ended.run.is_whole
    assert {record.problem for record in run.ended.run.restored} == {None}
