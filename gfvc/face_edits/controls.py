"""What the numbers of a layout mean, so far as a face can be edited by them.

Controls are of one access unit: they know the numbers of its base message. Rows are numbers of
pictures [n, size], in the order of the stream, as they are drawn.

The pose of a picture is six numbers, of which a layout may have some: yaw, pitch and roll in
degrees (`models.landmarks.head_angles`), x and y in picture widths and heights, and the logarithm
of the scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gfvc.options.editing import FaceEdit
from models.contract import FloatArray

YAW, PITCH, ROLL, X, Y, SCALE = range(6)
SMOOTHING = frozenset({"smooth"})

NO_PUPILS = "it sends no pupils, and its other numbers hold too little of where the eyes look"
"""Why no gaze can be edited, whatever the numbers mean."""


@dataclass(frozen=True, slots=True)
class Response:
    """Shares of changes of the landmarks that are measured in drawn pictures, about 0.5 to 1.

    `gfvc.face_edits.response` finds them; 1 where nothing is to be made up for.
    """

    yaw: float = 1.0
    pitch: float = 1.0
    lids: float = 1.0
    lips: float = 1.0


AS_ASKED = Response()
"""The response where all is measured."""


@dataclass(frozen=True, slots=True)
class ShownFaces:
    """Faces of pictures [n] as a decoder draws them.

    `rows` [n, size] are their numbers. `landmarks` [478, 3], in widths and heights of what the
    numbers are of (a whole picture's face square), are those of pictures between two references,
    which know more of a face than numbers say; None for others.
    """

    rows: FloatArray
    landmarks: Sequence[FloatArray | None]

    def each(self) -> Iterator[tuple[FloatArray, FloatArray | None]]:
        """Numbers [size] and landmarks of each picture."""
        return zip(self.rows, self.landmarks, strict=True)

    def of(self, places: Sequence[int]) -> ShownFaces:
        """Those of some of the pictures."""
        return ShownFaces(self.rows[list(places)], [self.landmarks[place] for place in places])


@dataclass(frozen=True, slots=True)
class Limited:
    """Rows within limits, and by its name in which pictures [n] something was held back."""

    rows: FloatArray
    held: dict[str, npt.NDArray[np.bool_]]

    @property
    def counts(self) -> dict[str, int]:
        """In how many pictures what was held back."""
        return {name: int(pictures.sum()) for name, pictures in self.held.items()}

    @property
    def as_asked(self) -> npt.NDArray[np.bool_]:
        """Pictures [n] in which nothing was held back."""
        held = np.zeros(len(self.rows), np.bool_)
        for pictures in self.held.values():
            held |= pictures
        return ~held


class FaceControls:
    """Controls of numbers of which nothing is known: they can be smoothed."""

    can: ClassVar[frozenset[str]] = SMOOTHING
    """Names of the fields of `FaceEdit` that can be done."""

    why_not: ClassVar[str] = "what its numbers mean is known to its network alone"
    """Why others cannot."""

    relative: ClassVar[slice] = slice(0, 0)
    """The numbers that say how a face differs from that of the coded picture."""

    offset: FloatArray = np.zeros(1)
    """What the coded picture's own numbers [size] are against the first of its sequence; [1] where
    none are relative."""

    response = AS_ASKED
    """What changes are divided by, so that as much is measured as was asked."""

    def pose(self, rows: FloatArray) -> FloatArray:
        """Poses [n, 6]; 0 for what the layout does not have."""
        raise NotImplementedError

    def with_pose(self, rows: FloatArray, pose: FloatArray) -> FloatArray:
        """The rows with poses [n, 6] instead of their own."""
        raise NotImplementedError

    def with_expression(self, rows: FloatArray, edit: FaceEdit) -> FloatArray:
        """The rows with their expression edited."""
        raise NotImplementedError

    def limited(self, filmed: FloatArray, edited: FloatArray) -> Limited:
        """Edited rows within what networks were trained for, or as far beyond as `filmed` is."""
        return Limited(edited, {})
