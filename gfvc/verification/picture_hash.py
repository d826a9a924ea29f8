"""Check of decoded picture hashes (payload type 132): whether decoders make what was coded.

Hashes are over all samples of the coded picture at the bit depth of the stream, without cropping
(H.265 clause D.3.19, H.274 clause 8.19). The base codec adapters give cropped pictures of 8 bits,
so the decoder is called directly here. The CRC of the chroma components that x265 writes is not the
standard's; its MD5 and checksum are.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gfvc.errors import StreamError
from gfvc.limits import MAX_AREA
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.nal_source import file_bytes
from gfvc.stream.parameter_sets import CodedBytes
from gfvc.stream.picture_cost import PictureCost
from gfvc.verification.findings import Check, Finding, Place
from sei import Codec, NalUnit, SeiError, access_units, iterate_sei_messages
from sei.payload_kinds import decode_payload
from sei.rbsp import sei_rbsp

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

DECODED_PICTURE_HASH = 132

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

FREE_SAMPLES = 2**30
"""Samples of all planes that are decoded, however few bytes a stream takes: some seconds' work."""

SAMPLES_PER_BYTE = 4096
"""Further samples for each byte of the file.

A picture of 256x256 is paid for by less than the message with its hash. A minute of 1280x720 at 25
pictures a second is within from 33 kbit/s on, hashes included, an hour from 67 kbit/s on; encoders
take more for the faintest motion.
"""

_BLOCK = 2**18  # samples of a plane that are looked at together
# Pictures that may wait for their turn in output order.
_MAX_WAITING = 64

_NOT_PUT_OUT = "the decoder did not put out this picture"

# The CRC of H.265 starts from ffff and appends 16 zero bits. A register that takes each bit at its
# end instead, as binascii's does, comes to the same from this value.
_CRC_START = 0x1D0F


def plane_md5(samples: Samples) -> str:
    """MD5 of a plane [height, width] in hexadecimal digits; samples of uint16 count two bytes."""
    digest = hashlib.md5(usedforsecurity=False)
    for _, block in _blocks(samples):
        digest.update(_little_endian(block))
    return digest.hexdigest()


def plane_crc(samples: Samples) -> str:
    """CRC of a plane in 4 hexadecimal digits, polynomial 1021."""
    crc = _CRC_START
    for _, block in _blocks(samples):
        crc = binascii.crc_hqx(_little_endian(block), crc)
    return f"{crc:04x}"


def plane_checksum(samples: Samples) -> str:
    """Checksum of a plane in 8 hexadecimal digits: sum of bytes, each masked by its position."""
    columns = _position_mask(0, samples.shape[1])
    total = 0
    for top, block in _blocks(samples):
        mask = columns ^ _position_mask(top, len(block))[:, np.newaxis]
        total += int((block.astype(np.uint8) ^ mask).sum(dtype=np.int64))
        if block.dtype == np.uint16:
            total += int(((block >> 8).astype(np.uint8) ^ mask).sum(dtype=np.int64))
    return f"{total & 0xFFFFFFFF:08x}"


def _position_mask(start: int, count: int) -> npt.NDArray[np.uint8]:
    positions = np.arange(start, start + count)
    return (positions ^ positions >> 8).astype(np.uint8)


