"""Checks for `schemathesis run`, on any document whose fields and headers have roles (`x-role`).

    SCHEMATHESIS_HOOKS=rules_harness.schemathesis schemathesis run openapi.yaml --url https://staging.example/api/v1

It adds `rules_envelope`, `rules_request_id`, `rules_no_leak` and `rules_replay`, which `--checks` may name. Of what the
document does not mark they say nothing. `rules_replay` sends again what carried an idempotency key, a few times for
each operation; what a key has already been answered is not held to a new request id.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import requests
import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

from rules_harness.harness.judging.checks.leaks import internals
from rules_harness.openapi.document import pointer
from rules_harness.openapi.lint.subject import Piece, Subject
from rules_harness.openapi.operations import Described

MOST_REPLAYS: Final = 5
"""For each operation of a run."""
_PLAIN: Final = re.compile(r"[!-~]{1,64}")
"""Request ids that have to come back as they were sent."""
_ONE_OF_THE_EDGE: Final = frozenset({413, 414, 417, 431, 501, 502, 503, 504, 505})
"""Statuses with which a proxy answers by itself."""


@schemathesis.check
def rules_envelope(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """The parts of an envelope that the document marks are there and say something, and no two exclude each other."""
    subject, answer = _documented(case, response)
    if subject is None or answer is None:
        return
    content, roles = _content(response), _roles(subject, answer)
    if {"data", "error"} & roles.keys():
        assert isinstance(content, dict), f"the {response.status_code} is not a JSON object"
        _assert_texts(content, roles, ("request-id",))
    if "error" in roles:
        data = _name_anywhere(subject, "data")
        assert data is None or data not in content, (
            f"the {response.status_code} has both {_title(roles['error'])} and {data}"
        )
        _assert_error(subject, content.get(_title(roles["error"])), roles["error"])
    if "data" in roles:
        error = _name_anywhere(subject, "error")
        assert error is None or content.get(error) is None, f"a success carries {error}"
        assert isinstance(content.get(_title(roles["data"])), dict | list), f"{_title(roles['data'])} is missing"


@schemathesis.check
def rules_request_id(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A plain request id comes back, in the header and in the body; without one, both carry the same new one."""
    subject, answer = _documented(case, response)
    header = None if subject is None else _header(subject, "request-id-header")
    if subject is None or header is None or answer is None or _KEYS.is_replay(response, subject):
        return
    sent, got = response.request.headers.get(header), next(iter(response.headers.get(header.lower()) or ()), None)
    if sent is not None and not _PLAIN.fullmatch(_text(sent)):
        return
    assert got, f"the {response.status_code} has no {header}"
    assert sent is None or got == _text(sent), f"{header}: sent {sent!r}, and {got!r} came back"
    content, roles = _content(response), _roles(subject, answer)
    if "request-id" in roles and isinstance(content, dict):
        inside = content.get(_title(roles["request-id"]))
        assert inside == got, f"{_title(roles['request-id'])} is {inside!r}, and {header} is {got!r}"


