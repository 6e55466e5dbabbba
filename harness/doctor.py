"""Checks a profile against the live target, by reading only, and says what a run will be able to judge."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.journal import FoundRule
from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.judging.checks.common import described
from rules_harness.harness.scenarios import ANY_TIME, needs_told
from rules_harness.harness.scenarios.outgoing import TimedOutcome
from rules_harness.harness.scenarios.scenario import Situation, lacking
from rules_harness.harness.session.custody import accounts_in, is_endpoint_missing, is_enveloped, with_known_accounts
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import HttpHook, Profile
from rules_harness.openapi.contract import Contract, Operation
from rules_harness.strategies.bodies import is_suitable
from rules_harness.strategies.keys import KeyReference

State = Literal["ok", "advice", "problem"]
_NOBODYS: Final = "_0DOCTOR0ASKS0FOR0NONE"
"""The end of an id that nothing has."""
_HOOK_SECONDS: Final = 3.0
_READS_RULES: Final = ("full", "read_only", "scope.READ_RULES")


class Remark(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    state: State
    subject: str
    text: str


class Prospect(msgspec.Struct, frozen=True):
    """What a run could do about one requirement: how many of its scenarios it could run, and why not the others."""

    requirement: str
    scenarios: int
    runnable: int
    reasons: tuple[str, ...]
    checked: bool

    @property
    def is_judged(self) -> bool:
        """Whether a run would judge it; what has no scenario of its own is judged by all answers."""
        return self.checked and (self.runnable > 0 or self.scenarios == 0)


class Diagnosis(msgspec.Struct, frozen=True):
    """What the doctor found. ``obstacle`` is why a run could judge nothing, and what to do about it."""

    remarks: tuple[Remark, ...]
    prospects: tuple[Prospect, ...] = ()
    obstacle: str | None = None


class Reader(Protocol):
    """What reads: the client."""

    @property
    def cleaner(self) -> Cleaner:
        """What keeps keys out of records."""

    def send(self, request: Request) -> TimedOutcome:
        """One request, and what came of it."""


def examine(contract: Contract, profile: Profile, client: Reader) -> Diagnosis:
    """Look at everything that reading shows; nothing is written, no hook is called.

    Raises what the client raises.
    """
    if contract.read is None:
        return Diagnosis((), obstacle="the contract has no companion GET, and the doctor only reads")
    return _Examination(contract, contract.read, profile, client).result()


class _Examination:
    def __init__(self, contract: Contract, read: Operation, profile: Profile, client: Reader) -> None:
        self._contract = contract
        self._read = read
        self._names = contract.names
        self._noun = contract.noun
        self._unknown = contract.noun.singular.replace(" ", "_") + _NOBODYS
        self._profile = profile
        self._client = client
        self._main = profile.main_credential
        self._found: dict[str, FoundRule] = {}
        self._reasons: dict[str, str] = {}

    def result(self) -> Diagnosis:
        unknown = self._get(self._unknown, self._main)
        if isinstance(unknown, TransportFault):
            return Diagnosis((), obstacle=self._unreached(unknown))
        answers = {rule: self._get(rule, self._profile.credential_of(rule)) for rule in self._profile.rules.all}
        obstacle = self._obstacle([unknown, *(answer for answer in answers.values() if isinstance(answer, Answer))])
        remarks = [Remark("ok", "target", f"{self._profile.target.base_url} answers")]
        remarks += self._on_unknown(unknown)
        if obstacle is None:
            remarks += [self._on_rule(rule, outcome) for rule, outcome in answers.items()]
            obstacle = self._without_rules()
            remarks += self._on_credentials()
            remarks += self._on_accounts()
        remarks += self._on_weak_keys()
        remarks += map(self._on_hook, self._profile.hooks)
        remarks.append(self._on_limits())
        return Diagnosis(tuple(remarks), () if obstacle else tuple(self._prospects()), obstacle)

    def _get(self, rule: str, caller: str | None) -> Answer | TransportFault:
        key = KeyReference(caller, self._names.authorization, f"{self._names.auth_scheme} ") if caller else None
        return self._client.send(Request(self._read.method, self._read.path_for(rule), key=key)).outcome

    def _told(self, outcome: Answer | TransportFault) -> str:
        if isinstance(outcome, TransportFault):
            return f"failed: {outcome.detail}"
        return f"is answered {described(self._contract, outcome)}"

    def _unreached(self, fault: TransportFault) -> str:
        target = self._profile.target
        if fault.kind == "proxy":
            return f"{target.base_url} was not asked: {fault.detail}. Is the proxy up, and is target.proxy right?"
        if fault.kind == "closed" and target.base_url.startswith("https:") and target.client_cert is None:
            remedy = "Does it want a client certificate (target.client_cert)?"
            return f"{target.base_url} did not answer: {fault.detail}. {remedy}"
        remedy = {
            "connect": "Is it up, and are host and port of target.base_url right?",
            "timeout": "It takes connections and does not answer; limits.timeout_seconds says how long to wait.",
        }.get(fault.kind, "Something answers there that does not speak HTTP as it should.")
        return f"{target.base_url} did not answer: {fault.detail}. {remedy}"

    def _obstacle(self, answers: list[Answer]) -> str | None:
        """Why these first answers, taken together, let a run judge nothing."""
        statuses = sorted({answer.status for answer in answers})
        answered = " and ".join(map(str, statuses))
        source = self._profile.credentials[self._main].source
        if statuses == [401]:
            return (
                f"every read with credentials.{self._main} is answered 401. Is the key of {source} one of this "
                "target, and not revoked?"
            )
        if all(300 <= answer.status < 400 for answer in answers):
            where = answers[0].header("location") or "elsewhere"
            return (
                f"every read is redirected to {where}, and redirects are never followed. Put that into target.base_url."
            )
        if all(answer.status >= 500 for answer in answers):
            return (
                f"every read is answered {answered}. The target is out of order; a run would say so of the update too."
            )
        if not any(isinstance(answer.json(), dict) for answer in answers):
            kind = (answers[0].header("content-type") or "no content type").split(";")[0]
            if 404 in statuses and len(statuses) == 1:
                return self._endpoint_missing(answered)
            return (
                f"what answers is not a JSON API: {answered} with {kind}. target.base_url may lead to a web page, a "
                "login or a proxy."
            )
        if is_endpoint_missing(self._contract, answers):
            return self._endpoint_missing(answered)
        return None

    def _endpoint_missing(self, statuses: str) -> str:
        return (
            f"every read is answered {statuses} without the error envelope: the endpoint is not there. The API is "
            "planned for a future release, and this target may not have it yet; or target.base_url lacks a part of the "
            "path."
        )

    def _on_unknown(self, answer: Answer) -> Iterator[Remark]:
        observation = f"reading {self._noun.with_article} that does not exist {self._told(answer)}"
        if answer.status == 404 and is_enveloped(self._contract, answer):
            yield Remark("ok", "endpoint", observation)
        else:
            yield Remark("advice", "endpoint", f"{observation}, where 404 in the error envelope was expected")
        anonymous = self._get(self._unknown, None)
        state: State = "ok" if isinstance(anonymous, Answer) and anonymous.status == 401 else "advice"
        yield Remark(state, "endpoint", f"reading without a key {self._told(anonymous)}")

    def _on_rule(self, rule: str, outcome: Answer | TransportFault) -> Remark:
        state = self._state(outcome)
        if state is None:
            self._reasons[rule] = f"reading it {self._told(outcome)}"
            return Remark("problem", f"{self._noun} {rule}", f"cannot be used: {self._reasons[rule]}")
        enabled = state.get(self._names.status) == self._names.enabled
        self._found[rule] = FoundRule(
            rule=rule, credential=self._profile.credential_of(rule), state=dict(state), enabled=enabled
        )
        if enabled:
            text = "is there and enabled; a run leaves it disabled, and a human re-enables it"
            return Remark("advice", f"{self._noun} {rule}", text)
        return Remark("ok", f"{self._noun} {rule}", "is there and disabled")

    def _state(self, outcome: Answer | TransportFault) -> Mapping[str, Any] | None:
        if not isinstance(outcome, Answer) or outcome.status != 200:
            return None
        return outcome.part(self._names.data) or None

    def _without_rules(self) -> str | None:
        rules = self._profile.rules
        if not rules.writable:
            return (
                f"the profile lists no {self._noun} under rules.writable. Name one that the harness may overwrite "
                "and put back."
            )
        if not any(rule in self._found for rule in rules.writable) and not self._profile.permissions.no_restore:
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in self._reasons.items())
            return (
                f"none of rules.writable can be read ({reasons}), so none could be put back. Are the ids right, are "
                f"the {self._noun.plural} of the organization of credentials.{self._main}, and may it read them?"
            )
        return None

    def _on_credentials(self) -> Iterator[Remark]:
        ours = next((rule for rule in self._profile.rules.writable if rule in self._found), None)
        for name, credential in self._profile.credentials.items():
            subject = f"credentials.{name} ({credential.source})"
            if ours is None or name == self._main:
                continue
            if name == "limited" and self._profile.rules.limited in self._found:
                outcome = self._get(str(self._profile.rules.limited), name)
            else:
                outcome = self._get(ours, name)
            yield self._on_credential(name, subject, outcome)
        if self._found:
            text = (
                "reads; whether it may update shows with the first write of a run, which puts "
                f"{self._noun.with_article}'s own "
                "state back"
            )
            yield Remark("ok", f"credentials.{self._main}", text)

    def _on_credential(self, name: str, subject: str, outcome: Answer | TransportFault) -> Remark:
        observation = f"reading {self._noun.with_article} of the profile with it {self._told(outcome)}"
        status = outcome.status if isinstance(outcome, Answer) else 0
        if name == "revoked":
            return Remark(
                "ok" if status == 401 else "problem", subject, observation + ("" if status == 401 else ", not 401")
            )
        if status == 401:
            return Remark("problem", subject, f"{observation}: the target does not know the key")
        if name == "other_org" and status == 200:
            return Remark("problem", subject, f"{observation}: it is not a key of another organization")
        if name in _READS_RULES:
            return Remark("ok" if status == 200 else "advice", subject, observation)
        unfit = status == 200 and name != "limited"
        return Remark(
            "advice" if unfit else "ok", subject, observation + (", more than its role should do" if unfit else "")
        )

    def _on_weak_keys(self) -> Iterator[Remark]:
        risks = {
            "none": "is too short, or a word of the API or of the profile: it is not kept out of what is recorded",
            "token": "is short, or like words and numbers: it is kept out of recorded answers where it stands as a "
            "word of its own, and not in every form",
        }
        for name, care in self._client.cleaner.cares.items():
            if care != "every-form" and name in self._profile.credentials:
                text = f"its key {risks[care]}. A random key of 16 characters and more is"
                yield Remark("advice", f"credentials.{name}", text)

    def _on_accounts(self) -> Iterator[Remark]:
        own = tuple(own_rule for rule, own_rule in self._found.items() if rule != self._profile.rules.other_org)
        used = {account.id for account in accounts_in(self._contract, own)}
        listed = {account.id for account in self._profile.accounts}
        if not listed:
            text = (
                f"the profile lists none; a run uses those of the {self._noun.plural}: "
                f"{', '.join(sorted(used)) or 'none'}"
            )
            yield Remark("advice", "accounts", text)
        elif used - listed:
            yield Remark(
                "advice",
                "accounts",
                f"{self._noun.plural} name some that are not listed: {', '.join(sorted(used - listed))}",
            )
        else:
            yield Remark("ok", "accounts", f"{len(listed)} listed; reading does not show whether they exist")

    def _on_hook(self, name: str) -> Remark:
        hook = self._profile.hooks[name]
        subject = f"hooks.{name}"
        if not isinstance(hook, HttpHook):
            return Remark("ok", subject, f"the program {hook.command[0]} is there; it is not started")
        url = urlsplit(hook.url)
        address = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        try:
            socket.create_connection(address, timeout=min(hook.timeout, _HOOK_SECONDS)).close()
        except OSError as error:
            return Remark("problem", subject, f"{address[0]}:{address[1]} takes no connection ({error})")
        return Remark("ok", subject, f"{address[0]}:{address[1]} takes connections; it is not called")

    def _on_limits(self) -> Remark:
        limits = self._profile.limits
        return Remark(
            "ok",
            "limits",
            f"{limits.requests_per_second:g} requests per second, {limits.in_flight} in flight, {limits.max_requests} "
            "in all; `rules-harness check --dry-run` says how long a run takes",
        )

    def _prospects(self) -> Iterator[Prospect]:
        rules = self._profile.rules
        states = {rule: rule_found.state for rule, rule_found in self._found.items()}
        profile = with_known_accounts(self._contract, self._profile, states)
        world = profile.world(ANY_TIME)
        situation = Situation(
            contract=self._contract,
            profile=profile,
            readable=bool(self._found),
            usable=tuple(rule for rule in rules.writable if rule in self._found),
            limited=rules.limited in self._found,
            foreign=rules.other_org in self._found,
            reasons=self._reasons,
            plausible=is_suitable(self._contract, world),
        )
        scenarios = [
            (scenario, lacking(scenario, situation)) for scenario in needs_told(self._contract, world, profile)
        ]
        checked = {id for check in CHECKS for id in check.about}
        for requirement in self._contract.requirements:
            own = [reason for scenario, reason in scenarios if requirement in scenario.requirements]
            reasons = tuple(dict.fromkeys(reason for reason in own if reason is not None))
            yield Prospect(requirement, len(own), own.count(None), reasons, requirement in checked)
