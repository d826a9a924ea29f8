"""Whether pictures have transparent parts, which no stream here can carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

NOTE = "has transparent parts; transparency is left out, and what is stored beneath it is shown"


def has_transparent_parts(frame: VideoFrame) -> bool:
    """Whether some pixel of a decoded frame is not opaque.

    Many programs write an alpha channel, or a palette that has one, that is opaque everywhere.
    """
    pixels = frame.format
    alpha = next((part for part in pixels.components if part.is_alpha), None)
    if alpha is None and not pixels.has_palette:
        return False
    if alpha is not None and pixels.name.startswith("yuva"):
        # As stored: what the library makes RGBA of has other alpha than was put in.
        kind = np.uint8 if alpha.bits == 8 else np.dtype(">u2" if pixels.is_big_endian else "<u2")
        plane = bytes(frame.planes[alpha.plane])
        stored = np.frombuffer(plane, kind).reshape(frame.height, -1)[:, : frame.width]
        return bool(stored.min() < 2**alpha.bits - 1)
    return bool(frame.to_ndarray(format="rgba")[..., 3].min() < 255)


def states_transparency(stream: VideoStream) -> bool:
    """Whether a file says that a stream has it, in data beside the pictures (VP8, VP9).

    That data is not decoded here, so nobody looks whether all of it is opaque. Encoders write it
    only where pictures with an alpha channel are given to them.
    """
    return stream.metadata.get("alpha_mode") == "1"
