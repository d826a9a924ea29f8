"""What a container says of a stream's colours, for where the coded pictures say nothing.

Decoders of HEVC, VP8, VP9 and AV1 put "unspecified" in its place, or a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_UNSPECIFIED = 2  # matrix, primaries and transfer, of H.273
_NO_RANGE, _LIMITED = 0, 1  # of FFmpeg's AVColorRange
# It has no word for primaries, transfer and range, and one matrix, which others than ffmpeg's
# decoder take for "says nothing", too.
_SAYS_LITTLE = "vp8"


@dataclass(frozen=True, slots=True)
class StatedColour:
    """Codes of H.273 for matrix, primaries and transfer, and of FFmpeg for the range."""

    matrix: int
    primaries: int
    transfer: int
    range: int
    codec: str

    @classmethod
    def of(cls, stream: VideoStream) -> StatedColour:
        """What is said of a stream of which nothing has been decoded since it was opened."""
        context = stream.codec_context
        return cls(
            int(context.colorspace),
            int(context.color_primaries),
            int(context.color_trc),
            int(context.color_range),
            context.codec.canonical_name,
        )

    def complete(self, frame: VideoFrame) -> None:
        """Write into a decoded frame what it does not say itself."""
        matrix = _UNSPECIFIED if self.codec == _SAYS_LITTLE else int(frame.colorspace)
        said = matrix, int(frame.color_primaries), int(frame.color_trc)
        # Where a stream says nothing of colours, its "limited" is what decoders assume.
        is_assumed = frame.color_range == _LIMITED and matrix == _UNSPECIFIED
        if self.range != _NO_RANGE and (frame.color_range == _NO_RANGE or is_assumed):
            frame.color_range = self.range
        if said[0] == _UNSPECIFIED != self.matrix:
            frame.colorspace = self.matrix
        if said[1] == _UNSPECIFIED:
            frame.color_primaries = self.primaries
        if said[2] == _UNSPECIFIED:
            frame.color_trc = self.transfer
