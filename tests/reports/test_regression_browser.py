"""The pages of comparison and trend in headless Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules_harness.harness.journal import EpisodeRecord
from rules_harness.openapi.contract import load
from rules_harness.reports.regression import html as comparison_page
from rules_harness.reports.trend import html as trend_page
from rules_harness.reports.trend.model import JudgedRun, trend_of
from tests.reports.browser import IS_SKIPPED, browser
from tests.reports.factories import HOSTILE, answer, episode, footer, header, outcome, refusal, update, written
from tests.reports.recorded import compared

pytestmark = [pytest.mark.browser, pytest.mark.skipif(IS_SKIPPED, reason="no Chromium is installed")]


def pages(folder: Path) -> dict[str, str]:
    """A comparison and a trend, with hostile content."""
    sent = [refusal(401, "unauthorized"), answer(200, {"request_id": HOSTILE, "data": {HOSTILE: 1}})]
    runs = [
        written(folder / str(number), [header(target=HOSTILE), EpisodeRecord(episode("auth/missing", one)), footer()])
        for number, one in enumerate(
            update(got, authorization=None, caller="none", access="unauthenticated", label=HOSTILE) for got in sent
        )
    ]
    judged = JudgedRun(HOSTILE, header(), outcome(verdicts={"auth.missing": ("failed", HOSTILE)}), load())
    return {
        "comparison": comparison_page.render(compared(*runs)),
        "trend": trend_page.render(trend_of([judged, judged])),
    }


@pytest.mark.slow
def test_pages_load_without_errors_or_requests(tmp_path: Path) -> None:
    with browser() as page:
        for name, text in pages(tmp_path).items():
            path = tmp_path / f"{name}.html"
            path.write_text(text, encoding="utf-8")
            for scheme in ("light", "dark"):
                page.prefer(scheme)
                page.open(path.as_uri())
                shown = page.evaluate("document.querySelector('[data-theme-toggle]').textContent")
                assert shown == ("Dark" if scheme == "light" else "Light")
                assert page.serious_faults() == []
            assert page.evaluate("window.hacked") is None
            page.size(390, 800, phone=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            there = "a => document.querySelector(a.getAttribute('href')) !== null"
            links = page.evaluate(f"[...document.links].map({there})")
            assert all(links)
        assert page.console == []
        assert {url for url in page.requests if not url.startswith(("file:", "data:"))} == set()
