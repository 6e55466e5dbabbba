"""A second, independent source: schemathesis' boundary cases for the update, and its generic checks of an answer.

Nothing of it is sent by schemathesis.  Importing `source` or `checks` imports schemathesis, which takes a quarter of a
second: import them where they are needed.
"""

from rules_harness.strategies.boundary.cases import BoundaryCase, boundary_cases

__all__ = ["BoundaryCase", "boundary_cases"]
