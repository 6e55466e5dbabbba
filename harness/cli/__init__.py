"""The command line: a table of subcommands, each loaded when it is asked for, and how every one of them ends."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NoReturn

import click

from rules_harness.harness.cli.output import PROGRAM, Output, occupy_standard_descriptors
from rules_harness.harness.errors import CONFORMS, DEBUG, INTERRUPTED, NOT_JUDGED, USAGE, HarnessError, internal_error
from rules_harness.openapi.errors import ContractError

COMMANDS: Final[Mapping[str, str]] = {
    "check": "Judge a target by the contract, or the embedded target where none is named.",
    "fuzz": "Look for what nobody asked: random requests and histories, within a budget.",
    "doctor": "Check a profile against the live target, without writing there.",
    "init": "Write a commented profile.",
    "lint": "Say what an OpenAPI document leaves open, promises in prose alone, or contradicts.",
    "draft": "Propose the overlay that makes an ordinary OpenAPI document a contract.",
    "list": "List requirements, readings, faults, variants or mutations.",
    "explain": "Explain one requirement or reading.",
    "replay": "Send one finding of a recorded run again.",
    "judge": "Judge a recorded run again with today's checks; nothing is sent.",
    "report": "Make further reports of a recorded run.",
    "diff": "Compare two recorded runs: what is new, fixed, no longer exercised, answered differently.",
    "trend": "Show requirements over several recorded runs.",
    "baseline": "Accept known findings for a while.",
    "runs": "Keep a folder of runs small.",
    "selftest": "Put the checks on trial: every fault killed, nothing allowed flagged.",
    "restore": "Put back the rules of a run that was cut off.",
    "window": "Judge the 24 hours of a key in two halves, a day apart.",
    "serve": "Run the embedded target for others.",
}
"""Each subcommand with its summary. The module of the same name in this package has it, as `command`."""


def _switch(name: str, attribute: Literal["plain", "quiet"], help: str) -> click.Option:
    """A flag that says how a command prints."""

    def turn(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        output = ctx.find_object(Output)
        if value and output is not None:
            setattr(output, attribute, True)

    return click.Option([name], is_flag=True, expose_value=False, callback=turn, help=help)


_SWITCHES: Final = (
    _switch("--quiet", "quiet", "What came of it in a few lines, and what was written."),
    _switch("--no-color", "plain", "No colours and no moving lines; NO_COLOR in the environment says the same."),
)
"""Every command has them, but for those that it has an option of its own for."""


class _Commands(click.Group):
    """A group that imports a subcommand when it is used, so that help costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]  # `list` is a module of this package once it has been used

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        for each in (command, *(command.commands.values() if isinstance(command, click.Group) else ())):
            own = {param.name for param in each.params}
            each.params += [option for option in _SWITCHES if option.name not in own]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=_similar(args[0]), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


def _similar(name: str) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - for mistyped names alone

    return get_close_matches(name, COMMANDS)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sequence-rules-harness", prog_name=PROGRAM)
def commands() -> None:
    """Contract tests for PUT /rules/{id}: full replacement, idempotency, and the rule that an update disables.

    Exit codes: 0 conforms, 1 the contract is violated, 2 usage or profile wrong, 3 could not judge, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    occupy_standard_descriptors()
    _keep_hypothesis_out_of_here()
    output = Output()
    code = _run(arguments, output)
    if output.problem:
        output.error(output.problem)
    sys.exit(NOT_JUDGED if output.problem and code == CONFORMS else code)


def _keep_hypothesis_out_of_here() -> None:
    """Hypothesis would keep what it works out in a folder of whatever directory this is called in."""
    # A user of a container may have no home.
    with contextlib.suppress(RuntimeError):
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path.home() / ".cache" / PROGRAM / "hypothesis"))


def _run(arguments: Sequence[str] | None, output: Output) -> int:
    """The exit code of a command; every error becomes one message."""
    try:
        code = commands.main(arguments, prog_name=PROGRAM, standalone_mode=False, obj=output)
    except click.Abort:
        output.error("interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        output.error(_told(error))
        return USAGE
    except ContractError as error:
        output.error(str(error))
        return USAGE
    except HarnessError as error:
        output.error(str(error))
        return error.exit_code
    except OSError as error:
        output.error(f"{error}; what was recorded until then is kept")
        return NOT_JUDGED
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        output.error(internal_error(error))
        return NOT_JUDGED
    return code if isinstance(code, int) else CONFORMS


def _told(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message} See `{error.ctx.command_path} --help`."
    return message