@schemathesis.check
def rules_no_leak(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """No answer holds what authenticated the request; no error holds a stack trace, SQL or a file path."""
    text, request = response.content.decode("utf-8", "replace"), response.request
    key = _text(request.headers.get("Authorization", "")).rpartition(" ")[2]
    assert len(key) < 8 or key not in text, f"the {response.status_code} holds the key that was sent"
    if response.status_code >= 400:
        body = request.body if isinstance(request.body, str | bytes) else ""
        sent = " ".join((str(request.url), _text(body), *map(_text, request.headers.values())))
        for kind, what in internals(text):
            assert what in sent, f"the {response.status_code} holds {kind}: {what[:80]}"


@schemathesis.check
class rules_replay:
    """The same request with the same idempotency key is given the original answer, request id aside."""

    def after_response(self, ctx: CheckContext, response: Response, case: Case[Any]) -> None:
        """Send what succeeded with a key once more, and compare."""
        subject, answer = _documented(case, response)
        if subject is None or answer is None or not 200 <= response.status_code < 300:
            return
        if not _KEYS.claim(response, subject):
            return
        with requests.Session() as session:
            again = session.send(response.request, timeout=30, verify=response.verify, allow_redirects=False)
        assert again.status_code == response.status_code, f"the replay is answered {again.status_code}"
        names = {_title(field) for role, field in _roles(subject, answer).items() if role == "request-id"}
        first, second = (_without(names, content) for content in (response.content, again.content))
        assert first == second, "the replay's body is not that of the original answer"


class _Keys:
    """The idempotency keys that were sent in this process, and how often each operation was replayed."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[float, bytes]] = {}
        """Each key with what tells its first answer from others."""
        self._sent_again: set[tuple[str, str]] = set()
        self._replays: dict[str, int] = {}

    def claim(self, response: Response, subject: Subject) -> bool:
        """Whether a request is to be sent again: it carried a key that is new here, and there is a replay left."""
        key, place = self._key(response, subject), subject.operation.place
        if key is None or key in self._sent_again or self.is_replay(response, subject):
            return False
        self._sent_again.add(key)
        self._replays[place] = self._replays.get(place, 0) + 1
        return self._replays[place] <= MOST_REPLAYS

    def is_replay(self, response: Response, subject: Subject) -> bool:
        """Whether another request with this key was answered before."""
        key = self._key(response, subject)
        this = (response.elapsed, response.content)
        return key is not None and self._seen.setdefault(key, this) != this

    def _key(self, response: Response, subject: Subject) -> tuple[str, str] | None:
        header = _header(subject, "idempotency-key")
        value = None if header is None else response.request.headers.get(header)
        return None if value is None else (subject.operation.place, _text(value))


_KEYS: Final = _Keys()


def _documented(case: Case[Any], response: Response) -> tuple[Subject | None, Piece | None]:
    """The operation, and what the document says of an answer of this status; ``None`` where it says nothing."""
    operation, method = case.operation, case.operation.method.lower()
    if (response.request.method or "").lower() != method or response.status_code in _ONE_OF_THE_EDGE:
        return None, None
    document: Any = operation.schema.raw_schema
    item = Subject(document, Described(pointer("paths", operation.path), "", operation.path, {})).follow(
        document["paths"].get(operation.path), pointer("paths", operation.path)
    )
    place, node = pointer("paths", operation.path, method), item.node.get(method)
    if not isinstance(node, dict):
        return None, None
    subject = Subject(document, Described(place, method, operation.path, node))
    status = str(response.status_code)
    answers = subject.responses()
    return subject, answers.get(status) or answers.get(f"{status[0]}XX")


def _roles(subject: Subject, answer: Piece) -> dict[str, Piece]:
    return {
        role: field
        for media in subject.media(answer)
        for role, field in subject.roles(subject.under(media, "schema")).items()
    }


def _header(subject: Subject, role: str) -> str | None:
    """The name of the header that has a role in an operation."""
    headers = (one.node for one in subject.parameters() if one.node.get("in") == "header")
    return next((str(node.get("name")) for node in headers if node.get("x-role") == role), None)


def _name_anywhere(subject: Subject, role: str) -> str | None:
    """What a part of the envelope is called in any answer of an operation."""
    found = (_roles(subject, answer).get(role) for answer in subject.responses().values())
    return next((_title(field) for field in found if field is not None), None)


def _title(field: Piece) -> str:
    return str(field.node["title"])


def _assert_error(subject: Subject, error: Any, field: Piece) -> None:
    for entry in error if isinstance(error, list) else [error]:
        assert isinstance(entry, dict), f"{_title(field)} is not an object"
        schema = subject.under(field, "items") if isinstance(error, list) else field
        _assert_texts(entry, subject.roles(schema), ("code", "message"))


def _assert_texts(content: dict[str, Any], roles: dict[str, Piece], wanted: tuple[str, ...]) -> None:
    for name in (_title(roles[role]) for role in wanted if role in roles):
        value = content.get(name)
        is_text = isinstance(value, str) and bool(value)
        assert is_text, f"{name} is {value!r}, where a text that says something is due"


def _content(response: Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _without(names: set[str], content: bytes) -> Any:
    try:
        value = json.loads(content)
    except ValueError:
        return content
    return {name: inner for name, inner in value.items() if name not in names} if isinstance(value, dict) else value


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
