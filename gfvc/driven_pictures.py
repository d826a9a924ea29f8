"""Face parameters of every output picture of an access unit, from those that have messages.

Without a schedule each message is of a picture, and what it leaves out (keypoints, or matrices)
stays as it was. With a schedule, pictures are interpolated between the messages that carry the
keypoints, and between those that carry the matrices; but not from one reference to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gfvc.errors import StreamError
from gfvc.interpolation import interpolated
from gfvc.parameter_coding import to_parameters
from gfvc.parameter_rows import repacked, to_numbers
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.schedule import PictureSchedule
from models import FaceParameters, ParameterLayout
from models.contract import FloatArray
from sei import FaceValues


def parameters_of_pictures(
    unit: PictureUnit, layout: ParameterLayout, source: Path, *, marked: bool
) -> Iterator[FaceParameters]:
    """Face parameters in a model's layout: of the key picture, then of each that it drives.

    `marked` says that the stream has another layout, whose numbers are put into the model's.
    Raises `StreamError` when the messages do not carry what the model wants.
    """
    try:
        schedule = unit.schedule
        if schedule is None:
            for values in _held(unit.values()):
                own = repacked(values, layout) if marked else values
                yield to_parameters(own, layout, source)
            return
        yield from _scheduled(unit, schedule, layout, source, marked=marked)
    except StreamError as error:
        text = str(error)
        where = f"{source}: "
        raise StreamError(text if text.startswith(where) else where + text) from None


def _held(received: Iterator[FaceValues]) -> Iterator[FaceValues]:
    """Values with what a message left out taken from the one before."""
    held = FaceValues()
    for values in received:
        if values.keypoints is None and held.keypoints is not None:
            values = replace(
                values,
                keypoints=held.keypoints,
                keypoint_precision_factor=held.keypoint_precision_factor,
            )
        if not values.matrices:
            values = replace(values, matrices=held.matrices)
        held = values
        yield values


@dataclass(slots=True)
class _Rows:
    """Numbers of a part, and the pictures whose messages carried them."""

    pictures: list[int] = field(default_factory=list)
    numbers: list[FloatArray] = field(default_factory=list)

    def add(self, picture: int, values: FaceValues) -> None:
        if values.keypoints is None and not values.matrices:
            return
        numbers = to_numbers(values)
        if self.numbers and len(numbers) != len(self.numbers[0]):
            raise StreamError(
                f"picture {picture}: its message carries {len(numbers)} numbers of a kind of which "
                f"the base message carries {len(self.numbers[0])}"
            )
        self.pictures.append(picture)
        self.numbers.append(numbers)

    def of_spans(self, spans: Sequence[tuple[int, int, int]]) -> Iterator[FloatArray]:
        """Numbers of all pictures [pictures, n], span by span."""
        places = np.array(self.pictures)
        for start, end, _ in spans:
            if not self.numbers:
                yield np.zeros((end - start, 0))
                continue
            first, after = np.searchsorted(places, [start, end])
            if first == after or places[first] != start:
                raise StreamError(
                    f"picture {start}: its message is missing or leaves out parameters, and its "
                    "reference is another than that of the pictures before"
                )
            rows = np.stack(self.numbers[first:after])
            yield interpolated(rows, (places[first:after] - start).tolist(), end - start)


def _scheduled(
    unit: PictureUnit,
    schedule: PictureSchedule,
    layout: ParameterLayout,
    source: Path,
    *,
    marked: bool,
) -> Iterator[FaceParameters]:
    keypoints, matrices = _Rows(), _Rows()
    places = (0, *schedule.sent)
    # Messages at the end may be missing; what came last stays then.
    for picture, values in zip(places, unit.values(), strict=False):
        if picture == 0:
            # The layout is that of the base message, and the same for all.
            own = repacked(values, layout) if marked else values
            to_parameters(own, layout, source)
        keypoints.add(picture, replace(values, matrices=()))
        matrices.add(picture, replace(values, keypoints=None, keypoint_precision_factor=None))
    for part in (keypoints, matrices):
        if part.pictures and part.pictures[0]:
            raise StreamError("a message carries a kind of parameters that its base message lacks")
    spans = unit.reference_spans
    for parts in zip(keypoints.of_spans(spans), matrices.of_spans(spans), strict=True):
        for row in np.concatenate(parts, axis=1):
            yield layout.unflatten(row)
