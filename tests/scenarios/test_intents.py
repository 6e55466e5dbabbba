"""What a scenario says of a request comes from closed sets of keywords, which the type checker knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from rules_harness.harness.intent import Intent, IntentFields

ROOT = Path(__file__).parents[2]
SLIPS = """
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import first_use
from rules_harness.strategies.requests import OddRequest


def run(bench: Bench, odd: OddRequest) -> None:
    bench.update({}, access="unauthenticated", requirement="auth.missing")
    bench.update({}, acces="unauthenticated")  # slip
    bench.update({}, requirement=3)  # slip
    bench.update({}, body="borken")  # slip
    bench.plan_update({}, key="k", repeats=0, label="the same key")
    bench.plan_update({}, access="nobody")  # slip
    bench.plan_update({}, kind="equal")  # slip
    bench.plan_odd(odd, {}, caller="none", request_id_kind="hostile")
    bench.plan_odd(odd, {}, exsitence="odd")  # slip
    bench.plan_read(purpose="probe", request_id="r")
    bench.plan_read(purpose="prob")  # slip
    bench.read(existence="foreign", label="afterwards")
    bench.read(label=None)  # slip
    bench.trigger("full", requirement="status.not-triggerable")
    bench.trigger("full", requirment="status.not-triggerable")  # slip
    bench.send(*bench.plan_update({}, window="inside"))  # slip
    bench.send_all([bench.plan_read(features=())])  # slip
    first_use(bench, {}, "key", label="first")
    first_use(bench, {}, "key", lable="first")  # slip
    bench.exchanges[0].intent.but(rule="a")
    bench.exchanges[0].intent.but(rules="a")  # slip
"""


@pytest.mark.slow
def test_type_checker_sees_each_slip(tmp_path: Path) -> None:
    file = tmp_path / "slips.py"
    file.write_text(SLIPS, encoding="utf-8")
    command = (sys.executable, "-m", "mypy", "--strict", str(file))
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    reported = {int(number) for number in re.findall(r"slips\.py:(\d+): error", checked.stdout)}
    slips = {number for number, line in enumerate(SLIPS.splitlines(), start=1) if line.endswith("# slip")}
    assert reported == slips, checked.stdout + checked.stderr


def test_keywords_are_the_fields_of_an_intent() -> None:
    assert get_type_hints(IntentFields) == get_type_hints(Intent)
