"""Odd credentials: what stands where a key should, or a key that stands where none should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.keys import KeyForm, KeyPlace, KeyReference
from rules_harness.strategies.requests.wire import OddRequest

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
    without_key = (
        ("empty-value", "", "an empty value"),
        ("scheme-alone", scheme, "the scheme without a key"),
        ("empty-key", f"{scheme} ", "the scheme and a space, without a key"),
    )
    for name, value, detail in without_key:
        yield _authorization(contract, "auth.malformed", name, value, detail)
    with_key: tuple[tuple[str, str, KeyForm, str], ...] = (
        ("bare-key", "", "", "the key without a scheme"),
        ("bearer", "Bearer ", "", "the key under another scheme"),
        ("bearer-lower-case", "bearer ", "", "the key under another scheme, in lower case"),
        ("basic", "Basic ", "basic", "the key as the user of basic authentication (RFC 7617)"),
        ("basic-bare", "Basic ", "", "the key, not encoded, as basic authentication"),
        ("token", "Token ", "", "the key under a scheme that is not registered"),
        ("scheme-longer", f"{scheme}Auth ", "", "the key under a scheme with a longer name"),
        ("scheme-before", f"X{scheme} ", "", "the key under a scheme whose name ends in the right one"),
        ("scheme-twice", f"Bearer {scheme} ", "", "the right scheme and the key behind another scheme"),
    )
    for name, before, form, detail in with_key:
        if before.strip().lower() != scheme.lower():
            yield _with_key(contract, "auth.malformed", name, before, form, detail)


def _unknown(contract: Contract) -> Iterator[OddRequest]:
    scheme = contract.names.auth_scheme
    made_up = (
        ("made-up", "no-such-key", "a key that nobody has"),
        ("made-up-long", "no-such-key-" + "0" * 288, "a key of 300 characters that nobody has"),
        ("null", "null", "a word that programs write for nothing"),
        ("undefined", "undefined", "a word that programs write for nothing"),
        ("star", "*", "what stands for everything elsewhere"),
        ("sql", "no-such-key'--", "SQL"),
        ("template", "<key>", "the page's own template"),
    )
    for name, key, detail in made_up:
        yield _authorization(contract, "auth.unknown-key", name, f"{scheme} {key}", detail)
    deformed: tuple[tuple[KeyForm, str], ...] = (
        ("truncated", "the key without its last character"),
        ("extended", "the key with a further character"),
        ("swapcase", "the key with the case of its letters changed"),
    )
    for form, detail in deformed:
        yield _with_key(contract, "auth.unknown-key", form, f"{scheme} ", form, detail)


def _elsewhere(contract: Contract) -> Iterator[OddRequest]:
    names = contract.names
    scheme = f"{names.auth_scheme} "
    for name in _QUERY_NAMES:
        yield _without_authorization(contract, f"query-{name}", "the key in the query", "query", name)
    yield _without_authorization(
        contract, "query-header-name", "header's name and value in the query", "query", names.authorization, scheme
    )
    for name in _COOKIE_NAMES:
        yield _without_authorization(contract, f"cookie-{name}", "the key in a cookie", "cookie", name)
    yield _without_authorization(
        contract,
        "cookie-header-name",
        "header's name and value in a cookie",
        "cookie",
        names.authorization,
        f"{names.auth_scheme}%20",
    )
    for name in _FIELD_NAMES:
        yield _without_authorization(contract, f"body-{name}", "the key in the body", "field", name)
    yield _without_authorization(
        contract, "body-header-name", "header's name and value in the body", "field", names.authorization, scheme
    )


def _with_key(contract: Contract, requirement: str, name: str, before: str, form: KeyForm, detail: str) -> OddRequest:
    return OddRequest(
        name=f"credential:{name}",
        requirement=requirement,
        expect="unauthenticated",
        detail=detail,
        key=KeyReference("full", contract.names.authorization, before, form),
    )


def _authorization(contract: Contract, requirement: str, name: str, value: str, detail: str) -> OddRequest:
    return OddRequest(
        name=f"credential:{name}",
        requirement=requirement,
        expect="unauthenticated",
        detail=detail,
        headers=((contract.names.authorization, value),),
        # White space at the end is not part of a value (RFC 9110, section 5.5): a library strips or refuses it.
        raw=value != value.strip(),
    )


def _without_authorization(
    contract: Contract, name: str, detail: str, place: KeyPlace, parameter: str, before: str = ""
) -> OddRequest:
    return OddRequest(
        name=f"credential:{name}",
        requirement="auth.header-only",
        expect="unauthenticated",
        detail=detail,
        without=(contract.names.authorization,),
        key=KeyReference("full", parameter, before, place=place),
        exposes_key=True,
    )
