"""What a command needs of its process: signals, standard streams and folders that may be missing.

Only the console script and `python -m gfvc` come through here; `gfvc.cli.main.main`, which tests
and other programs call, leaves their process as it is. Nothing heavy is imported, since a signal
that comes before `end_on_signals` has run still gets Python's own treatment.
"""

# pathlib takes its time, and may be a file of the current folder:
# ruff: noqa: PTH100, PTH109, PTH120

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn, TextIO

EXIT_OF_SIGNAL = 128
"""Added to a signal's number it is the exit status, as shells have it."""

# Closing a terminal, Ctrl-C, `kill` and time limits.
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

# A signal whose exception a library swallowed is sent again after so many seconds.
_AGAIN = 0.05

_ended_by: int | None = None
_without_libraries = False


def ended_by() -> int | None:
    """The signal that asked the process to end, if any did."""
    return _ended_by


def end_on_signals() -> None:
    """Have SIGHUP, SIGINT and SIGTERM end the program by an exception, so that it tidies up.

    A signal that is ignored already (by ``nohup``, or in the background of a script) stays so.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    sys.unraisablehook = _unraisable


def _end(number: int, frame: FrameType | None) -> None:
    global _ended_by  # noqa: PLW0603 - a handler has nowhere else to leave word
    _ended_by = number
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(EXIT_OF_SIGNAL + number)


def _unraisable(report: Any) -> None:
    """An exception that Python cannot pass on, from a destructor or a library's callback."""
    if _ended_by is None:
        sys.__unraisablehook__(report)
    elif report.exc_type is not None and issubclass(
        report.exc_type, (KeyboardInterrupt, SystemExit)
    ):
        from threading import Timer

        again = Timer(_AGAIN, os.kill, (os.getpid(), _ended_by))
        again.daemon = True
        again.start()


def leave_without_libraries() -> None:
    """Have `leave` spare libraries their own ends; those of OpenBLAS never come without memory."""
    global _without_libraries  # noqa: PLW0603 - the process has one end
    _without_libraries = True


def leave(status: str | int | None) -> NoReturn:
    """End the process; signals kill it from here on, for nothing is left to tidy up."""
    for number in _ENDING:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_DFL)
    if _without_libraries and isinstance(status, int):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def forget_current_folder() -> None:
    """Keep modules of the current folder from standing in for ours and for libraries.

    `python -m gfvc` looks there first, and a folder named `models` is nothing rare. In a checkout
    gfvc itself is found so, and the folder stays.
    """
    try:
        here = os.getcwd()
    except OSError:
        here = ""  # it was removed
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if here != home and sys.path[:1] in ([""], [here]):
        del sys.path[0]
        if getattr(sys.modules["gfvc"], "__file__", None) is None:
            # A folder named gfvc, which development installs let stand before the package.
            cli = sys.modules["gfvc.cli"]
            del sys.modules["gfvc"]
            import gfvc

            gfvc.cli = cli


def quiet_libraries() -> None:
    """Keep warnings of libraries, which mean nothing to users, off standard error."""
    if not sys.warnoptions:
        import warnings

        warnings.simplefilter("ignore")


def open_standard_streams() -> None:
    """Make standard streams that never raise in odd places, whatever the caller gave us.

    A closed one gets its descriptor back, or the next file that is opened would take it and be
    written to by whoever prints. Standard output raises `StandardOutputError` when it cannot be
    written and `ReaderGone` when nobody reads it any more; on standard error what cannot be written
    is lost, and the work goes on. Characters that the terminal's encoding lacks are escaped.
    """
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        if _is_closed(descriptor):
            # The wrong mode for 0 and 1: to use them is an error, and is said to be one.
            os.dup2(os.open(os.devnull, mode), descriptor)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - no file of ours
    sys.stdout = _text_stream(1, sys.stdout)
    sys.stderr = _text_stream(2, sys.stderr)


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def _text_stream(descriptor: int, before: TextIO | None) -> TextIO:
    import io

    from gfvc.cli.standard_streams import StandardError, StandardOutput

    # Our lines have a descriptor of their own: that of libraries that chatter is led elsewhere.
    raw = StandardOutput(1) if descriptor == 1 else StandardError(os.dup(2))
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == 2 or raw.isatty(),
    )
