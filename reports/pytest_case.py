"""A finding as a pytest file: it holds the requests as data beside it, and has the checks of this package judge.

The file is short, and plain ASCII whatever the target or the request holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from rules_harness.openapi.contract import Contract
from rules_harness.reports import references
from rules_harness.reports.model import FindingView, Shown, TargetView
from rules_harness.reports.repetition import shows_enabled
from rules_harness.reports.text import line

_TOLD: Final = 12
"""How many requests the head of the file tells of."""
_TEXT: Final = '''\
"""{title}

{story}

Fails while the defect is there, also where nothing could be judged. Needs rules-harness installed, and the profile:
    pytest --rules-target PROFILE {file_name}
"""

from pathlib import Path


def test_{name}(assert_fixed):
    assert_fixed(Path(__file__).with_name("{data}"))
'''


def file_name(view: FindingView) -> str:
    """What the file is called, so that pytest collects it."""
    return f"test_{_identifier(view.requirement.id)}_{view.id}.py"


def render(view: FindingView, target: TargetView, contract: Contract, *, data: str) -> str:
    """The file; ``data`` is the name of the one beside it that holds the requests."""
    story = [f"Expected: {view.expected}", f"Seen on {target.name}: {view.actual}", "", *_requests(view, contract)]
    return _TEXT.format(
        title=_harmless(f"{view.requirement.id} ({view.finding.level}): {view.requirement.sentence}"),
        story="\n".join(map(_harmless, story)),
        file_name=file_name(view),
        name=_identifier(view.requirement.id),
        data=data,
    )


def _requests(view: FindingView, contract: Contract) -> Iterator[str]:
    sent = view.episode[: max(view.finding.shown_by) + 1]
    keys: dict[str, str] = {}
    for shown in sent:
        key = shown.exchange.intent.key
        if key is not None:
            keys.setdefault(key, f"K{len(keys) + 1}")
    last = sent[-_TOLD:]
    yield "Sends:" if len(last) == len(sent) else f"Sends {len(sent) - len(last)} requests, and then:"
    for shown in last:
        yield from _request(shown, keys, contract)


def _request(shown: Shown, keys: Mapping[str, str], contract: Contract) -> Iterator[str]:
    intent, names = shown.exchange.intent, contract.names
    request = references.shown(shown.exchange.request)
    hidden = {names.authorization.lower(), names.idempotency_key.lower(), "content-type"}
    more = [f"{name}: {line(value, 80)}" for name, value in request.headers if name.lower() not in hidden]
    if intent.key is not None:
        more.append(f"{names.idempotency_key}: a new one, {keys[intent.key]}")
    if (kind := request.header("content-type")) not in (None, "application/json"):
        more.append(f"Content-Type: {line(str(kind), 80)}")
    if intent.group is not None:
        more.append("together with others")
    if shows_enabled(contract, shown.exchange) and not shown.is_proof:
        more.append("which its owner has enabled")
    at = f"  {shown.position + 1}. {request.method} {line(request.target, 120)} as {line(intent.caller)}"
    yield ", ".join([at, *more])
    if shown.request_body is not None:
        yield f"     {line(_compact(shown), 400)}"


def _compact(shown: Shown) -> str:
    body = shown.exchange.request.body
    if body is not None and body.text is not None:
        return body.text
    return f"{shown.request_body.size} bytes" if shown.request_body is not None else ""


def _harmless(text: str) -> str:
    """The text as it may stand in a docstring."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    return plain.replace("\\", "\\\\").replace('"""', "'''")


def _identifier(id: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", id.lower())
