"""A small target of its own making, which answers histories in every way that the contract leaves open.

It knows nothing of `harness.judging.histories`; what it does and answers is put into an episode, as a run would have
recorded it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from rules_harness.harness.exchange import Answer, Episode
from rules_harness.harness.intent import Access, Existence
from tests.judging.episodes import CONTRACT, Sent, answered, episode, get, lost, put

EXAMPLE = CONTRACT.example_body()
OURS, THEIRS = ("rule_one", "rule_two"), "rule_theirs"
START = datetime(2026, 6, 1, tzinfo=UTC)
WINDOW = timedelta(hours=24)
ACCESS: dict[str, Access] = {"none": "unauthenticated", "read_only": "no-permission"}

Caller = Literal["full", "limited", "other_org", "none", "read_only"]
Content = dict[str, Any]


class Tokens(msgspec.Struct, frozen=True):
    """How the target answers each open question."""

    key_reuse: Literal["original", "400", "409", "417", "422"] = "422"
    on_other_rule: Literal["executes", "400", "409", "417", "422"] = "executes"
    key_scope: Literal["credential", "organization"] = "credential"
    body_identity: Literal["bytes", "json-value"] = "bytes"
    refusal_replayed: Literal["stored", "not-stored"] = "not-stored"
    after_window: Literal["executes", "original"] = "executes"
    request_id: Literal["original", "new"] = "original"


Break = Literal[
    "",
    "replay executes",
    "replay executes, answers the original",
    "reuse executes",
    "reuse executes, then refuses",
    "other rule answers the first",
    "other rule gets the stored request",
    "other organization gets the answer",
    "stored answer without permission",
    "401 is stored",
    "without key nothing executes twice",
    "keys cut short",
]


Lost = Literal["", "on the way", "its answer", "in progress"]
"""How an update was lost: before it arrived, after it was executed, or after its key was taken."""


class Update(msgspec.Struct, frozen=True):
    """One update to send; ``late`` lets the window pass before it."""

    rule: str = OURS[0]
    caller: Caller = "full"
    key: str | None = None
    body: int = 1
    spaced: bool = False
    broken: bool = False
    late: bool = False
    lost: Lost = ""


class Read(msgspec.Struct, frozen=True):
    rule: str = OURS[0]


Step = Update | Read


class _Entry(msgspec.Struct, frozen=True):
    rule: str
    sent: bytes
    status: int
    content: Content
    moment: datetime
    state: Content


class Target:
    """Rules and remembered keys; ``broken`` is the one promise that is not kept."""

    def __init__(self, tokens: Tokens, broken: Break = "") -> None:
        self._tokens = tokens
        self._broken = broken
        self._now = START
        self._answers = 0
        self._entries: dict[tuple[str, str, str], _Entry] = {}
        self._bodies: set[tuple[str, bytes]] = set()
        self.rules = {rule: _rule(rule) for rule in (*OURS, THEIRS)}
        self.before = {rule: dict(state) for rule, state in self.rules.items()}

    def recorded(self, steps: Iterable[Step]) -> Episode:
        """What a run would record of a history."""
        sent: list[Sent] = []
        for step in steps:
            sent.append(self._sent(step, sent))
        return episode(*sent, before=tuple(self.before.values()))

    def _sent(self, step: Step, earlier: list[Sent]) -> Sent:
        existence: Existence = "foreign" if step.rule == THEIRS else "own"
        if isinstance(step, Read):
            return get(self._answer(200, self.rules[step.rule]), rule=step.rule, whose=existence)
        content = _bytes(step)
        self._now += WINDOW + timedelta(hours=1) if step.late else timedelta(seconds=2)
        is_old = self._is_old(step)
        return put(
            lost() if self._is_lost(step, content) else self._updated(step, content),
            content,
            caller=step.caller,
            access=ACCESS.get(step.caller, "allowed"),
            rule=step.rule,
            whose=existence,
            content="broken" if step.broken else "valid",
            key=step.key,
            repeats=next((at for at, one in enumerate(earlier) if step.key and one.intent.key == step.key), None),
            window="beyond" if is_old else "",
        )

    def _is_lost(self, step: Update, content: bytes) -> bool:
        """Whether nobody learns what became of an update; what became of it has happened."""
        if step.lost == "its answer":
            self._updated(step, content)
        elif step.lost == "in progress" and step.caller not in ACCESS and self._entry(step) is None:
            self._remember(step, content, self._refusal(409, "in_progress"))
        return bool(step.lost)

    def _updated(self, step: Update, content: bytes) -> Answer:
        entry = self._entry(step)
        if step.caller == "none":
            if entry is not None and self._broken == "401 is stored":
                return self._replayed(entry)
            refusal = self._refusal(401, "unauthorized")
            if self._broken == "401 is stored" and step.key is not None:
                self._remember(step, content, refusal, caller="full")
            return refusal
        if step.caller == "read_only":
            others = [one for (_, key, _), one in self._entries.items() if key == step.key]
            if others and self._broken == "stored answer without permission":
                return self._replayed(others[0])
            return self._remembered_refusal(step, content, entry, self._refusal(403, "forbidden"))
        if step.key is None:
            if self._broken == "without key nothing executes twice" and (step.rule, content) in self._bodies:
                return self._answer(200, self.rules[step.rule])
            self._bodies.add((step.rule, content))
            return self._fresh(step, content)
        if entry is None:
            return self._first(step, content)
        return self._again(step, content, entry)

    def _first(self, step: Update, content: bytes) -> Answer:
        """A key that this rule has not seen."""
        elsewhere = [one for name, one in self._entries.items() if name[:2] == self._name(step)[:2]]
        strangers = [one for (_, key, _), one in self._entries.items() if key == step.key]
        if strangers and not elsewhere and self._broken == "other organization gets the answer":
            return self._replayed(strangers[0])
        if elsewhere and elsewhere[0].status == 200:
            if self._broken == "other rule answers the first":
                return self._replayed(elsewhere[0])
            if self._broken == "other rule gets the stored request":
                return self._fresh(msgspec.structs.replace(step, body=json.loads(elsewhere[0].sent)["number"]), content)
            if self._tokens.on_other_rule != "executes":
                return self._refusal(int(self._tokens.on_other_rule), "key_reused")
        return self._fresh(step, content)

    def _again(self, step: Update, content: bytes, entry: _Entry) -> Answer:
        """A key that belongs to an earlier request for this rule."""
        if entry.status != 200:
            return self._after_refusal(step, content, entry)
        if self._is_old(step) and self._tokens.after_window == "executes":
            return self._fresh(step, content)
        same = content == entry.sent
        if self._tokens.body_identity == "json-value":
            same = json.loads(content) == json.loads(entry.sent)
        if same:
            if self._broken == "replay executes":
                return self._fresh(step, content)
            if self._broken == "replay executes, answers the original":
                self.rules[step.rule] = entry.state
            return self._replayed(entry)
        if self._broken in ("reuse executes", "reuse executes, then refuses") and not step.broken:
            answer = self._fresh(step, content)
            return answer if self._broken == "reuse executes" else self._refusal(422, "key_reused")
        if self._tokens.key_reuse == "original":
            return self._replayed(entry)
        return self._refusal(int(self._tokens.key_reuse), "key_reused")

    def _after_refusal(self, step: Update, content: bytes, entry: _Entry) -> Answer:
        if self._tokens.refusal_replayed == "not-stored" and self._broken != "401 is stored":
            return self._fresh(step, content)
        if content == entry.sent or self._tokens.key_reuse == "original":
            return self._replayed(entry)
        return self._refusal(int(self._tokens.key_reuse), "key_reused")

    def _fresh(self, step: Update, content: bytes) -> Answer:
        if step.broken:
            return self._remembered_refusal(step, content, None, self._refusal(400, "invalid"))
        new = {**_body(step.body), "status": "disabled", "updated_at": _text(self._now)}
        self.rules[step.rule] = {**self.rules[step.rule], **new}
        answer = self._answer(200, self.rules[step.rule])
        self._remember(step, content, answer)
        return answer

    def _remembered_refusal(self, step: Update, content: bytes, entry: _Entry | None, refusal: Answer) -> Answer:
        if entry is None and self._tokens.refusal_replayed == "stored":
            self._remember(step, content, refusal)
        return refusal

    def _remember(self, step: Update, content: bytes, answer: Answer, *, caller: Caller | None = None) -> None:
        if step.key is None:
            return
        owner = step if caller is None else msgspec.structs.replace(step, caller=caller)
        entry = _Entry(step.rule, content, answer.status, answer.json(), self._now, self.rules[step.rule])
        self._entries[self._name(owner)] = entry

    def _entry(self, step: Update) -> _Entry | None:
        return None if step.key is None else self._entries.get(self._name(step))

    def _is_old(self, step: Update) -> bool:
        entry = self._entry(step)
        return entry is not None and self._now - entry.moment > WINDOW

    def _name(self, step: Update) -> tuple[str, str, str]:
        organization = "theirs" if step.caller == "other_org" else "ours"
        owner = organization if self._tokens.key_scope == "organization" else step.caller
        key = step.key or ""
        return owner, key[:8] if self._broken == "keys cut short" else key, step.rule

    def _replayed(self, entry: _Entry) -> Answer:
        content = dict(entry.content)
        if self._tokens.request_id == "new" and "request_id" in content:
            content["request_id"] = self._request_id()
        return _made(entry.status, content)

    def _answer(self, status: int, state: Content) -> Answer:
        return _made(status, {"request_id": self._request_id(), "data": state})

    def _refusal(self, status: int, code: str) -> Answer:
        return _made(status, {"error": {"code": code, "message": f"{code}."}})

    def _request_id(self) -> str:
        self._answers += 1
        return f"req_{self._answers}"


def _made(status: int, content: Content) -> Answer:
    return answered(status, content)


def _rule(rule: str) -> Content:
    fields = {**EXAMPLE, "nickname": f"First {rule}", "description": f"As {rule} was", "status": "disabled"}
    return {"id": rule, **fields, "created_at": _text(START), "updated_at": _text(START)}


def _body(number: int) -> Content:
    return {**EXAMPLE, "nickname": f"Version {number}", "description": f"Body {number}", "status": "disabled"}


def _bytes(step: Update) -> bytes:
    body: Content = {**_body(step.body), "number": step.body}
    if step.broken:
        body = {**body, "steps": "wrong"}
    return json.dumps(body, indent=1 if step.spaced else None).encode()


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
