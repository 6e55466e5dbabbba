"""A self-contained page: styles and scripts inside, no request to anywhere, and a policy that forbids all else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rules_harness.reports.text import counted, duration


@cache
def environment() -> Environment:
    """The templates of this package: everything put into them is escaped, a name that is not given is an error."""
    made = Environment(
        loader=PackageLoader("rules_harness.reports", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "counted": counted,
        "duration": duration,
        "prose": prose,
        "breakable": breakable,
        "element_text": element_text,
    }
    return made


def render(template: str, *, script_name: str = "", connects: bool = False, **values: Any) -> str:
    """The page that a template makes, which extends ``page.html``.

    ``script_name`` is a script of its own; one that ``connects`` may ask the server that the page came from.
    """
    style, script = _asset("style.css"), _asset("script.js") + (_asset(script_name) if script_name else "")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            *(["connect-src 'self'"] if connects else []),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return environment().get_template(template).render(
        style=Markup(style), script=Markup(script), policy=policy, **values
    )  # fmt: skip


def prose(text: str) -> Markup:
    """A sentence of the contract, its `names` as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )


def element_text(text: str) -> Markup:
    """A text that stands between tags, never in an attribute: quotes stay as they are, as JSON has many."""
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def breakable(place: str) -> Markup:
    """A place in a body, that may go on in a new line before each slash."""
    return Markup("<wbr>/").join(escape(part) for part in place.split("/"))


@cache
def _asset(name: str) -> str:
    return resources.files("rules_harness.reports.html").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
