"""Check for messages that are right, and that the reference decoder (VTM 23.13) misreads."""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.verification.findings import Check, Finding, Place
from sei import GenerativeFaceVideo, MatrixType
from sei.inspection import InspectedMessage

_HEAD_POSE = frozenset(
    {MatrixType.HEAD_ROTATION, MatrixType.HEAD_TRANSLATION, MatrixType.HEAD_LOCATION}
)


class InterchangeCheck(Check):
    """Orders of matrix types, and predictions, that the reference decoder gets wrong."""

    name = "interchange"

    def __init__(self) -> None:
        # Faces whose matrices the reference decoder no longer has as the base message sent them.
        self._overwritten: set[int] = set()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if not isinstance(message, GenerativeFaceVideo) or message.matrices is None:
            return
        if message.matrices.layout is not None:
            types = [shape.type_idx for shape in message.matrices.layout.shapes]
            counted = {
                element.indices[0]
                for element in inspected.elements
                if element.base_name == "gfv_num_matrices_info"
            }
            if counted and counted != set(range(max(counted) + 1)):
                yield self.warning(
                    place,
                    "the reference decoder misreads a matrix type with gfv_num_matrices_info "
                    "after one without it",
                )
            poses = [index for index, type_idx in enumerate(types) if type_idx in _HEAD_POSE]
            if poses and poses != list(range(len(poses))):
                yield self.warning(
                    place,
                    "the reference decoder misreads matrix types 4, 5 and 6 after other types",
                )
        if message.base_picture_flag:
            self._overwritten.discard(message.gfv_id)
            return
        predicts_from_base = message.matrices.predicted and message.gfv_cnt == 0
        if predicts_from_base and message.gfv_id in self._overwritten:
            yield self.warning(
                place,
                "the reference decoder predicts these matrices from the message before, "
                "not from the base message",
            )
        self._overwritten.add(message.gfv_id)
