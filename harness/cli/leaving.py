"""Leaves each finding of a run as a folder of its own: the record, a shell script, a test."""

from __future__ import annotations

from pathlib import Path

from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Episode
from rules_harness.harness.files import make_private, write_private
from rules_harness.harness.journal import EpisodeRecord
from rules_harness.harness.judging.decisive import telling_statuses
from rules_harness.harness.smaller.evidence import FILE_NAME, Evidence
from rules_harness.reports import pytest_case, script
from rules_harness.reports.again import FOLDER
from rules_harness.reports.model import FindingView, RunReport


def leave_findings(out: Path, report: RunReport) -> list[Path]:
    """Write ``findings/ID/`` for each finding that requests show; returns the folder of all. Raises `UsageError`.

    For any run whose journal is whole: that of a conformance run as well as that of a campaign.
    """
    views = {view.id: view for view in report.findings if view.finding.shown_by}
    episodes = _episodes(report, {view.finding.episode for view in views.values()})
    for view in views.values():
        episode = episodes.get(view.finding.episode)
        if episode is None:
            continue
        folder = out / FOLDER / view.id
        try:
            make_private(folder)
            for name, content in _files(view, episode, report).items():
                write_private(folder / name, [content])
        except OSError as error:
            raise UsageError(f"cannot write {folder}: {error.strerror}; the journal is whole") from error
    return [out / FOLDER] if views else []


def _episodes(report: RunReport, wanted: set[str]) -> dict[str, Episode]:
    """The episodes with these ids, from the journal: a report holds what is long in brief."""
    episodes = (record.episode for record in report.records() if isinstance(record, EpisodeRecord))
    return {episode.id: episode for episode in episodes if episode.id in wanted}


def _files(view: FindingView, episode: Episode, report: RunReport) -> dict[str, bytes]:
    evidence = Evidence.of(view.finding, view.requirement.sentence, episode, report.header)
    statuses = telling_statuses(view.finding, evidence.episode, report.contract)
    commands = script.render(view, report, before=episode.facts.before, statuses=statuses)
    test = pytest_case.render(view, report.target, report.contract, data=FILE_NAME)
    return {
        FILE_NAME: evidence.encoded(),
        script.FILE_NAME: commands.encode("utf-8", "backslashreplace"),
        pytest_case.file_name(view): test.encode("ascii"),
    }
