"""How far a video file goes, by its packets, and whether that is what it states."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError, system_errors
from gfvc.media_files import media_errors
from gfvc.media_packets import packets_of
from gfvc.telling import Notes
from gfvc.video.file_end import ends_whole
from gfvc.video.opening import open_video
from gfvc.video.stated import stated_seconds

if TYPE_CHECKING:
    from av.container import InputContainer

# A file that ends this much before the duration that it states was cut off.
_CUT_SECONDS = 0.5
_CUT_SHARE = 0.02
# What is damaged and says that it ends this much after that duration is no packet at all.
_SENSELESS_SECONDS = 3600.0


class Extent:
    """How far a file goes, by its packets and by what it states."""

    def __init__(self, path: Path, container: InputContainer) -> None:
        import av

        self._path = path
        self._seconds = stated_seconds(container)
        self._begin = (container.start_time or 0) / av.time_base
        self._latest = max(self._begin, 0.0) + (self._seconds or 0.0) + _SENSELESS_SECONDS
        self._end = 0.0
        self._last_is_whole, self._has_more = True, False

    def includes(self, packet: Any) -> bool:
        """See the next packet, of any stream; tell whether it is one at all."""
        end = _end(packet)
        if packet.is_corrupt and self._seconds is not None and end > self._latest:
            self._has_more = True
            return False
        self._end = max(self._end, end)
        if packet.size:
            self._last_is_whole = not packet.is_corrupt
        return True

    def check(self, notes: Notes) -> None:
        """Raise `InputError` where the file was cut off; note where it is shorter than it says."""
        if self._seconds is None:
            return
        # Matroska counts its duration from time 0, wherever its first picture is.
        reached = self._end - min(self._begin, 0.0)
        is_short = reached < self._seconds * (1 - _CUT_SHARE) - _CUT_SECONDS
        with system_errors(InputError, self._path, "cannot be read"):
            is_cut = not self._last_is_whole or (is_short and not ends_whole(self._path))
        if is_cut:
            place = f"at {reached:.1f} s of {self._seconds:.1f} s" if is_short else "amid its end"
            raise InputError(f"{self._path}: cut off {place}; get the whole file")
        if is_short:
            notes(
                f"{self._path}: states {self._seconds:.1f} s and ends after {reached:.1f} s, but "
                "not amid a packet; it is taken for whole"
            )

    def tell_of_more(self, notes: Notes) -> None:
        """Note what comes after the last packet, if anything."""
        if self._has_more:
            notes(f"{self._path}: after its last packet come other bytes, which are left out")


class PicturesEnd:
    """When the pictures of a file end, where the duration that it states goes by their decoding.

    So it is of MP4, where pictures are predicted from later ones: the last few may be shown long
    after that. Packets are read to their end when this is asked first.
    """

    def __init__(self, path: Path, seconds: float | None) -> None:
        self._path = path
        self._seconds = seconds
        self._found: float | None = None

    @property
    def end(self) -> float:
        """That time, in seconds by its time stamps; minus infinity where none says so.

        A stamp past the stated duration counts where its packet is decoded within that, and where
        none within it is decoded later than the order of the others has it: it may be wrong.
        """
        if self._found is None:
            self._found = float("-inf") if self._seconds is None else self._latest(self._seconds)
        return self._found

    def _latest(self, seconds: float) -> float:
        stated = None
        later: list[tuple[int, float]] = []  # number and end of what lies past it
        # Of what lies within: the last, the one that is shown last, and how far others are behind.
        number = last = newest = behind = 0
        newest_time = float("-inf")
        with open_video(self._path) as (container, stream), media_errors(str(self._path)):
            for packet in packets_of(self._path, container, stream):
                if not packet.size or packet.pts is None or packet.is_discard:
                    continue
                number += 1
                time = float(packet.pts * packet.time_base)
                stated = time + seconds if stated is None else stated
                if time <= stated:
                    last = number
                    if time >= newest_time:
                        newest, newest_time = number, time
                    behind = max(behind, number - newest)
                elif packet.dts is not None and packet.dts * packet.time_base <= stated:
                    later.append((number, _end(packet)))
        believed = [end for number, end in later if number + behind >= last]
        return max(believed, default=float("-inf"))


def _end(packet: Any) -> float:
    """When a packet ends, in seconds; 0 where it does not say."""
    if packet.pts is None or not packet.size or not packet.time_base:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)
