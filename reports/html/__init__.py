"""The HTML report: one file that a person reads, wherever it lies."""

from __future__ import annotations

from typing import Final

import msgspec
from markupsafe import Markup

from rules_harness.harness.judging.outcome import UNJUDGED
from rules_harness.reports import again, curl, plain
from rules_harness.reports.html import page
from rules_harness.reports.html.pictures import HEIGHT, WIDTH, histogram, shares
from rules_harness.reports.html.wire import Wire, wire
from rules_harness.reports.model import VERDICTS, FindingGroup, FindingView, RunReport

SIZE_LIMIT: Final = 240_000
"""Characters of findings with their exchanges; those beyond are told in brief, with the command that shows them."""
_EPISODE_SHOWN: Final = 25
_BODY_LIMIT: Final = 2000
_EPISODE_BODY_LIMIT: Final = 400
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
    replay: str
    curl: str
    files: tuple[str, str] | None
    brief: bool


class RenderedGroup(msgspec.Struct, frozen=True):
    """The findings against one requirement, rendered: the first ones, the others, and those folded under it."""

    group: FindingGroup
    basis: str
    first: tuple[Markup, ...]
    others: tuple[Markup, ...]
    also: tuple[RenderedGroup, ...]


def render(report: RunReport) -> str:
    """The page; under 700 kB for a whole run of hundreds of findings, so that it opens at once and can be mailed."""
    first_finding: dict[str, str] = {}
    for view in report.findings:
        first_finding.setdefault(view.finding.requirement, view.id)
    cards = _Cards(report)
    return page.render(
        "report.html",
        title=f"{report.headline}: {report.operation} of {report.target.name}",
        report=report,
        groups=tuple(cards.group(group, is_open=at < _GROUPS_OPEN) for at, group in enumerate(report.groups)),
        verdicts=VERDICTS,
        unjudged=UNJUDGED,
        verdict_bar=shares({verdict: report.count(verdict) for verdict in reversed(VERDICTS)}),
        status_bar=shares(dict(report.statuses)),
        histogram=histogram(report.latency) if report.latency else None,
        width=WIDTH,
        height=HEIGHT,
        first_finding=first_finding,
    )


class _Cards:
    """Renders findings until the page has its size, and tells those beyond in brief."""

    def __init__(self, report: RunReport) -> None:
        self._report = report
        self._template = page.environment().get_template("finding.html")
        self._size = 0

    def group(self, group: FindingGroup, *, is_open: bool) -> RenderedGroup:
        cards = [self._card(view, position, is_open=is_open) for position, view in enumerate(group.views)]
        return RenderedGroup(
            group=group,
            basis=plain.basis(group.requirement),
            first=tuple(cards[: plain.FULL]),
            others=tuple(cards[plain.FULL :]),
            also=tuple(self.group(other, is_open=False) for other in group.also),
        )

    def _card(self, view: FindingView, position: int, *, is_open: bool) -> Markup:
        card = _card(view, self._report, brief=self._size > SIZE_LIMIT, is_first=position == 0)
        text = self._template.render(card=card, profile=self._report.target.profile, is_open=is_open and position == 0)
        self._size += len(text)
        return Markup(text)


def _card(view: FindingView, report: RunReport, *, brief: bool, is_first: bool) -> Card:
    proof = () if brief else tuple(wire(shown, _BODY_LIMIT) for shown in view.proof[:_PROOFS_SHOWN])
    is_longer = is_first and not brief and len(view.episode) > len(proof)
    return Card(
        view=view,
        proof=proof,
        episode=tuple(wire(shown, _EPISODE_BODY_LIMIT) for shown in view.episode[:_EPISODE_SHOWN]) if is_longer else (),
        left_out=max(len(view.episode) - _EPISODE_SHOWN, 0),
        replay=again.replay(view, report),
        curl="" if brief else "\n".join(curl.lines(view, report)),
        files=again.files(view, report) if view.finding.shown_by else None,
        brief=brief,
    )
