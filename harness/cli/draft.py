"""`rules-harness draft`: an overlay for an ordinary document, to be checked by a person."""

from __future__ import annotations

from pathlib import Path

import click

from rules_harness.harness.cli.documents import tell
from rules_harness.harness.cli.output import Output
from rules_harness.openapi.documents import applied, texts_of
from rules_harness.openapi.draft import draft


@click.command(short_help="Propose the overlay that makes an ordinary document a contract.")
@click.argument("document", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--operation", required=True, metavar="ID", help="The operationId of the update that is to be judged.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing it.")
@click.pass_obj
def command(output: Output, document: Path, operation: str, out: Path | None) -> None:
    """Propose an overlay for FILE, an OpenAPI document: which header is the key, which field the state, and so on.

    Each proposal has its reason, and is a guess: check it, and take out what is wrong. Then give both to a run:
    `check --contract FILE --overlay OVERLAY`.
    """
    text = draft(applied(texts_of(document)), operation, str(document))
    tell(output, out, lambda console: None, lambda: text)
