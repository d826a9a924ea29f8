"""Errors of the base codec adapters.

::

    BaseCodecError
    ├── RequestInvalidError   the caller asked for something no program can do (also a ValueError)
    ├── UnknownAdapterError   no adapter of that name for that codec (also a ValueError)
    ├── StreamInvalidError    a stream given to decode is not one we can or dare decode
    │   └── LimitExceededError     it asks for more than the limits of the request allow
    ├── TemporaryFolderError  the folder for temporary files is full, or cannot be written
    └── ProgramError          carries the command, and what the program printed last
        ├── ProgramNotFoundError   absent, or not the program it should be
        ├── ProgramFailedError     ended with an exit status other than 0
        ├── ProgramTimeoutError    still ran when its time was up, and was killed
        └── OutputInvalidError     ended well, but its output is not what was asked for

The first line of ``str(error)`` says what, where and what to do; further lines hold the command
and the last lines of the program's messages.
"""

from __future__ import annotations

import copyreg
import shlex
from collections.abc import Sequence
from typing import Any

SHOWN_LINES = 20
"""How many lines of a program's messages an error shows."""


class BaseCodecError(Exception):
    """Anything that goes wrong with an encoder or decoder program.

    Errors can be pickled and copied, with what they hold.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by __init__, which takes other arguments than the text that it makes of them.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class RequestInvalidError(BaseCodecError, ValueError):
    """A request or picture is outside of what the interface allows."""


class UnknownAdapterError(BaseCodecError, ValueError):
    """No adapter has this name for this codec and role."""


class StreamInvalidError(BaseCodecError):
    """A stream handed to a decoder is malformed, unsupported or beyond the limits."""


class LimitExceededError(StreamInvalidError):
    """A stream asks for more than the limits of the request allow.

    ``limit`` names the field of `DecodeLimits` that it passes.
    """

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class TemporaryFolderError(BaseCodecError):
    """The folder for temporary files is full, or cannot be written; the message names it.

    ``remedy`` says what helps.
    """

    def __init__(
        self,
        folder: object,
        reason: str,
        remedy: str = "make room, or name another folder in TMPDIR",
    ) -> None:
        super().__init__(f"{folder}: {reason}; temporary files are kept there: {remedy}")


class ProgramError(BaseCodecError):
    """A program could not be run to a good end.

    ``summary`` is the first line; ``command`` is the argument list (empty if it never came to
    one); ``messages`` is the tail of what the program printed; ``exit_status`` is negative for a
    signal, as in `subprocess`, and None when there is none.
    """

    def __init__(
        self,
        summary: str,
        *,
        command: Sequence[str] = (),
        messages: str = "",
        exit_status: int | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.command = tuple(command)
        self.messages = messages
        self.exit_status = exit_status

    def __str__(self) -> str:
        lines = [self.summary]
        if self.command:
            lines.append("  command: " + shlex.join(self.command))
        if self.messages:
            lines.append("  last messages:")
            lines.extend("    " + line for line in self.messages.splitlines()[-SHOWN_LINES:])
        return "\n".join(lines)


class ProgramNotFoundError(ProgramError):
    """The program is not there, cannot be started, or lacks what the adapter needs."""


class ProgramFailedError(ProgramError):
    """The program ended with an exit status other than 0, or was ended by a signal."""


class ProgramTimeoutError(ProgramError):
    """The program did not end in time and was killed."""


class OutputInvalidError(ProgramError):
    """The program ended with exit status 0, but its output is missing, cut off or wrong."""
