"""What callers give: bytes of whatever kind, integers, and errors for what is of the wrong kind."""

from __future__ import annotations

from operator import index
from types import TracebackType
from typing import Any

from sei.errors import ArgumentError, MessageError, SeiError

_SHOWN = 60  # characters

BytesLike = bytes | bytearray | memoryview


def wrong_kind(what: str, wanted: str, given: object) -> ArgumentError:
    """The error for an argument of the wrong kind."""
    return ArgumentError(f"{what} must be {wanted}, not {type(given).__name__}")


def shown(given: object) -> str:
    """What was given, in a line; of what is long its kind alone."""
    text = repr(given)
    return text if len(text) <= _SHOWN and text.isprintable() else f"a {type(given).__name__}"


def as_bytes(data: BytesLike, what: str) -> bytes:
    """Bytes of anything that holds bytes: bytes, bytearray, memoryview, array of bytes.

    Raises:
        ArgumentError: it holds none.
    """
    if type(data) is bytes:
        return data
    try:
        view = memoryview(data)
    except TypeError:
        raise wrong_kind(what, "bytes", data) from None
    if view.itemsize != 1:
        raise ArgumentError(f"{what} must be bytes, not items of {view.itemsize} bytes")
    return view.tobytes()


def as_integer(value: Any, what: str) -> int:
    """An integer of anything that is one, NumPy's too.

    Raises:
        ArgumentError: it is none.
    """
    try:
        return index(value)
    except TypeError:
        raise wrong_kind(what, "an integer", value) from None


class WrongKindsTold:
    """Makes a `MessageError` of what Python raises where a part of a message is of a wrong kind.

    What a caller gives is nested deep, and is looked at where it is coded.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wrong = (TypeError, AttributeError, ValueError, LookupError, OverflowError)
        if isinstance(error, wrong) and not isinstance(error, SeiError):
            lines = str(error).splitlines() or [type(error).__name__]
            raise MessageError(f"a part of it is of the wrong kind or shape: {lines[0]}") from error
