"""What the contract expects where a finding was made, as lines of Python for a standalone test.

One entry per requirement; `idempotency.window` has none, because no request tells when the clock was moved.  The lines
assert the contract, never the wrong answer that was seen.  They may use what `reports.pytest_case` puts before them:
``requests`` and ``answers`` in the order sent, and its helpers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rules_harness.reports.expected.answers import ANSWERS
from rules_harness.reports.expected.case import Case, Expectation
from rules_harness.reports.expected.states import STATES

__all__ = ["EXPECTATIONS", "Case", "Expectation"]

EXPECTATIONS: Final[Mapping[str, Expectation]] = {**ANSWERS, **STATES}
