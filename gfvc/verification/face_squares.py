"""Check of the squares that faces are drawn in: they lie within the pictures."""

from __future__ import annotations

from collections.abc import Iterator

from base_codec_adapters import Codec, StreamInvalidError, picture_format
from gfvc.errors import StreamError
from gfvc.face_square import FaceSquare
from gfvc.verification.findings import Check, Finding, Place
from gfvc.verification.user_data import StatedInformation
from sei import Codec as SeiCodec
from sei.inspection import InspectedMessage, InspectedUnit

_CODECS: dict[SeiCodec, Codec] = {SeiCodec.VVC: "vvc", SeiCodec.HEVC: "hevc"}


class FaceSquareCheck(Check):
    """Face squares lie within the pictures that faces are drawn in."""

    name = "face square"

    def __init__(self, stated: StatedInformation) -> None:
        self._stated = stated
        self._size: tuple[int, int] | None = None
        self._squares: list[tuple[Place, FaceSquare]] = []

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        codec = _CODECS.get(unit.codec)
        if codec is not None and unit.type_name == "SPS":
            try:
                found = picture_format(unit.to_annex_b(), codec)
            except StreamInvalidError:
                found = None  # As decoding will tell.
            if found is not None:
                self._size = found.width, found.height
        yield from ()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        try:
            information = self._stated.of(inspected)
        except StreamError:
            return  # As the check of user data tells.
        if information is not None:
            self._squares += [(place, square) for square in information.face_squares]
        yield from ()

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit, whose parameter sets and messages are all there."""
        found, self._squares = self._squares, []
        for place, square in found:
            if self._size is not None and not square.fits(*self._size):
                width, height = self._size
                yield self.error(
                    place, f"{square}, lies outside of the pictures of {width}x{height}"
                )
