"""A comparison as one self-contained HTML file."""

from __future__ import annotations

from typing import Final

from rules_harness.reports.html import page
from rules_harness.reports.regression.model import Comparison
from rules_harness.reports.regression.tables import tables

_ROWS_OPEN: Final = 12
_ROWS_SHOWN: Final = 1000


def render(comparison: Comparison) -> str:
    """The page."""
    return page.render(
        "regression.html",
        title=f"{comparison.headline}: {comparison.base.name} and {comparison.head.name}",
        comparison=comparison,
        tables=tables(comparison),
        rows_open=_ROWS_OPEN,
        rows_shown=_ROWS_SHOWN,
    )
