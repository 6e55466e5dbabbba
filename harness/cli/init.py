"""`rules-harness init`: a profile to start from."""

from __future__ import annotations

from pathlib import Path

import click

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.target.template import template


@click.command(short_help="Write a commented profile.")
@click.argument("path", type=click.Path(path_type=Path), default="rules-harness.toml")
@click.pass_obj
def command(output: Output, path: Path) -> None:
    """Write a commented profile to PATH, for you to fill in.

    A file that is there already is not overwritten.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise UsageError(f"{path} is there already and is not overwritten; name another file") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name a file that can be") from error
    output.print(f"wrote {path}")
    output.say(f"Fill it in, export the keys, then try: rules-harness doctor --target {path}")
