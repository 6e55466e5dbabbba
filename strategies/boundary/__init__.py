"""A second, independent source: schemathesis' boundary cases for the update, and its generic checks of an answer.

Nothing of it is sent by schemathesis.  Importing this package imports schemathesis, which takes a quarter of a second:
import it where it is needed.
"""

from rules_harness.strategies.boundary.cases import BoundaryCase, boundary_cases
from rules_harness.strategies.boundary.checks import GENERIC_CHECKS, GenericFinding, judge_generic

__all__ = ["GENERIC_CHECKS", "BoundaryCase", "GenericFinding", "boundary_cases", "judge_generic"]
