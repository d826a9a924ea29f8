"""Going through a stream with all checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gfvc.errors import StreamError
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.sequence_starts import SequenceStarts
from gfvc.verification.enhancement import EnhancementCheck
from gfvc.verification.face_order import Face, FaceOrderCheck, face_identity, face_of
from gfvc.verification.face_squares import FaceSquareCheck
from gfvc.verification.findings import Check, Finding, Place, Severity
from gfvc.verification.interchange import InterchangeCheck
from gfvc.verification.layouts import LayoutCheck
from gfvc.verification.marking import MarkingCheck
from gfvc.verification.picture_hash import DECODED_PICTURE_HASH, PictureHashCheck
from gfvc.verification.picture_order import PictureOrderCheck
from gfvc.verification.shown_size import ShownSizeCheck
from gfvc.verification.structure import (
    DamageCheck,
    HeaderCheck,
    PlacementCheck,
    ReservedValueCheck,
)
from gfvc.verification.user_data import StatedInformation, UserDataCheck
from gfvc.verification.whole_stream import (
    CodecChangeCheck,
    ColourCheck,
    NetworkCheck,
    PictureCostCheck,
    PictureFormatCheck,
    SkippedPictureCheck,
    UntoldPictureCheck,
)
from sei import Codec
from sei.inspection import InspectedMessage, InspectedUnit, inspect_units
from sei.limits import MAX_MESSAGES, LimitError, ReadingLimit

# What is shown to the first checks only: other layers, and more faces than this.
_FIRST_CHECKS = 4
MAX_FACES = 1024
"""Greatest number of faces whose messages are compared with each other."""


def verify_stream(
    path: Path, codec: Codec | None = None, *, max_messages: int = MAX_MESSAGES
) -> Iterator[Finding]:
    """What is wrong, doubtful or worth knowing in a stream, as it is found.

    Raises `InputError` when the file is no VVC, HEVC or H.264 byte stream. A stream that breaks
    off is a finding. `codec` names the codec where the stream does not tell. What is
    beyond `sei.limits.ReadingLimit` with `max_messages` is not read, which is a finding too.
    """
    walk = _Walk()
    yield from walk.go(path, codec, ReadingLimit(max_messages))
    if walk.last_hash is None or walk.codec is None:
        yield Finding(Severity.INFORMATION, PictureHashCheck.name, Place(), "no picture hash")
    elif walk.codec is Codec.AVC:
        yield Finding(Severity.INFORMATION, PictureHashCheck.name, Place(), "not compared in H.264")
    else:
        yield from PictureHashCheck(path, walk.codec, walk.last_hash).compare()


class _Walk:
    """One pass over a stream."""

    def __init__(self) -> None:
        self.codec: Codec | None = None
        self.last_hash: int | None = None  # access unit
        self._faces: set[Face] = set()
        self._too_many_faces = False
        stated, cost = StatedInformation(), PictureCostCheck()
        user_data, starts = UserDataCheck(stated), SequenceStarts()
        self._checks: tuple[Check, ...] = (
            DamageCheck(),
            PlacementCheck(),
            HeaderCheck(),
            CodecChangeCheck(),
            FaceOrderCheck(),
            LayoutCheck(),
            EnhancementCheck(),
            ReservedValueCheck(),
            InterchangeCheck(),
            user_data,
            PictureOrderCheck(stated, user_data, starts),
            MarkingCheck(),
            FaceSquareCheck(stated, user_data),
            ShownSizeCheck(stated),
            NetworkCheck(user_data),
            cost,
            PictureFormatCheck(user_data),
            ColourCheck(cost, user_data),
            SkippedPictureCheck(),
            UntoldPictureCheck(starts, user_data),
        )
        # Most checks look at messages only, and a stream may have very many NAL units.
        self._of_nal_units = tuple(
            check for check in self._checks if type(check).see_nal_unit is not Check.see_nal_unit
        )
        self._of_pictures = tuple(
            check
            for check in self._checks
            if type(check).see_end_of_picture is not Check.see_end_of_picture
        )
        self._first_of_nal_units = tuple(
            check for check in self._of_nal_units if check in self._checks[:_FIRST_CHECKS]
        )

    def go(self, path: Path, codec: Codec | None, limit: ReadingLimit) -> Iterator[Finding]:
        """Show the stream to all checks."""
        index = 0
        try:
            for inspected in inspect_units(read_nal_units(path, codec), limit=limit):
                if isinstance(inspected, InspectedUnit):
                    index = 0
                    yield from self._nal_unit(inspected)
                else:
                    yield from self._message(inspected, index)
                    index += 1
        except LimitError as error:
            yield Finding(Severity.ERROR, DamageCheck.name, Place(), str(error))
        except StreamError as error:
            if self.codec is None:
                raise
            yield Finding(Severity.ERROR, DamageCheck.name, Place(), str(error))
        for check in self._checks:
            yield from check.see_end_of_picture()
        for check in self._checks:
            yield from check.see_end()

    def _nal_unit(self, inspected: InspectedUnit) -> Iterator[Finding]:
        if inspected.starts_access_unit:
            for check in self._of_pictures:
                yield from check.see_end_of_picture()
        unit = inspected.unit
        self.codec = unit.codec
        place = Place(inspected.nal, unit.offset, inspected.access_unit)
        for check in self._of_nal_units if not unit.layer_id else self._first_of_nal_units:
            yield from check.see_nal_unit(place, inspected)

    def _of_layer(self, inspected: InspectedUnit) -> tuple[Check, ...]:
        """The checks that a NAL unit is shown to: faces are those of the base layer."""
        return self._checks if not inspected.unit.layer_id else self._checks[:_FIRST_CHECKS]

    def _message(self, inspected: InspectedMessage, index: int) -> Iterator[Finding]:
        where, message = inspected.where, inspected.sei_message
        place = Place(where.nal, where.unit.offset, where.access_unit, index)
        is_hash = message is not None and message.payload_type == DECODED_PICTURE_HASH
        if is_hash and not where.unit.layer_id:
            self.last_hash = where.access_unit
        checks = self._of_layer(where)
        face = _face_of(inspected)
        if face is not None and face not in self._faces:
            if len(self._faces) == MAX_FACES:
                checks = checks[:_FIRST_CHECKS]
                if not self._too_many_faces:
                    self._too_many_faces = True
                    yield Finding(
                        Severity.ERROR,
                        FaceOrderCheck.name,
                        place,
                        f"more than {MAX_FACES} faces: this one and further ones are not checked",
                    )
            else:
                self._faces.add(face)
        for check in checks:
            yield from check.see_message(place, inspected)


def _face_of(inspected: InspectedMessage) -> Face | None:
    """Whose face a message is of, as far as it can be read; None of other messages."""
    if inspected.message is not None:
        return face_of(inspected.message)
    identity = face_identity(inspected)
    return None if identity is None else identity[:1]
