"""Every refusal the server knows, in the page's envelope."""

import itertools
import json
import traceback

from rules_harness.harness.reference.messages import Answer, Refused
from rules_harness.harness.reference.switches import fault, variant

UNAUTHORIZED = "Missing or invalid API key."
FORBIDDEN = "This API key does not have the required permission."

_answered = itertools.count(1)


def refusal(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Refused:
    """A refusal with that status, `error.code` and `error.message`."""
    return Refused(Answer(status=status, error={"code": code, "message": message}, headers=headers))


def unauthorized(given: str | None) -> Refused:
    """401, with the challenge of RFC 9110 11.6.1; `given` is the Authorization header, if there was one."""
    message = UNAUTHORIZED
    challenge: tuple[tuple[str, str], ...] = (("WWW-Authenticate", 'ApiKey realm="rules"'),)
    if fault("envelope.key-in-401") and given:
        message = f"Invalid API key '{given}'."
    if fault("envelope.empty-message"):
        message = ""
    if fault("auth.no-challenge"):
        challenge = ()
    if fault("auth.challenge-when-missing-only") and given is not None:
        challenge = ()
    return refusal(401, "unauthorized", message, challenge)


def forbidden() -> Refused:
    """403: the key lacks the scope, or the resource is outside its list."""
    if fault("envelope.forbidden-as-unauthorized"):
        return refusal(403, "unauthorized", FORBIDDEN)
    return refusal(403, "forbidden", FORBIDDEN)


def rule_not_found(rule_id: str) -> Refused:
    """404 that names the rule asked for."""
    message = f"Rule with id '{rule_id}' was not found."
    if fault("envelope.not-found-generic"):
        message = "The requested resource was not found."
    if fault("envelope.not-found-names-another"):
        message = "Rule with id 'rule_123' was not found."
    if fault("envelope.sql-in-404"):
        message += f" SELECT * FROM rules WHERE id = '{rule_id}' AND deleted_at IS NULL"
    if fault("not-found.unknown-400"):
        return refusal(400, "resource_not_found", message)
    if fault("not-found.unknown-403"):
        return forbidden()
    if fault("not-found.plain-text"):
        return Refused(Answer(status=404, instead=("text/plain; charset=utf-8", b"Not Found")))
    return refusal(404, "not_found" if fault("envelope.code-not-found") else "resource_not_found", message)


def path_not_found() -> Refused:
    """404 for a path that is no endpoint."""
    return refusal(404, "resource_not_found", "No such resource.")


def method_not_allowed(allowed: str) -> Refused:
    """405 with Allow (RFC 9110 15.5.6)."""
    headers = () if fault("http.no-allow") else (("Allow", allowed),)
    return refusal(405, "method_not_allowed", "This method is not supported here.", headers)


def malformed(message: str) -> Refused:
    """A body that is not JSON."""
    if fault("envelope.malformed-json-in-plain-text"):
        return Refused(Answer(status=400, instead=("text/plain; charset=utf-8", b"Bad Request")))
    return invalid(message)


def invalid(message: str) -> Refused:
    """A body or header that breaks the contract."""
    status, code = (422, "validation_error") if variant("validation-status.422") else (400, "invalid_request")
    if variant("validation-code.resource-not-found"):
        code = "resource_not_found"
    if fault("envelope.code-varies") and _other_replica():
        code = "bad_request"
    if fault("envelope.status-varies") and _other_replica():
        status = 422
    if fault("envelope.framework-refusal"):
        detail = json.dumps({"detail": [{"loc": ["body"], "msg": message}]}).encode()
        return Refused(Answer(status=status, instead=("application/json", detail)))
    return refusal(_validation_status(status), code, message + _internals())


def _validation_status(status: int) -> int:
    if fault("validation.refused-409"):
        return 409
    if fault("validation.refused-406"):
        return 406
    if fault("validation.refused-200"):
        return 200
    return status


def _internals() -> str:
    if fault("envelope.stack-trace"):
        return "\nTraceback (most recent call last):\n" + "".join(traceback.format_stack(limit=3))
    if fault("envelope.file-path"):
        return " (/srv/rules-api/app/validators/rule.py, line 118)"
    return ""


def _other_replica() -> bool:
    """Whether the other of two replicas answers; in no pattern that a client's own rhythm could match."""
    return next(_answered).bit_count() % 2 == 0
