"""What strategies must know of a target; harness fills it from the profile."""

from datetime import datetime

import msgspec


class Account(msgspec.Struct, frozen=True):
    """An account that a body may name: `id` and `type` as an AccountRef spells them."""

    id: str
    type: str
    liability: bool = False
    """Whether payment actions suit it: a credit card, a loan."""


class World(msgspec.Struct, frozen=True):
    """The accounts, the cap on amounts and the present instant that plausible bodies are drawn for."""

    accounts: tuple[Account, ...]
    now: datetime
    """Aware, UTC. Start dates lie between a day and ten years after it."""
    foreign_accounts: tuple[Account, ...] = ()
    """Accounts of another organization: never in a plausible body."""
    max_amount_in_cents: int = 100_000
    """No amount of a body exceeds it, in cents: whatever a target executes by mistake stays small."""
