"""Whether pictures have transparent parts, which no stream here can carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

NOTE = "has transparent parts; transparency is left out, and what is stored beneath it is shown"


def has_transparent_parts(frame: VideoFrame) -> bool:
    """Whether some pixel of a decoded frame is not opaque.

    Many programs write an alpha channel, or a palette that has one, that is opaque everywhere.
    """
    pixels = frame.format
    if not (pixels.has_palette or any(component.is_alpha for component in pixels.components)):
        return False
    return bool(frame.to_ndarray(format="rgba")[..., 3].min() < 255)


def states_transparency(stream: VideoStream) -> bool:
    """Whether a file says that a stream has it, in data beside the pictures (VP8, VP9).

    That data is not decoded here, so nobody looks whether all of it is opaque. Encoders write it
    only where pictures with an alpha channel are given to them.
    """
    return stream.metadata.get("alpha_mode") == "1"
