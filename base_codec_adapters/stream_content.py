"""What a whole byte stream holds, told without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

from base_codec_adapters.active_sets import ActiveSets
from base_codec_adapters.byte_stream import (
    PICTURE_PARAMETER_SET,
    SEQUENCE_PARAMETER_SET,
    Codec,
    PictureFormat,
    nal_units,
)
from base_codec_adapters.errors import StreamInvalidError


@dataclass(frozen=True)
class StreamContent:
    """What a byte stream holds: the one format of its pictures, and how many are coded.

    ``coded_size`` is (width, height) before cropping, the largest of all parameter sets, also of
    those that no picture activates.
    ``parameter_sets_first`` tells that sequence and picture parameter sets come before the first
    slice.
    """

    format: PictureFormat
    coded_size: tuple[int, int]
    pictures: int
    parameter_sets_first: bool


def summarise(stream: bytes, codec: Codec) -> StreamContent:
    """Scan a whole byte stream.

    Raises:
        StreamInvalidError: it does not start with a start code, has no sequence parameter set or
            no coded picture, its pictures change their format, or a set is not 4:2:0.
    """
    found: PictureFormat | None = None
    coded_width = coded_height = 0
    pictures = 0
    wanted = {SEQUENCE_PARAMETER_SET[codec], PICTURE_PARAMETER_SET[codec]}
    came: set[int] = set()
    parameter_sets_first = False
    sets = ActiveSets(codec)
    for unit in nal_units(stream, codec):
        if unit.layer != 0:
            continue
        came |= wanted & {unit.type}
        if not sets.see(unit):
            if sets.latest is not None:
                width, height = sets.latest.coded_size
                coded_width, coded_height = max(coded_width, width), max(coded_height, height)
            continue
        if pictures == 0:
            parameter_sets_first = came == wanted
        pictures += 1
        if sets.active is None:
            continue
        if found not in (None, sets.active.format):
            raise StreamInvalidError(
                f"byte {unit.offset}: the stream changes from {found} to {sets.active.format}: "
                "split it there"
            )
        found = sets.active.format
    if sets.latest is None:
        raise StreamInvalidError(f"no {codec.upper()} sequence parameter set in the stream")
    if pictures == 0:
        raise StreamInvalidError(f"no {codec.upper()} coded picture in the stream")
    return StreamContent(
        found or sets.latest.format, (coded_width, coded_height), pictures, parameter_sets_first
    )
