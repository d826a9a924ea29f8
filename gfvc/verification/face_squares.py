"""Check of the squares that faces are drawn in: they are there, and lie within the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from base_codec_adapters import StreamInvalidError
from gfvc.errors import StreamError
from gfvc.face_square import RESTORE_SQUARE, FaceSquare, lost_square
from gfvc.stream.parameter_sets import ShownFormat
from gfvc.verification.findings import Check, Finding, Place
from gfvc.verification.user_data import StatedInformation, UserDataCheck
from models.post_filter import enlargement
from sei import Codec, GenerativeFaceVideo
from sei.inspection import InspectedMessage, InspectedUnit


class FaceSquareCheck(Check):
    """Face squares lie within the pictures, and those that are not square have one for a face."""

    name = "face square"

    def __init__(self, stated: StatedInformation, user_data: UserDataCheck) -> None:
        self._stated = stated
        self._user_data = user_data
        self._shown = ShownFormat()
        self._coded: tuple[int, int] | None = None
        self._enlargement = 1  # by the last user data
        self._squares: list[tuple[Place, FaceSquare]] = []
        self._first: FaceSquare | None = None  # of the first face, by the last user data
        self._has_information = False  # here
        self._picture: Place | None = None
        self._drives = False  # it does, by its messages or user data
        self._sequence_drives = False  # user data say so of a picture up to the next
        self._told = False  # of a face without its square

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if unit.codec is not Codec.AVC:
            with suppress(StreamInvalidError):  # As decoding will tell.
                self._shown.see(unit)
            if (found := self._shown.format) is not None:
                self._coded = found.width, found.height
        if unit.starts_picture and self._picture is None:
            self._picture = place
            if unit.is_irap and not self._has_information:
                self._first, self._sequence_drives, self._enlargement = None, False, 1
        yield from ()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if isinstance(message, GenerativeFaceVideo):
            self._drives |= self._user_data.drawn_face(message.gfv_id) == 0
            return
        try:
            information = self._stated.of(inspected)
        except StreamError:
            return  # As the check of user data tells.
        if information is not None:
            schedule, sequence = information.schedule, information.sequence
            self._has_information = True
            self._first = information.face_square
            self._enlargement = enlargement(information.post_filter)
            self._drives = schedule is not None and schedule.pictures > 1
            self._sequence_drives = sequence is not None and sequence.drives
            self._squares += [(place, square) for square in information.face_squares]
        yield from ()

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit, whose parameter sets and messages are all there."""
        found, self._squares = self._squares, []
        size = None
        if self._coded is not None:
            size = self._enlargement * self._coded[0], self._enlargement * self._coded[1]
        for place, square in found:
            if size is not None and not square.fits(*size):
                width, height = size
                yield self.error(
                    place, f"{square}, lies outside of the pictures of {width}x{height}"
                )
        picture, self._picture = self._picture, None
        drives = self._drives or self._sequence_drives
        self._drives = self._has_information = False
        if self._told or picture is None or size is None or not drives:
            return
        width, height = size
        if self._first is None and width != height:
            self._told = True
            yield self.warning(
                picture, f"{lost_square(width, height)}: gfvc decode refuses that; {RESTORE_SQUARE}"
            )
