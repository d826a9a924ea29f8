"""Small streams for tests, made NAL unit by NAL unit; no decoder would take their pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from sei import (
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    USER_DATA_UNREGISTERED,
    Codec,
    FaceValues,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    GfveState,
    GfvState,
    NalUnit,
    SeiMessage,
    join_annex_b,
    make_sei_nal_unit,
    split_annex_b,
)
from sei.nal import nal_unit_header
from sei.signed_content import (
    SIGNED_CONTENT_INITIALIZATION,
    SIGNED_CONTENT_SELECTION,
    SIGNED_CONTENT_VERIFICATION,
)

PARAMETER_SETS = {Codec.VVC: (15, 16), Codec.HEVC: (32, 33, 34), Codec.AVC: (7, 8)}
# Of pictures of 64x64, as far as they are looked at.
SEQUENCE_BODY = {
    (Codec.VVC, 15): bytes.fromhex("000800820411c0"),
    (Codec.HEVC, 32): bytes.fromhex("0c1180"),
    (Codec.HEVC, 33): bytes.fromhex("01" * 12 + "5aa0208105c0"),
}
INTRA_SLICE = {Codec.VVC: 8, Codec.HEVC: 20, Codec.AVC: 5}
TRAILING_SLICE = {Codec.VVC: 0, Codec.HEVC: 1, Codec.AVC: 1}
END_OF_SEQUENCE = {Codec.VVC: 21, Codec.HEVC: 36, Codec.AVC: 10}

INFORMATION = SeiMessage(
    USER_DATA_UNREGISTERED,
    StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256)).to_payload(),
)
FILLER = SeiMessage(3, bytes(50))

# Digitally signed content by its key's address: coded pictures alone, and with SEI messages.
SIGNED = SeiMessage(SIGNED_CONTENT_INITIALIZATION, b"\1\0\xa8https://key\0")
SIGNED_WITH_SEI = SeiMessage(SIGNED_CONTENT_INITIALIZATION, b"\1\0\xachttps://key\0")
SELECTED = SeiMessage(SIGNED_CONTENT_SELECTION, b"\1\0")
SIGNATURE = SeiMessage(SIGNED_CONTENT_VERIFICATION, b"\1\0\0\0\x0f" + bytes(range(16)) + b"\xc0")


def nal(codec: Codec, nal_unit_type: int, body: bytes = b"\x80\x11\x80", **kind: Any) -> NalUnit:
    """A NAL unit of some type; its body starts a picture where it is a slice."""
    return NalUnit(codec, nal_unit_header(codec, nal_unit_type) + body, **kind)


def parameter_sets(codec: Codec = Codec.VVC) -> list[NalUnit]:
    return [
        nal(codec, number, SEQUENCE_BODY.get((codec, number), b"\x80\x11\x80"), start_code_size=4)
        for number in PARAMETER_SETS[codec]
    ]


def slice_unit(codec: Codec = Codec.VVC, *, intra: bool = True, **kind: Any) -> NalUnit:
    return nal(codec, (INTRA_SLICE if intra else TRAILING_SLICE)[codec], **kind)


def sei_unit(
    *messages: SeiMessage, codec: Codec = Codec.VVC, suffix: bool = True, **kind: Any
) -> NalUnit:
    return make_sei_nal_unit(messages, codec, suffix=suffix, **kind)


def picture(*messages: SeiMessage, codec: Codec = Codec.VVC, intra: bool = True) -> list[NalUnit]:
    """A picture unit with stream information before it and each message in a NAL unit after it."""
    return [
        *(parameter_sets(codec) if intra else []),
        *([sei_unit(INFORMATION, codec=codec, suffix=False)] if intra else []),
        slice_unit(codec, intra=intra),
        *(sei_unit(message, codec=codec) for message in messages),
    ]


def write_stream(path: Path, *parts: Iterable[NalUnit]) -> Path:
    path.write_bytes(join_annex_b([unit for part in parts for unit in part]))
    return path


def all_units(path: Path, codec: Codec | None = None) -> list[NalUnit]:
    return list(split_annex_b(path.read_bytes(), codec))


class Faces:
    """Writes face messages, each a little different from the one before."""

    def __init__(self) -> None:
        self._gfv = GfvState()
        self._gfve = GfveState()

    def raw(self, message: GenerativeFaceVideo) -> SeiMessage:
        return SeiMessage(GENERATIVE_FACE_VIDEO, self._gfv.write(message))

    def raw_enhancement(self, message: GenerativeFaceVideoEnhancement) -> SeiMessage:
        return SeiMessage(GENERATIVE_FACE_VIDEO_ENHANCEMENT, self._gfve.write(message))

    def gfv(
        self, gfv_cnt: int, *, gfv_id: int = 1, base: bool | None = None, keypoints: int = 2
    ) -> SeiMessage:
        """A message with keypoints; the base message where ``gfv_cnt`` is 0."""
        is_base = gfv_cnt == 0 if base is None else base
        values = FaceValues(
            keypoints=tuple((10 * i + gfv_cnt, -gfv_cnt) for i in range(keypoints)),
            keypoint_precision_factor=8,
        )
        return self.raw(
            self._gfv.predict(values, gfv_id=gfv_id, gfv_cnt=gfv_cnt, base_picture_flag=is_base)
        )

    def gfve(self, gfv_cnt: int, *, gfv_id: int = 1, pupils: bool = True) -> SeiMessage:
        """An enhancement message with pupils."""
        values = FaceValues(pupils=((gfv_cnt, 1), (40 + gfv_cnt, 2)), pupil_precision_factor=8)
        return self.raw_enhancement(
            self._gfve.predict(
                values if pupils else FaceValues(),
                gfve_id=0,
                gfv_id=gfv_id,
                gfv_cnt=gfv_cnt,
                base_picture_flag=gfv_cnt == 0,
            )
        )

    def run(self, count: int, **kind: Any) -> list[SeiMessage]:
        """A base message and the messages of ``count - 1`` driven pictures."""
        return [self.gfv(gfv_cnt, **kind) for gfv_cnt in range(count)]


def duet() -> Iterator[Sequence[NalUnit]]:
    """Two pictures with two faces, one of them enhanced, and other messages between them."""
    faces = Faces()
    for intra in (True, False):
        head = picture(intra=intra)
        first = sei_unit(faces.gfv(0), FILLER, faces.gfve(0), faces.gfv(0, gfv_id=2))
        second = sei_unit(faces.gfv(1, gfv_id=2), faces.gfv(1))
        third = sei_unit(FILLER)
        yield [*head, first, second, third]
