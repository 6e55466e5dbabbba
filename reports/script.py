"""A finding as a shell script that sends its requests with curl; it ends with 1, 0 or 3: there, gone, cannot tell.

The script knows nothing of the contract.  What it expects was asked of the checks: for which statuses of the answer
that shows the finding they would see it again, and with which its requirement holds.  Where a status does not tell, it
leaves the decision to `rules-harness replay`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from rules_harness.harness.exchange import Request
from rules_harness.harness.judging.decisive import Basis, Statuses
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.judging.states import sent_body
from rules_harness.openapi.contract import Contract
from rules_harness.reports import curl, repetition
from rules_harness.reports.model import FindingView, RunReport, Shown, TargetView
from rules_harness.reports.references import Part, Secret, assembled, part_of, variable
from rules_harness.reports.text import line
from rules_harness.strategies.idempotency_keys import form_of
from rules_harness.strategies.keys import UNKNOWN
from rules_harness.strategies.places import body_place, visited

FILE_NAME: Final = "curl.sh"
_RULE_ID: Final = "{rule_id}"
_PLAIN_URL: Final = r"^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[^?#]*)?$"
_END: Final = """\
end() {  # CODE TEXT
  echo "$2"
  exit "$1"
}"""
_NEW_KEYS: Final = """\
uuid() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \\n' |
    sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/\\1-\\2-4\\3-a\\4-\\5/'
}
shuffled() { printf %s "$1" | fold -w1 | sort -R | tr -d '\\n'; }
letters=$(shuffled abcdefghijklmnopqrstuvwxyz) digits=$(shuffled 0123456789)
renewed() {  # KEY: another one of the same form
  printf %s "$1" | tr abcdefghijklmnopqrstuvwxyz0123456789 "$letters$digits" |
    tr ABCDEFGHIJKLMNOPQRSTUVWXYZ "$(printf %s "$letters" | tr a-z A-Z)"
}"""


def render(view: FindingView, report: RunReport, *, before: Mapping[str, Any], statuses: Statuses | None) -> str:
    """The script; ``before`` are the rules as they were found, ``statuses`` say what the answer that shows it tells."""
    return "\n".join(_Script(view, report, before, statuses).lines()) + "\n"


class _Script:
    def __init__(
        self, view: FindingView, report: RunReport, before: Mapping[str, Any], statuses: Statuses | None
    ) -> None:
        self._view = view
        self._target = report.target
        self._contract = report.contract
        self._recorded_at = report.header.now
        self._statuses = statuses
        last = max(view.finding.shown_by)
        self._sent = view.episode[: last + 1]
        compares_states = any(step.given is not None for step in view.steps)
        whole = Basis(tuple(range(last + 1)), is_alone=False, compares_states=compares_states)
        self._steps = tuple(repetition.steps(self._contract, whole, self._sent, before))
        self._words = {key: f'"$key_{number}"' for number, key in enumerate(_keys(self._contract, self._sent), start=1)}

    def lines(self) -> Iterator[str]:
        yield from self._head()
        yield _END
        yield from self._guards()
        if not self._can_decide:
            yield from self._delegation()
        if self._words:
            yield "# Idempotency-Keys, new each time"
            yield _NEW_KEYS
        for key, word in sorted(self._words.items(), key=lambda known: known[0] != known[0].lower()):
            yield f"{word[2:-1]}=$({self._renewing(key)})"
        yield "answers=$(mktemp -d)"
        yield from self._sending()
        yield from self._decision()

    def _renewing(self, key: str) -> str:
        """What prints a new key of the same form; UUIDs that differ in case do so again."""
        if form_of(key) != "uuid":
            return f"renewed {curl.quoted(key)}"
        if key == key.lower():
            return "uuid"
        twin = self._words.get(key.lower())
        return f"{'uuid' if twin is None else f'printf %s {twin}'} | tr a-f A-F"

    @property
    def _can_decide(self) -> bool:
        """Whether a status tells, and curl can send everything as it was."""
        return self._statuses is not None and all(
            curl.is_sendable(view.exchange.request) and not view.too_long for view in self._sent
        )

    def _head(self) -> Iterator[str]:
        view, rules = self._view, sorted(_written(self._sent))
        yield "#!/usr/bin/env bash"
        yield f"# {view.requirement.id} ({view.finding.level}): {view.requirement.sentence}"
        yield f"# Expected: {view.expected}"
        yield f"# Seen on {self._target.name}: {view.actual}"
        yield "#"
        yield "# Ends with 1 while the defect is there, 0 once it is gone, 3 where that cannot be told."
        yield "# RULES_BASE_URL names another address; each key comes from the environment, by the name in the profile."
        if rules:
            yield f"# Overwrites {', '.join(rules)} and puts nothing back; `rules-harness replay RUN {view.id}`"
            yield "# with --target FILE does."
        yield "set -uo pipefail"

    def _guards(self) -> Iterator[str]:
        yield f"base_url=${{RULES_BASE_URL:-{curl.quoted(self._target.base_url)}}}"
        # Nothing of it may be read otherwise by curl than here: no user name, no second slash, no query.
        yield f'[[ $base_url =~ {_PLAIN_URL} ]] || end 3 "RULES_BASE_URL is not a plain http address"'
        yield 'host=${base_url#*://} host=$(printf %s "${host%%[:/]*}" | tr A-Z a-z)'
        for name in self._contract.names.production_hosts:
            yield f'[ "${{host%.}}" != {curl.quoted(name.lower())} ] || end 3 "$host is production: nothing is sent"'
        for name in sorted(self._variables()):
            yield f'[ -n "${{{name}:-}}" ] || end 3 "export {name} first"'
        if self._can_decide and (until := self._first_date()):
            yield f'[ "$(date -u +%Y-%m-%dT%H:%M:%S)" \\< {until} ] || end 3 "a date in the requests has passed"'

    def _delegation(self) -> Iterator[str]:
        yield "# A status alone does not tell whether this is gone: the checks of rules-harness compare more than that."
        yield "if command -v rules-harness > /dev/null; then"
        yield (
            '  rules-harness replay "$(dirname "$0")/../.." '
            + self._view.id
            + ' ${RULES_TARGET:+--target "$RULES_TARGET"}'
        )
        yield "  code=$?; [ $code -le 1 ] || code=3; exit $code"
        yield "fi"

    def _sending(self) -> Iterator[str]:
        for step in self._steps:
            if step.enable:
                yield from self._enabling(step.enable)
            if step.given is not None:
                yield f"# make {line(step.given.target)} what it was before"
                yield self._command(step.given, None, "before")
            for position in step.positions:
                yield from self._request(self._sent[position], together=len(step.positions) > 1)
            if len(step.positions) > 1:
                yield "wait"

    def _request(self, shown: Shown, *, together: bool) -> Iterator[str]:
        number, intent = shown.position + 1, shown.exchange.intent
        yield f"# request {number}: {intent.operation} as {line(intent.caller)}" + (
            f", {line(intent.label)}" if intent.label else ""
        )
        if shown.too_long or not curl.is_sendable(shown.exchange.request):
            yield "# curl cannot send it as it was sent"
            return
        command = self._command(shown.exchange.request, shown.packed, str(number))
        if together:
            yield f"{command} &"
            return
        yield f'status=$({command}) || end 3 "request {number}: no answer"'
        answer = shown.exchange.answer
        if repetition.shows_enabled(self._contract, shown.exchange) and not shown.is_proof:
            names = self._contract.names
            wanted = curl.quoted(f'"{names.status}" *: *"{names.enabled}"')
            why = curl.quoted(f"the {self._contract.noun} is not enabled")
            yield f'grep -q {wanted} "$answers/{number}" || end 3 {why}'
        is_rightful = intent.body == "valid" and intent.access == "allowed" and intent.existence in ("own", "foreign")
        if is_rightful and not shown.is_proof and answer is not None and answer.is_success:
            yield f'[ "${{status#2}}" != "$status" ] || end 3 "request {number}, a preparation, was answered $status"'

    def _command(self, request: Request, packed: bytes | None, name: str) -> str:
        options = f"-o \"$answers/{name}\" -w '%{{http_code}}'"
        return curl.command(
            self._target, request, packed=packed, options=options, base_url='"$base_url"', variables=self._words
        )

    def _enabling(self, rule: str) -> Iterator[str]:
        yield f"# {line(rule)} is enabled, as its owner does it"
        hook = self._target.enable_hook
        if hook is None:
            yield f"[ -t 0 ] || end 3 {curl.quoted(f'{rule} must be enabled by hand first: run this in a terminal')}"
            yield f"read -rp {curl.quoted(f'Enable {rule}, then press Enter. ')}"
        else:
            elsewhere = curl.quoted(f"the profile's hook enables {rule} at {self._target.base_url} only")
            yield f'[ "$base_url" = {curl.quoted(self._target.base_url)} ] || end 3 {elsewhere}'
            problem = curl.quoted(f"{rule} could not be enabled")
            yield f"{_hook(hook, rule, self._target)} > /dev/null || end 3 {problem}"

    def _decision(self) -> Iterator[str]:
        if not self._can_decide or self._statuses is None:
            expected = curl.quoted(f"Compare the answers with what is expected: {self._view.expected}; they are in ")
            yield f'end 3 {expected}"$answers"'
            return
        number = self._statuses.position + 1
        yield "# What the checks say of these statuses here, were everything else in the answer right"
        yield 'case "$status" in'
        yield f'  {_pattern(self._statuses.violating)}) end 1 "still fails: request {number} was answered $status" ;;'
        yield f'  {_pattern(self._statuses.holding)}) end 0 "no longer fails: request {number} was answered $status" ;;'
        yield f'  *) end 3 "cannot tell: request {number} was answered $status" ;;'
        yield "esac"

    def _first_date(self) -> str:
        """The first date of the bodies that were meant to be accepted, if it lay ahead then."""
        now, place = datetime.fromisoformat(self._recorded_at), body_place(self._contract)
        bodies = (sent_body(view.exchange) for view in self._sent if view.exchange.intent.body in ("valid", "open"))
        values = (value for body in bodies for at, _, value in visited(place, dict(body)) if at.offers("start-date"))
        ahead = [date for date in map(instant, values) if date is not None and date > now]
        return min(ahead).strftime("%Y-%m-%dT%H:%M:%S") if ahead else ""

    def _variables(self) -> set[str]:
        """The environment variables of the keys that are sent."""
        requests = [assembled(shown.exchange.request) for shown in self._sent]
        texts: list[tuple[Part, ...]] = [(value,) for _, value in self._target.headers]
        for request in requests:
            texts += [request.target, *(value for _, value in request.headers), request.body or ()]
        if any(step.enable for step in self._steps) and self._target.enable_hook is not None:
            texts += [(part_of(value),) for _, value in self._target.enable_hook.get("headers", ())]
        names = {part.name for text in texts for part in text if isinstance(part, Secret)}
        return {variable(name, self._target.environment) for name in names - {UNKNOWN}}


def _keys(contract: Contract, sent: Sequence[Shown]) -> Iterator[str]:
    """The Idempotency-Keys that can be new each time, each once."""
    name = contract.names.idempotency_key.lower()
    values = (value for view in sent for field, value in view.exchange.request.headers if field.lower() == name)
    yield from dict.fromkeys(value for value in values if form_of(value) != "short")


def _written(sent: Sequence[Shown]) -> set[str]:
    intents = (shown.exchange.intent for shown in sent)
    return {
        line(intent.rule) for intent in intents if intent.operation != "read" and intent.existence in ("own", "foreign")
    }


def _pattern(statuses: Sequence[int]) -> str:
    """A pattern of the shell for these statuses, a whole class as one."""
    parts: list[str] = []
    for kind in range(2, 6):
        known = [status for status in statuses if status // 100 == kind]
        whole = [status for status in HTTPStatus if status // 100 == kind]
        parts += [f"{kind}??"] if len(known) == len(whole) else map(str, known)
    return "|".join(parts)


def _hook(hook: Mapping[str, Any], rule: str, target: TargetView) -> str:
    """The line that runs the operator's hook for a rule."""
    if "command" in hook:
        return " ".join(curl.quoted(str(part).replace(_RULE_ID, rule)) for part in hook["command"])
    url = str(hook["url"]).replace(_RULE_ID, quote(rule, safe=""))
    parts = [f"curl -sS -f -X {curl.quoted(hook.get('method', 'POST'))} {curl.word([url], target.environment)}"]
    parts += [
        f"-H {curl.word([f'{name}: ', part_of(value)], target.environment)}" for name, value in hook.get("headers", ())
    ]
    if hook.get("json") is not None:
        body = json.dumps(hook["json"]).replace(_RULE_ID, json.dumps(rule)[1:-1])
        parts += ["-H 'Content-Type: application/json'", f"--data-raw {curl.quoted(body)}"]
    return " ".join(parts)
