"""From a path to the rule that it names, and odd ids."""

import re
from urllib.parse import quote, unquote

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Answer, Crashed, Incoming, Refused
from rules_harness.harness.reference.store import Store
from rules_harness.harness.reference.switches import fault, variant

BASE = "/api/v1"
LONGEST_ID = 128

_RULE = re.compile(rf"{BASE}/rules/([^/]+)(/trigger)?")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]+")
_INJECTION = re.compile(r"'\s*--")


class Target(msgspec.Struct, frozen=True):
    """What a path names."""

    rule_id: str
    trigger: bool


def target_of(request: Incoming) -> Target | None:
    """The rule that the path names, or None where it is no endpoint."""
    match = _RULE.fullmatch(request.path)
    return None if match is None else Target(unquote(match[1]), trigger=match[2] is not None)


def checked_id(rule_id: str, store: Store) -> str:
    """The id to look up: exactly the one asked for.

    Raises:
        Refused: the id is odd, where the server answers those before any look-up.
    """
    _crash_on_odd(rule_id)
    if fault("not-found.cut-at-nul"):
        rule_id = rule_id.partition("\0")[0]
    if fault("not-found.sql-injected") and _INJECTION.search(rule_id):
        rule_id = store.all()[0].id
    if fault("not-found.non-ascii-dropped"):
        rule_id = rule_id.encode("ascii", "ignore").decode()
    odd = len(rule_id) > LONGEST_ID or _PLAIN_ID.fullmatch(rule_id) is None
    if odd and variant("odd-ids.400"):
        raise errors.invalid("The rule id is malformed.")
    if odd and variant("odd-ids.redirected"):
        location = f"{BASE}/rules/{quote(rule_id[:16], safe='')}-"
        raise Refused(Answer(status=308, headers=(("Location", location),), instead=("text/plain", b"")))
    return rule_id


def _crash_on_odd(rule_id: str) -> None:
    if (
        (fault("not-found.long-id-crash") and len(rule_id) > 255)
        or (fault("not-found.nul-crash") and "\0" in rule_id)
        or (fault("not-found.quote-crash") and "'" in rule_id)
        or (fault("not-found.non-ascii-crash") and not rule_id.isascii())
    ):
        raise Crashed
