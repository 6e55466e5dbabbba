"""A comparison as JSON, for programs."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from rules_harness.reports.regression.model import Comparison

SCHEMA_VERSION: Final = 1


def render(comparison: Comparison) -> str:
    """The document: every entry of the comparison, none left out."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "headline": comparison.headline,
        "changes": comparison.changes,
        **msgspec.to_builtins(comparison),
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
