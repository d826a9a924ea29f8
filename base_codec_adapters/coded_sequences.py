"""Coded video sequences of a byte stream as streams of their own.

A picture at which one starts may say that those before it which wait to be shown are not, and a
decoder that heeds this gives fewer pictures than are coded. In HEVC the bit that says so stands at
the front of slices; in VVC behind all of the picture header, which takes all parameter sets to
read. Decoded one by one, sequences are whole.
"""

from __future__ import annotations

from base_codec_adapters.byte_stream import (
    END_OF_SEQUENCE,
    SLICES,
    VVC_PICTURE_HEADER,
    Codec,
    nal_units,
    starts_picture,
)

_IDR = {"hevc": range(19, 21), "vvc": range(7, 9)}
_RANDOM_ACCESS = {"hevc": range(16, 22), "vvc": range(7, 11)}
# Those that stay in force, and that may stand before a picture: of VVC, DCI to prefix APS.
_PARAMETER_SETS = {"hevc": range(32, 35), "vvc": range(13, 18)}


def coded_sequences(stream: bytes, codec: Codec, most: int) -> list[bytes]:
    """The base layer of a stream, cut before each IDR picture, and each picture after an end.

    Before each part stand the parameter sets of those before it. There are none where they would
    be more than ``most``.

    Raises:
        StreamInvalidError: it does not start with a start code, or has a NAL unit without a header.
    """
    parts = [bytearray()]
    sets = bytearray()  # so far
    waiting = bytearray()  # may belong to the next picture
    sets_before = 0  # bytes of `sets` before those that wait
    ended = comes_new = False
    for unit in nal_units(stream, codec):
        if unit.layer != 0:
            continue
        data = b"\0\0\0\1" + unit.header + unit.payload
        is_set = unit.type in _PARAMETER_SETS[codec]
        if is_set or (codec == "vvc" and unit.type == VVC_PICTURE_HEADER):
            if not waiting:
                sets_before = len(sets)
            waiting += data
            sets += data if is_set else b""
            comes_new |= not is_set
            continue
        if unit.type in SLICES[codec]:
            starts = comes_new or starts_picture(unit, codec)
            anew = unit.type in _IDR[codec] or (ended and unit.type in _RANDOM_ACCESS[codec])
            if starts and anew and parts[-1]:
                if len(parts) == most:
                    return []
                parts.append(sets[: sets_before if waiting else len(sets)])
            comes_new = ended = False
        ended |= unit.type == END_OF_SEQUENCE[codec]
        parts[-1] += waiting + data
        waiting.clear()
    parts[-1] += waiting
    return [bytes(part) for part in parts]
