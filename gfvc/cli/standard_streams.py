"""Standard output and standard error of the command line, with failures of their own."""

from __future__ import annotations

import io
import select
from typing import TYPE_CHECKING

from gfvc.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class StandardOutputError(OutputError):
    """Standard output cannot be written: a full disk, a closed descriptor."""


class ReaderGone(BaseException):
    """Who read our standard output has gone away: `gfvc inspect … | head` has what it wants.

    Like KeyboardInterrupt it is no `Exception`, for it must end the program and nobody may take it
    for a failure of the file at hand.
    """


class _Patient(io.FileIO):
    """A descriptor for writing that may not block, as another program left it: it is waited for."""

    def write(self, data: ReadableBuffer) -> int:
        """Write bytes; return how many were."""
        written: int | None
        while (written := super().write(data)) is None:
            select.select([], [self], [])
        return written


class StandardOutput(_Patient):
    """Descriptor 1. The first failure is raised; what is written after it is dropped."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._failed = False

    def write(self, data: ReadableBuffer) -> int:
        """Write bytes; return how many were."""
        if self._failed:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except BrokenPipeError:
            self._failed = True
            raise ReaderGone from None
        except OSError as error:
            self._failed = True
            raise StandardOutputError(
                f"standard output: cannot be written ({error.strerror})"
            ) from None


class StandardError(_Patient):
    """Descriptor 2. Who cannot be told is not told, and the work goes on."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, data: ReadableBuffer) -> int:
        """Write bytes, or lose them; return their number."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes
