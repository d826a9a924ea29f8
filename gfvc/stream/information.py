"""What the standard's messages have no place for: one user data message at every IRAP picture.

A user_data_unregistered SEI message (payload type 5, H.274 clause 8.6), prefix SEI. After the
16 bytes of the UUID, big-endian:

    version                 1 byte    1, or 2 when flags follow
    rate numerator          4 bytes   pictures per second = numerator / denominator
    rate denominator        2 bytes   1 or more
    pictures per message    1 byte    1: every driven picture has a message of its own; 0: the
                                      schedule says which
    source width, height    2 × 2 bytes   picture size of the source, before the crop
    crop left, top, width, height   4 × 2 bytes   what was coded, in pixels of the source
    flags                   1 byte    in version 2: bit 0 for pictures shown as coded, bit 1 for a
                                      schedule that follows, bit 2 for references that follow
    schedule                          see `gfvc.stream.schedule`
    references                        see `gfvc.stream.references`

Pictures that are shown as coded have no face messages, up to the next picture with a user data
message of this kind. Later versions may append; a reader ignores what
follows the fields that it knows.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from fractions import Fraction

from gfvc.errors import StreamError
from gfvc.rectangle import Rectangle
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from sei import USER_DATA_UNREGISTERED, NalUnit, SeiError, read_sei
from sei.bits import BitReader

# The name-based UUID (version 5, URL name space) of "tag:gfvc,2026:stream-information".
USER_DATA_UUID = uuid.UUID("81724027-6de0-5106-8f2e-e2f1a0bb654f")
VERSION = 1
VERSION_WITH_FLAGS = 2
_SHOWN_AS_CODED = 1
_HAS_SCHEDULE = 1 << 1
_HAS_REFERENCES = 1 << 2
_FORMAT = struct.Struct(">BIHBHHHHHH")


@dataclass(frozen=True, slots=True)
class StreamInformation:
    """Rate of the output pictures, and where the pictures come from.

    `shown_as_coded` tells that the pictures up to the next such information are not key pictures.
    `schedule` tells which pictures of the access unit have messages, None: all of them.
    `references` tells which key pictures drive them, None: the one of the access unit.
    """

    rate: Fraction
    source_width: int
    source_height: int
    crop: Rectangle
    shown_as_coded: bool = False
    schedule: PictureSchedule | None = None
    references: ReferenceRuns | None = None

    def to_payload(self) -> bytes:
        """The payload of the user data message."""
        rate = self.rate.limit_denominator(0xFFFF)
        schedule, references = self.schedule, self.references
        flags = (
            _SHOWN_AS_CODED * self.shown_as_coded
            + _HAS_SCHEDULE * (schedule is not None)
            + _HAS_REFERENCES * (references is not None)
        )
        fields = _FORMAT.pack(
            VERSION_WITH_FLAGS if flags else VERSION,
            rate.numerator,
            rate.denominator,
            1 if schedule is None else 0,
            self.source_width,
            self.source_height,
            *self.crop.window,
        )
        if not flags:
            return USER_DATA_UUID.bytes + fields
        further = b"".join(part.to_bytes() for part in (schedule, references) if part is not None)
        return USER_DATA_UUID.bytes + fields + bytes([flags]) + further

    @classmethod
    def from_payload(cls, payload: bytes) -> StreamInformation | None:
        """Read a user data payload; None when it is somebody else's.

        Raises `StreamError` when it is ours and damaged, or of a later, incompatible kind.
        """
        if payload[:16] != USER_DATA_UUID.bytes:
            return None
        body = payload[16:]
        if len(body) < _FORMAT.size:
            raise StreamError(
                f"gfvc's user data message holds {len(body)} bytes, {_FORMAT.size} are needed"
            )
        fields = _FORMAT.unpack_from(body)
        version, numerator, denominator, per_message, width, height, *window = fields
        if not numerator or not denominator or not 1 <= Fraction(numerator, denominator) <= 1000:
            raise StreamError(
                f"gfvc's user data message states {numerator}/{denominator} pictures per second"
            )
        flags = 0
        if version >= VERSION_WITH_FLAGS:
            if len(body) == _FORMAT.size:
                raise StreamError("gfvc's user data message ends before its flags")
            flags = body[_FORMAT.size]
        further = body[_FORMAT.size + 1 :]
        schedule = references = None
        if flags & _HAS_SCHEDULE:
            schedule, further = PictureSchedule.read(further)
        elif per_message != 1:
            raise StreamError(
                f"the stream has {per_message} pictures per message and does not say which; "
                "this version decodes 1"
            )
        if flags & _HAS_REFERENCES:
            references = ReferenceRuns.read(BitReader(further))
            if schedule is not None:
                references.check_starts(schedule)
        return cls(
            Fraction(numerator, denominator),
            width,
            height,
            Rectangle(*window),
            bool(flags & _SHOWN_AS_CODED),
            schedule,
            references,
        )


def find_information(unit: NalUnit) -> StreamInformation | None:
    """What an SEI NAL unit states, or None; a damaged one states nothing."""
    try:
        messages = read_sei(unit).messages
        found = [
            StreamInformation.from_payload(message.payload)
            for message in messages
            if message.payload_type == USER_DATA_UNREGISTERED
        ]
    except (SeiError, StreamError):
        return None
    return next((information for information in found if information is not None), None)
