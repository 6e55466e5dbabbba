"""A call: the rule that a request's path names, and the id that it is answered under."""

import re
import secrets
from urllib.parse import unquote

import msgspec

from rules_harness.harness.reference.messages import Incoming
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.steps import step

BASE = "/api/v1"
_RULE = re.compile(rf"{BASE}/rules/([^/]+)(/trigger)?")


class Call(msgspec.Struct, frozen=True):
    """One request on its way through the steps."""

    service: Service
    request: Incoming
    rule_id: str = ""
    """The rule that the path names, `{id}`; empty where the path is not an endpoint."""
    trigger: bool = False
    """Whether the path is that of the rule's trigger."""
    request_id: str = "req_unknown"

    def asks_rule(self, method: str) -> bool:
        """Whether this is a request with that method on the rule itself."""
        return self.request.method == method and not self.trigger


def call_of(service: Service, request: Incoming) -> Call:
    """The call that a request makes."""
    match = _RULE.fullmatch(request.path)
    if match is None:
        return Call(service, request)
    return Call(service, request, unquote(match[1]), trigger=match[2] is not None)


LONGEST = 64
"""Characters of a client's id that is echoed; what is longer is replaced."""
VISIBLE = frozenset(range(0x21, 0x7F))


def sent(request: Incoming) -> list[bytes]:
    """The client's ids."""
    return request.all(b"x-request-id")


def is_fit(values: list[bytes]) -> bool:
    """Whether there is one id, and it can be echoed."""
    return len(values) == 1 and 0 < len(values[0]) <= LONGEST and VISIBLE.issuperset(values[0])


@step
def request_id_of(request: Incoming) -> str:
    """'A client-provided request identifier echoed back'; 'If omitted, the server generates one.' Never altered."""
    values = sent(request)
    return values[0].decode("ascii") if is_fit(values) else generated()


@step
def generated() -> str:
    """'If omitted, the server generates one.' A new id, 80 random bits."""
    return f"req_{secrets.token_hex(10)}"
