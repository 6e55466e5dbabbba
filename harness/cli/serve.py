"""`rules-harness serve`: the embedded target for others."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from rules_harness.harness.cli.options import OutputPath
from rules_harness.harness.errors import UsageError
from rules_harness.harness.reference.serve import ProfileNotWritten, serve
from rules_harness.harness.reference.tables import UnknownSwitch


@click.command(short_help="Run the embedded target for others.")
@click.option("--port", type=click.IntRange(0, 65535), default=9101, show_default=True, help="0 takes a free one.")
@click.option("--latency-ms", type=click.IntRange(min=0), default=0, show_default=True, help="Delays each answer.")
@click.option("--fault", "faults", multiple=True, metavar="ID", help="Break one promise; see `list faults`.")
@click.option("--profile", type=OutputPath(), metavar="FILE", help="Write the profile there.")
@click.option("--variant", "variants", multiple=True, metavar="ID", help="Behave otherwise; see `list variants`.")
def command(
    port: int, latency_ms: int, faults: tuple[str, ...], profile: Path | None, variants: tuple[str, ...]
) -> None:
    """Run the embedded target on loopback until interrupted.

    Prints how to use it: its control plane, its demo keys, and a ready profile.
    """
    try:
        with suppress(KeyboardInterrupt):
            serve(port, faults, variants, latency_ms, profile=profile)
    except UnknownSwitch as error:
        raise UsageError(f"{error}; `rules-harness list faults` and `list variants` name all of them") from error
    except ProfileNotWritten as error:
        raise UsageError(f"{error}; name another file with --profile") from error
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from error
