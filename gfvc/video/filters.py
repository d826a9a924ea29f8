"""Two filters of libavfilter: fields made whole pictures, and other colours made BT.709.

`bwdif` deinterlaces. `scale` of libswscale 9 maps between primaries and transfer characteristics
with a table in three dimensions that is made once (2 to 4 s of one core) and kept for the process.
"""

from __future__ import annotations

import contextlib
import threading
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video.frame import VideoFrame

# Rounded as they should be, with chroma interpolated.
_FLAGS = "flags=accurate_rnd+full_chroma_int+full_chroma_inp+bicubic"
_RGB_BITS = 16
# Of pictures without a time, which these filters do not mind.
_ANY_TIME_BASE = Fraction(1, 1000)


class Deinterlacer:
    """Makes a progressive frame of each interlaced one; leaves frames as they are that say so.

    It needs the next frame too, so it gives each frame one later.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None

    def push(self, frame: VideoFrame | None) -> list[VideoFrame]:
        """Take the next frame, or None at the end; return those that are ready, in order."""
        import av

        if self._graph is None:
            if frame is None:
                return []
            self._graph = _graph(frame, ("bwdif", "mode=send_frame:parity=auto:deint=interlaced"))
        self._graph.push(frame)
        ready: list[VideoFrame] = []
        with contextlib.suppress(av.BlockingIOError, av.EOFError):
            while True:
                made = self._graph.pull()
                assert isinstance(made, av.VideoFrame)
                ready.append(made)
        return ready


def to_bt709_rgb(
    frame: VideoFrame, part: tuple[slice, slice], source: str, *, perceptual: bool
) -> npt.NDArray[np.uint8]:
    """A part of a frame as RGB [height, width, 3] with the primaries and transfer of BT.709.

    `source` says what its samples mean, as options of `scale`. With `perceptual` what is brighter
    than reference white is made to fit; without, it is cut off and all else keeps its brightness.
    """
    converter = _converter(frame.width, frame.height, frame.format.name, source, perceptual)
    return converter.convert(frame, part)


class _Converter:
    def __init__(self, width: int, height: int, pixels: str, source: str, perceptual: bool) -> None:
        intent = "perceptual" if perceptual else "relative_colorimetric"
        self._scale = (
            f"{source}:out_primaries=bt709:out_transfer=bt709:out_range=full:intent={intent}"
            f":{_FLAGS}"
        )
        self._graph: Graph | None = None
        self._lock = threading.Lock()

    def convert(self, frame: VideoFrame, part: tuple[slice, slice]) -> npt.NDArray[np.uint8]:
        with self._lock:
            if self._graph is None:
                self._graph = _graph(frame, ("scale", self._scale), ("format", "rgb48le"))
            self._graph.push(frame)
            deep = self._graph.pull().to_ndarray()[part]
        top = (1 << _RGB_BITS) - 1
        return np.asarray((deep.astype(np.uint32) * 255 + top // 2) // top, np.uint8)


_converter = lru_cache(maxsize=2)(_Converter)


def _graph(frame: VideoFrame, *filters: tuple[str, str]) -> Graph:
    """A chain of filters for frames like this one."""
    from av.filter import Graph

    graph = Graph()
    last = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or _ANY_TIME_BASE,
    )
    for name, options in filters:
        added = graph.add(name, options)
        last.link_to(added)
        last = added
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
