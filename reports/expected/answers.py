"""What the contract expects of single answers: statuses, envelopes, request ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rules_harness.reports.expected.case import (
    NO_SERVER_ERROR,
    REFUSED,
    Case,
    Expectation,
    Lines,
    each,
    status,
    with_names,
)

DOCUMENTED: Final = (200, 400, 401, 403, 404, 405, 409, 413, 414, 415, 417, 422, 429, 431)
_LEAKS: Final = (
    r"Traceback \(most recent|\.(java|kt|py|js|ts|rb|go|cs|php|rs):\d+|(?i:select .+ from |insert into |sqlstate)"
    r"|(?<![\w/:.])/(usr|home|var|app|srv|opt|etc|root|tmp|Users)/"
)


def _sent_request_id(case: Case) -> Lines:
    header = case.contract.names.request_id_header
    for i in case.updates:
        sent = case.requests[i].request.header(header)
        wanted = f"== {sent!a}" if sent is not None else "is not None"
        yield f"assert answers[{i}].headers.get({header!a}) {wanted}"


def _body_request_id(case: Case) -> Lines:
    names = case.contract.names
    for i in case.updates:
        sent = case.requests[i].request.header(names.request_id_header)
        yield f"assert answers[{i}].json()[{names.request_id!a}] == {sent!a}"


def _hostile_request_id(case: Case) -> Lines:
    header = case.contract.names.request_id_header
    for i in case.updates:
        sent = [
            value.strip(" \t") for name, value in case.requests[i].request.headers if name.lower() == header.lower()
        ]
        yield f"assert answers[{i}].status_code < 500"
        yield f"echoed = answers[{i}].headers.get({header!a}, '')"
        yield f"assert answers[{i}].is_client_error or not altered(echoed, {sent!a})"


def _unique_request_ids(case: Case) -> Lines:
    header = ascii(case.contract.names.request_id_header)
    yield f"made = [answer.headers.get({header}) for answer in answers]"
    yield "assert len(set(made)) == len(made)"


def _resource(case: Case) -> Lines:
    for i in case.updates:
        intent = case.requests[i].intent
        yield f"assert answers[{i}].status_code == {200 if intent.access == 'allowed' else 403}"


def _schema(case: Case) -> Lines:
    names = case.contract.names
    for i in case.updates:
        yield f"pytest.importorskip('jsonschema').validate(data(answers[{i}]), RULE_SCHEMA)"
        yield f"assert instant(data(answers[{i}])[{names.created_at!a}]) is not None"
        yield f"assert instant(data(answers[{i}])[{names.updated_at!a}]) is not None"


def _named_id(case: Case) -> Lines:
    message = ascii(case.contract.names.message)
    for i in case.updates:
        yield f"assert {case.requests[i].intent.rule!a} in error(answers[{i}])[{message}]"


def _no_leak(case: Case) -> Lines:
    for i in case.updates:
        yield f"assert not [name for name in KEYS if os.environ.get(name, 'not set') in answers[{i}].text]"
        yield f"assert not re.search({_LEAKS!r}, answers[{i}].text)"


def _stable(case: Case) -> Lines:
    names = case.contract.names
    code = f"answer.json().get({names.error!a}, {{}}).get({names.code!a})"
    yield f"told = {{(answer.status_code, {code}) for answer in [answers[i] for i in {tuple(case.updates)}]}}"
    yield "assert len(told) == 1"


ANSWERS: Final[Mapping[str, Expectation]] = {
    "envelope.success": with_names(
        "assert answers[{i}].json().get(<request_id>)\n"
        "assert isinstance(answers[{i}].json().get(<data>), dict)\n"
        "assert <error> not in answers[{i}].json()"
    ),
    "envelope.rule-schema": Expectation(_schema, is_single=True),
    "envelope.success-status": status(200),
    "envelope.error": each("assert error(answers[{i}])"),
    "envelope.error-code": with_names(
        "codes = {401: <unauthorized>, 403: <forbidden>, 404: <not_found>}\n"
        "assert error(answers[{i}])[<code>] == codes[answers[{i}].status_code]"
    ),
    "envelope.not-found-names-id": Expectation(_named_id, is_single=True),
    "envelope.content-type": each("assert answers[{i}].headers['content-type'].split(';')[0] == 'application/json'"),
    "envelope.no-server-error": each(NO_SERVER_ERROR),
    "envelope.well-formed": each("assert strict(answers[{i}]) is not None"),
    "envelope.no-leak": Expectation(_no_leak, is_single=True),
    "envelope.documented-status": status(*DOCUMENTED),
    "envelope.code-stable": Expectation(_stable),
    "request-id.echo-header": Expectation(_sent_request_id, is_single=True),
    "request-id.echo-body": Expectation(_body_request_id, is_single=True),
    "request-id.generated": with_names(
        "assert answers[{i}].headers[<request_id_header>]\n"
        "assert answers[{i}].json()[<request_id>] == answers[{i}].headers[<request_id_header>]"
    ),
    "request-id.unique": Expectation(_unique_request_ids),
    "request-id.on-errors": Expectation(_sent_request_id, is_single=True),
    "request-id.hostile": Expectation(_hostile_request_id, is_single=True),
    "auth.missing": status(401),
    "auth.malformed": status(401),
    "auth.unknown-key": status(401),
    "auth.header-only": status(401),
    "auth.before-lookup": status(401),
    "auth.before-validation": status(401),
    "auth.challenge": each("assert answers[{i}].headers.get('WWW-Authenticate')"),
    "authz.scope": status(403),
    "authz.resource": Expectation(_resource, is_single=True),
    "authz.organization": status(403, 404),
    "authz.foreign-account": each(REFUSED),
    "authz.before-validation": status(403),
    "not-found.unknown-id": each("assert answers[{i}].status_code == 404\nassert error(answers[{i}])"),
    "not-found.odd-ids": each("assert 300 <= answers[{i}].status_code < 500"),
    "validation.required": each(REFUSED),
    "validation.type": each(REFUSED),
    "validation.enum": each(REFUSED),
    "validation.bounds": each(REFUSED),
    "validation.syntax": each(REFUSED),
    "validation.media-type": status(400, 415, 422),
    "validation.size": each(NO_SERVER_ERROR),
    "validation.status": each("assert answers[{i}].status_code in (400, 403, 404, 413, 415, 422)"),
    "http.methods": each(
        "assert answers[{i}].status_code in (401, 403, 404, 405)\n"
        "assert answers[{i}].status_code != 405 or answers[{i}].headers.get('Allow')"
    ),
    "http.headers": each(NO_SERVER_ERROR),
}
