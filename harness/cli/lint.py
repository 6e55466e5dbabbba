"""`rules-harness lint`: what a document leaves open, before anybody is held to it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from rules_harness import __version__
from rules_harness.harness.cli.documents import document_options, tell
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import CONFORMS, VIOLATED
from rules_harness.openapi.documents import applied, texts_of
from rules_harness.openapi.lines import lines_of
from rules_harness.openapi.lint import RULES, lint
from rules_harness.reports.notices import FORMS, Linted, failing

_GRAVITIES: Final = ("error", "warning", "question")


@click.command(short_help="Say what a document leaves open or contradicts.")
@click.argument("document", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--overlay", "overlays", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help="Applied first."
)
@click.option("--operation", metavar="ID", help="The operationId of the one to look at; by default all are.")
@click.option(
    "--fail-on",
    type=click.Choice(_GRAVITIES),
    default="error",
    show_default=True,
    help="The least that makes the exit code 1.",
)
@document_options("sarif", "github")
@click.pass_obj
def command(
    output: Output,
    document: Path,
    overlays: tuple[Path, ...],
    operation: str | None,
    fail_on: str,
    form: str,
    out: Path | None,
) -> int:
    """Say what FILE, an OpenAPI document, contradicts, promises in prose alone, or leaves open.

    An error is a contradiction, a warning something missing, a question something to settle with the maintainers.
    """
    sources = texts_of(document, overlays)
    notices = lint(applied(sources), operation)
    lines = lines_of(sources[0][1], {notice.place for notice in notices})
    linted = Linted(str(document), __version__, RULES, notices, lines)
    if form == "github" and out is None:
        output.print_commands(FORMS[form](linted).rstrip("\n"))
    else:
        tell(output, out, lambda console: None, lambda: FORMS[form](linted))
    return VIOLATED if failing(notices, fail_on) else CONFORMS
