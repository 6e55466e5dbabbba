"""Full replacement: what was sent is what is there afterwards, all of it and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.judging.episodes import Sent, Value, action, body, ok, put, refused, rule, steps
from tests.judging.rows import HOLDS, Broken, Table, row

AMOUNT = "/steps/*/actions/*:fixed_amount/amount_in_cents"
PERCENTAGE = "/steps/*/actions/*:percentage/percentage_value"
share = partial(action, type="percentage", amount_in_cents=..., percentage_target="incoming_amount")
cents = partial(action, type="fixed_amount")
TWO_PODS = steps(action(), action(amount_in_cents=200, group_index=1))
TURNED = steps(action(amount_in_cents=200, group_index=1), action())


def came_back(sent: Value, **changed: Any) -> Sent:
    """An update whose answer shows what was sent, with these fields otherwise."""
    return put(ok(rule(**{**sent, **changed})), sent)


def amount(sent: Any, got: Any, make: Callable[..., Value] = cents, name: str = "amount_in_cents") -> Sent:
    return came_back(body(steps=steps(make(**{name: sent}))), steps=steps(make(**{name: got})))


def percentage(sent: Any, got: Any) -> Sent:
    return amount(sent, got, share, "percentage_value")


def beyond(sent: Any, got: Any, name: str = "amount_in_cents") -> Sent:
    """An amount that the schema does not allow, accepted all the same."""
    return put(ok(rule(steps=steps(cents(**{name: got})))), body(steps=steps(cents(**{name: sent}))), content="broken")


TABLE: Table = {
    "update.replaces": (
        row("the answer shows the body", put(ok()), HOLDS),
        row("another run may have been answered for so short a key", put(ok(rule(nickname="Its own")), key="0")),
        row("an open body is shown as it is", put(ok(), content="open"), HOLDS),
        row(
            "the server adds a documented default",
            came_back(body(), steps=steps(action(is_direct_deposit=False))),
            HOLDS,
        ),
        row("the server adds a field of its own", came_back(body(), version=7), HOLDS),
        row("the status is the server's", came_back(body(status="enabled"), status="disabled"), HOLDS),
        row(
            "a date has another zone",
            came_back(body(), trigger={**body()["trigger"], "start_date": "2024-04-01T11:00:00+02:00"}),
            HOLDS,
        ),
        row(
            "the nickname is the old one",
            came_back(body(nickname="New"), nickname="Old"),
            Broken("changed", "/nickname"),
        ),
        row(
            "the nickname has lost what nobody sees",
            came_back(body(nickname="Re\u200bnt"), nickname="Rent"),
            Broken("changed", "/nickname", told='"Rent" instead of "Re\\u200bnt"'),
        ),
        row(
            "the nickname is in other letters",
            came_back(body(nickname="家賃"), nickname="貯金"),
            Broken("changed", "/nickname", told='"貯金" instead of "家賃"'),
        ),
        row(
            "the nickname is cut", came_back(body(nickname="New name"), nickname="New"), Broken("changed", "/nickname")
        ),
        row("the nickname is lost", came_back(body(nickname="New"), nickname=None), Broken("lost", "/nickname")),
        row("white space at an end is lost", came_back(body(nickname="New "), nickname="New"), Broken("changed")),
        row(
            "another pod receives",
            came_back(body(), steps=steps(action(destination={"id": "acc_else", "type": "pod"}))),
            Broken("changed", "/steps/*/actions/*:fixed_amount/destination/id"),
        ),
        row(
            "a default has another value",
            came_back(body(), steps=steps(action(is_direct_deposit=True))),
            Broken("default", "/steps/*/actions/*:fixed_amount/is_direct_deposit", inferred=True),
        ),
        row(
            "two fields are wrong",
            came_back(body(nickname="New", description="New"), nickname="Old", description="Old"),
            Broken("changed", "/description"),
            Broken("changed", "/nickname"),
        ),
        row("the steps are a text", came_back(body(), steps="steps"), Broken("type", "/steps")),
        row("the trigger is gone", came_back(body(), trigger=...), Broken("lost", "/trigger:SCHEDULED")),
        row("the body was to be refused", put(ok(rule(nickname="Old")), body(nickname="New"), content="broken")),
        row("the body says one thing twice", put(ok(rule(nickname="Old")), reading="reading.duplicate-names")),
        row("the answer is a replay", put(ok(rule(nickname="Old")), repeats=0)),
        row("the update was one of several at once", put(ok(rule(nickname="Old")), group=1)),
        row("the answer holds no data, which is judged elsewhere", put(ok(data=...))),
        row(
            "whoever may not was let in, which is judged elsewhere",
            put(ok(rule(nickname="Old")), access="no-permission"),
        ),
        row("the update was refused", put(refused())),
    ),
    "update.omitted-is-cleared": (
        row("what was left out is null", put(ok(rule(description=None)), body(description=...)), HOLDS),
        row("what was left out is absent", put(ok(rule(description=...)), body(description=...)), HOLDS),
        row("what was null is absent", put(ok(rule(description=...)), body(description=None)), HOLDS),
        row(
            "what was left out is still there",
            put(ok(rule(description="Old")), body(description=...)),
            Broken("not-cleared", "/description"),
        ),
        row(
            "what was set to null is still there",
            put(ok(rule(nickname="Old")), body(nickname=None)),
            Broken("not-cleared", "/nickname"),
        ),
        row(
            "what was left out is an empty text",
            put(ok(rule(nickname="")), body(nickname=...)),
            Broken("not-cleared", "/nickname"),
        ),
        row(
            "a limit that was left out is still there",
            put(ok(rule(steps=steps(action(limit={"period": "PER_WEEK", "amount_in_cents": 5}))))),
            Broken("not-cleared", "/steps/*/actions/*:fixed_amount/limit", inferred=True),
        ),
        row(
            "a field of the trigger before is left behind",
            put(
                ok(rule(trigger={"type": "MANUAL", "account_id": "acc_1", "schedule_type": "MONTHLY"})),
                body(trigger={"type": "MANUAL", "account_id": "acc_1"}),
            ),
            Broken("not-cleared", "/trigger:MANUAL/schedule_type", inferred=True),
            before=rule(),
        ),
        row(
            "a field that the trigger before did not have is the server's",
            put(
                ok(rule(trigger={"type": "MANUAL", "account_id": "acc_1", "schedule_type": "MONTHLY"})),
                body(trigger={"type": "MANUAL", "account_id": "acc_1"}),
            ),
            HOLDS,
            before=rule(trigger={"type": "MANUAL", "account_id": "acc_1"}),
        ),
        row(
            "a field of the trigger that an earlier update set is left behind",
            [
                put(ok()),
                put(
                    ok(rule(trigger={"type": "MANUAL", "account_id": "acc_1", "schedule_type": "MONTHLY"})),
                    body(trigger={"type": "MANUAL", "account_id": "acc_1"}),
                ),
            ],
            HOLDS,
            Broken("not-cleared", inferred=True),
        ),
        row("the body was to be refused", put(ok(rule(description="Old")), body(description=...), content="broken")),
        row("the answer is a replay", put(ok(rule(description="Old")), body(description=...), repeats=0)),
        row("the update was refused", put(refused())),
    ),
    "update.steps-replaced": (
        row("the steps are those of the body", came_back(body(steps=TWO_PODS)), HOLDS),
        row("the steps are none, as in the body", came_back(body(steps=[])), HOLDS),
        row(
            "the actions are merged with the old ones",
            came_back(body(), steps=steps(action(), action())),
            Broken("length", "/steps/*/actions", told="entries instead of"),
        ),
        row(
            "the steps are appended",
            came_back(body(), steps=[*steps(action()), *steps(action())]),
            Broken("length", "/steps"),
        ),
        row("the last action is cut", came_back(body(steps=TWO_PODS), steps=steps(action())), Broken("length")),
        row(
            "of a thousand actions one is lost",
            put(
                ok(rule(steps=steps(*[action()] * 999))),
                body(steps=steps(*[action()] * 1_000)),
                content="size",
                requirement="validation.size",
            ),
            Broken("length", "/steps/*/actions"),
        ),
        row(
            "the actions are in another order",
            came_back(body(steps=TWO_PODS), steps=TURNED),
            Broken("order", told="has its entries in another order"),
        ),
        row(
            "the actions are numbered anew",
            came_back(body(steps=steps(action(group_index=3))), steps=steps(action(group_index=0))),
            Broken("changed", "/steps/*/actions/*:fixed_amount/group_index"),
        ),
        row("an amount is another one", came_back(body(), steps=steps(action(amount_in_cents=1))), HOLDS),
        row("the body was to be refused", put(ok(rule(steps=[])), content="broken")),
        row("the answer is a replay", put(ok(rule(steps=[])), repeats=0)),
        row("the update was refused", put(refused())),
    ),
    "update.amounts-exact": (
        row("an amount survives", amount(100001, 100001), HOLDS),
        row("an amount survives as a float", amount(100000, 100000.0), HOLDS),
        row("the largest exact amount survives", amount(2**53 - 1, 2**53 - 1), HOLDS),
        row("a percentage survives with its fraction", percentage(33.33, 33.33), HOLDS),
        row("an amount is off by a cent", amount(100001, 100000), Broken("changed", AMOUNT)),
        row("an amount is in other units", amount(1000, 10), Broken("changed")),
        row("an amount becomes a text", amount(1000, "1000"), Broken("changed")),
        row("an amount is lost", amount(1000, None), Broken("lost")),
        row("a percentage is rounded", percentage(33.33, 33), Broken("changed", PERCENTAGE, inferred=True)),
        row(
            "an amount beyond what is exact is altered",
            beyond(2**53 + 1, 2**53),
            Broken("changed", AMOUNT),
        ),
        row("an amount beyond what is exact survives", beyond(2**53 + 1, 2**53 + 1), HOLDS),
        row("a fraction of a cent is cut off", beyond(100.5, 100), Broken("changed", AMOUNT)),
        row("a negative amount becomes zero", beyond(-1, 0), Broken("changed", AMOUNT)),
        row("a text that looks like an amount becomes one", beyond("100", 100), HOLDS),
        row("an amount beyond all bounds is refused", put(refused(), body(), content="broken")),
        row("a malformed amount is refused", put(refused(), b'{"steps":', content="syntax")),
        row("the nickname is another one", came_back(body(nickname="New"), nickname="Old"), HOLDS),
        row("the answer is a replay", put(ok(rule(steps=steps(cents(amount_in_cents=1)))), repeats=0)),
        row("the body says one thing twice", put(ok(), reading="reading.duplicate-names")),
    ),
}
