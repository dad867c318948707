"""The command line `magento-prima`: every command calls a flow or prints a view.

Exit code 0 when done, 1 when a run or check failed, 2 for wrong usage or settings.
"""

import atexit
import logging
import os
import sys

import typer

from flows.cli import (
    alerting,
    evidence,
    exceptions,
    finance,
    installing,
    machinery,
    periods,
    refunds,
    reporting,
    runs,
    showing,
    stock_brake,
)
from flows.cli.output import FAILED, MISUSED
from tasks.errors import ConfigurationError, IntegrationError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for commands in (
    installing,
    machinery,
    runs,
    showing,
    exceptions,
    finance,
    refunds,
    periods,
    stock_brake,
    alerting,
    evidence,
    reporting,
):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; an error of ours is one sentence on stderr, never a traceback."""
    logging.getLogger("stamina").setLevel(logging.ERROR)  # each retry, without what was tried or why
    end = _EndOfProcess()
    atexit.register(end)
    end.code = _code_of_run()
    sys.exit(end.code)


class _EndOfProcess:
    """Ends the process once everything that was registered later has put itself away, Prefect's own server above all.

    Were the interpreter to take its modules apart while Prefect's threads still hold them, DuckDB's binding would print
    a page of warnings under the result.
    """

    code = FAILED

    def __call__(self) -> None:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


def _code_of_run() -> int:
    try:
        app()
    except ConfigurationError as error:
        print(str(error), file=sys.stderr)
        return MISUSED
    except IntegrationError as error:
        print(str(error), file=sys.stderr)
        return FAILED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0
    return 0
