"""The outcome of a recorded run, its episodes judged one after the other, so that a journal of any length fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.journal import Count, EpisodeRecord, Footer, Header, Note, Record, Skipped
from harness.judge import conclude
from harness.outcome import Outcome
from harness.tally import Tally
from harness.tally import Tally
from openapi.contract import Contract


def outcome_of(
    records: Iterable[Record | None], contract: Contract, *, accepted: Mapping[str, str] | None = None
) -> Outcome:
    """What today's checks say of a journal; ``accepted`` are the findings that a baseline accepts, with its reasons.

    ``records`` yields the header first.  Raises whatever it raises.
    """
    tally = Tally(contract)
    skipped: list[Skipped] = []
    notes: list[Note] = []
    footer: Footer | None = None
    header: Header | None = None
    for record in records:
        match record:
            case EpisodeRecord(episode=episode):
                tally.add(episode)
            case Count():
                tally.add_count(record)
            case Skipped():
                skipped.append(record)
            case Note():
                notes.append(record)
            case Header():
                header = record
            case Footer():
                footer = record
            case _:
                pass
    assert header is not None
    return conclude(
        tally,
        profile=header.profile,
        skipped=skipped,
        notes=notes,
        select=header.select,
        fail_on=header.fail_on,
        accepted=accepted,
        interrupted=footer is not None and footer.interrupted,
        whole=footer is not None,
    )
