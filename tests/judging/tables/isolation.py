"""Simultaneous updates of different rules do not mix."""

from __future__ import annotations

from tests.judging.episodes import OTHER, get, lost, ok, refused
from tests.judging.keyed import answer, held
from tests.judging.rows import HOLDS, Broken, Table, row
from tests.judging.tables.concurrency import apart, at_once, between, finally_

TABLE: Table = {
    "concurrency.isolated": (
        row("each rule is answered with its own body", [apart(1), apart(2, id=OTHER)], HOLDS, HOLDS),
        row(
            "each rule holds its own body",
            [apart(1), apart(2, id=OTHER), finally_(held(1)), get(held(2, OTHER), rule=OTHER, at=(6, 7))],
            HOLDS,
            HOLDS,
        ),
        row(
            "a rule is answered with the other's body",
            [apart(1), apart(2, answer(1, OTHER), id=OTHER)],
            HOLDS,
            Broken("not its own body", "different rules", explained=True, shown_by=(1,)),
        ),
        row(
            "a rule is answered with the other's id",
            [apart(1), apart(2, answer(2), id=OTHER)],
            HOLDS,
            Broken("not its own body", explained=False),
        ),
        row(
            "a rule holds the other's body",
            [apart(1), apart(2, id=OTHER), finally_(held(1)), get(held(1, OTHER), rule=OTHER, at=(6, 7))],
            HOLDS,
            Broken("not its own body", "different rules", by_states=True, explained=True, shown_by=(1, 3)),
        ),
        row(
            "a rule is answered with the other's body, and holds it",
            [
                apart(1),
                apart(2, answer(1, OTHER), id=OTHER),
                finally_(held(1)),
                get(held(1, OTHER), rule=OTHER, at=(6, 7)),
            ],
            HOLDS,
            Broken("not its own body", "different rules"),
        ),
        row(
            "one is refused, with the other's data",
            [apart(1), apart(2, refused(409, data=held(1, OTHER)), id=OTHER)],
            HOLDS,
        ),
        row("one is refused", [apart(1), apart(2, refused(409), id=OTHER)], HOLDS),
        row("one is lost", [apart(1), apart(2, lost(), id=OTHER)], HOLDS),
        row("one holds no data, which is judged elsewhere", [apart(1), apart(2, ok(data=...), id=OTHER)], HOLDS),
        row("they are for another requirement", [at_once(answer(1)), at_once(answer(1, OTHER), rule=OTHER)]),
        row("a read came in between", [apart(1), apart(2, id=OTHER), between(held(1))], HOLDS, HOLDS),
        row("all are refused", [apart(1, refused(409)), apart(2, refused(409), id=OTHER)]),
    ),
}
