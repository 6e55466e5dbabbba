"""What `--dry-run` prints."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.dry_run.rehearsal import Plan, rehearse
from rules_harness.harness.session.session import Settings
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import Contract
from rules_harness.openapi.words import Noun
from rules_harness.reports.text import counted, duration


def rehearsal_text(contract: Contract, profile: Profile, keyring: Keyring, settings: Settings) -> str:
    """What a run would send to this target, in words."""
    return "\n".join(_lines(rehearse(contract, profile, keyring, settings), profile, contract.noun))


def _lines(plan: Plan, profile: Profile, noun: Noun) -> Iterator[str]:
    limits = profile.limits
    yield f"Nothing was sent. A run against {profile.target.name} ({profile.target.base_url}) would send:"
    yield ""
    for family, requests in plan.by_family.items():
        yield f"  {requests:>6,}  {family}"
    yield f"  {plan.requests:>6,}  requests in all, supposing that every {noun} of the profile exists and is disabled"
    yield ""
    yield f"{noun.plural.capitalize()} that would be overwritten and put back: {', '.join(plan.rules) or 'none'}"
    yield f"Largest amount: {_cents(plan.largest_amount)}, of {_cents(limits.max_amount_in_cents)} allowed"
    yield (
        f"Duration: {duration(plan.seconds)} or more, at {limits.requests_per_second:g} requests per second and "
        f"{limits.in_flight} in flight"
    )
    if plan.requests > limits.max_requests:
        yield f"limits.max_requests = {limits.max_requests:,} would end the run early."
    for note in plan.notes:
        yield f"It would end early: {note}"
    if plan.skipped:
        yield ""
        yield "Scenarios that would be skipped:"
        for reason, requirements in plan.skipped.items():
            yield f"  {reason}: {', '.join(requirements)}"
    if plan.unjudged:
        yield ""
        yield f"{counted(len(plan.unjudged), 'requirement')} would not be judged: {', '.join(plan.unjudged)}"


def _cents(amount: int | None) -> str:
    return "none" if amount is None else counted(amount, "cent")
