"""What a receiver makes of face messages: exact values, integers in steps of 2^-p."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import add
from operator import index as as_int
from typing import TYPE_CHECKING

from sei.arguments import shown
from sei.columns import LazyTuple, integers
from sei.columns import matrices as matrices_of
from sei.errors import MessageError
from sei.face_messages import MatrixElement, MatrixShape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PRECISION_FACTOR = 32

Keypoints = Sequence[tuple[int, ...]]
Matrix = tuple[tuple[int, ...], ...]
Pupil = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MatrixValues:
    """Matrices of one type: ``matrices[matrix][row][column]`` in steps of 2^-p.

    In GFV they are of one size. In GFVE there is no type (None), and each has its own size.
    """

    type_idx: int | None
    precision_factor: int
    matrices: Sequence[Matrix]


@dataclass(frozen=True, slots=True)
class FaceValues:
    """Parameters of a face in one picture; a value v stands for v / 2^p, p its precision factor.

    ``keypoints[keypoint][axis]``, None when not sent; ``matrices`` empty when not sent; ``pupils``
    (GFVE): left and right (x, y), None as long as the face has none.
    """

    keypoints: Keypoints | None = None
    keypoint_precision_factor: int | None = None
    matrices: tuple[MatrixValues, ...] = ()
    pupils: tuple[Pupil, Pupil] | None = None
    pupil_precision_factor: int | None = None


@dataclass(frozen=True, slots=True)
class Scaled:
    """Numbers in steps of 2^-p, one after the other."""

    numbers: Sequence[int]
    precision_factor: int

    @property
    def array(self) -> NDArray[np.int64] | None:
        """The numbers as an array, where they are kept as one."""
        return self.numbers.arrays[0] if isinstance(self.numbers, LazyTuple) else None

    def rescaled(self, precision_factor: int) -> Sequence[int]:
        """The same numbers in smaller steps."""
        shift = precision_factor - self.precision_factor
        return tuple(n << shift for n in self.numbers) if shift else self.numbers

    def plus(self, other: Scaled) -> Scaled:
        """Exact sum, in the smaller steps of the two."""
        p = max(self.precision_factor, other.precision_factor)
        if self.array is not None and other.array is not None:
            shifts = p - self.precision_factor, p - other.precision_factor
            if _fits(self.array, shifts[0] + 1) and _fits(other.array, shifts[1] + 1):
                total = (self.array << shifts[0]) + (other.array << shifts[1])
                return Scaled(LazyTuple(integers, total), p)
        return Scaled(tuple(map(add, self.rescaled(p), other.rescaled(p))), p)

    def minus(self, other: Scaled, precision_factor: int) -> tuple[int, ...]:
        """Exact difference in steps of 2^-precision_factor.

        Raises:
            MessageError: the difference is not a multiple of the step.
        """
        p = max(self.precision_factor, other.precision_factor, precision_factor)
        shift = p - precision_factor
        pairs = zip(self.rescaled(p), other.rescaled(p), strict=True)
        differences = [a - b for a, b in pairs]
        if any(d & ((1 << shift) - 1) for d in differences):
            raise MessageError(
                f"a difference to the reference is no multiple of 2^-{precision_factor}: "
                "send the values without prediction"
            )
        return tuple(d >> shift for d in differences)


def _fits(array: NDArray[np.int64], shift: int) -> bool:
    """Whether its numbers can be shifted that far, and stay exact."""
    greatest = max(int(array.max()), -int(array.min()))
    return greatest.bit_length() + shift < 63


def sums_along(keypoints: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Each row of an array [n, axes] added up with all rows before; None where that overflows."""
    return keypoints.cumsum(0) if _fits(keypoints, len(keypoints).bit_length()) else None


def joined_numbers(elements: LazyTuple[MatrixElement], p: int) -> NDArray[np.int64] | None:
    """Matrix elements that are kept as arrays in steps of 2^-p; None where that overflows."""
    integer, fraction, negative = elements.arrays
    if not _fits(integer, p + 1):
        return None
    magnitudes = (integer << p) + fraction
    result: NDArray[np.int64] = magnitudes.copy()
    result[negative != 0] *= -1
    return result


