"""Why an episode says nothing of a requirement that it was made to judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rules_harness.harness.exchange import Episode, Exchange, TransportFault
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation


def unjudged(episode: Episode, judgements: Iterable[Judgement]) -> Iterator[tuple[str, str]]:
    """Each requirement that an episode asked about and that its judgements leave open, with the reason in words."""
    judged = {judgement.requirement for judgement in judgements if isinstance(judgement, Kept | Violation)}
    named = (exchange.intent.requirement for exchange in episode.exchanges)
    for requirement in dict.fromkeys((*episode.about, *filter(None, named))):
        if requirement not in judged:
            yield requirement, _reason(episode, requirement)


def _reason(episode: Episode, requirement: str) -> str:
    """The first obstacle on the way to the requirement, or what was answered instead of something to the point."""
    own = [exchange for exchange in episode.exchanges if exchange.intent.requirement == requirement]
    obstacles = (_obstacle(exchange) for exchange in (*own, *episode.exchanges))
    first = next((obstacle for obstacle in obstacles if obstacle is not None), None)
    if first is not None:
        return first
    if not episode.facts.readable:
        return "the target has no companion GET, so that states cannot be compared"
    asked = own or [exchange for exchange in episode.exchanges if exchange.intent.purpose != "read"]
    statuses = sorted({exchange.answer.status for exchange in asked if exchange.answer is not None})
    return f"no answer was to the point: {', '.join(map(str, statuses)) or 'nothing was sent'}"


def _obstacle(exchange: Exchange) -> str | None:
    """What kept an exchange from doing what it was sent for."""
    intent, outcome = exchange.intent, exchange.outcome
    if isinstance(outcome, TransportFault):
        left = f"a request got no answer ({outcome.kind})"
        return left if outcome.has_left else f"a request did not leave: {outcome.detail}"
    if outcome.is_put_off:
        return f"the target asked to come again later ({outcome.status})"
    if outcome.cut:
        return "an answer was too large to be taken in as a whole"
    if outcome.is_success:
        return None
    if intent.purpose == "read" and intent.access == "allowed":
        return f"a read was answered {outcome.status}"
    if intent.purpose == "setup":
        return f"what prepared it was answered {outcome.status}"
    if intent.operation == "update" and intent.body == "valid" and _is_rightful(exchange) and intent.repeats is None:
        return f"a plausible body was refused ({outcome.status})"
    return None


def _is_rightful(exchange: Exchange) -> bool:
    intent = exchange.intent
    return intent.access == "allowed" and intent.existence == "own" and intent.acceptance != "open"


def unanswered_in(episode: Episode) -> dict[str, str]:
    """The requirements of an episode in which a request was not answered, with what happened instead."""
    reason = next(filter(None, map(_fault_of, episode.exchanges)), "")
    requirements = (exchange.intent.requirement for exchange in episode.exchanges if exchange.intent.requirement)
    return dict.fromkeys(requirements, reason) if reason else {}


def _fault_of(exchange: Exchange) -> str:
    """Why an exchange has no answer that can be judged; empty where it has one, or never left before the run ended."""
    if isinstance(exchange.outcome, TransportFault):
        return f"{exchange.outcome.kind}: {exchange.outcome.detail}" if exchange.outcome.has_left else ""
    return (
        "too-large: the answer is longer than what is taken in of one, or of all of a run"
        if exchange.outcome.cut
        else ""
    )
