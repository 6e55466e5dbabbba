"""Bodies of a size or depth that nobody expects."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.examples import inert
from rules_harness.strategies.mutations import recursions
from rules_harness.strategies.requests.wire import OddRequest, encoded
from rules_harness.strategies.world import World

DEPTH: Final = 10_000
"""Levels of nesting, beyond what a recursive parser survives."""
_DEPTHS: Final = (30, 100, 300, 700, 1_000, 3_000, DEPTH)
"""Around the bounds that parsers and writers have: 32, 128, 512, 1,000, 2,048; one level is two in JSON or three."""

MEBIBYTE: Final = 1024 * 1024
"""Bytes of a very long text."""

_MARK: Final = "harness-marked-text"
_UNKNOWN: Final = "harness_unknown_property"


@functools.lru_cache(maxsize=1)
def size_bodies(contract: Contract, world: World) -> tuple[OddRequest, ...]:
    """Every size (`validation.size`): a success or a 4xx, and neither a server error nor a hang."""
    return (
        *_texts(contract, inert(contract, world).value),
        *_unknown(inert(contract, world).value),
        *_counts(contract, inert(contract, world).value),
        *_nested(contract, world),
    )


def _texts(contract: Contract, value: dict[str, Any]) -> Iterator[OddRequest]:
    for name in contract.names.texts:
        yield _odd(f"{name}-1-mib", f"{name} of 1 MiB", encoded({**value, name: "n" * MEBIBYTE}))
    astral = encoded({**value, contract.names.marker: "🙃" * (MEBIBYTE // 4)})
    yield _odd(f"{contract.names.marker}-astral", "1 MiB of characters beyond 16 bits", astral)
    marked = encoded({**value, contract.names.marker: _MARK})
    yield _odd(
        f"{contract.names.marker}-escaped",
        "1 MiB of escape sequences",
        marked.replace(_MARK, "\\u0041" * (MEBIBYTE // 6)),
    )
    yield _odd("white-space-1-mib", "1 MiB of white space before the body", " " * MEBIBYTE + encoded(value))


def _unknown(value: dict[str, Any]) -> Iterator[OddRequest]:
    """What stands in a property that nobody listed, and that a parser reads all the same."""
    marked = encoded({**value, _UNKNOWN: _MARK})
    for name, detail, content in (
        ("array-100000", "an array of 100,000 members", "[" + ",".join("0" * 100_000) + "]"),
        ("array-deep", "10,000 arrays, one inside the other", "[" * DEPTH + "]" * DEPTH),
        ("object-deep", "10,000 objects, one inside the other", '{"a":' * DEPTH + "0" + "}" * DEPTH),
        *(
            (f"array-deep-{depth}", f"{depth:,} arrays, one inside the other", "[" * depth + "]" * depth)
            for depth in _DEPTHS[:-1]
        ),
        ("integer-10000-digits", "a number of 10,000 digits", "1" + "0" * 9_999),
        ("fraction-10000-digits", "a fraction of 10,000 digits", "0." + "1" * 9_998),
        ("exponent", "a number with an exponent of ten digits", "1e1000000000"),
    ):
        yield _odd(f"unknown-{name}", detail, marked.replace(f'"{_MARK}"', content))
    many = {f"{_UNKNOWN}_{index}": 0 for index in range(10_000)}
    yield _odd("unknown-10000-names", "10,000 properties that nobody listed", encoded({**value, **many}))
    yield _odd("unknown-name-1-mib", "a name of 1 MiB", encoded({**value, "n" * MEBIBYTE: 0}))
    yield _odd("unclosed", "100,000 arrays that do not end", "[" * 100_000, refused=True)


def _counts(contract: Contract, value: dict[str, Any]) -> Iterator[OddRequest]:
    name = contract.names.parts
    if name is None:
        return
    for count in (100, 1_000):
        yield _odd(f"{name}-{count}", f"{count:,} {name}", encoded({**value, name: value[name] * count}))
    first, *others = value[name]
    for inner in (inner for inner, members in first.items() if isinstance(members, list)):
        filled = {**value, name: [{**first, inner: first[inner] * 1_000}, *others]}
        yield _odd(f"{inner}-1000", f"1,000 {inner}", encoded(filled))


def _nested(contract: Contract, world: World) -> Iterator[OddRequest]:
    """What stands inside itself, deep and wide."""
    for recursion in recursions(contract, world):
        around = encoded(recursion.body_with(_MARK)).split(encoded(_MARK))
        leaf = encoded(recursion.leaf)
        for depth in _DEPTHS:
            nested = recursion.before * depth + leaf + recursion.after * depth
            yield _odd(
                f"{recursion.name}-depth-{depth}", f"{recursion.name}, {depth:,} levels deep", nested.join(around)
            )
        if recursion.listed:
            members = recursion.before + ",".join([leaf] * 1_000) + recursion.after
            yield _odd(f"{recursion.name}-members-1000", f"{recursion.name}, 1,000 of them", members.join(around))


def _odd(name: str, detail: str, content: str, *, refused: bool = False) -> OddRequest:
    return OddRequest(
        name=f"size:{name}",
        requirement="validation.size",
        expect="refused" if refused else "success-or-4xx",
        detail=detail,
        body=content.encode(),
    )
