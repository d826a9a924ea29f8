"""Colours of coded pictures that are others than gfvc's own, which are BT.709 of limited range.

Any encoder may have made a base layer. What its sequence parameter sets say of colours (H.273) is
followed, as in source videos; where they say nothing, it is what gfvc codes. A stream has one
description throughout: pictures of two kinds would be drawn from each other.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from base_codec_adapters import Codec, Picture420
from base_codec_adapters.byte_stream import SEQUENCE_PARAMETER_SET, nal_units
from gfvc.colour import BT709, BT2020, HLG, PQ, Colour, colour_of, frame_to_rgb, to_rgb
from models.contract import Picture

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_IRAP = {"hevc": range(16, 22), "vvc": range(7, 10)}  # nal_unit_type: H.265 7-1, H.266 table 5
_REMEMBERED = 64  # parameter sets: a stream has few that take turns
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

    def describe(self, frame: VideoFrame) -> None:
        """Have a frame say the same."""
        frame.colorspace = self.matrix
        frame.color_primaries = self.primaries
        frame.color_trc = self.transfer
        frame.color_range = _FULL if self.full else _LIMITED


class ColourWatch:
    """Sees where the colours change that the parameter sets of coded pictures state.

    `looks` counts how often it had to have sets read that are new to it, which takes milliseconds.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec: Codec = codec
        self._known: dict[frozenset[bytes], Colour | None] = {}
        self._colour: Colour | None = None
        self.looks = 0

    def see(self, coded: bytes) -> str | None:
        """See a coded picture with the parameter sets before it; what changes there, if anything.

        They change at pictures only where decoding can start. Sets that cannot be read change
        nothing, since a decoder refuses them. Raises `UnknownColourError` for a matrix that is not
        known.
        """
        units = [unit for unit in nal_units(coded, self._codec) if not unit.layer]
        if not any(unit.type in _IRAP[self._codec] for unit in units):
            return None
        kind = SEQUENCE_PARAMETER_SET[self._codec]
        # Their hashes: a stream may have many that are large.
        sets = frozenset(sha256(unit.payload).digest() for unit in units if unit.type == kind)
        if not sets:
            return None
        if sets not in self._known:
            if len(self._known) == _REMEMBERED:
                self._known.clear()
            self._known[sets] = self._look(coded)
        colour = self._known[sets]
        if colour is None:
            return None
        before, self._colour = self._colour, colour
        return None if before is None or before == colour else _difference(before, colour)

    def _look(self, coded: bytes) -> Colour | None:
        import av

        self.looks += 1
        stated = _stated(coded, self._codec)
        if stated is None:
            return None
        frame = av.VideoFrame(16, 16, "yuv420p")
        stated.describe(frame)
        return colour_of(frame)


def _difference(before: Colour, after: Colour) -> str:
    """What of two kinds of colours differs, in words and codes of H.273."""
    codes = asdict(before), asdict(after)
    parts = [
        f"{name} {codes[0][name]} to {codes[1][name]}"
        for name in ("matrix", "primaries", "transfer")
        if codes[0][name] != codes[1][name]
    ]
    if before.full != after.full:
        parts.append("full to limited range" if before.full else "limited to full range")
    return ", ".join(parts)


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
            self._sets, self._stated = sets, _stated(stream, self._codec) or _Stated()
        if self._stated == _Stated():
            return to_rgb
        return self._convert

    def _convert(self, picture: Picture420) -> Picture:
        import av

        planes = [plane.reshape(-1) for plane in (picture.y, picture.u, picture.v)]
        height, width = picture.y.shape
        packed = np.concatenate(planes).reshape(height * 3 // 2, width)
        frame = av.VideoFrame.from_ndarray(packed, format="yuv420p")
        self._stated.describe(frame)
        colour = colour_of(frame)
        if colour == _OWN:
            return to_rgb(picture)
        said = colour.describe()
        if said is not None and said not in self._told:
            self._told.add(said)
            self._tell(said)
        return frame_to_rgb(frame)


def _stated(stream: bytes, codec: Codec) -> _Stated | None:
    """What the parameter sets of a part say, else what gfvc codes; None of unreadable ones."""
    import av

    try:
        with av.open(io.BytesIO(stream), "r", format=codec) as container:
            context = container.streams.video[0].codec_context
            matrix, full = int(context.colorspace), int(context.color_range) == _FULL
            primaries, transfer = int(context.color_primaries), int(context.color_trc)
    except (av.FFmpegError, IndexError):
        return None
    wide = primaries == BT2020 or transfer in (HLG, PQ)
    if matrix == _UNSPECIFIED and not wide:
        matrix = BT709
    return _Stated(matrix, primaries, transfer, full)