def whole_numbers(what: str, numbers: Iterable[int]) -> tuple[int, ...]:
    """The numbers as Python's integers; those of NumPy are taken too.

    Raises:
        MessageError: one is no integer.
    """
    numbers = tuple(numbers)
    try:
        return tuple(map(as_int, numbers))
    except TypeError:
        wrong = next(number for number in numbers if not hasattr(number, "__index__"))
        raise MessageError(
            f"{what} are integers, in steps of 2^-precision_factor, not {shown(wrong)}"
        ) from None


def check_precision(p: int | None, what: str) -> int:
    """A precision factor; raises `MessageError` where it is no integer in its range."""
    try:
        factor = as_int(p)  # type: ignore[arg-type]
    except TypeError:
        raise MessageError(f"{what} need a precision factor, an integer, not {shown(p)}") from None
    if not 1 <= factor <= MAX_PRECISION_FACTOR:
        raise MessageError(
            f"the precision factor of {what} is {factor}, must be within 1..{MAX_PRECISION_FACTOR}"
        )
    return factor


def flatten_matrices(matrices: Iterable[MatrixValues]) -> tuple[int, ...]:
    """Elements in the order type, matrix, row, column."""
    return tuple(
        element
        for values in matrices
        for matrix in values.matrices
        for row in matrix
        for element in row
    )


def matrix_shapes(matrices: Iterable[MatrixValues]) -> tuple[MatrixShape, ...]:
    """Shapes of matrices: one of each type, in GFVE one of each matrix.

    Raises:
        MessageError: a type without matrices, an empty or ragged matrix, or sizes that differ
            within a type.
    """
    shapes = []
    for values in matrices:
        sizes = [(len(m), len(m[0]) if len(m) else 0) for m in values.matrices]
        for matrix, (height, width) in zip(values.matrices, sizes, strict=True):
            if not height or not width or any(len(row) != width for row in matrix):
                raise MessageError(f"a matrix of type {values.type_idx} is empty or ragged")
        if values.type_idx is None:
            shapes += [MatrixShape(None, 1, *size) for size in sizes]
        elif len(set(sizes)) != 1:
            raise MessageError(f"the matrices of type {values.type_idx} must be of one size")
        else:
            shapes.append(MatrixShape(values.type_idx, len(sizes), *sizes[0]))
    return tuple(shapes)


def nest_matrices(shapes: tuple[MatrixShape, ...], scaled: Scaled) -> tuple[MatrixValues, ...]:
    """Inverse of `flatten_matrices`."""
    if scaled.array is not None and shapes[0].type_idx is not None:
        return tuple(_typed_arrays(shapes, scaled.array, scaled.precision_factor))
    numbers = iter(scaled.numbers)
    if shapes and shapes[0].type_idx is None:
        whole = tuple(matrix for shape in shapes for matrix in _matrices(shape, numbers))
        return (MatrixValues(None, scaled.precision_factor, whole),)
    return tuple(
        MatrixValues(shape.type_idx, scaled.precision_factor, tuple(_matrices(shape, numbers)))
        for shape in shapes
    )


def _matrices(shape: MatrixShape, numbers: Iterator[int]) -> Iterator[Matrix]:
    for _ in range(shape.count):
        yield tuple(tuple(islice(numbers, shape.width)) for _ in range(shape.height))


def _typed_arrays(
    shapes: tuple[MatrixShape, ...], array: NDArray[np.int64], precision_factor: int
) -> Iterator[MatrixValues]:
    place = 0
    for shape in shapes:
        numbers = array[place : place + shape.size]
        place += shape.size
        typed = LazyTuple(matrices_of, numbers.reshape(shape.count, shape.height, shape.width))
        yield MatrixValues(shape.type_idx, precision_factor, typed)
