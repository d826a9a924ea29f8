"""Byte streams (Annex B) read in pieces, rewritten byte for byte.

All zero bytes between two NAL units are taken to belong to the second one. So a NAL unit that is
taken out of a stream and put back leaves every other byte where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gfvc.errors import InputError, StreamError, system_errors
from gfvc.given import not_a_file
from gfvc.stream.containers import is_container
from gfvc.stream.nal_source import NOT_READ, STANDARD_INPUT, reading
from sei import (
    Codec,
    NalUnit,
    SeiError,
    iterate_sei_messages,
    split_annex_b,
)
from sei.limits import MAX_MESSAGES, LimitError, ReadingLimit
from sei.rbsp import sei_rbsp

START_CODE = b"\0\0\1"

_HEAD = 64


def read_head(path: Path) -> bytes:
    """The first bytes of a regular file, of which several passes will be made.

    Raises `InputError` when there is no such file, or it is empty or cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{path}: {NOT_READ if path == STANDARD_INPUT else not_a_file(path)}")
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise InputError(f"{path}: is empty")
    return head


def check_byte_stream(path: Path) -> None:
    """Raise `InputError` when a file cannot be rewritten: as `read_head` does, or a container."""
    read_head(path)
    if is_container(path):
        raise InputError(
            f"{path}: is a container; give the elementary stream in it (.266 or .265), which "
            "ffmpeg -i IN -c:v copy -an OUT takes out"
        )


def read_nal_units(
    path: Path,
    codec: Codec | None = None,
    max_messages: int = MAX_MESSAGES,
) -> Iterator[NalUnit]:
    """The NAL units of a byte stream, read as they are asked for.

    `codec` counts where the stream does not tell.

    Raises `InputError` when the file cannot be read, is a container, or is no stream of a known
    codec; `StreamError` where it breaks off, is of another codec than `codec`, or holds
    more than `sei.limits.ReadingLimit` allows with `max_messages`.
    """
    limit = ReadingLimit(max_messages)
    check_byte_stream(path)
    try:
        with reading(path), path.open("rb") as file:
            for unit in split_annex_b(file, named=codec):
                _count(unit, limit)
                yield unit
    except SeiError as error:
        raise StreamError(f"{path}: {error}") from None


def _count(unit: NalUnit, limit: ReadingLimit) -> None:
    limit.take_unit(unit)
    if not unit.is_sei:
        return
    try:
        for _ in iterate_sei_messages(sei_rbsp(unit)):
            limit.take_message(unit)
    except LimitError:
        raise
    except SeiError:
        # What is damaged is looked at where it matters.
        return


class Spacing:
    """Zero bytes before the start codes of a stream's NAL units, told in order.

    `tail` is the number of zero bytes after the last NAL unit that was told.
    """

    def __init__(self) -> None:
        self.tail = 0

    def before(self, unit: NalUnit) -> int:
        """Zero bytes between the NAL unit before and 00 00 01: one for a start code of 4 bytes."""
        zero_bytes = self.tail + unit.leading_zeros + unit.start_code_size - len(START_CODE)
        self.tail = unit.trailing_zeros
        return zero_bytes


def spaced(zero_bytes: int, data: bytes) -> bytes:
    """A NAL unit in a byte stream: zero bytes, start code, header and payload."""
    return bytes(zero_bytes) + START_CODE + data
