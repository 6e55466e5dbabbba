"""Whole requests that are odd on purpose: bytes, content types, ids, credentials and headers, each with a name."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests.credentials import odd_credentials
from rules_harness.strategies.requests.encodings import encoding_bodies
from rules_harness.strategies.requests.headers import (
    odd_header_sets,
    odd_keys,
    odd_request_id_requests,
    odd_request_ids,
)
from rules_harness.strategies.requests.ids import is_safe, odd_id_requests, odd_ids
from rules_harness.strategies.requests.media_types import media_types
from rules_harness.strategies.requests.sizes import size_bodies
from rules_harness.strategies.requests.syntax import syntax_bodies
from rules_harness.strategies.requests.wire import Expect, OddRequest
from rules_harness.strategies.world import World

__all__ = [
    "Expect",
    "OddRequest",
    "encoding_bodies",
    "is_safe",
    "media_types",
    "odd_credentials",
    "odd_header_sets",
    "odd_ids",
    "odd_keys",
    "odd_request_ids",
    "odd_requests",
    "size_bodies",
    "syntax_bodies",
]


def odd_requests(
    contract: Contract, world: World, known: Iterable[str], *, expose_key: bool = False
) -> st.SearchStrategy[OddRequest]:
    """Odd requests of every sort but Idempotency-Keys, whose values are one run's own: the listed ones and drawn ones.

    `known` are the ids of rules that no odd id may meet; `expose_key` lets a key stand where the target's logs would
    keep it.  Shrinks to the simplest sort and, in it, to the first that is listed.
    """
    credentials = [request for request in odd_credentials(contract) if expose_key or not request.exposes_key]
    return st.one_of(
        odd_request_id_requests(contract),
        odd_id_requests(known),
        st.sampled_from(odd_header_sets()),
        st.sampled_from(credentials),
        st.sampled_from(syntax_bodies(contract, world)),
        st.sampled_from(encoding_bodies(contract, world)),
        st.sampled_from(media_types(contract, world)),
        st.sampled_from(size_bodies(contract, world)),
    )
