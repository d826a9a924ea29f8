"""The coordinates, or the matrices, of one face along a stream: what is inherited and predicted.

Prediction, as the semantics of gfv_kps_pred_flag and gfv_matrix_pred_flag in H.274 have it: in a
base message a coordinate is predicted from that of the keypoint before, the first from 0. In any
other message the reference is the base message when gfv_cnt is 0, otherwise the last message that
carried coordinates, or matrices. Differences are to reconstructed values, and all sums are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sei.columns import LazyTuple, integers
from sei.errors import MessageError, ReferenceMissingError
from sei.face_messages import (
    CoordinateLayout,
    Matrices,
    MatrixElement,
    MatrixLayout,
)
from sei.face_values import (
    MatrixValues,
    Scaled,
    check_precision,
    flatten_matrices,
    joined_numbers,
    matrix_shapes,
    nest_matrices,
    whole_numbers,
)

Layout = TypeVar("Layout", CoordinateLayout, MatrixLayout)


@dataclass(frozen=True, slots=True)
class Track(Generic[Layout]):
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
        if shape_of(reference_layout) != shape_of(layout):
            raise ReferenceMissingError(
                f"{self.what}: the message to predict from has another layout"
            )
        return reference

    def predicted(
        self, differences: Scaled, gfv_cnt: int, layout: Layout, *, repeated: bool
    ) -> Scaled:
        """Values of a message that carries differences; of a repeated one, those it had."""
        if repeated and self.latest is not None:
            return self.latest
        return self.reference(gfv_cnt, layout).plus(differences)

    def advanced(self, layout: Layout, values: Scaled, *, is_base: bool) -> Track[Layout]:
        """The track after a message."""
        if is_base:
            return Track(self.what, layout, values, layout, values)
        return Track(self.what, self.base_layout, self.base, layout, values)


def shape_of(layout: CoordinateLayout | MatrixLayout) -> object:
    """What two layouts must have in common for one to predict the other."""
    if isinstance(layout, MatrixLayout):
        return layout.shapes
    return layout.num_keypoints, layout.dimensions


def take_matrices(
    track: Track[MatrixLayout],
    coded: Matrices,
    gfv_cnt: int,
    *,
    is_base: bool,
    repeated: bool,
) -> tuple[Track[MatrixLayout], tuple[MatrixValues, ...]]:
    """Track after the matrices of a message, and their values."""
    layout = track.layout if coded.layout is None else coded.layout
    p = layout.precision_factor
    values = Scaled(_joined(coded.elements, p), p)
    if coded.predicted:
        values = track.predicted(values, gfv_cnt, layout, repeated=repeated)
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


def make_matrices(
    track: Track[MatrixLayout],
    matrices: tuple[MatrixValues, ...],
    gfv_cnt: int,
    *,
    predicted: bool,
) -> Matrices | None:
    """Matrices of a message that make the receiver have these values; inverse of the above."""
    if not matrices:
        return None
    p = check_precision(matrices[0].precision_factor, "matrices")
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
