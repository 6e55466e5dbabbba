"""All formats of a report, in one visible table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from rules_harness.reports import badge, ctrf, github, har, html, junit, markdown, ndjson, sarif, summary
from rules_harness.reports.model import RunReport

Pieces = Iterator[bytes]


class Format(msgspec.Struct, frozen=True):
    """One format: the name of its file, and what makes its text, whole or in pieces."""

    file_name: str
    text: Callable[[RunReport], str | Iterable[str]]

    def render(self, report: RunReport) -> Pieces:
        """The file in pieces, UTF-8, so that no format needs memory for more than one."""
        text = self.text(report)
        for piece in [text] if isinstance(text, str) else text:
            yield piece.encode("utf-8", "backslashreplace")


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format("report.html", html.render),
    "junit": Format("junit.xml", junit.render),
    "sarif": Format("report.sarif", sarif.render),
    "markdown": Format("report.md", markdown.render),
    "github": Format("annotations.txt", github.lines),
    "ndjson": Format("report.ndjson", ndjson.lines),
    "har": Format("report.har", har.pieces),
    "ctrf": Format("ctrf.json", ctrf.render),
    "badge": Format("badge.json", badge.render),
    "summary": Format("summary.json", summary.render),
}


def render_all(report: RunReport, names: Iterable[str]) -> Iterator[tuple[str, Pieces]]:
    """Of each named format the file name and the content, made as it is taken. Raises KeyError for an unknown name."""
    for name in dict.fromkeys(names):
        yield FORMATS[name].file_name, FORMATS[name].render(report)
