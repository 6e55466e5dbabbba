"""The report in a real browser: what runs, what is asked of the network, what a reader can do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules_harness.reports import html
from tests.reports.browser import IS_SKIPPED, Page, browser
from tests.reports.samples import sample_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.render(sample_report()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    if IS_SKIPPED:
        pytest.skip("no Chromium is installed")
    with browser() as page:
        yield page


@pytest.fixture
def page(tab: Page, file: Path) -> Page:
    """The report, freshly loaded, on a desktop in daylight."""
    tab.console.clear()
    tab.requests.clear()
    tab.size(1280, 900)
    tab.prefer("light")
    tab.open("about:blank")
    tab.requests.clear()
    tab.open(file.as_uri())
    return tab


def ids(page: Page, selector: str) -> list[str]:
    found: list[str] = page.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.id)")
    return found


def shown_findings(page: Page) -> list[str]:
    return ids(page, "details[data-item]:not([hidden])")


def shown_requirements(page: Page) -> list[str]:
    return [id.removeprefix("requirement-") for id in ids(page, "tr[data-item]:not([hidden])")]


def choose(page: Page, **values: str) -> None:
    page.evaluate(
        f"""(() => {{
          const form = document.querySelector("[data-filter]");
          for (const [name, value] of Object.entries({json.dumps(values)})) form.elements[name].value = value;
          form.dispatchEvent(new Event("input", {{bubbles: true}}));
        }})()"""
    )


def test_nothing_goes_wrong_and_nothing_is_asked_of_the_network(page: Page, file: Path) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert page.console == []
    assert page.requests == [file.as_uri()]


def test_no_script_of_the_target_runs(page: Page) -> None:
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.evaluate("document.body.textContent.includes('<script>window.hacked=1</script>')") is True
    assert page.evaluate("document.scripts.length") == 1


def test_the_policy_stops_what_would_be_put_in(page: Page) -> None:
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert page.evaluate("typeof window.hacked") == "undefined"


def test_verdict_filter_shows_what_failed(page: Page) -> None:
    report = sample_report()
    choose(page, verdict="failed")
    assert shown_requirements(page) == [row.id for row in report.requirements if row.verdict == "failed"]
    musts = [view for view in report.findings if view.finding.level == "must" and not view.finding.accepted]
    assert shown_findings(page) == [f"finding-{view.id}" for view in musts]
    assert page.evaluate("document.querySelector('[data-shown]').textContent") == "6 findings, 6 requirements"
    choose(page, verdict="unjudged")
    assert len(shown_requirements(page)) == 4
    assert page.evaluate("document.querySelector('[data-nothing]').hidden") is False
    choose(page, verdict="all")
    assert len(shown_requirements(page)) == len(report.requirements)


def test_search_and_family_narrow_it_down(page: Page) -> None:
    choose(page, words="REPLAY original")
    assert "idempotency.replay" in shown_requirements(page)
    assert "auth.missing" not in shown_requirements(page)
    choose(page, words="", family="authz")
    assert {id.split(".")[0] for id in shown_requirements(page)} == {"authz"}
    assert page.evaluate("[...document.querySelectorAll('[data-group]')].filter((one) => !one.hidden).length") == 2


def test_search_works_by_typing(page: Page) -> None:
    page.evaluate("document.querySelector('input[type=search]').focus()")
    page.type("advance_clock")
    assert shown_requirements(page) == ["idempotency.window"]


def test_a_link_opens_its_finding_even_when_it_is_filtered_out(page: Page, file: Path) -> None:
    view = sample_report().findings[-1]
    choose(page, verdict="passed")
    page.evaluate(f"location.hash = 'finding-{view.id}'")
    page.wait(lambda: page.evaluate(f"document.getElementById('finding-{view.id}').open"))
    assert page.evaluate(f"document.getElementById('finding-{view.id}').hidden") is False
    page.open("about:blank")
    page.open(f"{file.as_uri()}#finding-{view.id}")
    assert page.evaluate(f"document.getElementById('finding-{view.id}').open") is True
    top = page.evaluate(f"document.getElementById('finding-{view.id}').getBoundingClientRect().top")
    assert -5 <= top <= 900


def test_a_square_at_a_glance_leads_to_its_finding(page: Page) -> None:
    view = next(view for view in sample_report().findings if view.finding.requirement == "update.replaces")
    page.evaluate("document.querySelector('.dot[title^=\"update.replaces\"]').click()")
    page.wait(lambda: page.evaluate(f"location.hash === '#finding-{view.id}'"))
    assert page.evaluate(f"document.getElementById('finding-{view.id}').open") is True


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    seen = []
    for _ in range(120):
        page.press("Tab")
        seen.append(page.evaluate("document.activeElement.tagName"))
    assert {"A", "INPUT", "SELECT", "BUTTON", "SUMMARY", "PRE"} <= set(seen)


def test_a_copy_button_copies_the_command(page: Page) -> None:
    page.evaluate(
        """(() => {
          navigator.clipboard.writeText = async (text) => { document.title = text; };
          const button = document.querySelector("[data-copy]");
          button.closest("details.finding").open = true;
          button.closest("details").open = true;
          button.click();
        })()"""
    )
    page.wait(lambda: page.evaluate("document.querySelector('[data-copy]').textContent.startsWith('Copied')"))
    assert str(page.evaluate("document.title")).startswith("rules-harness replay RUN ")


WIDEST = """[...document.querySelectorAll('main *')]
  .sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)
  .slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" | ")"""


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_dark_follows_the_system_and_the_button(page: Page) -> None:
    light = background(page)
    page.prefer("dark")
    dark = background(page)
    assert light != dark
    page.evaluate("document.querySelector('[data-theme-toggle]').click()")
    assert background(page) == light
    assert page.evaluate("document.querySelector('[data-theme-toggle]').textContent") == "Dark"
    page.evaluate("localStorage.clear()")


@pytest.mark.parametrize(("width", "phone"), [(1280, False), (768, False), (390, True), (320, True)])
def test_nothing_sticks_out_sideways(page: Page, width: int, phone: bool) -> None:
    page.size(width, 844, phone=phone)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(WIDEST)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(page: Page, scheme: str) -> None:
    page.prefer(scheme)
    assert page.serious_faults() == []


def test_print_shows_every_finding_open(page: Page) -> None:
    page.call("Page.printToPDF", printBackground=True)
    assert page.evaluate("[...document.querySelectorAll('details[data-item]')].every((one) => one.open)") is True
