"""What moves beside the face between coded pictures, as our user data say: control grids.

Face parameters say nothing of hair, shoulders and a camera that is held by hand, and a decoder
moves these along the straight way from one coded picture to the next. A control grid says how far
off that is at the nodes of a coarse grid, some grids for each pair of successive coded pictures.
`gfvc.control_motion` has what is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise

import numpy as np

from gfvc.stream.schedule import MAX_PICTURES, best_rice_parameter, rice_bits
from gfvc.stream.sequence import SequenceSchedule
from models.contract import IntegerArray
from sei import PayloadError
from sei.coder import UNREAD, Coder
from sei.columns import numbers_of
from sei.elements import u, ue

LEAST_NODES, MOST_NODES = 2, 17
"""Nodes along a side of the picture, its corners among them."""

FEW_GRIDS = 3
"""So many between two coded pictures are few: a curve of low degree has them all."""

MOST_STEPS = 1023
"""Greatest displacement along an axis, in steps."""

STEPS_OF_SIDE = 2048
"""So many of the finest steps are as long as the longer side of the picture."""

MOST_EXPONENT = 3
"""A step is so many times doubled at most."""

MAX_NUMBERS = 1 << 18
"""Of all grids of a sequence: what a few bytes can ask for is bounded."""

_MOST_CODE = 8 * MOST_STEPS

Nodes = tuple[int, ...]
"""Displacements at the nodes of a grid, in steps: across and down of each, row by row."""


@dataclass(frozen=True, slots=True)
class GridShape:
    """How many nodes a grid has across and down, 2..17, and the unit of its displacements.

    A step is 2**`step_exponent` times 1/2048 of the longer side of the picture; the exponent is
    0..3. Raises `ValueError` for anything else.
    """

    columns: int
    rows: int
    step_exponent: int

    def __post_init__(self) -> None:
        if not all(LEAST_NODES <= side <= MOST_NODES for side in (self.columns, self.rows)):
            raise ValueError(
                f"a grid of {self.columns}x{self.rows} nodes is not within "
                f"{LEAST_NODES}..{MOST_NODES}"
            )
        if not 0 <= self.step_exponent <= MOST_EXPONENT:
            raise ValueError(
                f"the exponent of grid steps, {self.step_exponent}, is not in 0..{MOST_EXPONENT}"
            )

    @property
    def numbers(self) -> int:
        """How many numbers a grid has."""
        return 2 * self.columns * self.rows

    @property
    def step(self) -> float:
        """The length of a step, in longer sides of the picture."""
        return float(2.0**self.step_exponent / STEPS_OF_SIDE)

    def array(self, nodes: Nodes) -> IntegerArray:
        """Nodes as an array [rows, columns, 2], in steps, x before y."""
        return np.array(nodes, np.int64).reshape(self.rows, self.columns, 2)


@dataclass(frozen=True, slots=True)
class ControlGrids:
    """The grids of the pictures between two coded ones, in the order of time.

    A grid belongs to a picture: of n grids the i-th, from 1 on, to the one i / (n + 1) of the way.
    """

    shape: GridShape
    grids: tuple[Nodes, ...]


@dataclass(frozen=True, slots=True)
class SequenceGrids:
    """Grids of all pairs of successive coded pictures of a sequence, of one shape.

    Between two coded pictures there are no more than pictures driven there (`check`). Raises
    `ValueError` for grids of another shape, or for displacements of more than 1023 steps.
    """

    shape: GridShape
    between: tuple[tuple[Nodes, ...], ...]

    def __post_init__(self) -> None:
        for grids in self.between:
            for nodes in grids:
                if len(nodes) != self.shape.numbers:
                    raise ValueError(f"a control grid of {len(nodes)} numbers")
                if max(map(abs, nodes)) > MOST_STEPS:
                    raise ValueError(f"a displacement is longer than {MOST_STEPS} steps")

    def __bool__(self) -> bool:
        """Whether there is any grid."""
        return any(self.between)

    @property
    def are_many(self) -> bool:
        """Whether there are more than `FEW_GRIDS` between two coded pictures."""
        return any(len(grids) > FEW_GRIDS for grids in self.between)

    def of_unit(self, number: int) -> ControlGrids | None:
        """Those between a coded picture, counted from 0, and the next; None without any."""
        grids = self.between[number] if number < len(self.between) else ()
        return ControlGrids(self.shape, grids) if grids else None

    def check(self, sequence: SequenceSchedule) -> None:
        """Raise `ValueError` where there are grids of pictures that the sequence does not have."""
        if len(self.between) != len(sequence.driven) - 1 or not sequence.two_references:
            raise ValueError(
                "control grids want two references, and one list for each pair of coded pictures"
            )
        for number, grids in enumerate(self.between):
            # What is shown in place of a hidden coded picture is not between it and the next.
            before = 0 if number else sequence.leading
            driven = sequence.driven[number] - before - sequence.is_hidden(number)
            if len(grids) > driven:
                raise ValueError(
                    f"{len(grids)} control grids for {driven} pictures between coded picture "
                    f"{number} of the sequence and the next"
                )

    @property
    def codes(self) -> list[int]:
        """What is coded of all grids, one after the other, none negative."""
        signed = chain.from_iterable(_differences(self.shape, grids) for grids in self.between)
        codes: list[int] = none_negative(np.fromiter(signed, np.int64)).tolist()
        return codes

    @property
    def counts(self) -> list[tuple[int]]:
        """How many grids there are between each two coded pictures."""
        return [(len(grids),) for grids in self.between]

    @property
    def rice_parameter(self) -> int:
        """The number of low bits with which the codes take the fewest bits."""
        return best_rice_parameter(self.codes, 3)

    @property
    def bits(self) -> int:
        """The fewest bits that the codes take."""
        codes = self.codes
        return rice_bits(codes, best_rice_parameter(codes, 3))


def control_grids(c: Coder, given: SequenceGrids, sequence: SequenceSchedule) -> SequenceGrids:
    """Syntax of few control grids; `sei.coder` says how it serves reading and writing."""
    shape = shape_of_grids(c, given.shape)
    gaps = len(sequence.driven) - 1
    (column,) = c.array(
        (u("grids", 2),),
        c.items("control grids", given.counts, gaps, 2, UNREAD),
        gaps,
        lambda: ((i,) for i in range(gaps)),
    )
    between = numbers_of_grids(c, given, shape, numbers_of(column))
    return checked_grids(shape, between, sequence)


def many_control_grids(c: Coder, given: SequenceGrids, sequence: SequenceSchedule) -> SequenceGrids:
    """Syntax of control grids of which there may be any number; otherwise as `control_grids`."""
    shape = shape_of_grids(c, given.shape)
    gaps = len(sequence.driven) - 1
    (column,) = c.array(
        (ue("grids", high=MAX_PICTURES - 1),),
        c.items("control grids", given.counts, gaps, 1, UNREAD),
        gaps,
        lambda: ((i,) for i in range(gaps)),
    )
    between = numbers_of_grids(c, given, shape, numbers_of(column))
    return checked_grids(shape, between, sequence)


def shape_of_grids(c: Coder, given: GridShape) -> GridShape:
    """Syntax of the shape of grids."""
    columns = c.u("grid_columns_minus2", 4, given.columns - 2, 0, MOST_NODES - 2) + 2
    rows = c.u("grid_rows_minus2", 4, given.rows - 2, 0, MOST_NODES - 2) + 2
    return GridShape(columns, rows, c.u("grid_step_exponent", 2, given.step_exponent))


def numbers_of_grids(
    c: Coder, given: SequenceGrids, shape: GridShape, counts: Sequence[int]
) -> tuple[tuple[Nodes, ...], ...]:
    """Syntax of the numbers of grids, of which there are so many between coded pictures."""
    low_bits = c.u("grid_rice_parameter", 3, given.rice_parameter)
    numbers = sum(counts) * shape.numbers
    if numbers > MAX_NUMBERS:
        raise PayloadError(f"{numbers} numbers of control grids, at most {MAX_NUMBERS} are read")
    codes = c.rice_codes(
        "grid_difference", given.codes, numbers, low_bits, numbers * (_MOST_CODE + 1)
    )
    coded = iter(numbers_of(codes))
    return tuple(_read_grids(shape, coded, count) for count in counts)


def checked_grids(
    shape: GridShape, between: tuple[tuple[Nodes, ...], ...], sequence: SequenceSchedule
) -> SequenceGrids:
    """Grids of a sequence; raise `ValueError` where these cannot be (`SequenceGrids.check`)."""
    grids = SequenceGrids(shape, between)
    grids.check(sequence)
    return grids


def _differences(shape: GridShape, grids: Sequence[Nodes]) -> Iterator[int]:
    """What is coded of the grids between two coded pictures: how each differs from the one before.

    The first differs from zeros.
    """
    none: Nodes = (0,) * shape.numbers
    for before, nodes in pairwise((none, *grids)):
        change = shape.array(nodes) - shape.array(before)
        yield from coded_differences(change).ravel().tolist()


def coded_differences(change: IntegerArray) -> IntegerArray:
    """What is coded in place of displacements [rows, columns, n], which come before others.

    Of the first column the differences downwards, of the others those across.
    """
    first = np.diff(change[:, :1], axis=0, prepend=0)
    return np.concatenate([first, np.diff(change, axis=1)], axis=1)


def none_negative(differences: IntegerArray) -> IntegerArray:
    """The numbers that are coded in place of differences: 0, 1, 2, 3, ... for 0, 1, -1, 2, ..."""
    return np.where(differences > 0, 2 * differences - 1, -2 * differences)


def _read_grids(shape: GridShape, codes: Iterator[int], count: int) -> tuple[Nodes, ...]:
    """So many grids of the codes to come."""
    coded = np.fromiter(islice(codes, count * shape.numbers), np.int64, count * shape.numbers)
    signed = np.where(coded % 2, (coded + 1) // 2, -(coded // 2))
    differences = signed.reshape(count, shape.rows, shape.columns, 2)
    differences[:, :, 0] = differences[:, :, 0].cumsum(axis=1)
    nodes = differences.cumsum(axis=2).cumsum(axis=0)
    return tuple(tuple(of_grid.ravel().tolist()) for of_grid in nodes)
