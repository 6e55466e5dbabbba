"""The commented profile that `rules-harness init` writes."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.plausible import account_types, names_accounts

_HOST: Final = "https://staging.example"
_PARAMETER: Final = re.compile(r"\{([^}]*)\}")


def template(contract: Contract) -> str:
    """A profile that fits the contract, and loads once the environment variable of its one active credential is set.

    The base URL is that of the document, on a host to be filled in.
    """
    text = resources.files("rules_harness.harness.target").joinpath("template.toml").read_text(encoding="utf-8")
    tags = Environment(trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined)
    noun, prefix = contract.noun, contract.update.prefix
    usual = _HOST + urlsplit(contract.names.default_base).path.rstrip("/") + _PARAMETER.sub(r"\1", prefix)
    to_fill_in = _PARAMETER.findall(prefix)
    return tags.from_string(text).render(
        name=json.dumps("staging"),
        base_url=json.dumps(usual),
        path=contract.update.path,
        to_fill_in=f"; fill in {' and '.join(to_fill_in)}" if to_fill_in else "",
        authorization=f"{contract.names.authorization}: {contract.names.auth_scheme} KEY",
        noun=noun,
        id=noun.singular.replace(" ", "_"),
        variable=noun.plural.upper().replace(" ", "_"),
        collection=contract.update.path.rpartition("{")[0].strip("/"),
        trigger=contract.trigger,
        trigger_scope=_scope(contract, "TRIGGER") or "the permission to trigger",
        scope=_scope(contract, "LIST") or next(iter(contract.names.scopes), None),
        accounts=account_types(contract) if names_accounts(contract) else None,
    )


def _scope(contract: Contract, verb: str) -> str | None:
    """The scope of a contract that lets do this with what is updated."""
    wanted = f"{verb}_{contract.noun.plural.upper().replace(' ', '_')}"
    return wanted if wanted in contract.names.scopes else None
