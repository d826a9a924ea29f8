"""The process of the command line: its end, standard streams and folders that may be missing.

Only the console script and `python -m gfvc` come through here; `gfvc.cli.main.main`, which tests
and other programs call, leaves their process as it is. Nothing heavy is imported, so that signals
(`gfvc.ending`) are soon cared for.
"""

# pathlib takes its time, and may be a file of the current folder:
# ruff: noqa: PTH100, PTH109, PTH120

from __future__ import annotations

import gc
import os
import sys

from gfvc.ending import die_of_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, TextIO

_without_libraries = False


def leave_without_libraries() -> None:
    """Have `leave` spare libraries their own ends; those of OpenBLAS never come without memory."""
    global _without_libraries  # noqa: PLW0603 - the process has one end
    _without_libraries = True


def leave(status: str | int | None) -> NoReturn:
    """End the process; signals kill it from here on, for nothing is left to tidy up."""
    die_of_signals()
    # Python looks for cycles once more at its end: 0.7 s where PyTorch was loaded, for nothing.
    gc.freeze()
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