def _blocks(samples: Samples) -> Iterator[tuple[int, Samples]]:
    """A plane in blocks of rows, with the first of each; copies of all would take much memory."""
    rows = max(1, _BLOCK // max(1, samples.shape[1]))
    for top in range(0, len(samples), rows):
        yield top, samples[top : top + rows]


def _little_endian(samples: Samples) -> bytes:
    return samples.astype("<u2" if samples.dtype == np.uint16 else np.uint8).tobytes()


_METHODS = {
    "picture_md5": ("MD5", plane_md5),
    "picture_crc": ("CRC", plane_crc),
    "picture_checksum": ("checksum", plane_checksum),
}


class _TooMuchError(Exception):
    """What is beyond the bounds is not decoded."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(place, text)
        self.place = place

    def __str__(self) -> str:
        return str(self.args[1])


class PictureHashCheck(Check):
    """Decodes a stream and compares its pictures with the hashes in it.

    That ends with the access unit `last`, and where it would cost more than the file is worth.
    """

    name = "picture hash"

    def __init__(self, path: Path, codec: Codec, last: int) -> None:
        self._path = path
        self._codec = codec
        self._last = last
        self._most = FREE_SAMPLES + SAMPLES_PER_BYTE * file_bytes(path)
        self._samples = 0
        self._waiting: dict[int, tuple[Place, dict[str, Any]]] = {}
        self._matching = 0
        self._compared = 0

    def compare(self) -> Iterator[Finding]:
        """Decode the stream, a VVC or HEVC one, and say what does not match."""
        try:
            yield from self._decode(read_nal_units(self._path, self._codec))
        except _TooMuchError as error:
            self._waiting.clear()
            yield self.warning(error.place, f"not compared from here on: {error}")
        except (SeiError, StreamError) as error:
            yield self.warning(Place(), f"not compared to the end: {error}")
        for place, _ in self._waiting.values():
            yield self.warning(place, _NOT_PUT_OUT)
        yield self.information(
            Place(), f"{self._matching} of {self._compared} decoded pictures match their hash"
        )

    def _decode(self, units: Iterable[NalUnit]) -> Iterator[Finding]:
        import av

        decoder: VideoCodecContext | None = None
        place = Place()
        first_nal = 0
        cost = PictureCost()
        for picture, access_unit in enumerate(access_units(units)):
            if decoder is None:
                decoder = _open_decoder(access_unit[0].codec)
            place = Place(first_nal, access_unit[0].offset, picture)
            too_many = [text for text in map(cost.exceeds, access_unit) if text is not None]
            if too_many:
                raise _TooMuchError(place, too_many[0])
            for hash_place, hashes in _hashes(access_unit, picture, first_nal):
                self._waiting[picture] = hash_place, hashes
            if len(self._waiting) > _MAX_WAITING:
                oldest, _ = self._waiting.pop(next(iter(self._waiting)))
                yield self.warning(oldest, _NOT_PUT_OUT)
            coded = CodedBytes()
            for unit in filter(_is_for_base_decoder, access_unit):
                coded.add(unit, unit.to_annex_b())
            packet = av.Packet(bytes(coded.data))
            packet.pts = packet.dts = picture
            yield from self._put_in(decoder, packet, place)
            if picture == self._last:
                break
            first_nal += len(access_unit)
        if decoder is not None:
            yield from self._put_in(decoder, None, place)

    def _put_in(
        self, decoder: VideoCodecContext, packet: Packet[Any] | None, place: Place
    ) -> Iterator[Finding]:
        """Hand a coded picture, or None at the end, to the decoder; look at what comes out."""
        import av

        try:
            frames = decoder.decode(packet)
        except av.FFmpegError as error:
            if decoder.width * decoder.height > MAX_AREA:
                size = f"{decoder.width}x{decoder.height}"
                text = f"pictures of {size} have more than {MAX_AREA} samples"
                raise _TooMuchError(place, text) from None
            if packet is not None and packet.pts is not None:
                self._waiting.pop(packet.pts, None)
            yield self.error(place, f"the picture cannot be decoded: {error.strerror}")
            return
        for frame in frames:
            self._samples += sum(plane.width * plane.height for plane in frame.planes)
            yield from self._compare(frame)
        if self._samples > self._most:
            text = f"more than {self._most} samples are decoded, too many for the file's size"
            raise _TooMuchError(place, text)

    def _compare(self, frame: VideoFrame) -> Iterator[Finding]:
        waiting = None if frame.pts is None else self._waiting.pop(frame.pts, None)
        if waiting is None:
            return
        place, hashes = waiting
        self._compared += 1
        different = list(_differences(frame, hashes))
        if different:
            yield self.error(
                place, "the decoded picture differs from the coded one: " + "; ".join(different)
            )
        else:
            self._matching += 1


def _differences(frame: VideoFrame, hashes: dict[str, Any]) -> Iterator[str]:
    for component, samples in enumerate(_planes(frame)):
        for name, (method, compute) in _METHODS.items():
            stated = hashes.get(f"{name}[{component}]")
            found = stated if stated is None else compute(samples)
            if found != stated:
                yield f"{method} of component {component} is {found}, stated {stated}"


def _open_decoder(codec: Codec) -> VideoCodecContext:
    import av

    decoder: VideoCodecContext = av.CodecContext.create(codec.value, "r")  # type: ignore[assignment]
    decoder.options = {"apply_cropping": "0", "max_pixels": str(MAX_AREA)}
    decoder.thread_count = 1
    return decoder


def _hashes(
    access_unit: tuple[NalUnit, ...], picture: int, first_nal: int
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Decoded picture hash messages of an access unit that can be read."""
    for nal, unit in enumerate(access_unit, first_nal):
        if not unit.is_sei or unit.layer_id:
            continue
        try:
            for index, message in enumerate(iterate_sei_messages(sei_rbsp(unit))):
                if message.payload_type == DECODED_PICTURE_HASH:
                    decoded = decode_payload(message.payload_type, message.payload, unit.codec)
                    yield Place(nal, unit.offset, picture, index), decoded or {}
        except SeiError:
            # The first pass has reported it.
            continue


def _is_for_base_decoder(unit: NalUnit) -> bool:
    return not unit.layer_id and not unit.is_unspecified


def _planes(frame: VideoFrame) -> Iterator[Samples]:
    """The samples of each component, [height, width], one or two bytes each."""
    depth = frame.format.components[0].bits
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
        if depth == 8:
            yield rows[: plane.height, : plane.width]
        else:
            yield rows[: plane.height, : 2 * plane.width].view(np.uint16)
