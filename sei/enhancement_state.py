"""Streams of enhancement messages: pupils, and matrices that say more of a face."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sei.arguments import WrongKindsTold, wrong_kind
from sei.coder import Coder
from sei.errors import MessageError, ReferenceMissingError
from sei.face_messages import (
    CoordinateLayout,
    GenerativeFaceVideoEnhancement,
    MatrixLayout,
    Network,
    Pupils,
)
from sei.face_values import (
    FaceValues,
    MatrixValues,
    Scaled,
    check_precision,
    whole_numbers,
)
from sei.state import FACE_OVERHEAD, MessageStream
from sei.syntax import generative_face_video_enhancement
from sei.tracks import Track, make_matrices, take_matrices


@dataclass(frozen=True, slots=True)
class _EnhancedFace:
    """What is known of a gfve_id together with a gfv_id.

    The pupils are four numbers, left x and y, then right x and y.
    """

    matrices: Track[MatrixLayout] = field(default_factory=lambda: Track("matrices"))
    base_pupils: Scaled | None = None
    latest_pupils: Scaled | None = None

    @property
    def numbers(self) -> int:
        """Number of values that are kept."""
        return self.matrices.numbers + FACE_OVERHEAD

    @property
    def coordinate_layout(self) -> CoordinateLayout:
        raise ReferenceMissingError("an enhancement message has no keypoints")

    @property
    def matrix_layout(self) -> MatrixLayout:
        return self.matrices.layout

    @property
    def pupil_precision_factor(self) -> int:
        if self.base_pupils is None:
            raise _no_pupils()
        return self.base_pupils.precision_factor

    def pupil_reference(self, gfv_cnt: int) -> Scaled:
        """Values that the pupils of a message are predicted from."""
        reference = self.base_pupils if gfv_cnt == 0 else self.latest_pupils
        if reference is None:
            raise _no_pupils()
        return reference


def _no_pupils() -> ReferenceMissingError:
    return ReferenceMissingError(
        "pupils: the base message sent none, or was not received; "
        "start at a base message with pupils"
    )


class GfveState(MessageStream[GenerativeFaceVideoEnhancement, tuple[int, int], _EnhancedFace]):
    """The GFVE messages (payloadType 224) of a stream; state is kept by gfve_id and gfv_id."""

    _kind = GenerativeFaceVideoEnhancement

    def _face(self, gfve_id: int, gfv_id: int) -> _EnhancedFace:
        return self._faces.get((gfve_id, gfv_id), _EnhancedFace())

    def _code(self, c: Coder, given: Any) -> GenerativeFaceVideoEnhancement:
        return generative_face_video_enhancement(c, given, self._face)

    def _key(self, message: GenerativeFaceVideoEnhancement) -> tuple[int, int]:
        return message.gfve_id, message.gfv_id

    def _take(self, message: GenerativeFaceVideoEnhancement, *, repeated: bool) -> None:
        face = self._face(message.gfve_id, message.gfv_id)
        is_base = message.base_picture_flag
        matrices: tuple[MatrixValues, ...] = ()
        if message.matrices is not None:
            track, matrices = take_matrices(
                face.matrices, message.matrices, message.gfv_cnt, is_base=is_base, repeated=repeated
            )
            face = replace(face, matrices=track)
        if is_base:
            pupils = None if message.pupils is None else _base_pupils(message.pupils)
            face = replace(face, base_pupils=pupils, latest_pupils=pupils)
        elif message.pupils is not None and not repeated:
            reference = face.pupil_reference(message.gfv_cnt)
            deltas = (message.pupils.left or (0, 0)) + (message.pupils.right or (0, 0))
            pupils = reference.plus(Scaled(deltas, reference.precision_factor))
            face = replace(face, latest_pupils=pupils)
        self._remember((message.gfve_id, message.gfv_id), face)
        self._values = FaceValues(matrices=matrices)
        if face.latest_pupils is not None:
            left_x, left_y, right_x, right_y = face.latest_pupils.numbers
            self._values = replace(
                self._values,
                pupils=((left_x, left_y), (right_x, right_y)),
                pupil_precision_factor=face.latest_pupils.precision_factor,
            )

    def predict(
        self,
        values: FaceValues,
        *,
        gfve_id: int,
        gfv_id: int,
        gfv_cnt: int,
        base_picture_flag: bool = False,
        predict_matrices: bool = True,
        network: Network | None = None,
    ) -> GenerativeFaceVideoEnhancement:
        """The message that makes a receiver in this state have ``values``; state unchanged.

        A base message sends both pupils where there are any, a later one those that moved.

        Raises:
            MessageError: keypoints, ragged values, a layout or a step that differs from the one
                to be inherited, or parts of the wrong kind.
            ArgumentError: ``values`` is no `FaceValues`.
            ReferenceMissingError: there is no message to predict from.
        """
        if not isinstance(values, FaceValues):
            raise wrong_kind("values", "a sei.FaceValues", values)
        if values.keypoints is not None:
            raise MessageError("an enhancement message has no keypoints")
        with WrongKindsTold():
            face = self._face(gfve_id, gfv_id)
            matrices = make_matrices(
                face.matrices,
                values.matrices,
                gfv_cnt,
                predicted=predict_matrices and not base_picture_flag,
            )
            pupils = None
            if values.pupils is not None:
                reference = None if base_picture_flag else face.pupil_reference(gfv_cnt)
                pupils = _make_pupils(values, reference)
        return GenerativeFaceVideoEnhancement(
            gfve_id, gfv_id, gfv_cnt, base_picture_flag, network, matrices, pupils
        )


def _base_pupils(coded: Pupils) -> Scaled:
    """Pupils of a base message: the left one from 0, the right one from the left one."""
    left_x, left_y = coded.left or (0, 0)
    dx, dy = coded.right or (0, 0)
    assert coded.precision_factor is not None  # The syntax codes it in every base message.
    return Scaled((left_x, left_y, left_x + dx, left_y + dy), coded.precision_factor)


def _make_pupils(values: FaceValues, reference: Scaled | None) -> Pupils | None:
    """Pupils that make the receiver have these values; ``reference`` None: in a base message."""
    assert values.pupils is not None
    p = check_precision(values.pupil_precision_factor, "pupils")
    left, right = values.pupils
    numbers = whole_numbers("pupils", (*left, *right))
    if reference is None:
        left_x, left_y, right_x, right_y = numbers
        return Pupils((left_x, left_y), (right_x - left_x, right_y - left_y), p)
    left_x, left_y, right_x, right_y = Scaled(numbers, p).minus(
        reference, reference.precision_factor
    )
    moved_left = (left_x, left_y) if left_x or left_y else None
    moved_right = (right_x, right_y) if right_x or right_y else None
    if moved_left is None and moved_right is None:
        return None
    return Pupils(moved_left, moved_right)
