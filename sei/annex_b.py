"""Byte streams of NAL units (Annex B of H.264, H.265 and H.266), taken apart and put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

from sei.errors import StreamError, UnknownCodecError
from sei.nal import Codec, NalUnit

MAX_NAL_UNIT_SIZE = 64 * 2**20
"""Longest NAL unit that is read, in bytes; no level of the three codecs comes near it."""

_CHUNK = 2**18
_UNITS_FOR_GUESS = 24
_BYTES_FOR_GUESS = 2**20


class _RawUnit(NamedTuple):
    """A NAL unit of a byte stream whose codec is not yet known."""

    data: bytes
    offset: int
    start_code_size: int
    leading_zeros: int
    trailing_zeros: int


def split_annex_b(source: bytes | BinaryIO, codec: Codec | None = None) -> Iterator[NalUnit]:
    """Yield the NAL units of a byte stream; `join_annex_b` gives the stream back byte for byte.

    ``source`` is the stream itself or a binary file, which is read in pieces: memory holds little
    more than one NAL unit. Without ``codec`` the first NAL units decide, as in `guess_codec`.

    Raises:
        StreamError: no start code, or a NAL unit that is empty or too long.
        UnknownCodecError: ``codec`` was not given and cannot be told.
    """
    raw_units = _split(_chunks(source))
    if codec is None:
        first: list[_RawUnit] = []
        size = 0
        for raw in islice(raw_units, _UNITS_FOR_GUESS):
            first.append(raw)
            size += len(raw.data)
            if size > _BYTES_FOR_GUESS:
                break
        if not first:
            return
        codec = guess_codec(raw.data for raw in first)
        raw_units = chain(first, raw_units)
    for raw in raw_units:
        yield NalUnit(codec, *raw)


def join_annex_b(units: Iterable[NalUnit]) -> bytes:
    """Byte stream of NAL units. To write a long one, join each unit's `NalUnit.to_annex_b`."""
    return b"".join(unit.to_annex_b() for unit in units)


def _chunks(source: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(source, bytes):
        view = memoryview(source)
        for start in range(0, len(source), _CHUNK):
            yield bytes(view[start : start + _CHUNK])
    else:
        while chunk := source.read(_CHUNK):
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
            body = bytes(buffer[start:found])
            data = body.rstrip(b"\0")
            zeros = len(body) - len(data)
            extra = min(zeros, 1)
            if opening is not None:
                yield _RawUnit(data, buffer_offset + start, *opening, zeros - extra)
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


def guess_codec(units: Iterable[bytes]) -> Codec:
    """Tell the codec from the first NAL units of a stream (``data`` of a `NalUnit`).

    Headers of one codec are hardly ever lawful headers of another: their reserved bits, layers and
    types disagree. The codec wins whose rules most of the headers follow.

    Raises:
        UnknownCodecError: the headers fit no codec, or two equally well.
    """
    votes = Counter(dict.fromkeys(Codec, 0))
    for data in islice(units, _UNITS_FOR_GUESS):
        for codec in Codec:
            votes[codec] += _plausibility(codec, data)
    (best, most), (_, second), _ = votes.most_common()
    if most <= 0 or most == second:
        raise UnknownCodecError(
            "the NAL unit headers do not tell VVC, HEVC and H.264 apart: name the codec"
        )
    return best


_USUAL_TYPES = {
    Codec.VVC: frozenset({0, 1, 2, 3, *range(7, 11), *range(12, 26)}),
    Codec.HEVC: frozenset({*range(10), *range(16, 22), *range(32, 41)}),
    Codec.AVC: frozenset({*range(1, 14), 19, 20}),
}
# Types of scalable and multiview H.264, whose header bytes HEVC's SEI messages have too.
_RARE_AVC_TYPES = frozenset({14, 15})
_SEQUENCE_PARAMETER_SET = {Codec.VVC: 15, Codec.HEVC: 33, Codec.AVC: 7}


def _plausibility(codec: Codec, data: bytes) -> int:
    """How well a NAL unit fits a codec: -2 not at all, 0 hardly, 1 well, 3 as an SPS."""
    if len(data) < 2 or data[0] & 0x80 or (codec is Codec.VVC and data[0] & 0x40):
        return -2
    unit = NalUnit(codec, data)
    if codec is Codec.AVC and unit.nal_unit_type in _RARE_AVC_TYPES:
        return 0
    if unit.nal_unit_type not in _USUAL_TYPES[codec] or unit.layer_id or unit.temporal_id < 0:
        return -2
    if unit.nal_unit_type == _SEQUENCE_PARAMETER_SET[codec]:
        return 3
    return 1
