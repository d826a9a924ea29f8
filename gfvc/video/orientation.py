"""The way a picture is to be shown: turned, mirrored, or as it is stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gfvc.rectangle import Rectangle

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_MATRIX_ENTRIES = 9
# A matrix this near to a quarter turn, in degrees, is one.
_STRAIGHT_DEGREES = 1.0


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to show a picture: rows and columns change places, then it is mirrored.

    `flip_x` changes left and right, `flip_y` top and bottom, of the picture after `transpose`.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_matrix(cls, matrix: npt.NDArray[Any]) -> Orientation:
        """The orientation nearest to a display matrix.

        `matrix` holds a, b, u, c, d, v, x, y, w of ISO/IEC 14496-12, 6.2.2: the sample at (p, q)
        is shown at (a p + c q + x, b p + d q + y), with q and the second coordinate downwards.
        """
        a, b, _, c, d = (int(entry) for entry in matrix[:5])
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)
        return cls(flip_x=a < 0, flip_y=d < 0)

    @property
    def is_mirrored(self) -> bool:
        """Whether no turn alone does this."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown of a picture as stored."""
        return (height, width) if self.transpose else (width, height)

    def show(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """A view of a stored picture [H, W, 3] as it is to be shown."""
        if self.transpose:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def stored_part(self, part: Rectangle, width: int, height: int) -> Rectangle:
        """Where a part of the shown picture lies in the stored one, which is `width` x `height`."""
        shown_width, shown_height = self.shown_size(width, height)
        left = shown_width - part.left - part.width if self.flip_x else part.left
        top = shown_height - part.top - part.height if self.flip_y else part.top
        if self.transpose:
            return Rectangle(top, left, part.height, part.width)
        return Rectangle(left, top, part.width, part.height)


UPRIGHT = Orientation()


def orientation_of(frame: VideoFrame) -> Orientation:
    """The orientation nearest to what the display matrix that came with a frame asks for."""
    matrix = _matrix_of(frame)
    return UPRIGHT if matrix is None else Orientation.from_matrix(matrix)


@dataclass(frozen=True, slots=True)
class Turn:
    """How a picture is shown; `slant` as `slant_of` has it."""

    orientation: Orientation = UPRIGHT
    slant: float | None = None

    def followed_by(self, frame: VideoFrame) -> Turn:
        """The turn of the next frame: this one, until a frame says otherwise.

        Containers' matrices come with all frames, those of SEI messages with a few. A message that
        pictures are upright again comes with none, and cannot be told from no message.
        """
        matrix = _matrix_of(frame)
        if matrix is None:
            return self
        return Turn(Orientation.from_matrix(matrix), _slant(matrix))


NO_TURN = Turn()


def slant_of(frame: VideoFrame) -> float | None:
    """Degrees to the right by which a display matrix turns, where no `Orientation` does that."""
    matrix = _matrix_of(frame)
    return None if matrix is None else _slant(matrix)


def _slant(matrix: npt.NDArray[np.int32]) -> float | None:
    a, b, _, c, d = (int(entry) for entry in matrix[:5])
    # Where rows and columns of a stored picture run to.
    directions = [math.degrees(math.atan2(y, x)) for x, y in ((a, b), (c, d)) if x or y]
    if all(abs(_from_quarter(angle)) <= _STRAIGHT_DEGREES for angle in directions):
        return None
    return directions[0]


def _from_quarter(degrees: float) -> float:
    """How far an angle is from the nearest multiple of a right angle."""
    return (degrees + 45) % 90 - 45


def _unnamed_kind(kinds: type[Enum], value: object) -> Enum:
    """A kind of side data that the library has no name for."""
    kind = object.__new__(kinds)
    kind._name_, kind._value_ = f"UNNAMED_{value}", value
    return kind


def _matrix_of(frame: VideoFrame) -> npt.NDArray[np.int32] | None:
    from av.sidedata.sidedata import SideDataContainer, Type

    # The library's list of kinds ends before that of newer codecs, and a frame that has one which
    # is not in it, such as EXIF, would be an error.
    if "_missing_" not in vars(Type):
        Type._missing_ = classmethod(_unnamed_kind)  # type: ignore[assignment, method-assign]
    # What `frame.side_data` gives is kept by the frame and keeps it: pictures would stay in memory
    # until cycles are looked for.
    container: Any = SideDataContainer
    came_with = container(frame)
    try:
        data = came_with[Type.DISPLAYMATRIX]
    except KeyError:
        return None
    matrix = np.frombuffer(bytes(data), np.int32)
    return matrix if len(matrix) == _MATRIX_ENTRIES else None
