"""Odd credentials: what stands where a key should, or a key that stands where none should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests.wire import OddRequest

_KEY: Final = "{key:full}"

_QUERY_NAMES: Final = ("api_key", "apikey", "key", "token", "access_token")
_COOKIE_NAMES: Final = ("api_key", "token", "session")
_FIELD_NAMES: Final = ("api_key", "access_token")


def odd_credentials(contract: Contract) -> tuple[OddRequest, ...]:
    """Credentials that must not authenticate (`auth.malformed`, `auth.unknown-key`, `auth.header-only`).

    White space before the scheme or beyond one space behind it, and the scheme's case, are left out: the page leaves
    them open.  A changed key is the full key's own text changed; where the change leaves it as it was (a key without
    letters has no other case) the request says nothing and is not to be sent.
    """
    return (*_malformed(contract), *_unknown(contract), *_elsewhere(contract))


def _malformed(contract: Contract) -> Iterator[OddRequest]:
    scheme = contract.names.auth_scheme
    values = (
        ("empty-value", "", "an empty value"),
        ("scheme-alone", scheme, "the scheme without a key"),
        ("empty-key", f"{scheme} ", "the scheme and a space, without a key"),
        ("bare-key", _KEY, "the key without a scheme"),
        ("bearer", f"Bearer {_KEY}", "the key under another scheme"),
        ("bearer-lower-case", f"bearer {_KEY}", "the key under another scheme, in lower case"),
        ("basic", "Basic {key:full|basic}", "the key as the user of basic authentication (RFC 7617)"),
        ("basic-bare", f"Basic {_KEY}", "the key, not encoded, as basic authentication"),
        ("token", f"Token {_KEY}", "the key under a scheme that is not registered"),
        ("scheme-longer", f"{scheme}Auth {_KEY}", "the key under a scheme with a longer name"),
    )
    for name, value, detail in values:
        yield _authorization(contract, "auth.malformed", name, value, detail)


def _unknown(contract: Contract) -> Iterator[OddRequest]:
    keys = (
        ("made-up", "no-such-key", "a key that nobody has"),
        ("made-up-long", "no-such-key-" + "0" * 288, "a key of 300 characters that nobody has"),
        ("null", "null", "a word that programs write for nothing"),
        ("undefined", "undefined", "a word that programs write for nothing"),
        ("star", "*", "what stands for everything elsewhere"),
        ("sql", "no-such-key'--", "SQL"),
        ("template", "<key>", "the page's own template"),
        ("truncated", "{key:full|truncated}", "the key without its last character"),
        ("extended", "{key:full|extended}", "the key with a further character"),
        ("swapcase", "{key:full|swapcase}", "the key with the case of its letters changed"),
    )
    for name, key, detail in keys:
        yield _authorization(contract, "auth.unknown-key", name, f"{contract.names.auth_scheme} {key}", detail)


def _elsewhere(contract: Contract) -> Iterator[OddRequest]:
    names = contract.names
    credential = f"{names.auth_scheme}%20{_KEY}"
    for name in _QUERY_NAMES:
        yield _without_authorization(contract, f"query-{name}", "the key in the query", query=f"{name}={_KEY}")
    yield _without_authorization(
        contract,
        "query-header-name",
        "header's name and value in the query",
        query=f"{names.authorization}={credential}",
    )
    for name in _COOKIE_NAMES:
        yield _without_authorization(contract, f"cookie-{name}", "the key in a cookie", cookie=f"{name}={_KEY}")
    yield _without_authorization(
        contract,
        "cookie-header-name",
        "header's name and value in a cookie",
        cookie=f"{names.authorization}={credential}",
    )
    for name in _FIELD_NAMES:
        yield _without_authorization(contract, f"body-{name}", "the key in the body", fields=((name, _KEY),))
    yield _without_authorization(
        contract,
        "body-header-name",
        "header's name and value in the body",
        fields=((names.authorization, f"{names.auth_scheme} {_KEY}"),),
    )


def _authorization(contract: Contract, requirement: str, name: str, value: str, detail: str) -> OddRequest:
    return OddRequest(
        name=f"credential:{name}",
        requirement=requirement,
        expect="unauthenticated",
        detail=detail,
        headers=((contract.names.authorization, value),),
        # White space at the end is no part of a value (RFC 9110, section 5.5): a library strips or refuses it.
        raw=value != value.strip(),
    )


def _without_authorization(
    contract: Contract,
    name: str,
    detail: str,
    *,
    query: str = "",
    cookie: str = "",
    fields: tuple[tuple[str, str], ...] = (),
) -> OddRequest:
    return OddRequest(
        name=f"credential:{name}",
        requirement="auth.header-only",
        expect="unauthenticated",
        detail=detail,
        without=(contract.names.authorization,),
        headers=(("Cookie", cookie),) if cookie else (),
        query=query,
        fields=fields,
        exposes_key=True,
    )
