"""The page of a campaign that goes on, in headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rules_harness.harness.campaign.settings import Nobody, State
from rules_harness.harness.cli.live import LiveWatch, served
from rules_harness.harness.journal import EpisodeRecord, Journal
from rules_harness.openapi.contract import load
from tests.reports.browser import IS_SKIPPED, browser
from tests.reports.factories import HOSTILE, answer, episode, header, update

STATE = State("searching", 12.0, 48.0, 1234, 8766, 103.0, (0.012, 0.044), {"mutations": (400, 613)}, {"auth": 1})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    made.write(header())
    yield made
    made.close()


@pytest.fixture
def watch(journal: Journal) -> Iterator[tuple[LiveWatch, str]]:
    with served(0, Nobody(), journal.path, load()) as both:
        yield both


def broken(number: int) -> EpisodeRecord:
    crashed = update(answer(500, HOSTILE), authorization=None, caller="none", access="unauthenticated")
    return EpisodeRecord(episode(f"auth/{number}", crashed))


def test_findings_come_from_the_journal_as_it_grows(watch: tuple[LiveWatch, str], journal: Journal) -> None:
    _, address = watch
    assert httpx.get(f"{address}state.json").json() == {"state": {}, "notes": [], "findings": []}
    journal.write(broken(1))
    found = httpx.get(f"{address}state.json").json()["findings"]
    assert "envelope.no-server-error" in {one["requirement"] for one in found}
    journal.write(broken(2))
    counts = {one["requirement"]: one["count"] for one in httpx.get(f"{address}state.json").json()["findings"]}
    assert counts["envelope.no-server-error"] == 2


def test_it_is_for_this_machine_alone(watch: tuple[LiveWatch, str]) -> None:
    _, address = watch
    assert address.startswith("http://127.0.0.1:")
    assert httpx.get(address).status_code == 200
    assert httpx.get(address, headers={"Host": "elsewhere.example"}).status_code == 403
    assert httpx.get(f"{address}etc/passwd").status_code == 404


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(IS_SKIPPED, reason="no Chromium is installed")
def test_the_page_shows_rate_latency_coverage_and_findings(watch: tuple[LiveWatch, str], journal: Journal) -> None:
    live, address = watch
    journal.write(broken(1))
    live.state(STATE)
    live.note(HOSTILE)
    with browser() as page:
        page.open(address)
        page.wait(lambda: page.evaluate("document.querySelectorAll('[data-findings] tr').length > 0"))
        text = str(page.evaluate("document.querySelector('main').innerText"))
        for told in (
            "searching",
            "1,234",
            "103 per second",
            "12 ms",
            "mutations 400 of 613",
            "envelope.no-server-error",
        ):
            assert told in " ".join(text.split())
        assert page.evaluate("window.hacked") is None
        page.size(390, 800, phone=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.serious_faults() == []
        assert page.console == []
