from __future__ import annotations

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rules_harness.reports import markdown
from rules_harness.reports.text import visible
from tests.reports.factories import HOSTILE, footer, header, outcome, report_of
from tests.reports.samples import sample_report

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
OWN_HTML = re.compile(r"</?(details|summary)>")


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def text_of(markup: str) -> str:
    return "".join(child.content for child in inline(PARSER.parse(markup)))


def test_summary_is_commonmark_with_its_headings_and_tables() -> None:
    tokens = PARSER.parse(markdown.render(sample_report()))
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings[0].startswith("❌ Violates the contract")
    assert "Findings" in headings
    assert "Readings" in headings
    assert sum(token.type == "table_open" for token in tokens) > 15
    fences = [token for token in tokens if token.type == "fence"]
    assert any("curl" in fence.content for fence in fences)


def test_no_html_but_its_own_and_no_link_comes_through() -> None:
    tokens = PARSER.parse(markdown.render(sample_report()))
    blocks = [token.content for token in tokens if token.type == "html_block"]
    spans = [token.content for token in inline(tokens) if token.type == "html_inline"]
    left = OWN_HTML.sub("", "".join(blocks + spans))
    assert "<" not in left
    assert not [token for token in inline(tokens) if token.type in ("link_open", "image")]


@given(st.text(max_size=60))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    shown = visible(text)
    assert text_of(markdown.escaped(shown)) == " ".join(shown.split())


@given(st.text(max_size=60))
def test_code_in_a_table_stays_one_cell(text: str) -> None:
    shown = visible(text)
    tokens = PARSER.parse(f"| a | b |\n| --- | --- |\n| {markdown.code(shown)} | c |")
    cells = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2
    assert cells[1] == "c"


@given(st.text(alphabet="`~ a\n", max_size=40))
def test_a_block_cannot_be_ended_from_within(text: str) -> None:
    tokens = PARSER.parse(markdown.block(text, "bash") + "\n\nafter")
    assert [token.type for token in tokens][:2] == ["fence", "paragraph_open"]


def test_names_in_sentences_are_code() -> None:
    assert markdown.prose("no `data`, and `x`") == "no `data`\\, and `x`"


def test_mentions_do_not_reach_anybody() -> None:
    assert "@all" not in markdown.escaped(HOSTILE)


def test_size_stays_below_what_ci_accepts() -> None:
    report = sample_report()
    told = markdown.render(msgspec.structs.replace(report, groups=report.groups * 2000))
    assert 800_000 < len(told.encode()) < 1024 * 1024
    assert "and more, in the HTML report" in told


def test_the_first_twelve_lines_say_what_broke_and_how_to_see_it_again() -> None:
    first, _, rest = markdown.render(sample_report()).partition("\n## Findings")
    lines = [line for line in first.splitlines() if line]
    assert len(lines) <= 12
    assert "status.enabled-becomes-disabled" in lines[2]
    assert "also seen as `status.stored`" in lines[2]
    assert any(line.startswith("rules-harness replay RUN ") for line in lines)
    assert "<details>" not in first
    assert rest.count("<details>") == rest.count("</details>")


def test_a_conforming_run_is_short() -> None:
    told = markdown.render(report_of([header(), footer()], outcome()))
    assert told.startswith("# ✅ Conforms to the contract")
    assert "## Findings" not in told
