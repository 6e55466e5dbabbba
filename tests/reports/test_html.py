from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections import Counter
from xml.etree.ElementTree import Element

import html5lib
import msgspec
import pytest

from rules_harness.harness.exchange import Facts
from rules_harness.harness.journal import EpisodeRecord
from rules_harness.reports import html
from tests.reports.factories import (
    HOSTILE,
    answer,
    contract,
    episode,
    finding,
    footer,
    header,
    outcome,
    report_of,
    update,
)
from tests.reports.samples import sample_records, sample_report

NAMESPACE = "{http://www.w3.org/1999/xhtml}"


def parsed(page: str) -> Element:
    """The page by an HTML5 parser that forgives nothing."""
    tree: Element = html5lib.HTMLParser(strict=True).parse(page)
    return tree


def elements(tree: Element, name: str) -> list[Element]:
    return tree.findall(f".//{NAMESPACE}{name}")


def text_of(element: Element) -> str:
    return "".join(element.itertext())


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(sample_report())


@pytest.fixture(scope="module")
def tree(page: str) -> Element:
    return parsed(page)


def test_it_is_html_without_an_error(tree: Element) -> None:
    assert text_of(elements(tree, "h1")[0]) == "Violates the contract"
    assert tree.get("lang") == "en"


def test_nothing_is_loaded_from_anywhere(tree: Element) -> None:
    for element in tree.iter():
        for name in ("src", "href", "action", "srcset", "poster", "data", "xlink:href"):
            value = element.get(name, "#")
            assert value.startswith("#") or value == "data:,", f"{element.tag} {name}={value}"
    style = text_of(elements(tree, "style")[0])
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_its_own_style_and_script_alone(tree: Element) -> None:
    policy = next(meta.get("content", "") for meta in elements(tree, "meta") if meta.get("http-equiv"))
    for name in ("style", "script"):
        (element,) = elements(tree, name)
        digest = base64.b64encode(hashlib.sha256(text_of(element).encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_no_element_carries_a_style_or_a_handler(tree: Element) -> None:
    for element in tree.iter():
        assert not [name for name in element.attrib if name == "style" or str(name).startswith("on")]


def test_ids_are_unique_and_links_lead_somewhere(tree: Element) -> None:
    ids = Counter(element.get("id") for element in tree.iter() if element.get("id"))
    assert set(ids.values()) == {1}
    targets = {(link.get("href") or "")[1:] for link in elements(tree, "a")}
    assert targets <= set(ids)


def test_each_finding_has_its_link_and_its_contract(tree: Element) -> None:
    report = sample_report()
    cards = {
        element.get("id"): element for element in elements(tree, "details") if element.get("data-item") is not None
    }
    assert set(cards) == {f"finding-{view.id}" for view in report.findings}
    groups = [text_of(element) for element in elements(tree, "div") if element.get("class", "").startswith("broken")]
    first = next(text for text in groups if "auth.missing" in text)
    assert "No Authorization header: 401." in first
    assert "The documentation says: “" in first
    assert "Expected401" in re.sub(r"\s", "", first)


def test_headings_go_down_step_by_step(tree: Element) -> None:
    levels = [
        int(str(element.tag)[-1])
        for element in tree.iter()
        if re.fullmatch(r"h[1-6]", str(element.tag)[len(NAMESPACE) :])
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_say_what_their_headers_are_for(tree: Element) -> None:
    for header_cell in elements(tree, "th"):
        assert header_cell.get("scope") in ("col", "row")


def test_hostile_text_stays_text(page: str, tree: Element) -> None:
    assert len(elements(tree, "script")) == 1
    assert "<script>window.hacked=1</script>\\u202egnp.exe␀␛[31m]]>" in text_of(tree)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert HOSTILE not in page


def test_hostile_names_everywhere_stay_text() -> None:
    records, _ = sample_records(target=HOSTILE, base_url=f"http://127.0.0.1/{HOSTILE}", select=(HOSTILE,))
    found = finding("auth.missing", "auth/hostile", [0], place=HOSTILE, kind=HOSTILE, expected=HOSTILE, actual=HOSTILE)
    got = answer(200, HOSTILE, media_type=HOSTILE)
    odd = update(got, HOSTILE.encode(), caller=HOSTILE, headers=[("X-Odd", HOSTILE)])
    one = episode("auth/hostile", odd, facts=Facts(before={"rule_a": {"nickname": HOSTILE}}), notes=(HOSTILE,))
    tree = parsed(html.render(report_of([*records, EpisodeRecord(one)], outcome([found]))))
    assert len(elements(tree, "script")) == 1
    assert elements(tree, "img") == []


def test_an_answer_of_megabytes_is_cut() -> None:
    great = update(answer(200, {"data": {"nickname": "x" * 5_000_000}}))
    found = finding("update.replaces", "update/great", [0], place="/nickname", actual="x" * 5_000_000)
    report = report_of([header(), EpisodeRecord(episode("update/great", great)), footer()], outcome([found]))
    page = html.render(report)
    assert len(page) < 300_000
    assert "more characters" in page


@pytest.mark.slow
def test_many_findings_are_told_in_brief_and_the_page_stays_small() -> None:
    exchange = update(answer(200, {"data": {"nickname": "x" * 3000}}), contract().example_body())
    episodes = [episode(f"update/{number}", *[exchange] * 20) for number in range(300)]
    names = list(contract().requirements)
    findings = [
        finding(names[number % len(names)], one.id, [0, 1, 2], place=f"/{number}")
        for number, one in enumerate(episodes)
    ]
    page = html.render(report_of([header(), *map(EpisodeRecord, episodes), footer()], outcome(findings)))
    assert len(page.encode()) < 700_000
    assert page.count("data-item data-verdict=") == 300 + len(names)
    assert "would grow too long" in page


def test_a_conforming_run_says_so() -> None:
    page = html.render(report_of([header(), footer()], outcome()))
    assert "Nothing that was put to the test broke the contract." in page
    parsed(page)


def test_a_cut_off_run_says_what_is_missing() -> None:
    page = html.render(report_of([header()], outcome(conclusion="inconclusive")))
    tree = parsed(page)
    callouts = [text_of(element) for element in elements(tree, "p") if "callout" in element.get("class", "")]
    assert any("was cut off" in text for text in callouts)


def test_templates_miss_no_value() -> None:
    report = msgspec.structs.replace(sample_report(), latency=None, readings=(), coverage=(), rules=(), notes=())
    parsed(html.render(report))
