"""Which SEI messages a command is about."""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.errors import InputError
from sei import FACE_PAYLOADS, GENERATIVE_FACE_VIDEO_ENHANCEMENT, PayloadError, SeiMessage
from sei.coder import UNREAD, Reader


@dataclass(frozen=True, slots=True)
class MessageSelection:
    """Messages of these payload types, and with `face_ids` only those of these faces.

    A face is known by its gfv_id, in an enhancement message gfve_gfv_id. Raises `InputError` when
    faces are asked for among payloads that have none.
    """

    payload_types: frozenset[int] = FACE_PAYLOADS
    face_ids: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.face_ids is not None and not self.payload_types <= FACE_PAYLOADS:
            raise InputError("only messages of payload types 223 and 224 have a gfv_id")

    def takes(self, message: SeiMessage) -> bool:
        """Whether the message is one of them."""
        if message.payload_type not in self.payload_types:
            return False
        return self.face_ids is None or _face_id(message) in self.face_ids


def _face_id(message: SeiMessage) -> int | None:
    """The gfv_id of a face message; None where it cannot be read."""
    reader = Reader(message.payload)
    try:
        if message.payload_type == GENERATIVE_FACE_VIDEO_ENHANCEMENT:
            reader.ue("gfve_id", UNREAD)
            return reader.ue("gfve_gfv_id", UNREAD)
        return reader.ue("gfv_id", UNREAD)
    except PayloadError:
        return None
