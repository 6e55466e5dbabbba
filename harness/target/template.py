"""The commented profile that `rules-harness init` writes."""

from __future__ import annotations

import json
from importlib import resources


def template(*, base_url: str = "https://staging.example/api/v1", name: str = "staging") -> str:
    """A profile that loads as it is, once the environment variable of its one active credential is set."""
    text = resources.files("rules_harness.harness.target").joinpath("template.toml").read_text(encoding="utf-8")
    return text.replace('"{name}"', json.dumps(name)).replace('"{base_url}"', json.dumps(base_url))
