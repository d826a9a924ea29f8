"""Check that enhancement messages (payload type 224) enhance a message that is there."""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.verification.face_order import face_identity
from gfvc.verification.findings import Check, Finding, Place
from sei import GenerativeFaceVideo, GenerativeFaceVideoEnhancement
from sei.inspection import InspectedMessage

# Messages of a picture that are remembered; the reference's own example has 125.
_MOST_REMEMBERED = 2**16


class EnhancementCheck(Check):
    """An enhancement message follows the face message of its picture that it names."""

    name = "enhancement"

    def __init__(self) -> None:
        # Of the current picture: gfv_base_picture_flag by gfv_id and gfv_cnt, None if unreadable.
        self._base_flags: dict[tuple[int, int], bool | None] = {}
        # Messages that came before the one that they enhance, with its gfv_id and gfv_cnt.
        self._early: list[tuple[Place, tuple[int, int]]] = []
        self._too_many = False

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        identity = face_identity(inspected)
        if len(self._base_flags) + len(self._early) >= _MOST_REMEMBERED:
            self._too_many = True
            return
        if identity is not None:
            self._base_flags[identity] = (
                message.base_picture_flag if isinstance(message, GenerativeFaceVideo) else None
            )
        if not isinstance(message, GenerativeFaceVideoEnhancement):
            return
        enhanced = message.gfv_id, message.gfv_cnt
        if enhanced not in self._base_flags:
            self._early.append((place, enhanced))
        elif self._base_flags[enhanced] not in (None, message.base_picture_flag):
            yield self.warning(
                place,
                f"gfve_base_picture_flag is {int(message.base_picture_flag)}, but "
                f"gfv_base_picture_flag of the message it enhances is not",
            )

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        for place, enhanced in self._early if not self._too_many else ():
            name = "gfv_id {} and gfv_cnt {}".format(*enhanced)
            if enhanced in self._base_flags:
                yield self.warning(place, f"comes before the message with {name}")
            else:
                yield self.error(place, f"enhances a message that is not there: {name}")
        self._early.clear()
        self._too_many = False
        self._base_flags.clear()
