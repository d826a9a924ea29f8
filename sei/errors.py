"""Everything that the package raises about its input.

::

    SeiError (ValueError)                what, where, what to do about it, in one line
    ├── StreamError                      .offset: byte in the stream, where known
    │   ├── UnknownCodecError            the NAL unit headers fit no codec, or several
    │   └── WrongCodecError              its parameter sets are not of the codec that was named
    ├── PayloadError                     .bit_offset: bit in the SEI payload or RBSP, where known
    │   ├── EndOfDataError               an element needs more bits than there are left
    │   │   └── MessageCutError          .payload_type: of the SEI message that is not all there
    │   ├── ElementRangeError            .element, .value: outside the range of the element
    │   └── TrailingBitsError            bits that must close a payload or an RBSP are not there
    ├── ArgumentError                    not of the kind that is asked for (also a TypeError)
    ├── ReferenceMissingError            the message builds on one that was not received
    └── MessageError                     a message that is to be written contradicts itself
        ├── FieldMissingError            an element must be coded and its field is None
        └── FieldUnusedError             a field is set that the syntax does not code
"""

from __future__ import annotations

import copyreg
from typing import Any


class SeiError(ValueError):
    """Root of all errors of this package. They can be pickled and copied, with what they hold."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by __init__, which takes other arguments than the text that it makes of them.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ArgumentError(SeiError, TypeError):
    """What was given is not of the kind that is asked for."""


class StreamError(SeiError):
    """A byte stream that is no sequence of NAL units.

    ``offset`` is the byte in the stream where the trouble starts, None where there is no stream.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message if offset is None else f"{message} (at byte {offset})")
        self.offset = offset


class UnknownCodecError(StreamError):
    """The NAL unit headers do not tell which codec this is."""


class WrongCodecError(StreamError):
    """A codec was named, and the parameter sets of the stream are those of another."""


class PayloadError(SeiError):
    """SEI data that cannot be read. ``bit_offset`` counts from the start of that data."""

    def __init__(self, message: str, bit_offset: int | None = None) -> None:
        super().__init__(message if bit_offset is None else f"{message} (at bit {bit_offset})")
        self.bit_offset = bit_offset


class EndOfDataError(PayloadError):
    """An element needs more bits than there are left."""


class MessageCutError(EndOfDataError):
    """An SEI message runs past the end of its NAL unit.

    ``payload_type`` is its payloadType, None where that is not all there.
    """

    def __init__(self, message: str, payload_type: int | None, bit_offset: int) -> None:
        super().__init__(message, bit_offset)
        self.payload_type = payload_type


class ElementRangeError(PayloadError):
    """A syntax element outside its range, on reading or on writing."""

    def __init__(self, element: str, value: int, low: int, high: int, bit_offset: int) -> None:
        allowed = f"must be {low}" if low == high else f"must be within {low}..{high}"
        super().__init__(f"{element} is {value}, {allowed}", bit_offset)
        self.element = element
        self.value = value


class TrailingBitsError(PayloadError):
    """The bits that close a payload or an RBSP are missing or wrong."""


class ReferenceMissingError(SeiError):
    """A message that inherits or predicts from one that was not received, or that does not fit."""


class MessageError(SeiError):
    """A message that is to be written contradicts itself or the messages before it."""


class FieldMissingError(MessageError):
    """An element has to be coded and the message gives no value for it."""


class FieldUnusedError(MessageError):
    """A field of the message is set although the syntax does not code it."""
