"""Colours of coded pictures that are others than gfvc's own, which are BT.709 of limited range.

Any encoder may have made a base layer. What its sequence parameter sets say of colours (H.273) is
followed, as in source videos; where they say nothing, it is what gfvc codes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from base_codec_adapters import Codec, Picture420
from base_codec_adapters.byte_stream import SEQUENCE_PARAMETER_SET, nal_units
from gfvc.colour import BT709, BT2020, HLG, PQ, Colour, colour_of, frame_to_rgb, to_rgb
from models.contract import Picture

_UNSPECIFIED = 2
_LIMITED, _FULL = 1, 2  # of FFmpeg's AVColorRange
_OWN = Colour(BT709, BT709, BT709, full=False)


@dataclass(frozen=True, slots=True)
class _Stated:
    """Codes of H.273 as a stream says them."""

    matrix: int = BT709
    primaries: int = BT709
    transfer: int = BT709
    full: bool = False


class BaseColours:
    """Converts the coded pictures of a stream to RGB, part by part.

    `tell` gets a sentence where colours are changed so that a user should know.
    """

    def __init__(self, codec: Codec, tell: Callable[[str], object]) -> None:
        self._codec: Codec = codec
        self._tell = tell
        self._told: set[str] = set()
        self._sets: frozenset[bytes] = frozenset()
        self._stated = _Stated()

    def converter(self, stream: bytes) -> Callable[[Picture420], Picture]:
        """What makes RGB of the pictures of a part; raise `UnknownColourError` of none it knows."""
        kind = SEQUENCE_PARAMETER_SET[self._codec]
        sets = frozenset(
            unit.payload
            for unit in nal_units(stream, self._codec)
            if unit.type == kind and not unit.layer
        )
        if sets != self._sets:
            self._sets, self._stated = sets, _stated(stream, self._codec)
        if self._stated == _Stated():
            return to_rgb
        return self._convert

    def _convert(self, picture: Picture420) -> Picture:
        import av

        planes = [plane.reshape(-1) for plane in (picture.y, picture.u, picture.v)]
        height, width = picture.y.shape
        packed = np.concatenate(planes).reshape(height * 3 // 2, width)
        frame = av.VideoFrame.from_ndarray(packed, format="yuv420p")
        frame.colorspace = self._stated.matrix
        frame.color_primaries = self._stated.primaries
        frame.color_trc = self._stated.transfer
        frame.color_range = _FULL if self._stated.full else _LIMITED
        colour = colour_of(frame)
        if colour == _OWN:
            return to_rgb(picture)
        said = colour.describe()
        if said is not None and said not in self._told:
            self._told.add(said)
            self._tell(said)
        return frame_to_rgb(frame)


def _stated(stream: bytes, codec: Codec) -> _Stated:
    """What the parameter sets of a part say; what gfvc codes where they say nothing."""
    import av

    try:
        with av.open(io.BytesIO(stream), "r", format=codec) as container:
            context = container.streams.video[0].codec_context
            matrix, full = int(context.colorspace), int(context.color_range) == _FULL
            primaries, transfer = int(context.color_primaries), int(context.color_trc)
    except (av.FFmpegError, IndexError):
        return _Stated()
    wide = primaries == BT2020 or transfer in (HLG, PQ)
    if matrix == _UNSPECIFIED and not wide:
        matrix = BT709
    return _Stated(matrix, primaries, transfer, full)
