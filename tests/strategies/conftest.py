from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.statistics import collector

from rules_harness.openapi.contract import Contract, load
from rules_harness.strategies.bodies import Body, bodies
from rules_harness.strategies.world import Account, World

Draw = Callable[..., list[Any]]
Change = Callable[[dict[str, Any]], object]
"""What is done to the schemas of a document."""


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Change], Contract]:
    """The packaged contract with its schemas changed."""

    def change(edit: Change) -> Contract:
        document = copy.deepcopy(dict(load().document))
        edit(document["components"]["schemas"])
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return load(path)

    return change


@pytest.fixture(scope="session")
def draw() -> Draw:
    """So many values of a strategy, the same ones in every run."""

    def drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
        values: list[Any] = []

        @settings(
            max_examples=count,
            database=None,
            derandomize=True,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def collect(value: Any) -> None:
            values.append(value)

        collect()
        return values

    return drawn


@pytest.fixture(scope="session")
def world() -> World:
    """Accounts of every type that the contract lists, one of them a liability."""
    return World(
        accounts=(
            Account("acc_income", "income_source"),
            Account("acc_pod", "pod"),
            Account("acc_other_pod", "pod"),
            Account("acc_card", "external_account", liability=True),
        ),
        foreign_accounts=(Account("acc_foreign", "pod"),),
        now=datetime(2026, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC),
        max_amount_in_cents=5_000,
    )


@pytest.fixture(scope="session")
def drawing(draw: Draw, world: World) -> tuple[list[Body], Counter[str]]:
    """Eight hundred bodies, and how often Hypothesis called an attempt valid, invalid or overrun."""
    statistics: list[dict[str, Any]] = []
    untyped: Any = collector
    with untyped.with_value(statistics.append):
        drawn = draw(bodies(load(), world), 800)
    return drawn, Counter(case["status"] for case in statistics[0]["generate-phase"]["test-cases"])


@pytest.fixture(scope="session")
def sample(drawing: tuple[list[Body], Counter[str]]) -> list[Body]:
    return drawing[0]


@pytest.fixture(scope="session")
def statuses(drawing: tuple[list[Body], Counter[str]]) -> Counter[str]:
    return drawing[1]
