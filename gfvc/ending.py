"""Signals that end a process by an exception, so that what runs tidies up.

Nothing heavy is imported, since a signal that comes before `end_on_signals` has run still gets
Python's own treatment.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

EXIT_OF_SIGNAL = 128
"""Added to a signal's number it is the exit status, as shells have it."""

# Closing a terminal, Ctrl-C, `kill` and time limits.
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

# A signal whose exception a library swallowed is sent again after so many seconds.
_AGAIN = 0.05

# A signal so many seconds after another does not disturb what tidies up: a terminal that is closed
# sends SIGHUP, and its shell sends it again.
_PATIENCE = 2.0

_ended_by: int | None = None
_patient_until = 0.0  # by the monotonic clock


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
    sys.excepthook = _printed


def die_of_signals() -> None:
    """Have signals kill the process from here on, for nothing is left to tidy up."""
    for number in _ENDING:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    global _ended_by, _patient_until
    now = time.monotonic()
    if now < _patient_until:
        return
    _ended_by, _patient_until = number, now + _PATIENCE
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(EXIT_OF_SIGNAL + number)


def _unraisable(report: Any) -> None:
    """An exception that Python cannot pass on, from a destructor or a library's callback."""
    if _ended_by is None:
        sys.__unraisablehook__(report)
    else:
        _send_again(report.exc_type)


def _printed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An exception that a library prints and forgets, as protobuf does while it is imported."""
    if _ended_by is None:
        sys.__excepthook__(kind, error, trace)
    else:
        _send_again(kind)


def _send_again(lost: type[BaseException] | None) -> None:
    """Send the signal again whose exception was lost; others are what came of it."""
    if lost is None or not issubclass(lost, (KeyboardInterrupt, SystemExit)):
        return
    global _patient_until  # noqa: PLW0603
    from threading import Timer

    _patient_until = 0.0
    again = Timer(_AGAIN, os.kill, (os.getpid(), _ended_by))
    again.daemon = True
    again.start()
