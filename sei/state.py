"""Streams of face messages: what is remembered of each face, and what a message says by it.

What coordinates and matrices are predicted from is in `sei.tracks`; the state of enhancement
messages in `sei.enhancement_state`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar

from sei.arguments import BytesLike, WrongKindsTold, as_bytes, wrong_kind
from sei.coder import UNREAD, Coder, Reader, Writer
from sei.columns import LazyTuple, integers, rows
from sei.elements import Element, Trace
from sei.errors import FieldUnusedError, MessageError, ReferenceMissingError
from sei.face_messages import (
    ChromaKey,
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    Matrices,
    MatrixLayout,
    Network,
)
from sei.face_values import (
    FaceValues,
    Keypoints,
    MatrixValues,
    Scaled,
    check_precision,
    sums_along,
    whole_numbers,
)
from sei.syntax import generative_face_video
from sei.tracks import Track, make_matrices, shape_of, take_matrices

MAX_NUMBERS = 2**20
"""Greatest number of values that a state remembers."""

FACE_OVERHEAD = 128
"""What the bookkeeping of a face takes, counted in values."""

Message = TypeVar("Message", GenerativeFaceVideo, GenerativeFaceVideoEnhancement)
Key = TypeVar("Key")
Face = TypeVar("Face", bound="RememberedFace")
State = TypeVar("State", bound="MessageStream[Any, Any, Any]")


class RememberedFace(Protocol):
    """What is known of a face."""

    @property
    def numbers(self) -> int:
        """Number of values that are kept."""


class MessageStream(ABC, Generic[Message, Key, Face]):
    """Reads and writes the messages of a stream, one after the other.

    A message that raises leaves the state as it was. So does one that is repeated: what it adds to
    the message before it was added already. Of all faces together `MAX_NUMBERS` values are
    remembered; beyond that, the face that was not heard of for longest is forgotten.
    """

    def __init__(self) -> None:
        # In the order in which they were last heard of.
        self._faces: OrderedDict[Key, Face] = OrderedDict()
        self._numbers = 0
        self._values = FaceValues()
        self._digests: dict[Key, bytes] = {}  # of the last payload of each face
        self._repeated = False

    def copy(self: State) -> State:
        """An independent state, to try messages on."""
        twin = copy(self)
        twin._faces, twin._digests = self._faces.copy(), self._digests.copy()
        return twin

    @property
    def values(self) -> FaceValues:
        """What the message that was last read or written makes the receiver have."""
        return self._values

    @property
    def repeated(self) -> bool:
        """Whether the message last read or written is the one before it of its face once more.

        Of one with gfv_cnt 0 it is not told: that may as well be the next picture's.
        """
        return self._repeated

    def _remember(self, key: Key, face: Face) -> None:
        before = self._faces.pop(key, None)
        self._faces[key] = face
        self._digests.pop(key, None)
        self._numbers += face.numbers - (0 if before is None else before.numbers)
        while self._numbers > MAX_NUMBERS and len(self._faces) > 1:
            forgotten, oldest = self._faces.popitem(last=False)
            self._digests.pop(forgotten, None)
            self._numbers -= oldest.numbers

    _kind: type[Message]

    @abstractmethod
    def _code(self, c: Coder, given: Any) -> Message:
        """The syntax function."""

    @abstractmethod
    def _key(self, message: Message) -> Key:
        """Whose message it is."""

    @abstractmethod
    def _take(self, message: Message, *, repeated: bool) -> None:
        """Move on to the state after a message; after a repeated one it is as before."""

    def read(self, payload: BytesLike, trace: Trace | list[Element] | None = None) -> Message:
        """Read the next message of the stream.

        ``trace`` receives its elements, and of a damaged one those before the damage.

        Raises:
            PayloadError: the payload is no such message.
            ReferenceMissingError: the message builds on one that was not read.
            ArgumentError: the payload are no bytes, ``trace`` is no list.
        """
        payload = as_bytes(payload, "a payload")
        if trace is not None and not hasattr(trace, "append"):
            raise wrong_kind("trace", "a list", trace)
        message = self._code(Reader(payload, trace), UNREAD)
        self._go_on(message, payload)
        return message

    def write(self, message: Message) -> bytes:
        """Payload of the next message of the stream.

        Raises:
            MessageError: the message lacks a value, holds one that the syntax does not code, or
                contradicts itself.
            ElementRangeError: a value is outside the range of its element.
            ReferenceMissingError: the message builds on one that was not written.
            ArgumentError: it is no message of this kind.
        """
        if not isinstance(message, self._kind):
            raise wrong_kind("message", f"a sei.{self._kind.__name__}", message)
        writer = Writer()
        with WrongKindsTold():
            coded = self._code(writer, message)
            if coded != message:
                _refuse(message, coded)
        payload = writer.to_bytes()
        self._go_on(coded, payload)
        return payload

    def _go_on(self, message: Message, payload: bytes) -> None:
        """Move on to the state after a message, which may be the last one of its face again."""
        key, digest = self._key(message), blake2b(payload, digest_size=16).digest()
        repeated = message.gfv_cnt != 0 and self._digests.get(key) == digest
        self._take(message, repeated=repeated)
        self._repeated = repeated
        if key in self._faces:
            self._digests[key] = digest


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

    coordinates: Track[CoordinateLayout] = field(default_factory=lambda: Track("coordinates"))
    matrices: Track[MatrixLayout] = field(default_factory=lambda: Track("matrices"))

    @property
    def numbers(self) -> int:
        """Number of values that are kept."""
        return self.coordinates.numbers + self.matrices.numbers + FACE_OVERHEAD

    @property
    def pupil_precision_factor(self) -> int:
        raise ReferenceMissingError("a face message has no pupils")

    @property
    def coordinate_layout(self) -> CoordinateLayout:
        return self.coordinates.layout

    @property
    def matrix_layout(self) -> MatrixLayout:
        return self.matrices.layout


class GfvState(MessageStream[GenerativeFaceVideo, int, _Face]):
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

    _kind = GenerativeFaceVideo

    def __init__(self, *, hm18: bool = False) -> None:
        super().__init__()
        self._hm18 = hm18

    def _face(self, gfv_id: int) -> _Face:
        return self._faces.get(gfv_id, _Face())

    def _code(self, c: Coder, given: Any) -> GenerativeFaceVideo:
        return generative_face_video(c, given, self._face, self._hm18)

    def _key(self, message: GenerativeFaceVideo) -> int:
        return message.gfv_id

    def _take(self, message: GenerativeFaceVideo, *, repeated: bool) -> None:
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
                coordinate_track,
                message.coordinates,
                message.gfv_cnt,
                is_base=is_base,
                repeated=repeated,
            )
        if message.matrices is not None:
            matrix_track, matrices = take_matrices(
                matrix_track, message.matrices, message.gfv_cnt, is_base=is_base, repeated=repeated
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
                difference that is no multiple of the step, or parts of the wrong kind.
            ArgumentError: ``values`` is no `FaceValues`.
            ReferenceMissingError: there is no message to predict from.
        """
        if not isinstance(values, FaceValues):
            raise wrong_kind("values", "a sei.FaceValues", values)
        with WrongKindsTold():
            coordinates, matrices = self._predicted(
                values,
                self._face(gfv_id),
                gfv_cnt,
                z_max_value,
                is_base=base_picture_flag,
                predict_keypoints=predict_keypoints,
                predict_matrices=predict_matrices,
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

    @staticmethod
    def _predicted(
        values: FaceValues,
        face: _Face,
        gfv_cnt: int,
        z_max_value: int,
        *,
        is_base: bool,
        predict_keypoints: bool,
        predict_matrices: bool,
    ) -> tuple[Coordinates | None, Matrices | None]:
        """Coordinates and matrices that make a receiver have the values."""
        coordinates = None
        if values.keypoints is not None:
            coordinates = _make_coordinates(
                face.coordinates,
                values,
                gfv_cnt,
                z_max_value,
                is_base=is_base,
                predicted=predict_keypoints,
            )
        matrices = make_matrices(
            face.matrices, values.matrices, gfv_cnt, predicted=predict_matrices and not is_base
        )
        return coordinates, matrices


def _take_coordinates(
    track: Track[CoordinateLayout],
    coded: Coordinates,
    gfv_cnt: int,
    *,
    is_base: bool,
    repeated: bool,
) -> tuple[Track[CoordinateLayout], Keypoints, int]:
    """Track after the coordinates of a message, their values, and the precision factor of these."""
    layout = track.layout if coded.layout is None else coded.layout
    step = layout.dimensions
    values = Scaled(
        _coordinates_of(coded.values, step, summed=coded.predicted and is_base),
        layout.precision_factor,
    )
    if coded.predicted and not is_base:
        values = track.predicted(values, gfv_cnt, layout, repeated=repeated)
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
    track: Track[CoordinateLayout],
    values: FaceValues,
    gfv_cnt: int,
    z_max_value: int,
    *,
    is_base: bool,
    predicted: bool,
) -> Coordinates:
    """Coordinates of a message that make the receiver have these values; inverse of the above."""
    keypoints = values.keypoints
    assert keypoints is not None
    p = check_precision(values.keypoint_precision_factor, "keypoints")
    if not len(keypoints):
        raise MessageError("keypoints must not be empty: give None where there are none")
    step = len(keypoints[0])
    if step not in (2, 3) or any(len(keypoint) != step for keypoint in keypoints):
        raise MessageError("keypoints must all have 2, or all have 3, coordinates")
    numbers = whole_numbers("coordinates", (n for keypoint in keypoints for n in keypoint))
    layout = CoordinateLayout(p, len(keypoints), z_max_value if step == 3 else None)
    inherited = predicted and not is_base
    if inherited:
        if shape_of(track.layout) != shape_of(layout):
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
