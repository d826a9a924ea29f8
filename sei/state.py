"""Streams of face messages: what each message inherits and predicts from those before it.

Prediction, as the semantics of gfv_kps_pred_flag and gfv_matrix_pred_flag in H.274 have it: in a
base message a coordinate is predicted from that of the keypoint before, the first from 0. In any
other message the reference is the base message when gfv_cnt is 0, otherwise the last message that
carried coordinates, or matrices. Differences are to reconstructed values, and all sums are exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import Any, Generic, TypeVar

from sei.coder import UNREAD, Coder, Reader, Writer
from sei.elements import Element, Trace
from sei.errors import FieldUnusedError, MessageError, ReferenceMissingError
from sei.face_messages import (
    ChromaKey,
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    Matrices,
    MatrixElement,
    MatrixLayout,
    Network,
    Pupils,
)
from sei.face_values import (
    FaceValues,
    Keypoints,
    MatrixValues,
    Scaled,
    flatten_matrices,
    joined_numbers,
    matrix_shapes,
    nest_matrices,
    sums_along,
    whole_numbers,
)
from sei.lazy_tuples import LazyTuple, integers, rows
from sei.syntax import generative_face_video, generative_face_video_enhancement

MAX_NUMBERS = 2**20
"""Greatest number of values that a state remembers."""

# What the bookkeeping of a face takes, counted in values.
_FACE_OVERHEAD = 128

Layout = TypeVar("Layout", CoordinateLayout, MatrixLayout)
Message = TypeVar("Message", GenerativeFaceVideo, GenerativeFaceVideoEnhancement)
Key = TypeVar("Key")
Face = TypeVar("Face", "_Face", "_EnhancedFace")
State = TypeVar("State", bound="_MessageStream[Any, Any, Any]")


@dataclass(frozen=True, slots=True)
class _Track(Generic[Layout]):
    """Coordinates, or matrices, of a face: those of the base message and the latest ones.

    ``what`` names them in errors. ``base_layout`` is None before the first base message.
    """

    what: str
    base_layout: Layout | None = None
    base: Scaled | None = None
    latest_layout: Layout | None = None
    latest: Scaled | None = None

    @property
    def layout(self) -> Layout:
        """Layout that a message inherits."""
        if self.base_layout is None:
            raise ReferenceMissingError(
                f"{self.what}: no base message gave their layout; start at a base message"
            )
        return self.base_layout

    @property
    def numbers(self) -> int:
        """Number of values that are kept."""
        base, latest = self.base, self.latest
        return (0 if base is None else len(base.numbers)) + (
            0 if latest is None else len(latest.numbers)
        )

    def reference(self, gfv_cnt: int, layout: Layout) -> Scaled:
        """Values that a message is predicted from."""
        reference, reference_layout = (
            (self.base, self.base_layout) if gfv_cnt == 0 else (self.latest, self.latest_layout)
        )
        if reference is None or reference_layout is None:
            raise ReferenceMissingError(f"{self.what}: no message to predict from was received")
        if _shape(reference_layout) != _shape(layout):
            raise ReferenceMissingError(
                f"{self.what}: the message to predict from has another layout"
            )
        return reference

    def advanced(self, layout: Layout, values: Scaled, *, is_base: bool) -> _Track[Layout]:
        """The track after a message."""
        if is_base:
            return _Track(self.what, layout, values, layout, values)
        return _Track(self.what, self.base_layout, self.base, layout, values)


def _shape(layout: CoordinateLayout | MatrixLayout) -> object:
    """What two layouts must have in common for one to predict the other."""
    if isinstance(layout, MatrixLayout):
        return layout.shapes
    return layout.num_keypoints, layout.dimensions


def _take_matrices(
    track: _Track[MatrixLayout], coded: Matrices, gfv_cnt: int, *, is_base: bool
) -> tuple[_Track[MatrixLayout], tuple[MatrixValues, ...]]:
    """Track after the matrices of a message, and their values."""
    layout = track.layout if coded.layout is None else coded.layout
    p = layout.precision_factor
    values = Scaled(_joined(coded.elements, p), p)
    if coded.predicted:
        values = track.reference(gfv_cnt, layout).plus(values)
    return (
        track.advanced(layout, values, is_base=is_base),
        nest_matrices(layout.shapes, values),
    )


def _joined(elements: Sequence[MatrixElement], p: int) -> Sequence[int]:
    """Matrix elements in steps of 2^-p."""
    if isinstance(elements, LazyTuple):
        array = joined_numbers(elements, p)
        if array is not None:
            return LazyTuple(integers, array)
    return tuple(
        -((integer << p) + fraction) if negative else (integer << p) + fraction
        for integer, fraction, negative in elements
    )


def _make_matrices(
    track: _Track[MatrixLayout],
    matrices: tuple[MatrixValues, ...],
    gfv_cnt: int,
    *,
    predicted: bool,
) -> Matrices | None:
    """Matrices of a message that make the receiver have these values; inverse of the above."""
    if not matrices:
        return None
    p = matrices[0].precision_factor
    if any(values.precision_factor != p for values in matrices):
        raise MessageError("all matrices of a message must have one precision factor")
    values = Scaled(whole_numbers("matrix elements", flatten_matrices(matrices)), p)
    shapes = matrix_shapes(matrices)
    if not predicted:
        layout = MatrixLayout(p, shapes)
        return Matrices(_split(values.numbers, p), False, layout)
    layout = track.layout
    if layout.shapes != shapes:
        raise MessageError(
            "the matrices differ in shape from those of the base message: send them unpredicted"
        )
    p = layout.precision_factor
    return Matrices(_split(values.minus(track.reference(gfv_cnt, layout), p), p), True, None)


def _split(numbers: Sequence[int], p: int) -> tuple[MatrixElement, ...]:
    mask = (1 << p) - 1
    return tuple(MatrixElement(abs(n) >> p, abs(n) & mask, n < 0) for n in numbers)


class _MessageStream(ABC, Generic[Message, Key, Face]):
    """Reads and writes the messages of a stream, one after the other.

    A message that raises leaves the state as it was. Of all faces together `MAX_NUMBERS` values
    are remembered; beyond that, the face that was not heard of for longest is forgotten.
    """

    def __init__(self) -> None:
        # In the order in which they were last heard of.
        self._faces: OrderedDict[Key, Face] = OrderedDict()
        self._numbers = 0
        self._values = FaceValues()

    def copy(self: State) -> State:
        """An independent state, to try messages on."""
        twin = copy(self)
        twin._faces = self._faces.copy()
        return twin

    @property
    def values(self) -> FaceValues:
        """What the message that was last read or written makes the receiver have."""
        return self._values

    def _remember(self, key: Key, face: Face) -> None:
        before = self._faces.pop(key, None)
        self._faces[key] = face
        self._numbers += face.numbers - (0 if before is None else before.numbers)
        while self._numbers > MAX_NUMBERS and len(self._faces) > 1:
            _, oldest = self._faces.popitem(last=False)
            self._numbers -= oldest.numbers

    @abstractmethod
    def _code(self, c: Coder, given: Any) -> Message:
        """The syntax function."""

    @abstractmethod
    def _take(self, message: Message) -> None:
        """Move on to the state after a message."""

    def read(self, payload: bytes, trace: Trace | list[Element] | None = None) -> Message:
        """Read the next message of the stream.

        ``trace`` receives its elements, and of a damaged one those before the damage.

        Raises:
            PayloadError: the payload is no such message.
            ReferenceMissingError: the message builds on one that was not read.
        """
        message = self._code(Reader(payload, trace), UNREAD)
        self._take(message)
        return message

    def write(self, message: Message) -> bytes:
        """Payload of the next message of the stream.

        Raises:
            MessageError: the message lacks a value, holds one that the syntax does not code, or
                contradicts itself.
            ElementRangeError: a value is outside the range of its element.
            ReferenceMissingError: the message builds on one that was not written.
        """
        writer = Writer()
        coded = self._code(writer, message)
        if coded != message:
            _refuse(message, coded)
        self._take(coded)
        return writer.to_bytes()


def _refuse(message: Message, coded: Message) -> None:
    """Raise the error of a message of which something else was coded than it says."""
    for f in fields(message):
        given_value, coded_value = getattr(message, f.name), getattr(coded, f.name)
        if given_value == coded_value:
            continue
        if coded_value is None or coded_value is False:
            raise FieldUnusedError(f"{f.name} is set, but a message like this does not code it")
        raise FieldUnusedError(f"{f.name} can be coded as {coded_value!r} only: give just that")


@dataclass(frozen=True, slots=True)
class _Face:
    """What is known of a gfv_id."""

    coordinates: _Track[CoordinateLayout] = field(default_factory=lambda: _Track("coordinates"))
    matrices: _Track[MatrixLayout] = field(default_factory=lambda: _Track("matrices"))

    @property
    def numbers(self) -> int:
        """Number of values that are kept."""
        return self.coordinates.numbers + self.matrices.numbers + _FACE_OVERHEAD

    @property
    def pupil_precision_factor(self) -> int:
        raise ReferenceMissingError("a face message has no pupils")

    @property
    def coordinate_layout(self) -> CoordinateLayout:
        return self.coordinates.layout

    @property
    def matrix_layout(self) -> MatrixLayout:
        return self.matrices.layout


class GfvState(_MessageStream[GenerativeFaceVideo, int, _Face]):
    """The GFV messages (payloadType 223) of a stream; every gfv_id is a face of its own.

    ``hm18``: in the syntax of the older draft that HM 18.0 reads and writes.

    >>> values = FaceValues(keypoints=((3, -5),), keypoint_precision_factor=8)
    >>> sender, receiver = GfvState(), GfvState()
    >>> payload = sender.write(
    ...     sender.predict(values, gfv_id=0, gfv_cnt=0, base_picture_flag=True))
    >>> receiver.read(payload).coordinates.values
    ((3, -5),)
    >>> receiver.values == values
    True
    """

    def __init__(self, *, hm18: bool = False) -> None:
        super().__init__()
        self._hm18 = hm18

    def _face(self, gfv_id: int) -> _Face:
        return self._faces.get(gfv_id, _Face())

    def _code(self, c: Coder, given: Any) -> GenerativeFaceVideo:
        return generative_face_video(c, given, self._face, self._hm18)

    def _take(self, message: GenerativeFaceVideo) -> None:
        if message.is_reserved:
            self._values = FaceValues()
            return
        face = self._face(message.gfv_id)
        is_base = message.base_picture_flag
        keypoints, precision_factor = None, None
        matrices: tuple[MatrixValues, ...] = ()
        coordinate_track, matrix_track = face.coordinates, face.matrices
        if message.coordinates is not None:
            coordinate_track, keypoints, precision_factor = _take_coordinates(
                coordinate_track, message.coordinates, message.gfv_cnt, is_base=is_base
            )
        if message.matrices is not None:
            matrix_track, matrices = _take_matrices(
                matrix_track, message.matrices, message.gfv_cnt, is_base=is_base
            )
        self._remember(message.gfv_id, _Face(coordinate_track, matrix_track))
        self._values = FaceValues(keypoints, precision_factor, matrices)

    def predict(
        self,
        values: FaceValues,
        *,
        gfv_id: int,
        gfv_cnt: int,
        base_picture_flag: bool = False,
        predict_keypoints: bool = True,
        predict_matrices: bool = True,
        z_max_value: int = 1,
        network: Network | None = None,
        chroma_key: ChromaKey | None = None,
        drive_picture_fusion_flag: bool = False,
        low_confidence_face_parameter_flag: bool = False,
    ) -> GenerativeFaceVideo:
        """The message that makes a receiver in this state have ``values``; state unchanged.

        Matrices of a base message are never predicted. Keypoints and matrices that are predicted
        must have the layout of the base message; ``z_max_value`` (1..2^16) goes with 3D keypoints
        whose layout is sent.

        Raises:
            MessageError: ragged values, a layout that differs from the one to be inherited, or a
                difference that is no multiple of the step.
            ReferenceMissingError: there is no message to predict from.
        """
        face = self._face(gfv_id)
        coordinates = None
        if values.keypoints is not None:
            coordinates = _make_coordinates(
                face.coordinates,
                values,
                gfv_cnt,
                z_max_value,
                is_base=base_picture_flag,
                predicted=predict_keypoints,
            )
        matrices = _make_matrices(
            face.matrices,
            values.matrices,
            gfv_cnt,
            predicted=predict_matrices and not base_picture_flag,
        )
        return GenerativeFaceVideo(
            gfv_id,
            gfv_cnt,
            base_picture_flag,
            network,
            chroma_key,
            drive_picture_fusion_flag,
            low_confidence_face_parameter_flag,
            coordinates,
            matrices,
        )


def _take_coordinates(
    track: _Track[CoordinateLayout], coded: Coordinates, gfv_cnt: int, *, is_base: bool
) -> tuple[_Track[CoordinateLayout], Keypoints, int]:
    """Track after the coordinates of a message, their values, and the precision factor of these."""
    layout = track.layout if coded.layout is None else coded.layout
    step = layout.dimensions
    values = Scaled(
        _coordinates_of(coded.values, step, summed=coded.predicted and is_base),
        layout.precision_factor,
    )
    if coded.predicted and not is_base:
        values = track.reference(gfv_cnt, layout).plus(values)
    keypoints: Keypoints
    if values.array is not None:
        keypoints = LazyTuple(rows, values.array.reshape(-1, step))
    else:
        numbers = values.numbers
        keypoints = tuple(tuple(numbers[i : i + step]) for i in range(0, len(numbers), step))
    advanced = track.advanced(layout, values, is_base=is_base)
    return advanced, keypoints, values.precision_factor


def _coordinates_of(keypoints: Keypoints, step: int, *, summed: bool) -> Sequence[int]:
    """Coordinates one after the other, ``summed``: each added to that of the keypoint before."""
    if isinstance(keypoints, LazyTuple):
        array = sums_along(keypoints.arrays[0]) if summed else keypoints.arrays[0]
        if array is not None:
            return LazyTuple(integers, array.ravel())
    numbers = list(chain.from_iterable(keypoints))
    if summed:
        for i in range(step, len(numbers)):
            numbers[i] += numbers[i - step]
    return tuple(numbers)


def _make_coordinates(
    track: _Track[CoordinateLayout],
    values: FaceValues,
    gfv_cnt: int,
    z_max_value: int,
    *,
    is_base: bool,
    predicted: bool,
) -> Coordinates:
    """Coordinates of a message that make the receiver have these values; inverse of the above."""
    keypoints, p = values.keypoints, values.keypoint_precision_factor
    if not keypoints or p is None:
        raise MessageError("keypoints need a precision factor, and must not be empty")
    step = len(keypoints[0])
    if step not in (2, 3) or any(len(keypoint) != step for keypoint in keypoints):
        raise MessageError("keypoints must all have 2, or all have 3, coordinates")
    numbers = whole_numbers("coordinates", (n for keypoint in keypoints for n in keypoint))
    layout = CoordinateLayout(p, len(keypoints), z_max_value if step == 3 else None)
    inherited = predicted and not is_base
    if inherited:
        if _shape(track.layout) != _shape(layout):
            raise MessageError(
                "the keypoints differ in number or dimensions from those of the base message: "
                "send them unpredicted"
            )
        layout = track.layout
        reference = track.reference(gfv_cnt, layout)
        numbers = Scaled(numbers, p).minus(reference, layout.precision_factor)
    elif predicted:
        before = (0,) * step + numbers
        numbers = tuple(a - b for a, b in zip(numbers, before, strict=False))
    coded = tuple(numbers[i : i + step] for i in range(0, len(numbers), step))
    return Coordinates(coded, predicted, None if inherited else layout)


@dataclass(frozen=True, slots=True)
class _EnhancedFace:
    """What is known of a gfve_id together with a gfv_id.

    The pupils are four numbers, left x and y, then right x and y.
    """

    matrices: _Track[MatrixLayout] = field(default_factory=lambda: _Track("matrices"))
    base_pupils: Scaled | None = None
    latest_pupils: Scaled | None = None

    @property
    def numbers(self) -> int:
        """Number of values that are kept."""
        return self.matrices.numbers + _FACE_OVERHEAD

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


class GfveState(_MessageStream[GenerativeFaceVideoEnhancement, tuple[int, int], _EnhancedFace]):
    """The GFVE messages (payloadType 224) of a stream; state is kept by gfve_id and gfv_id."""

    def _face(self, gfve_id: int, gfv_id: int) -> _EnhancedFace:
        return self._faces.get((gfve_id, gfv_id), _EnhancedFace())

    def _code(self, c: Coder, given: Any) -> GenerativeFaceVideoEnhancement:
        return generative_face_video_enhancement(c, given, self._face)

    def _take(self, message: GenerativeFaceVideoEnhancement) -> None:
        face = self._face(message.gfve_id, message.gfv_id)
        is_base = message.base_picture_flag
        matrices: tuple[MatrixValues, ...] = ()
        if message.matrices is not None:
            track, matrices = _take_matrices(
                face.matrices, message.matrices, message.gfv_cnt, is_base=is_base
            )
            face = replace(face, matrices=track)
        if is_base:
            pupils = None if message.pupils is None else _base_pupils(message.pupils)
            face = replace(face, base_pupils=pupils, latest_pupils=pupils)
        elif message.pupils is not None:
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
                to be inherited.
            ReferenceMissingError: there is no message to predict from.
        """
        if values.keypoints is not None:
            raise MessageError("an enhancement message has no keypoints")
        face = self._face(gfve_id, gfv_id)
        matrices = _make_matrices(
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
    p = values.pupil_precision_factor
    if values.pupils is None or p is None:
        raise MessageError("pupils need a precision factor")
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
