"""Generative face video messages (GFV, payloadType 223) and their enhancement (GFVE, 224).

These classes hold what a message codes, in the terms of H.274: predicted messages hold differences,
and a layout that is inherited from the base message is None. `sei.face_values` holds what the
receiver makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from bitstring import Bits

from sei.errors import MessageError


@dataclass(frozen=True, slots=True)
class NetworkUri:
    """A network given by the tag URI of its format and the URI of its place (nn_mode_idc 1)."""

    mode_idc: ClassVar[int] = 1

    tag: str
    uri: str


@dataclass(frozen=True, slots=True)
class NetworkPayload:
    """A network as ISO/IEC 15938-17 bytes at the end of the message (nn_mode_idc 0)."""

    mode_idc: ClassVar[int] = 0

    data: bytes


@dataclass(frozen=True, slots=True)
class NetworkReserved:
    """A network given in a way that is reserved for the future.

    Raises:
        MessageError: ``mode_idc`` is 0 or 1, which have classes of their own.
    """

    mode_idc: int

    def __post_init__(self) -> None:
        if self.mode_idc in (0, 1):
            raise MessageError("nn_mode_idc 0 and 1 stand for NetworkPayload and NetworkUri")


Network = NetworkUri | NetworkPayload | NetworkReserved


@dataclass(frozen=True, slots=True)
class ChromaKeyThreshold:
    """Chroma key thresholds: lower 0..255, upper = lower + 1 + ``upper_delta_minus1`` 0..255."""

    lower: int
    upper_delta_minus1: int


@dataclass(frozen=True, slots=True)
class ChromaKey:
    """Chroma key information.

    ``purpose_idc``: 0 unspecified, 1 background, 2 face. ``values``: of the three components,
    0..255; a receiver takes 50, 220, 100 when none is sent. ``threshold`` None stands for 48, 26.
    """

    purpose_idc: int = 0
    values: tuple[int | None, int | None, int | None] = (None, None, None)
    threshold: ChromaKeyThreshold | None = None


@dataclass(frozen=True, slots=True)
class CoordinateLayout:
    """Layout of keypoints.

    ``precision_factor`` p, 1..32: values are in steps of 2^-p. ``num_keypoints``, 1 and more.
    ``z_max_value``, 1..2^16: given when the keypoints are 3D.
    """

    precision_factor: int
    num_keypoints: int
    z_max_value: int | None = None

    @property
    def dimensions(self) -> int:
        """Coordinates of a keypoint: 2 or 3."""
        return 2 if self.z_max_value is None else 3


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Keypoints as coded, ``values[keypoint][axis]``: signed, in steps of 2^-p.

    ``predicted`` (gfv_kps_pred_flag) says that they are differences: in a base message to the
    keypoint before, otherwise to the reference message. ``layout`` is given in a base message and
    when not predicted, else inherited.
    """

    values: Sequence[tuple[int, ...]]
    predicted: bool
    layout: CoordinateLayout | None


class MatrixType:
    """Values of gfv_matrix_type_idx that have a meaning; 8..31 are the application's own."""

    AFFINE_TRANSLATION = 0
    COVARIANCE = 1
    MOUTH_MOTION = 2
    EYE_OPENNESS = 3
    HEAD_ROTATION = 4
    HEAD_TRANSLATION = 5
    HEAD_LOCATION = 6
    COMPACT_FEATURE = 7


@dataclass(frozen=True, slots=True)
class MatrixShape:
    """The matrices of one type: ``count`` of ``height`` × ``width``, each 1..1024.

    ``type_idx`` is a `MatrixType` or another number within 0..63. In GFVE a matrix has no type
    (None), and each has a shape of its own, with ``count`` 1.
    """

    type_idx: int | None
    count: int
    height: int
    width: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.count * self.height * self.width


@dataclass(frozen=True, slots=True)
class MatrixLayout:
    """Layout of the matrices of a message.

    ``precision_factor`` p, 1..32: values are in steps of 2^-p. ``shapes``: of each type, or in
    GFVE of each matrix.
    """

    precision_factor: int
    shapes: tuple[MatrixShape, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return sum(shape.size for shape in self.shapes)


class MatrixElement(NamedTuple):
    """A matrix element as coded: ±(``integer`` + ``fraction`` / 2^p), p the precision factor.

    A predicted GFV element may have a ``fraction`` of 2^p and more.
    """

    integer: int
    fraction: int
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Matrices:
    """Matrices as coded; ``elements`` are in the order type, matrix, row, column.

    ``predicted`` (matrix_pred_flag) says that they are differences to the reference message; then
    ``layout`` is None and inherited.
    """

    elements: Sequence[MatrixElement]
    predicted: bool
    layout: MatrixLayout | None


@dataclass(frozen=True, slots=True)
class GenerativeFaceVideo:
    """generative_face_video( ), H.274.

    ``gfv_id`` (0..2^32-2) says of which face it is, ``gfv_cnt`` (0..2^32-2) which message of that
    face since the last coded picture: a base message has 0. With
    ``low_confidence_face_parameter_flag`` the parameters are not to be relied on; gfvc sets it
    where no face was found. ``network`` and ``chroma_key`` exist in a base message only,
    ``drive_picture_fusion_flag`` when ``gfv_cnt`` is 0 and it is not a base message. A message
    without coordinates has matrices.

    ``extension`` holds the bits after the last known element when they are more than the usual
    trailing bits; of a message with a reserved ``gfv_id`` it holds all that follows.
    """

    gfv_id: int
    gfv_cnt: int = 0
    base_picture_flag: bool = False
    network: Network | None = None
    chroma_key: ChromaKey | None = None
    drive_picture_fusion_flag: bool = False
    low_confidence_face_parameter_flag: bool = False
    coordinates: Coordinates | None = None
    matrices: Matrices | None = None
    extension: Bits | None = None

    @property
    def is_reserved(self) -> bool:
        """Whether a receiver has to ignore the message because its gfv_id is reserved."""
        return is_reserved_id(self.gfv_id)


def is_reserved_id(gfv_id: int) -> bool:
    """Whether a gfv_id is reserved: 256..511 and 2^31..2^32-2."""
    return 256 <= gfv_id <= 511 or gfv_id >= 2**31


@dataclass(frozen=True, slots=True)
class Pupils:
    """Pupil positions as coded: differences (x, y) of each eye that is sent, in steps of 2^-p.

    ``precision_factor`` p (1..32) is given in a base message, else inherited.
    """

    left: tuple[int, int] | None
    right: tuple[int, int] | None
    precision_factor: int | None = None


@dataclass(frozen=True, slots=True)
class GenerativeFaceVideoEnhancement:
    """generative_face_video_enhancement( ), H.274.

    It enhances the GFV message with ``gfv_id`` and ``gfv_cnt``, which mean what they do there;
    ``gfve_id`` (0..2^32-2) tells enhancements of a face apart. ``network`` exists in a base message
    only. ``extension``: as in `GenerativeFaceVideo`.
    """

    gfve_id: int
    gfv_id: int
    gfv_cnt: int = 0
    base_picture_flag: bool = False
    network: Network | None = None
    matrices: Matrices | None = None
    pupils: Pupils | None = None
    extension: Bits | None = None
