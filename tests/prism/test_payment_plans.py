"""An API in the shape of a public one: an ordinary document, the overlay beside it, and Prism answering for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from rules_harness.openapi.contract import load
from rules_harness.openapi.document import nodes
from tests.gate.runs import Ended, command
from tests.prism.mock import Prism

HERE: Final = Path(__file__).parent
DOCUMENT, OVERLAY = HERE / "payment_plans.yaml", HERE / "overlay.yaml"
CONTRACT: Final = ("--contract", DOCUMENT, "--overlay", OVERLAY)
ROLES: Final = ("full", "limited", "read_only", "other_org", "revoked")
PROFILE: Final = """
[target]
name = "prism"
base_url = "{url}"
[rules]
writable = ["ppl_8Jx0Q2m7", "ppl_5Ka2R9n1"]
limited = "ppl_1Tb4W6c8"
other_org = "ppl_9Zd7E3f2"
[limits]
requests_per_second = 2000
"""
WITHOUT_ODD_IDS: Final = ",".join(
    (
        *("auth", "authz", "request-id", "update", "status", "validation", "idempotency", "http", "concurrency"),
        *("not-found.unknown-id", "not-found.no-upsert"),
    )
)
"""Odd ids end Prism, as docs/prism.md says; what every answer is judged by takes them too."""
SURE: Final = frozenset(
    {
        "auth.before-lookup",
        "auth.unknown-key",
        "authz.organization",
        "authz.resource",
        "authz.scope",
        "not-found.no-upsert",
        "not-found.unknown-id",
        "request-id.echo-header",
        "request-id.generated",
        "status.enabled-becomes-disabled",
        "status.stored",
        "update.identity",
        "update.replaces",
    }
)
"""What a server gets wrong that takes every key for good, and answers every update with the example."""
FITS: Final = frozenset(
    {
        "auth.malformed",
        "auth.missing",
        "idempotency.replay",
        "update.documented-example",
        "validation.enum",
        "validation.required",
        "validation.type",
    }
)
"""What it gets right: it checks requests by the document, and answers as the document says."""


def actions(text: str) -> dict[str, Any]:
    return {action["target"]: action["update"] for action in yaml.safe_load(text)["actions"]}


def test_the_overlay_is_the_drafted_one(tmp_path: Path) -> None:
    out = tmp_path / "drafted.yaml"
    ended = command("draft", DOCUMENT, "--operation", "paymentPlanPut", "--out", out, environ={}, folder=tmp_path)
    assert ended.code == 0, ended.err
    finished = OVERLAY.read_text(encoding="utf-8")
    assert actions(finished) == actions(out.read_text(encoding="utf-8"))
    assert len(finished.splitlines()) <= 150


def test_the_document_has_no_extension_of_ours() -> None:
    document = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    assert [name for _, node in nodes(document) for name in node if str(name).startswith("x-")] == []


def test_what_the_contract_promises() -> None:
    contract = load(DOCUMENT, [OVERLAY])
    assert (contract.update.method, contract.update.path) == ("PUT", "/payment-plans/{plan_id}")
    assert (f"{contract.noun}", contract.noun.plural) == ("payment plan", "payment plans")
    assert set(contract.unpromised) == {
        "authz.foreign-account",
        "request-id.echo-body",
        "status.not-triggerable",
        "update.omitted-stays",
        "update.steps-replaced",
    }
    assert "api.provider.example" in contract.names.production_hosts


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Ended]:
    """A run against Prism, without the odd ids that end it."""
    server = Prism(DOCUMENT, tmp_path / "prism.log")
    credentials = "".join(f'[credentials.{role}]\nkey_env = "PLANS_{role.upper()}"\n' for role in ROLES)
    profile = tmp_path / "prism.toml"
    profile.write_text(PROFILE.format(url=server.url) + credentials, encoding="utf-8")
    keys = {f"PLANS_{role.upper()}": secrets.token_hex(12) for role in ROLES}
    out = tmp_path / "out"
    chosen = ("--select", WITHOUT_ODD_IDS, "--quiet", "--out", out)
    try:
        yield command("check", "--target", profile, *CONTRACT, *chosen, environ=keys, folder=out)
    finally:
        server.end()


def test_what_is_found_in_prism_is_true(judged: Ended) -> None:
    assert judged.code == 1, judged.out + judged.err
    assert judged.with_verdict("failed", "warned") >= SURE
    assert judged.with_verdict("passed") >= FITS
    assert not judged.with_verdict("error")
