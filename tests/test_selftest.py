"""The checks on trial, with one seed: every fault is found, and nothing that is allowed is flagged."""

from __future__ import annotations

import pytest

from harness.selftest import run_trials, trials

pytestmark = pytest.mark.selftest


def test_every_trial_goes_as_it_must() -> None:
    verdicts = list(run_trials(list(trials([1], combinations=30)), workers=2))
    assert len(verdicts) > 200
    assert {verdict.trial.name: verdict.problem for verdict in verdicts if verdict.problem is not None} == {}
