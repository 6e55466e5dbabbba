"""`rules-harness init`: a profile to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from rules_harness.harness.cli.options import contract_option, contract_words
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.target.template import template
from rules_harness.openapi.contract import Contract, load


@click.command(short_help="Write a commented profile.")
@click.argument("path", type=click.Path(path_type=Path), default="rules-harness.toml")
@contract_option
@click.pass_obj
def command(output: Output, path: Path, contract: Contract | None) -> None:
    """Write a commented profile to PATH, for you to fill in.

    It fits the contract: its base path, the keys, hooks and permissions that it has. A file that is there already is
    not overwritten.
    """
    text = template(contract or load())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already and is not overwritten; name another file") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name a file that can be") from error
    output.print(f"wrote {path}")
    doctor = shlex.join(["rules-harness", "doctor", *contract_words(), "--target", str(path)])
    output.say(f"Fill it in, export the keys, then try: {doctor}")
