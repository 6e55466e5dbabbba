"""What is different between two JSON values, line by line, as a person compares them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rules_harness.harness.exchange import Exchange
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import DifferenceLine, Shown, SideBySide
from rules_harness.reports.text import line

_CONTEXT: Final = 2
_LINE_LIMIT: Final = 500


def of_proof(contract: Contract, proof: Sequence[Shown], before: Mapping[str, Any]) -> SideBySide | None:
    """The difference that a finding is about, where its exchanges have two values to compare; ``None`` otherwise.

    What is compared: a rule before and after a refusal; the answer to an update and what a read gives back; an answer
    and its replay; what was sent and what came back.
    """
    for left, right, a, b in _pairs(contract, [shown.exchange for shown in proof], before):
        try:
            lines = tuple(_lines(a, _aligned(a, b)))
        except RecursionError:
            continue  # nested too deep to be laid out
        if lines:
            return SideBySide(left, right, lines)
    return None


_Pair = tuple[str, str, Any, Any]


def _pairs(contract: Contract, proof: Sequence[Exchange], before: Mapping[str, Any]) -> Iterator[_Pair]:
    """What can be compared, the most telling first."""
    updates = [exchange for exchange in proof if exchange.intent.operation == "update" and exchange.answer]
    reads = [exchange for exchange in proof if exchange.intent.operation == "read" and _data(contract, exchange)]
    accepted = [exchange for exchange in updates if _data(contract, exchange)]
    if reads:
        last = reads[-1]
        same_rule = [exchange for exchange in accepted if exchange.intent.rule == last.intent.rule]
        if same_rule:
            yield "answered by the update", "read afterwards", _data(contract, same_rule[-1]), _data(contract, last)
        elif last.intent.rule in before:
            yield "before", "read afterwards", before[last.intent.rule], _data(contract, last)
    if len(updates) > 1:
        yield "first answer", "last answer", _content(updates[0]), _content(updates[-1])
    for exchange in accepted[-1:]:
        sent = _sent(exchange)
        got = _data(contract, exchange)
        if sent:
            yield "sent", "answered", sent, {name: got[name] for name in sent if name in got}


def _content(exchange: Exchange) -> Any:
    return exchange.answer.json() if exchange.answer else None


def _data(contract: Contract, exchange: Exchange) -> dict[str, Any]:
    answer = exchange.answer
    return answer.part(contract.names.data) if answer is not None and answer.is_success else {}


def _sent(exchange: Exchange) -> dict[str, Any]:
    body = exchange.request.body
    try:
        value = json.loads(body.content) if body is not None else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _aligned(left: Any, right: Any) -> Any:
    """The right value with the names of its objects in the order of the left one, which has no meaning in JSON."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = [name for name in left if name in right] + [name for name in right if name not in left]
        return {name: _aligned(left.get(name), right[name]) for name in names}
    if isinstance(left, list) and isinstance(right, list):
        rest = right[len(left) :]
        return [_aligned(a, b) for a, b in zip(left, right, strict=False)] + rest
    return right


def _lines(left: Any, right: Any) -> Iterator[DifferenceLine]:
    a, b = _laid_out(left), _laid_out(right)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number or group[0][1] > 0:
            yield DifferenceLine("gap", "")
        for tag, a_from, a_to, b_from, b_to in group:
            if tag == "equal":
                yield from (DifferenceLine("same", line(row)) for row in a[a_from:a_to])
            else:
                yield from (DifferenceLine("gone", line(row)) for row in a[a_from:a_to])
                yield from (DifferenceLine("new", line(row)) for row in b[b_from:b_to])


def _laid_out(value: Any) -> list[str]:
    try:
        # Without its comma, a line that another one follows is still the same line.
        rows = [row.removesuffix(",") for row in json.dumps(value, indent=2, ensure_ascii=False).split("\n")]
    except RecursionError:
        return ["(nested too deeply to show)"]
    return rows if len(rows) <= _LINE_LIMIT else [*rows[:_LINE_LIMIT], f"({len(rows) - _LINE_LIMIT:,} more lines)"]
