"""Updates at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.reference.api import A, Api, B, body
from tests.reference.battery.lines import Lines, state


def numbered(number: int) -> dict[str, Any]:
    """A body whose every part says which it is, so that halves of two can be told."""
    made = body("/trigger/start_date", f"2027-04-0{number}T09:00:00Z")
    return made | {"nickname": f"n{number}", "steps": made["steps"] * number}


def _is_whole(rule: Any) -> bool:
    meant = numbered(len(rule["steps"]))
    return (rule["nickname"], rule["trigger"]) == (meant["nickname"], meant["trigger"])


def simultaneous(api: Api, bodies: list[Any], keys: list[str | None], rules: list[str]) -> str:
    """What came of updates that were sent together."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        sent = list(zip(rules, bodies, keys, strict=True))
        answers = list(pool.map(lambda each: api.put(each[0], each[1], key=each[2]), sent))
    names = [answer.json().get("data", {}).get("nickname") for answer in answers]
    own = [name == each["nickname"] for name, each in zip(names, bodies, strict=True)]
    stored = [state(api)[rule_id] for rule_id in dict.fromkeys(rules)]
    fits = [(rule["status"], _is_whole(rule)) for rule in stored]
    distinct = len({answer.text for answer in answers}) if keys[0] else 0
    return f"{sorted(answer.status_code for answer in answers)} {own} {fits} {distinct}"


def concurrency(api: Api) -> Lines:
    bodies = [numbered(number) for number in range(1, 5)]
    for rules in ([A] * 4, [A, B] * 2) * 2:
        api.enable(A)
        yield simultaneous(api, bodies, [None] * 4, rules)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.put, A, bodies[0])
        seen = {True}
        while not running.done():
            seen.add(_is_whole(api.get(A)))
    yield str(seen)
