"""Every refusal the server knows, in the page's envelope."""

from rules_harness.harness.reference.messages import Refused, Reply
from rules_harness.harness.reference.steps import step

NOT_FOUND = "Rule with id '{}' was not found."


def refusal(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Refused:
    """A refusal with that status, `error.code` and `error.message`."""
    return Refused(Reply(status=status, error={"code": code, "message": message}, headers=headers))


@step
def unauthorized(given: str | None) -> Refused:
    """401, 'Missing or invalid API key.', with a challenge (RFC 9110 15.5.2); `given` is the Authorization header."""
    challenge = ("WWW-Authenticate", 'ApiKey realm="rules"')
    return refusal(401, "unauthorized", "Missing or invalid API key.", (challenge,))


@step
def forbidden() -> Refused:
    """403, 'This API key does not have the required permission.'."""
    return refusal(403, "forbidden", "This API key does not have the required permission.")


@step
def rule_not_found(rule_id: str) -> Refused:
    """404, "Rule with id 'rule_123' was not found."."""
    return refusal(404, "resource_not_found", NOT_FOUND.format(rule_id))


def path_not_found() -> Refused:
    """404 for a path that is not an endpoint."""
    return refusal(404, "resource_not_found", "No such resource.")


@step
def method_not_allowed(allowed: str) -> Refused:
    """405 with Allow (RFC 9110 15.5.6)."""
    return refusal(405, "method_not_allowed", "This method is not supported here.", (("Allow", allowed),))


@step
def unsupported_media_type() -> Refused:
    """415: the body is declared as something that the endpoint does not take (RFC 9110 15.5.16)."""
    return refusal(415, "unsupported_media_type", "The body must be sent as application/json.")


@step
def malformed(message: str) -> Refused:
    """A body that is not JSON."""
    return invalid(message)


@step
def too_deep() -> Refused:
    """A body that is nested too deeply."""
    return malformed("The body is nested too deeply.")


@step
def invalid(message: str) -> Refused:
    """A body or header that breaks the contract."""
    return refusal(400, "invalid_request", message)


@step
def key_reused() -> Refused:
    """Another body under an idempotency key. The page leaves open what that is answered."""
    return refusal(422, "idempotency_key_reused", "This Idempotency-Key was used with another body.")
