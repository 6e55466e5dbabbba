"""The checks on trial, with one seed: every fault is found, and nothing that is allowed is flagged.

What else a fault breaks after that only `make selftest` sees.
"""

from __future__ import annotations

import pytest

from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.harness.selftest import run_trials, trials, until_killed

pytestmark = pytest.mark.selftest


def test_every_trial_goes_as_it_must() -> None:
    chosen = [until_killed(trial) for trial in trials([1], combinations=6, each_variant=False)]
    assert {name for trial in chosen for name in trial.variants} == {variant.id for variant in VARIANTS}
    verdicts = list(run_trials(chosen, workers=6))
    assert len(verdicts) > 200
    assert {verdict.trial.name: verdict.problem for verdict in verdicts if verdict.problem is not None} == {}
