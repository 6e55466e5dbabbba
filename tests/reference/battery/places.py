"""Bodies with values that are rare, or that stand in a later place, where a server looks less carefully."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.reference.api import body
from tests.reference.battery.lines import action, condition, step, with_actions

_FIXED = action("fixed_amount", amount_in_cents=29, up_to_enabled=True)
_SHARE = action("percentage", percentage_value=50, percentage_target="source_account")


def deep(tree: dict[str, Any], levels: int = 6) -> dict[str, Any]:
    """The tree of conditions below so many levels of `any` and `all`."""
    for level in range(levels):
        tree = {("any", "all")[level % 2]: [tree, condition(value=level)]}
    return tree


def rare() -> dict[str, Any]:
    """A valid body of rare values, long texts and many members, some of them equal."""
    odd = action(
        "fixed_amount",
        amount_in_cents=2**33 + 12345679,
        group_index=40_000,
        limit={"period": "PER_WEEK", "amount_in_cents": 12345},
        ach_description="Miete für März\n" + "and so on " * 10,
    )
    conditions = deep({"all": [condition(value=2.0), condition(value=0), condition(value=0)]})
    later = action("fixed_amount", amount_in_cents=31)
    steps = [step(odd, *[later] * 12, conditions=conditions), step(_FIXED)]
    start = body("/trigger/start_date", "2028-01-31T23:30:00.125-05:30")
    return start | {"description": "one\r\ntwo " * 50, "steps": steps}


def reordered() -> dict[str, Any]:
    """The rare body with its steps in the opposite order."""
    made = rare()
    return made | {"steps": made["steps"][::-1]}


def _lacking(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in fields.items() if other != name}


def wrong_later() -> Iterator[dict[str, Any]]:
    """Bodies with one mistake each, in the second action of the second step."""
    for mistake in (
        *(_lacking(_FIXED, name) for name in ("group_index", "up_to_enabled")),
        *(_FIXED | {"amount_in_cents": amount} for amount in ("100", -1, 1.5)),
        *(_FIXED | {"ach_description": text} for text in (7, False)),
        *(_FIXED | {"limit": limit} for limit in (False, {"period": "DAILY", "amount_in_cents": 1})),
        *(_SHARE | {"percentage_target": target} for target in ("other", "", "1", "toString")),
        _SHARE | {"percentage_value": 101},
    ):
        yield body(steps=[step(_FIXED), step(_FIXED, mistake)])


def falsy() -> Iterator[dict[str, Any]]:
    """Bodies with one value that programs take for nothing, and that is of the wrong type."""
    nothings: tuple[Any, ...] = (False, 0, [], {})
    for nothing in nothings:
        for pointer in ("/description", "/steps/0/conditions", "/steps/0/actions/0/limit"):
            yield body(pointer, nothing)


def in_other_case() -> Iterator[dict[str, Any]]:
    """Bodies with one required name in upper case, at the top and in a step."""
    top = body()
    yield _lacking(top, "status") | {"STATUS": top["status"]}
    for name in ("actions", "group_index"):
        yield json.loads(json.dumps(top).replace(f'"{name}"', f'"{name.upper()}"'))


def unlisted() -> Iterator[dict[str, Any]]:
    """Bodies with text that is not listed, but that some look-ups find."""
    for text in ("", "1", "constructor", "__proto__"):
        yield body(status=text)
    yield with_actions(_FIXED, conditions=deep({"condition": {"fact": "OTHER", "operator": "EQUALS"}}))


def odd_texts() -> Iterator[bytes]:
    """Bodies as bytes, each with one rare spelling or an unknown property that is hard to take."""
    valid = json.dumps(body()).encode()
    yield valid.replace(b': "disabled"', b":'disabled'")
    for value in (b'"\\ud800"', b"NaN"):
        yield valid.replace(b'"description": null', b'"description": ' + value)
    nested = (b"[" * depth + b"]" * depth for depth in (20, 100, 600))
    for unknown in (*nested, b"1e9999", b'"' + b"n" * 600_000 + b'"', b'"' + b"n" * 1_200_000 + b'"'):
        yield valid[:-1] + b',"surprise":' + unknown + b"}"
