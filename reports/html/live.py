"""The page of a campaign that goes on: a frame that its script fills from the server that it came from."""

from __future__ import annotations

from rules_harness.reports.html import page


def render() -> str:
    """The page."""
    return page.render("live.html", script_name="live.js", connects=True, title="A campaign goes on")
