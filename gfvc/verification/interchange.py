"""Check for messages that are right, and that the reference decoder (VTM 24.0) misreads.

It keeps one state for all faces, takes the layout of later messages from the first base messages,
and computes in 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gfvc.verification.face_order import EitherMessage, Face, face_of
from gfvc.verification.findings import Check, Finding, Place
from sei import (
    GenerativeFaceVideo,
    MatrixLayout,
    MatrixType,
    NetworkPayload,
)
from sei.inspection import InspectedMessage

_HEAD_POSE = frozenset(
    {MatrixType.HEAD_ROTATION, MatrixType.HEAD_TRANSLATION, MatrixType.HEAD_LOCATION}
)
_OVERFLOWING_PRECISION = 32


@dataclass(slots=True)
class _Part:
    """Coordinates, or matrices: the faces whose values the reference decoder has."""

    base: Face | None = None
    latest: Face | None = None


class InterchangeCheck(Check):
    """What the reference decoder gets wrong, crashes on, or overflows at."""

    name = "interchange"

    def __init__(self) -> None:
        # Faces whose matrices the reference decoder no longer has as the base message sent them.
        self._overwritten: set[int] = set()
        # By kind of message and part of it.
        self._parts: dict[tuple[type, str], _Part] = {}
        self._mixed: set[Face] = set()  # faces of which the mixing up of states was told
        self._first_layouts: dict[type, tuple[tuple[int, int, int], ...]] = {}
        self._base_keypoints = 0
        self._after_payload: set[type] = set()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if message is None or (isinstance(message, GenerativeFaceVideo) and message.is_reserved):
            return
        for text in (
            *_overflows(message),
            *self._one_state(message),
            *self._driven_after_payload(message),
            *self._layout_of_first_base(message),
        ):
            yield self.warning(place, f"the reference decoder {text}")
        if isinstance(message, GenerativeFaceVideo):
            for text in (
                *self._more_keypoints(message),
                *_orders_of_types(message, inspected),
                *self._base_overwritten(message),
            ):
                yield self.warning(place, f"the reference decoder {text}")

    def _one_state(self, message: EitherMessage) -> Iterator[str]:
        """Values of one face predicted from those of another; told once a face."""
        face = face_of(message)
        mixed = False
        for name, predicted in _parts_of(message):
            part = self._parts.setdefault((type(message), name), _Part())
            if message.base_picture_flag:
                part.base = face
            elif predicted:
                mixed |= (part.base if message.gfv_cnt == 0 else part.latest) != face
                mixed |= part.base != face  # which the layout is taken from
            part.latest = face
        if mixed and face not in self._mixed:
            self._mixed.add(face)
            yield (
                f"keeps one state for all faces: it predicts {_named(message)} from another one, "
                "and has wrong values from here on"
            )

    def _driven_after_payload(self, message: EitherMessage) -> Iterator[str]:
        """A network's bytes in a base message, and messages after it; told once a base message."""
        kind = type(message)
        if message.base_picture_flag:
            self._after_payload.discard(kind)
            if isinstance(message.network, NetworkPayload):
                self._after_payload.add(kind)
        elif kind in self._after_payload:
            self._after_payload.discard(kind)
            yield (
                "may abort on the messages after a base message with a network as bytes "
                "(nn_mode_idc 0)"
            )

    def _layout_of_first_base(self, message: EitherMessage) -> Iterator[str]:
        if not message.base_picture_flag or message.matrices is None:
            return
        assert message.matrices.layout is not None  # The syntax codes it in every base message.
        sizes = _sizes(message.matrices.layout)
        first = self._first_layouts.setdefault(type(message), sizes)
        if sizes != first:
            yield (
                "keeps the sizes of the matrices of the first base message, and misreads messages "
                "that inherit those of this one"
            )

    def _more_keypoints(self, message: GenerativeFaceVideo) -> Iterator[str]:
        coordinates = message.coordinates
        if coordinates is None or coordinates.layout is None:
            return
        if message.base_picture_flag:
            self._base_keypoints = coordinates.layout.num_keypoints
        elif coordinates.layout.num_keypoints > self._base_keypoints:
            yield (
                f"crashes on more keypoints ({coordinates.layout.num_keypoints}) than the base "
                f"message has ({self._base_keypoints})"
            )

    def _base_overwritten(self, message: GenerativeFaceVideo) -> Iterator[str]:
        if message.matrices is None:
            return
        if message.base_picture_flag:
            self._overwritten.discard(message.gfv_id)
            return
        predicts_from_base = message.matrices.predicted and message.gfv_cnt == 0
        if predicts_from_base and message.gfv_id in self._overwritten:
            yield "predicts these matrices from the message before, not from the base message"
        self._overwritten.add(message.gfv_id)


def _named(message: EitherMessage) -> str:
    if isinstance(message, GenerativeFaceVideo):
        return f"gfv_id {message.gfv_id}"
    return f"gfve_id {message.gfve_id} of gfv_id {message.gfv_id}"


def _parts_of(
    message: EitherMessage,
) -> Iterator[tuple[str, bool]]:
    """Parts that a message carries, and whether they are predicted."""
    if isinstance(message, GenerativeFaceVideo):
        if message.coordinates is not None:
            yield "coordinates", message.coordinates.predicted
    elif message.pupils is not None:
        yield "pupils", True
    if message.matrices is not None:
        yield "matrices", message.matrices.predicted


def _sizes(layout: MatrixLayout) -> tuple[tuple[int, int, int], ...]:
    return tuple((shape.count, shape.height, shape.width) for shape in layout.shapes)


def _overflows(message: EitherMessage) -> Iterator[str]:
    layouts: list[tuple[str, int | None]] = []
    if message.matrices is not None and message.matrices.layout is not None:
        layouts.append(("matrices", message.matrices.layout.precision_factor))
    if isinstance(message, GenerativeFaceVideo):
        if message.coordinates is not None and message.coordinates.layout is not None:
            layouts.append(("coordinates", message.coordinates.layout.precision_factor))
    elif message.pupils is not None:
        layouts.append(("pupils", message.pupils.precision_factor))
    for what, precision_factor in layouts:
        if precision_factor == _OVERFLOWING_PRECISION:
            yield f"overflows at precision factor {precision_factor}, which the {what} have"


def _orders_of_types(message: GenerativeFaceVideo, inspected: InspectedMessage) -> Iterator[str]:
    if message.matrices is None or message.matrices.layout is None:
        return
    types = [shape.type_idx for shape in message.matrices.layout.shapes]
    counted = {
        element.indices[0]
        for element in inspected.elements.outside_arrays()
        if element.base_name == "gfv_num_matrices_info"
    }
    if counted and counted != set(range(max(counted) + 1)):
        yield "misreads a matrix type with gfv_num_matrices_info after one without it"
    poses = [index for index, type_idx in enumerate(types) if type_idx in _HEAD_POSE]
    if poses and poses != list(range(len(poses))):
        yield "misreads matrix types 4, 5 and 6 after other types"
