"""The packets of a video or sound file, no more of them than its own bytes can be.

A container may name the same bytes for any number of packets (MP4, AVI), show a part again and
again (edit lists), or be compressed (Matroska): a file of a megabyte could hand out any number of
gigabytes. One that is not made for that hands out little more than its own bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError
from gfvc.png_chunks import with_compressed_hidden

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer

PACKET_GROWTH = 4
"""Bytes of packets that a file may hand out for each of its own, when it is read once."""

FREE_PACKET_BYTES = 16 << 20
"""Further bytes of packets of any file: small ones may repeat a lot, as in short loops."""

# Bytes that libavformat looks through at a time where those of a transport stream make no sense.
_LOOKED_THROUGH = 1 << 16

PNG_CODECS = frozenset(("png", "apng"))
"""Whose packets are PNG pictures, or chunks of them."""


class PacketBudget:
    """What the packets of a file may still come to; for one reading of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._size = path.stat().st_size
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from None
        self._packets = self._bytes = 0
        self._at = ""

    def take(self, packet: Packet[Any]) -> None:
        """Count a packet.

        Raises `InputError` where all so far are more than `PACKET_GROWTH` times the bytes of the
        file and `FREE_PACKET_BYTES`.
        """
        self._packets += 1
        stamp, base = packet.dts if packet.pts is None else packet.pts, packet.time_base
        self._at = "" if stamp is None or not base else f", at {float(stamp * base):.2f} s"
        self.add(packet.size)

    def add(self, size: int) -> None:
        """Count bytes that were put to the last packet; raises as `take`."""
        self._bytes += size
        if self._bytes > PACKET_GROWTH * self._size + FREE_PACKET_BYTES:
            raise InputError(
                f"{self._path}: has {self._size} bytes, and its packets come to {self._bytes} by "
                f"number {self._packets}{self._at}: the same bytes stand for many of them, or they "
                "are compressed; if that is meant, write it anew (ffmpeg -i IN -c copy OUT)"
            )


def demuxed(container: InputContainer, *tracks: Any) -> Iterator[Any]:
    """The packets of some tracks, or of all, that were there when the file was opened.

    Others may begin later, of transport and program streams and FLV: these are left out. Raises
    what the library raises on damage.
    """
    import av

    packets = container.demux(*tracks)
    stretches = container.size // _LOOKED_THROUGH if container.format.name == "mpegts" else 0
    while True:
        try:
            packet = next(packets, None)
        except av.BlockingIOError:
            # It looked so far for the next packet of a transport stream, and found none.
            if not stretches:
                raise
            stretches -= 1
            packets = container.demux(*tracks)
            continue
        except IndexError:
            # At the end the library looks for tracks that it did not know at the start, after it
            # gave the last packets of all others.
            return
        if packet is None:
            return
        yield packet


def packets_of(path: Path, container: InputContainer, *tracks: Any) -> Iterator[Any]:
    """The packets of some tracks, or of all, in the order of the open file.

    In those of PNG compressed text and colour profiles are hidden from the decoder.

    Raises `InputError` as `PacketBudget` does, and what the library raises on damage.
    """
    budget = PacketBudget(path)
    for packet in demuxed(container, *tracks):
        budget.take(packet)
        # Tracks of data have no decoder.
        decoder = packet.stream.codec_context
        if packet.size and decoder is not None and decoder.name in PNG_CODECS:
            data = bytes(packet)
            hidden = with_compressed_hidden(data)
            if hidden != data:
                packet.update(hidden)
        yield packet
