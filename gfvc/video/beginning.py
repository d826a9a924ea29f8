"""Where a video begins: files that were cut anywhere begin with what cannot be decoded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError
from gfvc.media_files import media_errors
from gfvc.media_packets import packets_of
from gfvc.video.opening import open_video

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


# Decoders of these take what they cannot start with for damage, others give nothing for it.
_START_WITH_KEY = {"vp8", "vp9"}


class Beginning:
    """Decodes a stream, and tells how much comes before the first frame of it.

    `decoder` gives the frames that are ready with a packet; by default the stream's own does.
    """

    def __init__(self, decoder: Callable[[Any], list[VideoFrame]] | None = None) -> None:
        self._decoder = decoder or _decoded
        self._earliest: Fraction | None = None
        self._has_key = self._has_frame = False

    def decode(self, packet: Any) -> list[VideoFrame]:
        """The frames that are ready with a packet; raises as the library does."""
        self._has_key |= packet.is_keyframe
        is_early = packet.size and not self._has_key
        if is_early and packet.stream.codec_context.name in _START_WITH_KEY:
            frames: list[VideoFrame] = []
        else:
            frames = self._decoder(packet)
        # What an edit list hides is meant to be decoded only.
        is_shown = packet.size and packet.pts is not None and not packet.is_discard
        if not self._has_frame and is_shown:
            time = packet.pts * packet.time_base
            self._earliest = time if self._earliest is None else min(self._earliest, time)
        self._has_frame |= bool(frames)
        return frames

    def lost_before(self, first: VideoFrame) -> Fraction:
        """Seconds of pictures before the first frame, as far as time stamps tell."""
        time = _time(first)
        return Fraction(0) if time is None or self._earliest is None else time - self._earliest


def first_stamp(path: Path) -> Fraction | None:
    """When the first picture of a video that can be decoded is shown, in seconds by its stamps.

    None where there is no stamp, or no picture. Raises `InputError` as opening a file does.
    """
    status = path.stat()
    return _first_stamp(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _first_stamp(path: Path, _modified: int, _size: int) -> Fraction | None:
    with open_video(path) as (container, stream):
        beginning = Beginning()
        try:
            with media_errors(str(path)):
                for packet in packets_of(path, container, stream):
                    for frame in beginning.decode(packet):
                        return _time(frame)
        except InputError:
            pass  # who reads the pictures tells
    return None


def _decoded(packet: Any) -> list[VideoFrame]:
    frames: list[VideoFrame] = packet.decode()
    return frames


def _time(frame: VideoFrame) -> Fraction | None:
    if frame.pts is None or not frame.time_base:
        return None
    return frame.pts * frame.time_base
