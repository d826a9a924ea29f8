"""Checks of the face messages (payload type 223) of a picture: which, and in what order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gfvc.verification.findings import Check, Finding, Place
from sei import GENERATIVE_FACE_VIDEO, GenerativeFaceVideo, GenerativeFaceVideoEnhancement
from sei.inspection import InspectedMessage, InspectedUnit

EitherMessage = GenerativeFaceVideo | GenerativeFaceVideoEnhancement
Face = tuple[int, ...]
"""What tells a face from others, see `face_of`."""


@dataclass(slots=True)
class _FaceOfPicture:
    """What was seen of a face in the current picture; `first` is where."""

    first: Place
    last_cnt: int
    last_payload: bytes
    base_messages: int = 0


class FaceOrderCheck(Check):
    """One base message a picture and face, before the others, and gfv_cnt 0, 1, 2 and so on."""

    name = "order"

    def __init__(self) -> None:
        self._with_base: set[int] = set()
        self._faces: dict[int, _FaceOfPicture] = {}
        self._is_irap = False
        self._any = False

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        self._is_irap |= inspected.unit.is_irap
        yield from ()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        identity = face_identity(inspected)
        if identity is None or inspected.sei_message is None:
            return
        gfv_id, gfv_cnt = identity
        payload = inspected.sei_message.payload
        face = self._faces.get(gfv_id)
        message = inspected.message
        self._any = True
        is_base = isinstance(message, GenerativeFaceVideo) and message.base_picture_flag
        if face is None:
            if gfv_cnt != 0:
                yield self.error(
                    place,
                    f"the first message of gfv_id {gfv_id} in this picture has gfv_cnt {gfv_cnt}, "
                    "must be 0",
                )
            face = self._faces[gfv_id] = _FaceOfPicture(place, gfv_cnt, payload)
        elif is_base and face.base_messages:
            yield self.error(place, f"another base message of gfv_id {gfv_id} in this picture")
        else:
            yield from self._in_order(place, face, gfv_cnt, payload)
        face.last_cnt, face.last_payload = gfv_cnt, payload
        face.base_messages += is_base
        if is_base:
            self._with_base.add(gfv_id)
        elif message is not None and gfv_id not in self._with_base:
            yield self.error(place, f"no base message of gfv_id {gfv_id} came before this message")

    def _in_order(
        self, place: Place, face: _FaceOfPicture, gfv_cnt: int, payload: bytes
    ) -> Iterator[Finding]:
        last = face.last_cnt
        if gfv_cnt == last and payload == face.last_payload:
            yield self.information(place, f"the message with gfv_cnt {gfv_cnt} is repeated")
        elif gfv_cnt <= last:
            yield self.error(place, f"gfv_cnt {gfv_cnt} comes after {last}, must be {last + 1}")
        elif gfv_cnt > last + 1:
            missing = f"{last + 1}" if gfv_cnt == last + 2 else f"{last + 1} to {gfv_cnt - 1}"
            yield self.error(place, f"gfv_cnt {gfv_cnt} comes after {last}: {missing} missing")

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        if self._is_irap:
            for gfv_id, face in self._faces.items():
                if not face.base_messages and gfv_id in self._with_base:
                    yield self.warning(
                        face.first,
                        f"a random access point without a base message of gfv_id {gfv_id}: "
                        "decoding cannot start here",
                    )
        self._faces.clear()
        self._is_irap = False

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if not self._any:
            yield self.information(Place(), "no face messages")


def face_of(message: EitherMessage) -> Face:
    """gfv_id of a face message; gfve_id and gfve_gfv_id of one that enhances another."""
    if isinstance(message, GenerativeFaceVideo):
        return (message.gfv_id,)
    return message.gfve_id, message.gfv_id


def face_identity(inspected: InspectedMessage) -> tuple[int, int] | None:
    """gfv_id and gfv_cnt of a face message, also of a damaged one where they can be read.

    None for other messages and those with a reserved gfv_id, which receivers ignore.
    """
    message = inspected.sei_message
    if message is None or message.payload_type != GENERATIVE_FACE_VIDEO:
        return None
    values = {element.name: element.value for element in inspected.elements[:2]}
    gfv_id, gfv_cnt = values.get("gfv_id"), values.get("gfv_cnt")
    if isinstance(gfv_id, int) and isinstance(gfv_cnt, int):
        return gfv_id, gfv_cnt
    return None
