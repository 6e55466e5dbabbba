"""A target that exists in memory only, and conforms: what a rehearsal is answered by."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from rules_harness.harness.exchange import Answer, Payload, Request
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import configuration
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import accounts_in
from rules_harness.strategies.keys import KeyReference
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.validity import is_valid_body

Headers = tuple[tuple[str, str], ...]

_LONGEST_KEY: Final = 255
_LONGEST_REQUEST_ID: Final = 64
_VISIBLE: Final = frozenset(map(chr, range(0x21, 0x7F)))


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


class PretendedTarget:
    """Answers as the contract wants it, from the references to keys that requests hold before they leave."""

    def __init__(self, contract: Contract, profile: Profile, now: datetime) -> None:
        self.moved = 0.0
        self.keys: dict[tuple[str, str, str], tuple[float, bytes, Any, str]] = {}
        self._contract = contract
        self._names = contract.names
        self._profile = profile
        self._now = now
        self._ticks = 0
        self._seconds = 0.0
        self._rules = {rule: self._first(rule) for rule in profile.rules.all}
        self._accounts = {account.id for account in profile.accounts}
        self._accounts |= {named.id for named in accounts_in(contract, contract.example_body())}

    def answer(self, request: Request, seconds: float) -> Answer:
        """The answer at a time, in seconds since the run began."""
        names = self._names
        self._seconds = seconds
        asked = request.header(names.request_id_header) or ""
        echoes = 0 < len(asked) <= _LONGEST_REQUEST_ID and _VISIBLE.issuperset(asked)
        request_id = asked if echoes else str(uuid.uuid4())
        try:
            data, body_id = self._handled(request, request_id)
        except _Refused as refused:
            error = {names.error: {names.code: refused.code, names.message: refused.message}}
            return self._made(refused.status, error, request_id, refused.headers)
        own = {} if names.request_id is None else {names.request_id: body_id}
        return self._made(200, {**own, names.data: data}, body_id)

    def _made(self, status: int, body: Mapping[str, Any], request_id: str, headers: Headers = ()) -> Answer:
        usual = (("Content-Type", "application/json"), (self._names.request_id_header, request_id))
        return Answer(status, (*usual, *headers), Payload(text=json.dumps(body)))

    def enable(self, rule: str) -> None:
        """What the operator's hook does."""
        self._rules[rule] = {**self._rules[rule], self._names.status: self._names.enabled}

    def rule_of(self, target: str) -> str:
        """The rule's id in a request target; empty where there is none."""
        before, _, after = self._contract.update.path.partition("{")
        path = target.partition("?")[0]
        rest = path.removeprefix(before).removesuffix(after.partition("}")[2])
        if trigger := self._contract.trigger:
            rest = rest.removesuffix(trigger.path.partition("}")[2])
        return unquote(rest) if path.startswith(before) and "/" not in rest else ""

    def _handled(self, request: Request, request_id: str) -> tuple[Any, str]:
        """The data of a success, and its request id."""
        caller = self._caller(request)
        rule = self.rule_of(request.target)
        path = request.target.partition("?")[0]
        if self._contract.trigger is not None and path == self._contract.trigger.path_for(rule):
            self._permit(caller, "trigger", rule)
            return self._triggered(rule), request_id
        if path != self._contract.update.path_for(rule):
            raise _Refused(404, self._names.not_found, f"There is nothing at {rule!r}.")
        if request.method == "GET":
            self._permit(caller, "read", rule)
            return self._rules[rule], request_id
        if request.method != self._contract.update.method:
            raise _Refused(405, "method_not_allowed", "Not here.", (("Allow", f"GET, {self._contract.update.method}"),))
        self._permit(caller, "update", rule)
        return self._updated_once(request, caller, rule, request_id)

    def _caller(self, request: Request) -> str:
        names = self._names
        caller = "" if request.key is None else request.key.key
        known = caller in self._profile.credentials and caller != "revoked"
        if not known or request.key != KeyReference(caller, names.authorization, f"{names.auth_scheme} "):
            raise _Refused(401, names.unauthorized, "No valid key.", (("WWW-Authenticate", names.auth_scheme),))
        return caller

    def _permit(self, caller: str, operation: str, rule: str) -> None:
        """Raise what refuses a caller, or says that there is no such rule in its organization."""
        names, rules = self._names, self._profile.rules
        reads = ("read_only", "scope.READ_RULES")
        triggers = ("trigger_only", "scope.TRIGGER_RULES")
        holds = caller in (self._profile.main_credential, "limited", "other_org")
        holds = holds or (operation == "read" and caller in reads) or (operation == "trigger" and caller in triggers)
        if not holds or (caller == "limited" and rule != rules.limited):
            raise _Refused(403, names.forbidden, "This key may not.")
        if rule not in self._rules or (rule == rules.other_org) != (caller == "other_org"):
            raise _Refused(404, names.not_found, f"There is no {self._contract.noun} {rule}.")

    def _triggered(self, rule: str) -> dict[str, Any]:
        if self._rules[rule][self._names.status] != self._names.enabled:
            raise _Refused(409, "rule_disabled", f"The {self._contract.noun} is disabled.")
        return {self._names.id: rule}

    def _updated_once(self, request: Request, caller: str, rule: str, request_id: str) -> tuple[Any, str]:
        """Execute an update, or answer as the first request with its key was answered."""
        content = self._content(request)
        values = [value for name, value in request.headers if name.lower() == self._names.idempotency_key.lower()]
        if not values:
            return self._updated(rule, content), request_id
        if len(values) > 1 or not 0 < len(values[0]) <= _LONGEST_KEY or not _VISIBLE.issuperset(values[0]):
            self._invalid("The Idempotency-Key is odd.")
        use, now = (caller, rule, values[0]), self._seconds + self.moved
        known = self.keys.get(use)
        if known is not None and now - known[0] < self._names.key_window_seconds:
            if known[1] != content:
                raise _Refused(422, "idempotency_key_reused", "Another body had this key.")
            return known[2], known[3]
        data = self._updated(rule, content)
        self.keys[use] = (now, content, data, request_id)
        return data, request_id

    def _content(self, request: Request) -> bytes:
        kinds = [value for name, value in request.headers if name.lower() == "content-type"]
        if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != "application/json":
            raise _Refused(415, "unsupported_media_type", "Send application/json.")
        return request.body.content if request.body else b""

    def _updated(self, rule: str, content: bytes) -> dict[str, Any]:
        if not is_valid_body(self._contract, content):
            self._invalid("The body is not valid.")
        body = json.loads(content, parse_constant=lambda name: self._invalid(f"{name} is not JSON."))
        self._check_accounts(rule, body)
        self._rules[rule] = {**self._rules[rule], **self._stored(body)}
        return self._rules[rule]

    def _check_accounts(self, rule: str, body: Mapping[str, Any]) -> None:
        """Refuse an account that is not the organization's."""
        if rule == self._profile.rules.other_org:
            return
        for named in accounts_in(self._contract, dict(body)):
            if named.id is not None and named.id not in self._accounts:
                self._invalid(f"There is no account {named.id}.")

    def _invalid(self, message: str) -> NoReturn:
        raise _Refused(400, "invalid_request", message)

    def _stored(self, body: Mapping[str, Any]) -> dict[str, Any]:
        names = self._names
        self._ticks += 1
        moment = self._now + timedelta(seconds=self._seconds + self.moved, milliseconds=self._ticks)
        absent = dict.fromkeys(names.texts)
        return {**absent, **configuration(self._contract, body), names.updated_at: instant_text(moment)}

    def _first(self, rule: str) -> dict[str, Any]:
        state = self._stored(self._contract.example_body())
        return {self._names.id: rule, **state, self._names.created_at: instant_text(self._now)}
