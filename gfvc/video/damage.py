"""What of a video is damaged, by its container and its decoder, which conceals it.

Files in which a packet ends where the next begins (MPEG-TS, raw streams) can be cut off anywhere,
or be read while they are written: then it is the last picture that is damaged.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError, system_errors
from gfvc.telling import Notes
from gfvc.video.file_end import ends_amid_packet
from gfvc.video.opening import decoder_like, has_no_ends, tells_of_damage
from gfvc.video.transport_stream import only_joined

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Decoders of these say of damage, if at all, that nothing can be decoded. Each picture stands for
# itself, and they run in one thread, so that what they say is of the packet that they were given.
_STRICT = ("mjpeg",)

# What is marked may be a picture before the damaged one, in coding order (MPEG-TS), and one that is
# concealed after it: those that are closer are one place.
_APART_SECONDS = 0.5

# Far more than the pictures that a decoder holds back; all are looked through at each picture.
_MOST_MARKED = 1000


class Damage:
    """Decodes a stream, and tells where its pictures may be torn; leaves out a torn last one.

    Containers mark packets of which a part did not come (MPEG-TS, which marks what was joined of
    whole files, too), decoders mark pictures that they conceal a part of. Neither sees all damage.
    """

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self._path = path
        self._marked: set[int] = set()
        self._lacks_stamp = self._has_frame = False
        self._places: list[float] = []
        self._time, self._last = 0.0, -math.inf
        self._is_transport_stream = container.format.name == "mpegts"
        self._may_be_cut = has_no_ends(container)
        self._is_cut = False
        if self._may_be_cut and not tells_of_damage(stream):
            with system_errors(InputError, path, "cannot be read"):
                self._is_cut = ends_amid_packet(path)
        self._newest: int | None = None
        self._held: list[VideoFrame] = []
        self._gave = self._left_out = False
        self._lenient: VideoCodecContext | None = None
        context = stream.codec_context
        if context.name in _STRICT:
            self._lenient = decoder_like(context)
            context.options = {**context.options, "err_detect": "explode"}

    def decode(self, packet: Any) -> list[VideoFrame]:
        """The frames that are ready with a packet; raises as the library does.

        A torn one that may be the last waits for the next packet, and what comes after it, too; no
        longer, so that packets that all have one time stamp do not gather.
        """
        # The packet without content comes after the last.
        is_end = not packet.size
        if not is_end:
            self._newest = packet.pts
        waited = 0 if is_end else len(self._held)
        frames = [*self._held, *self._decoded(packet)]
        self._held = []
        for place, frame in enumerate(frames):
            if place < waited or not self._is_torn_end(frame):
                continue
            if not is_end:
                frames, self._held = frames[:place], frames[place:]
            elif self._gave or len(frames) > 1:
                del frames[place]
                self._marked.discard(frame.pts)
                self._left_out = True
            break
        self._gave |= bool(frames)
        return frames

    def _is_torn_end(self, frame: VideoFrame) -> bool:
        """Whether a frame is that of the newest packet, and torn where that is the last one."""
        if not self._may_be_cut or frame.pts is None or frame.pts != self._newest:
            return False
        return self._is_cut or frame.is_corrupt or frame.pts in self._marked

    def _decoded(self, packet: Any) -> list[VideoFrame]:
        import av

        is_marked = packet.is_corrupt and packet.size and not packet.is_discard
        if is_marked and not self._is_at_joint(packet):
            self._mark(packet)
        if self._lenient is None:
            frames: list[VideoFrame] = packet.decode()
            return frames
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            frames = self._lenient.decode(packet)
            self._mark(packet)
        return frames

    def _is_at_joint(self, packet: Any) -> bool:
        if not self._is_transport_stream or packet.pos is None:
            return False
        with system_errors(InputError, self._path, "cannot be read"):
            return only_joined(self._path, packet.stream.id, packet.pos)

    def _mark(self, packet: Any) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or len(self._marked) >= _MOST_MARKED:
            self._lacks_stamp = True  # counts at the next frame that is shown
        else:
            self._marked.add(stamp)

    def see(self, frame: VideoFrame, time: float) -> None:
        """Count a frame that is shown at a time, in seconds; they come in the order of times.

        What was marked before the first of them is not shown, as of recordings that were cut
        anywhere.
        """
        self._time = time
        if not self._has_frame and frame.pts is not None:
            self._marked = {stamp for stamp in self._marked if stamp >= frame.pts}
        self._has_frame = True
        # Of what was marked there may be no picture.
        passed = {s for s in self._marked if frame.pts is None or s <= frame.pts}
        if frame.is_corrupt or passed or self._lacks_stamp:
            self._add()
        self._marked -= passed
        self._lacks_stamp = False

    def _add(self) -> None:
        if self._time >= self._last + _APART_SECONDS:
            self._places.append(self._time)
        self._last = self._time

    def finish(self) -> None:
        """Count what was marked after the last frame, at the end of the stream."""
        if self._marked or self._lacks_stamp:
            self._add()

    def tell(self, notes: Notes) -> None:
        """Say where pictures that were seen may be torn, if anywhere, and what is left out."""
        if self._left_out:
            is_so = "is cut off amid" if self._is_cut else "is damaged in"
            notes(
                f"{self._path}: {is_so} its last picture, as a recording that was broken off or "
                "still goes on; that picture is left out"
            )
        if not self._places:
            return
        several = len(self._places) > 1
        where = f"in {len(self._places)} places, first " if several else ""
        notes(
            f"{self._path}: damaged {where}at about {self._places[0]:.2f} s: pictures from "
            f"{'each' if several else 'there'} on may be torn, up to the next one that refers to "
            "none before it"
        )
