"""An overlay proposed for an ordinary document: what is probably what, each with its reason, for a person to check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rules_harness.openapi.document import at
from rules_harness.openapi.draft.envelope import envelope
from rules_harness.openapi.draft.proposal import Proposal
from rules_harness.openapi.draft.request import request
from rules_harness.openapi.draft.resource import resource
from rules_harness.openapi.lint.subject import Subject, subjects
from rules_harness.openapi.modern import modern

CHECK: str = "# check this"


def draft(document: dict[str, Any], operation: str, file: str) -> str:
    """The text of an overlay for the update with this operationId. Raises `ContractError` where there is none."""
    (subject, *_) = subjects(modern(document), operation)
    proposals = [*request(subject), *envelope(subject), *resource(subject)]
    return "".join(_lines(subject, proposals, file))


def _lines(subject: Subject, proposals: Iterable[Proposal], file: str) -> Iterator[str]:
    title = subject.document.get("info", {}).get("title", file)
    yield f"# Proposed by `rules-harness draft {file}`. Each target is a guess, with its reason: check it.\n"
    yield 'overlay: "1.0.0"\n'
    yield f"info: {json.dumps({'title': f'What {title} leaves unsaid', 'version': '1.0.0'}, ensure_ascii=False)}\n"
    yield f"extends: {json.dumps(file, ensure_ascii=False)}\n"
    yield "actions:\n"
    for proposal in proposals:
        yield f"  - target: {jsonpath(subject.document, proposal.place)}  {CHECK}\n"
        yield f"    description: {json.dumps(proposal.reason, ensure_ascii=False)}\n"
        yield f"    update: {json.dumps(proposal.update, ensure_ascii=False)}\n"


def jsonpath(document: Any, place: str) -> str:
    """A place of a document, which is a JSON pointer, as a JSONPath (RFC 9535) between YAML's quotes."""
    path, walked = "$", ""
    for part in place.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        is_index = isinstance(at(document, walked), list)
        quoted = json.dumps(name, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
        path += f"[{name}]" if is_index else f".{name}" if name.isidentifier() and name.isascii() else f"['{quoted}']"
        walked += f"/{part}"
    return json.dumps(path, ensure_ascii=False)
