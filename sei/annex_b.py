"""Byte streams of NAL units (Annex B of H.264, H.265 and H.266), taken apart and put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from os import PathLike
from typing import BinaryIO, NamedTuple, cast

from sei.arguments import BytesLike, as_bytes, wrong_kind
from sei.codec_detection import UNITS_FOR_GUESS, guess_codec
from sei.errors import StreamError
from sei.nal import MAX_NAL_UNIT_SIZE, Codec, NalUnit, check_codec, check_unit

_CHUNK = 2**18
_BYTES_FOR_GUESS = 2**20

# Makes a named tuple in half the time; a stream can have millions of NAL units.
_new_tuple = tuple.__new__


class _RawUnit(NamedTuple):
    """A NAL unit of a byte stream whose codec is not yet known."""

    data: bytes
    offset: int
    start_code_size: int
    leading_zeros: int
    trailing_zeros: int


def split_annex_b(
    source: BytesLike | BinaryIO, codec: Codec | None = None, *, named: Codec | None = None
) -> Iterator[NalUnit]:
    """Yield the NAL units of a byte stream; `join_annex_b` gives the stream back byte for byte.

    ``source`` is the stream itself or a binary file, which is read in pieces: memory holds little
    more than one NAL unit. What reading the file raises is passed on. Without ``codec`` the first
    NAL units decide, as in `guess_codec`, which takes ``named`` where their parameter sets do not
    tell.

    Raises:
        StreamError: no start code, or a NAL unit that is empty or too long.
        UnknownCodecError: ``codec`` was not given and cannot be told.
        WrongCodecError: the parameter sets are not of the codec that was ``named``.
        ArgumentError: ``source`` is neither bytes nor a binary file, or a codec is no `Codec`.
    """
    for given in (codec, named):
        if given is not None:
            check_codec(given)
    raw_units = _split(_chunks(source))
    if codec is None:
        opening = next(raw_units, None)
        if opening is None:
            return
        raw_units = chain((opening,), raw_units)
        first: list[_RawUnit] = []
        codec = guess_codec((raw.data for raw in _kept(raw_units, first)), named)
        raw_units = chain(first, raw_units)
    for raw in raw_units:
        yield NalUnit(codec, *raw)


def _kept(raw_units: Iterator[_RawUnit], first: list[_RawUnit]) -> Iterator[_RawUnit]:
    """The first NAL units, for the codec to be told from; ``first`` keeps them."""
    size = 0
    for raw in islice(raw_units, UNITS_FOR_GUESS):
        first.append(raw)
        size += len(raw.data)
        yield raw
        if size > _BYTES_FOR_GUESS:
            break


def join_annex_b(units: Iterable[NalUnit]) -> bytes:
    """Byte stream of NAL units. To write a long one, join each unit's `NalUnit.to_annex_b`."""
    if not isinstance(units, Iterable):
        raise wrong_kind("units", "NAL units", units)
    return b"".join(check_unit(unit).to_annex_b() for unit in units)


def _chunks(source: BytesLike | BinaryIO) -> Iterator[bytes]:
    if isinstance(source, str | PathLike):
        raise wrong_kind("source", "bytes or a binary file (open(path, 'rb'))", source)
    read = getattr(source, "read", None)
    if read is None:
        view = memoryview(as_bytes(cast(BytesLike, source), "source"))
        for start in range(0, len(view), _CHUNK):
            yield bytes(view[start : start + _CHUNK])
        return
    while True:
        chunk = read(_CHUNK)
        if chunk is None:
            raise StreamError("the file has no bytes yet and is not at its end: let it block")
        chunk = as_bytes(chunk, "what the file gives")
        if not chunk:
            return
        yield chunk


def _split(chunks: Iterator[bytes]) -> Iterator[_RawUnit]:
    """Cut at each 00 00 01. A fourth byte 00 before it belongs to the start code."""
    buffer = bytearray()
    buffer_offset = 0  # of the buffer in the stream
    searched = 0  # no start code begins before this place in the buffer
    # Size of the start code and zeros before the NAL unit that the buffer begins with; None before
    # the first start code.
    opening: tuple[int, int] | None = None
    for chunk in chain(chunks, (None,)):
        if chunk is not None:
            buffer += chunk
        start = 0
        while (found := buffer.find(b"\0\0\1", searched)) >= 0:
            data = bytes(buffer[start:found]).rstrip(b"\0")
            zeros = found - start - len(data)
            extra = 1 if zeros else 0
            if opening is not None:
                size, leading = opening
                yield _new_tuple(
                    _RawUnit, (data, buffer_offset + start, size, leading, zeros - extra)
                )
                opening = 3 + extra, 0
            elif data:
                raise StreamError("no start code 00 00 01 where the stream begins", 0)
            else:
                opening = 3 + extra, zeros - extra
            start = searched = found + 3
        del buffer[:start]
        buffer_offset += start
        searched = max(0, len(buffer) - 2)
        if len(buffer) > MAX_NAL_UNIT_SIZE + _CHUNK:
            raise StreamError(
                f"no start code 00 00 01 within {MAX_NAL_UNIT_SIZE} bytes", buffer_offset
            )
    if opening is not None:
        data = bytes(buffer).rstrip(b"\0")
        yield _RawUnit(data, buffer_offset, *opening, len(buffer) - len(data))
    elif buffer:
        raise StreamError("no start code 00 00 01: not an Annex B byte stream", 0)
