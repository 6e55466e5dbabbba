"""What a strict back end asks of a body beyond its shape. Off by default."""

from collections import Counter
from datetime import datetime

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.seed import account
from rules_harness.harness.reference.validation.texts import instant

_PAYMENTS = frozenset(
    {"next_payment_minimum", "total_amount_due", "last_statement_balance", "percentage_liability_balance"}
)


def check_plausible(trigger: dict[str, Json], steps: list[Json], now: datetime) -> None:
    """Raise a refusal for a configuration that has the right shape but could never run sensibly."""
    if not steps or any(not step["actions"] for step in steps):
        raise errors.invalid("/steps must hold at least one step, each with at least one action.")
    for step in steps:
        _check_percentages(step["actions"])
        for action in step["actions"]:
            _check_action(action)
    if trigger["type"] == "SCHEDULED":
        _check_schedule(trigger, steps, now)


def _check_percentages(actions: list[Json]) -> None:
    sums: Counter[str] = Counter()
    for action in actions:
        if action["type"] == "percentage":
            sums[action["source"]["id"]] += action["percentage_value"]
    if any(total > 100.000001 for total in sums.values()):
        raise errors.invalid("The percentages of one source sum to more than 100.")


def _check_action(action: dict[str, Json]) -> None:
    if action["source"]["id"] == action["destination"]["id"]:
        raise errors.invalid("An action's source and destination must differ.")
    if action["type"] in _PAYMENTS and not account(action["destination"]["id"]).liability:
        raise errors.invalid("A payment must go to a liability.")
    if action.get("amount_in_cents") == 0:
        raise errors.invalid("An amount must be at least 1 cent.")


def _check_schedule(trigger: dict[str, Json], steps: list[Json], now: datetime) -> None:
    sources = {action["source"]["id"] for step in steps for action in step["actions"]}
    if trigger.get("account_id") is not None and trigger["account_id"] not in sources:
        raise errors.invalid("The trigger's account must be the source of an action.")
    start = instant(trigger["start_date"])
    if start is None or start < now or start.year > now.year + 10:
        raise errors.invalid("/trigger/start_date must lie in the next ten years.")
