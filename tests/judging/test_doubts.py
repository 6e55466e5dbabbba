"""What states speak for counts where it shows again, and nobody else writes to the rule."""

from __future__ import annotations

import msgspec
import pytest

from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.harness.judging.tally import Tally
from tests.judging.episodes import OTHER, RULE, episode, put
from tests.judging.tallies import a_violation, an_episode, concluded, tally_of, verdict_of

DISTURBED = "rule_a changed while nothing was sent to it: somebody else writes to it"
"""What is said where episodes are disturbed by another writer to rule_a."""
STATES = a_violation(compares_states=True)
SILENCE = a_violation(is_silence=True)


def _confirmed(*judgements: Judgement, times: int = 1, disturbed: str = "") -> Tally:
    tally = tally_of(STATES)
    for _ in range(times):
        tally.add(an_episode("again", confirms="one", disturbed=disturbed), judgements)
    return tally


def test_states_that_nobody_looked_at_again() -> None:
    assert verdict_of(tally_of(STATES)) == "failed"


def test_states_that_show_again() -> None:
    assert verdict_of(_confirmed(STATES)) == "failed"


def test_states_that_do_not_show_again() -> None:
    tally = _confirmed(Kept("update.replaces"))
    assert verdict_of(tally) == "inconclusive"
    assert "did not show again" in (concluded(tally).requirements["update.replaces"].reason or "")


def test_states_that_somebody_else_writes_to() -> None:
    tally = _confirmed(STATES, disturbed=RULE)
    assert concluded(tally).requirements["update.replaces"].reason == DISTURBED
    assert verdict_of(tally) == "inconclusive"


def test_later_sights_of_what_was_doubted() -> None:
    """More of the same is no proof while nobody has seen it again."""
    tally = _confirmed()
    for number in range(5):
        tally.add(an_episode(f"more {number}"), [STATES])
    assert verdict_of(tally) == "inconclusive"
    tally.add(an_episode("again", confirms="more 4"), [STATES])
    assert verdict_of(tally) == "failed"


def test_a_rule_that_somebody_else_writes_to_proves_nothing() -> None:
    """Who wrote once may have written each time that it showed again; what shows on another rule is nobody else's."""
    tally = _confirmed(STATES)
    tally.add(an_episode("later"), [a_violation("validation.atomic", compares_states=True)])
    tally.add(an_episode("watched", confirms="later", disturbed=RULE), [])
    assert concluded(tally).requirements["update.replaces"].reason == DISTURBED
    assert verdict_of(tally) == "inconclusive"
    elsewhere = msgspec.structs.replace(episode(put(rule=OTHER)), id="elsewhere")
    tally.add(elsewhere, [STATES])
    assert verdict_of(tally) == "failed"


def test_what_rests_on_no_state_is_not_doubted() -> None:
    tally = tally_of(a_violation())
    tally.add(an_episode("again", confirms="one", disturbed=RULE), [])
    assert verdict_of(tally) == "failed"


def _sent_again(violation: Violation, stability: str) -> Tally:
    tally = tally_of(violation)
    tally.add(an_episode("smallest", smallest=violation.finding_id, stability=stability), [violation])
    return tally


@pytest.mark.parametrize(
    ("violation", "stability", "verdict"),
    [
        (STATES, "0 of 3", "inconclusive"),
        (STATES, "1 of 3", "failed"),
        (STATES, "1 of 4", "failed"),
        (STATES, "0 of 2", "failed"),
        (STATES, "", "failed"),
        (SILENCE, "0 of 3", "inconclusive"),
        (SILENCE, "1 of 3", "failed"),
        (SILENCE, "0 of 2", "failed"),
        (SILENCE, "", "failed"),
        (a_violation(), "0 of 3", "failed"),
    ],
)
def test_what_further_tries_do_not_show(violation: Violation, stability: str, verdict: str) -> None:
    tally = _sent_again(violation, stability)
    outcome = concluded(tally)
    assert outcome.requirements["update.replaces"].verdict == verdict
    assert outcome.exit_code == (1 if verdict == "failed" else 0)
    if verdict == "inconclusive":
        assert "3 further tries" in (outcome.requirements["update.replaces"].reason or "")


def test_a_target_that_was_down_is_no_silence_that_never_shows_again() -> None:
    tally = _sent_again(SILENCE, "0 of 3")
    tally.add(an_episode("down"), [a_violation()])
    assert verdict_of(tally) == "failed"


def test_another_writer_speaks_for_no_silence() -> None:
    tally = tally_of(SILENCE)
    tally.add(an_episode("again", confirms="one", disturbed=RULE), [])
    assert verdict_of(tally) == "failed"


def test_states_that_were_confirmed_when_they_were_seen() -> None:
    tally = _sent_again(STATES, "0 of 3")
    tally.add(an_episode("again", confirms="one"), [STATES])
    assert verdict_of(tally) == "failed"


def test_one_of_several_tries_that_shows_it_confirms() -> None:
    tally = _confirmed(times=2)
    tally.add(an_episode("again", confirms="one"), [STATES])
    tally.add(an_episode("again", confirms="one"), [])
    assert verdict_of(tally) == "failed"


def test_a_name_that_is_used_twice_confirms_its_last() -> None:
    tally = tally_of(STATES)
    tally.add(an_episode("one"), [])
    tally.add(an_episode("again", confirms="one"), [])
    assert verdict_of(tally) == "failed"


def test_what_shows_without_comparing_states_counts_whatever_is_doubted() -> None:
    tally = tally_of(STATES, a_violation())
    tally.add(an_episode("again", confirms="one"), [])
    assert verdict_of(tally) == "failed"
