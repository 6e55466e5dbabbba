"""The HTML report: one file that a person reads, wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from markupsafe import Markup

from rules_harness.reports import curl, plain
from rules_harness.reports.html import page
from rules_harness.reports.html.pictures import HEIGHT, WIDTH, histogram, shares
from rules_harness.reports.html.wire import Wire, wire
from rules_harness.reports.model import VERDICTS, FindingGroup, FindingView, RunReport

SIZE_LIMIT: Final = 3_000_000
"""Characters of findings with their exchanges; those beyond are told in brief."""
_EPISODE_SHOWN: Final = 40
_BODY_LIMIT: Final = 2500
_PROOFS_SHOWN: Final = 3
_GROUPS_OPEN: Final = 3


class Card(msgspec.Struct, frozen=True):
    """A finding with what is made of it for the page.

    ``brief`` ones come without exchanges; of many findings against one requirement only the first come with the whole
    episode.
    """

    view: FindingView
    proof: tuple[Wire, ...]
    episode: tuple[Wire, ...]
    left_out: int
    curl: str
    brief: bool


class RenderedGroup(msgspec.Struct, frozen=True):
    """The findings against one requirement, rendered: the first ones, and the others."""

    group: FindingGroup
    basis: str
    first: tuple[Markup, ...]
    others: tuple[Markup, ...]


def render(report: RunReport) -> str:
    """The page; under 5 MB however long the run was."""
    first_finding: dict[str, str] = {}
    for view in report.findings:
        first_finding.setdefault(view.finding.requirement, view.id)
    return page.render(
        "report.html",
        title=f"{report.headline}: {report.operation} of {report.target.name}",
        report=report,
        groups=tuple(_groups(report)),
        verdicts=VERDICTS,
        verdict_bar=shares({verdict: report.count(verdict) for verdict in reversed(VERDICTS)}),
        status_bar=shares(dict(report.statuses)),
        histogram=histogram(report.latency) if report.latency else None,
        width=WIDTH,
        height=HEIGHT,
        first_finding=first_finding,
    )


def _groups(report: RunReport) -> Iterator[RenderedGroup]:
    template = page.environment().get_template("finding.html")
    size = 0
    for number, group in enumerate(report.groups):
        cards = []
        for position, view in enumerate(group.views):
            card = _card(view, report, brief=size > SIZE_LIMIT, is_first=position < plain.FULL)
            text = template.render(card=card, is_open=number < _GROUPS_OPEN and position == 0)
            size += len(text)
            cards.append(Markup(text))
        yield RenderedGroup(
            group, plain.basis(group.requirement), tuple(cards[: plain.FULL]), tuple(cards[plain.FULL :])
        )


def _card(view: FindingView, report: RunReport, *, brief: bool, is_first: bool) -> Card:
    proof = () if brief else tuple(wire(shown, _BODY_LIMIT) for shown in view.proof[:_PROOFS_SHOWN])
    is_longer = is_first and not brief and len(view.episode) > len(proof)
    return Card(
        view=view,
        proof=proof,
        episode=tuple(wire(shown, 600) for shown in view.episode[:_EPISODE_SHOWN]) if is_longer else (),
        left_out=max(len(view.episode) - _EPISODE_SHOWN, 0),
        curl="" if brief else "\n".join(curl.lines(view, report.target)),
        brief=brief,
    )
