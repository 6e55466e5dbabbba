"""For a team's own tests: bodies to draw, and a judge of what came of sending one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
from hypothesis.strategies import SearchStrategy

from rules_harness.harness.campaign.drawing import draw
from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Answer, Episode, Exchange, Facts, Payload, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.pytest_plugin.items import ContractWarning
from rules_harness.harness.pytest_plugin.verdicts import this_hour
from rules_harness.harness.session.opening import check_production
from rules_harness.harness.target import reader as profile_reader
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import Contract, load
from rules_harness.strategies.bodies import Body, bodies
from rules_harness.strategies.keys import KeyReference
from rules_harness.strategies.mutations import Mutation, apply, catalogue, mutated
from rules_harness.strategies.world import World

_ACCEPTED: Final = "update.accepts-valid"
_REFUSALS: Final = "reading.validation-status"
"""The reading whose answers are the statuses with which a body is refused."""
_FIRST: Final = 20
"""So many draws meet every sort of value that takes time when it is made first."""


class _KeyText(str):
    """A text with a key, of which pytest shows the name where it shows values: in failing assertions and locals."""

    _shown: str

    def __new__(cls, text: str, shown: str) -> _KeyText:
        made = super().__new__(cls, text)
        made._shown = shown
        return made

    def __repr__(self) -> str:
        return repr(self._shown)


class RulesTarget(msgspec.Struct, frozen=True):
    """The target that tests are for. Keys stay in the environment; `headers` makes the header that carries one."""

    base_url: str
    contract: Contract
    profile: Profile
    world: World
    keyring: Keyring
    path: Path | None = None
    """The profile, where it is a file."""

    def url(self, rule: str) -> str:
        """Where a rule of the profile is updated. Raises `UsageError` for any other: nobody said it may be written."""
        self.check(rule)
        return self.base_url + self.contract.update.path_for(rule)

    def check(self, rule: str) -> None:
        """Raise `UsageError` for a rule that the profile does not have."""
        if rule not in self.profile.rules.all:
            known = ", ".join(self.profile.rules.all) or "none"
            raise UsageError(
                f"{rule!r} is not {self.contract.noun.with_article} of the profile: its [rules] are {known}"
            )

    def headers(self, credential: str = "full") -> dict[str, str]:
        """The headers of an update by a credential of the profile. Raises KeyError for one that it has not."""
        names = self.contract.names
        before = f"{names.auth_scheme} "
        text = self.keyring.text(KeyReference(credential, names.authorization, before))
        return {
            names.authorization: _KeyText(text, f"{before}{{key:{credential}}}"),
            "Content-Type": "application/json",
        }


class Drawn(msgspec.Struct, frozen=True):
    """A body to send. ``content`` is what goes over the wire; ``value`` the same as JSON, where it is JSON."""

    content: bytes
    value: Any
    meant: Intent


def target_of(path: Path, contract: Contract | None = None) -> RulesTarget:
    """The target of a profile, held to the packaged contract or another one.

    Raises `UsageError` where the profile is wrong or nothing may be sent there.
    """
    contract = contract or load()
    profile, keyring = profile_reader.load(path, contract=contract, environ=os.environ)
    check_production(profile, contract)
    world = profile.world(this_hour())
    return RulesTarget(profile.target.base_url, contract, profile, world, keyring, path)


def plausible(target: RulesTarget) -> SearchStrategy[Drawn]:
    """Bodies that a back end can be expected to accept, and some that the documentation leaves open."""
    return _prepared(bodies(target.contract, target.world).map(_plausible))


def _plausible(body: Body) -> Drawn:
    meant = Intent(
        body="open" if body.acceptance == "open" else "valid",
        acceptance=body.acceptance,
        label="a drawn body",
        requirement="" if body.acceptance == "open" else _ACCEPTED,
        shapes=tuple(sorted(body.shapes)) if body.acceptance == "should" else (),
    )
    return Drawn(msgspec.json.encode(body.value), body.value, meant)


def broken(target: RulesTarget) -> SearchStrategy[Drawn]:
    """Bodies with one violation each; what a lax target might carry out only where live shapes may be sent."""
    may_be_live = target.profile.allows_live_shapes
    # Each takes its time when it is done first, and the draws that prepare a strategy meet few of them.
    for mutation in catalogue(target.contract):
        apply(target.contract, target.world, mutation)
    drawn = mutated(target.contract, target.world)
    wanted = drawn.filter(lambda pair: pair[0].is_to_be_refused and (may_be_live or not pair[0].risky))
    return _prepared(wanted.map(_broken))


def _prepared(strategy: SearchStrategy[Drawn]) -> SearchStrategy[Drawn]:
    """A strategy from which something was drawn already.

    The first time takes seconds in all: within a test it would fail Hypothesis' health check.
    """
    draw(strategy, _FIRST, 0)
    return strategy


def _broken(drawn: tuple[Mutation, Body, bytes]) -> Drawn:
    mutation, _, content = drawn
    try:
        value = msgspec.json.decode(content)
    except msgspec.DecodeError:
        value = None
    meant = Intent(
        body="broken",
        acceptance="open",
        label=mutation.name,
        place=mutation.place,
        mutation=mutation.kind,
        requirement=mutation.requirement or "",
        standing=mutation.standing,
        level=mutation.level,
    )
    return Drawn(content, value, meant)


class Judge:
    """Judges one update that a test sent in its own way."""

    def __init__(self, target: RulesTarget) -> None:
        self._target = target
        self._cleaner = Cleaner(target.keyring)

    def __call__(
        self,
        body: Drawn,
        answer: Any,
        *,
        rule: str | None = None,
        before: Mapping[str, Any] | None = None,
        read: Any = None,
    ) -> None:
        """Raise AssertionError with what does not hold, or says nothing of the body; a *should* only warns.

        ``answer`` is a response of httpx, of requests or of a test client like theirs, or (status, headers, content) as
        they were received.  ``rule`` is its id, needed where the answer does not carry its request.  ``before`` is the
        rule as the companion GET showed it, ``read`` the response of the companion GET afterwards: with them states
        are compared too.
        """
        __tracebackhide__ = True
        rule = _rule_of(self._target.contract, answer) if rule is None else rule
        self._target.check(rule)
        exchanges = [self._update(body, answer, rule)]
        if read is not None:
            exchanges.append(self._read(read, rule))
        facts = Facts(before={} if before is None else {rule: dict(before)})
        tally = Tally(self._target.contract)
        tally.add(self._cleaner.recorded(Episode("pytest/judge", "pytest", "judge", tuple(exchanges), facts)))
        findings = tally.findings()
        for finding in findings:
            if finding.level == "should":
                warnings.warn(ContractWarning(described(self._target.contract, finding)), stacklevel=2)
        failing = [described(self._target.contract, finding) for finding in findings if finding.level == "must"]
        if failing:
            raise AssertionError("\n\n".join(failing))
        self._check_judged(exchanges[0], tally)

    def _check_judged(self, update: Exchange, tally: Tally) -> None:
        """Raise AssertionError where an answer says nothing of the body: another one would have drawn it too."""
        intent, answer = update.intent, update.answer
        assert answer is not None  # it was given
        refusals = self._target.contract.readings[_REFUSALS].tokens
        if answer.is_success or str(answer.status) in refusals:
            return
        if intent.body != "broken" or not tally.exercised[intent.requirement]:
            raise AssertionError(
                f"nothing could be judged: the update of {intent.rule} was answered {answer.status}; "
                f"is the {self._target.contract.noun} there, and may the key update it?"
            )

    def _update(self, body: Drawn, answer: Any, rule: str) -> Exchange:
        names = self._target.contract.names
        sent = _sent_headers(answer, (names.idempotency_key, names.request_id_header))
        intent = body.meant.but(
            rule=rule,
            key=_header(sent, names.idempotency_key),
            request_id_kind="none" if _header(sent, names.request_id_header) is None else "plain",
        )
        operation = self._target.contract.update
        request = Request(operation.method, operation.path_for(rule), sent, Payload.of(body.content))
        return Exchange(request, _answer(answer), intent, 0, 0)

    def _read(self, answer: Any, rule: str) -> Exchange:
        operation = self._target.contract.read
        if operation is None:
            raise ValueError("the contract has no companion GET")
        intent = Intent(operation="read", purpose="read", rule=rule)
        return Exchange(Request(operation.method, operation.path_for(rule)), _answer(answer), intent, 0, 0)


def described(contract: Contract, finding: Finding) -> str:
    """A finding in words: the sentence that does not hold, what was expected and what came."""
    requirement = contract.requirements[finding.requirement]
    return (
        f"{finding.requirement} ({finding.level}): {requirement.sentence}\n"
        f"place:     {finding.place}\n"
        f"expected:  {finding.expected}\n"
        f"actual:    {finding.actual}\n"
        f"finding:   {finding.id}"
    )


def _answer(answer: Any) -> Answer:
    status, headers, content = _parts(answer)
    return Answer(status, headers, Payload.of(content))


def _parts(answer: Any) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Status, headers and content of a response."""
    if isinstance(answer, tuple):
        status, headers, content = answer
    else:
        status, headers, content = answer.status_code, answer.headers, answer.content
    items: Iterable[tuple[str, str]] = headers
    if hasattr(headers, "multi_items"):
        items = headers.multi_items()
    elif hasattr(headers, "items"):
        items = headers.items()
    raw = content.encode() if isinstance(content, str) else bytes(content)
    return int(status), tuple((str(name), str(value)) for name, value in items), raw


def _rule_of(contract: Contract, answer: Any) -> str:
    """The rule whose update a response answers, by the URL of its request."""
    path = urlsplit(str(getattr(getattr(answer, "request", None), "url", ""))).path
    _, collection, rest = path.rpartition(contract.update.path.partition("{")[0])
    if not collection or not rest:
        raise ValueError("say which rule was updated: judge(body, answer, rule=…)")
    return unquote(rest)


def _sent_headers(answer: Any, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those of a request's headers that the contract speaks of, where the response carries its request."""
    headers = getattr(getattr(answer, "request", None), "headers", {})
    pairs = ((name, headers.get(name)) for name in names)
    return tuple((name, str(value)) for name, value in pairs if value is not None)


def _header(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    return dict(headers).get(name)
