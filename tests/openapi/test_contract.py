"""Loading a contract, and what is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules_harness.openapi.contract import ContractError, Operation, load
from rules_harness.openapi.words import noun_of

Document = dict[str, Any]
Edit = Callable[[Document], object]


def test_packaged_contract() -> None:
    contract = load()
    assert contract.title == "Sequence rules"
    assert len(contract.sha256) == 64
    assert contract.update == Operation("PUT", "/rules/{id}", "/paths/~1rules~1{id}/put")
    assert contract.read == Operation("GET", "/rules/{id}", "/paths/~1rules~1{id}/get")
    assert contract.trigger == Operation("POST", "/rules/{id}/trigger", "/paths/~1rules~1{id}~1trigger/post")


def test_names() -> None:
    names = load().names
    assert (names.authorization, names.auth_scheme) == ("Authorization", "ApiKey")
    assert (names.idempotency_key, names.request_id_header) == ("Idempotency-Key", "X-Request-ID")
    assert (names.request_id, names.data) == ("request_id", "data")
    assert (names.error, names.code, names.message) == ("error", "code", "message")
    assert (names.id, names.marker, names.note) == ("id", "nickname", "description")
    assert (names.status, names.parts, names.texts) == ("status", "steps", ("nickname", "description"))
    assert (names.created_at, names.updated_at) == ("created_at", "updated_at")
    assert (names.enabled, names.disabled) == ("enabled", "disabled")
    assert (names.unauthorized, names.forbidden, names.not_found) == ("unauthorized", "forbidden", "resource_not_found")
    assert names.default_base == "https://api.getsequence.io/api/v1"
    assert names.production_hosts == ("api.getsequence.io",)
    assert names.key_window_seconds == 24 * 60 * 60
    assert len(names.scopes) == 9


def test_packaged_contract_is_read_once() -> None:
    assert load() is load()
    path = Path(__file__).parents[2] / "openapi" / "rules.yaml"
    contract = load(path)
    assert contract.sha256 == load().sha256
    assert contract.requirements == load().requirements


@pytest.mark.parametrize(
    ("rule_id", "path"),
    [
        ("rule_1", "/rules/rule_1"),
        ("a/b c?", "/rules/a%2Fb%20c%3F"),
        ("é%", "/rules/%C3%A9%25"),
        (r"\1", "/rules/%5C1"),
    ],
)
def test_path_for_encodes_the_id(rule_id: str, path: str) -> None:
    assert load().update.path_for(rule_id) == path


def test_example_body_is_a_fresh_copy() -> None:
    load().example_body()["steps"].clear()
    assert load().example_body()["steps"]


def test_resolve_follows_chains() -> None:
    contract = load()
    target = contract.document["components"]["schemas"]["Rule"]
    assert contract.resolve(contract.rule_schema) is target
    assert contract.resolve(target) is target


def test_changed_names_are_taken_from_the_document(written: Callable[[Edit], Path]) -> None:
    def rename(document: Document) -> None:
        for name in ("RuleUpdate", "Rule"):
            properties = document["components"]["schemas"][name]["properties"]
            properties["label"] = properties.pop("nickname")
        document["components"]["parameters"]["IdempotencyKey"]["name"] = "X-Key"
        document["components"]["schemas"]["RuleStatus"]["x-states"]["disabled"] = "off"

    contract = load(written(rename))
    assert (contract.names.marker, contract.names.idempotency_key, contract.names.disabled) == (
        "label",
        "X-Key",
        "off",
    )


def test_companions_may_be_missing(written: Callable[[Edit], Path]) -> None:
    def without(document: Document) -> None:
        del document["paths"]["/rules/{id}"]["get"], document["paths"]["/rules/{id}/trigger"]

    contract = load(written(without))
    assert (contract.read, contract.trigger) == (None, None)


def test_values_are_what_json_can_hold(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "openapi" / "rules.yaml").read_text(encoding="utf-8")
    path = tmp_path / "unquoted.yaml"
    path.write_text(
        text.replace("'2024-04-01T09:00:00Z'", "2024-04-01T09:00:00Z").replace("'200':", "200:"), encoding="utf-8"
    )
    assert load(path).document == load().document


@pytest.mark.parametrize(
    ("path", "singular", "plural", "with_article"),
    [
        ("/rules/{id}", "rule", "rules", "a rule"),
        ("/people/{personId}/accounts/{accountId}", "account", "accounts", "an account"),
        ("/v1/payment_intents/{intent}/capture", "payment intent", "payment intents", "a payment intent"),
        ("/standingOrders/{id}", "standing order", "standing orders", "a standing order"),
        ("/policies/{id}", "policy", "policies", "a policy"),
        ("/addresses/{id}", "address", "addresses", "an address"),
        ("/tax/{id}", "tax", "tax", "a tax"),
        ("/{id}", "resource", "resources", "a resource"),
    ],
)
def test_the_noun_is_in_the_path(path: str, singular: str, plural: str, with_article: str) -> None:
    noun = noun_of({"paths": {path: {"put": {}}}})
    assert (noun.singular, noun.plural, noun.with_article, f"{noun}") == (singular, plural, with_article, singular)


def test_the_document_can_say_the_noun(written: Callable[[Edit], Path]) -> None:
    def name(document: Document) -> None:
        document["x-resource"] = {"singular": "automation", "plural": "automations"}

    contract = load(written(name))
    assert contract.noun.with_article == "an automation"
    assert contract.requirements["update.isolated"].sentence == "No other automation changes."
    assert contract.requirements["idempotency.window"].sentence.startswith("A key keeps its answer for 24 hours;")


def test_a_noun_in_half_is_refused(written: Callable[[Edit], Path]) -> None:
    def name(document: Document) -> None:
        document["x-resource"] = {"singular": "automation"}

    with pytest.raises(ContractError, match="'plural' is missing; write down what people call it"):
        load(written(name))
