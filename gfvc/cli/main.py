"""Entry point: run a command, turn its end into an exit status and at most one line.

Only what takes no time is imported here: signals that come while a command's libraries are still
being imported shall end it as they do later.
"""

from __future__ import annotations

import sys

from gfvc.cli import process
from gfvc.ending import end_on_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (usage errors exit with 2 by themselves)."""
    name = "gfvc"
    try:
        from gfvc.cli.memory import require_resources
        from gfvc.cli.parser import build_parser, command_module

        try:
            given = sys.argv[1:] if arguments is None else arguments
            if given and not {"-h", "--help"}.intersection(given):
                # Before the parser: what describes some options is loaded with numpy.
                require_resources(given[0], given[1:])
            options = build_parser(*given[:1]).parse_args(given)
            name = f"gfvc {options.command}"
            return int(command_module(options.command).run(options))
        finally:
            sys.stdout.flush()
    except BaseException as error:
        from gfvc.cli.failures import failure_of

        failure = failure_of(error, name)
        if failure is None:
            raise
        status, line = failure
        if line:
            sys.stderr.write(f"{line}\n")
        return status


def run() -> None:
    """Console script."""
    try:
        end_on_signals()
        process.forget_current_folder()
        process.open_standard_streams()
        process.quiet_libraries()
        status: str | int | None = main()
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    process.leave(status)
