"""`python -m rules_harness.harness.reference`: the server as a child process, which ends when its stdin closes."""

import argparse
import json
import sys

from rules_harness.harness.reference.server import listen, ready, run
from rules_harness.harness.reference.tables import UnknownSwitch, switch


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m rules_harness.harness.reference", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--fault", action="append", default=[], metavar="ID")
    parser.add_argument("--variant", action="append", default=[], metavar="ID")
    given = parser.parse_args()
    try:
        switch(given.fault, given.variant)
        listener = listen(given.port)
    except (UnknownSwitch, OSError) as error:
        parser.error(str(error))

    def announce() -> None:
        sys.stdout.write(json.dumps(ready(listener)._asdict()) + "\n")
        sys.stdout.flush()

    run(listener, announce, latency_ms=0, until_stdin_closes=True)


if __name__ == "__main__":
    main()
