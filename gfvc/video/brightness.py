"""Whether an HDR clip has parts that are brighter than standard video can show."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gfvc.colour import bright_share
from gfvc.media_files import media_errors
from gfvc.media_packets import packets_of
from gfvc.video.cropping import cropping_of
from gfvc.video.opening import open_video
from gfvc.video.stated_colour import StatedColour

# Glints in eyes and on glasses may be cut off.
_SHARE = 0.01
# Key frames are looked at, this far apart at least, and so many at most.
_STEP_SECONDS = 1.0
_MOST = 60


def is_bright(path: Path) -> bool:
    """Whether more than a hundredth of the samples of an HLG or PQ clip exceed reference white.

    If not, nothing needs to be made darker to fit into BT.709. Raises `InputError`.
    """
    status = path.stat()
    return _is_bright(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _is_bright(path: Path, _modified: int, _size: int) -> bool:
    shares: list[float] = []
    last = float("-inf")
    with open_video(path) as (container, stream), media_errors(str(path)):
        cropping, colour = cropping_of(container, stream), StatedColour.of(stream)
        for packet in packets_of(path, container, stream):
            if packet.size:
                time = float((packet.pts or 0) * (packet.time_base or 0))
                if not packet.is_keyframe or time < last + _STEP_SECONDS or len(shares) >= _MOST:
                    continue
                last = time
            for frame in packet.decode():
                colour.complete(frame)
                visible = cropping.visible(frame.width, frame.height)
                shares.append(bright_share(frame, visible.window))
    return bool(shares) and sum(shares) / len(shares) > _SHARE
