"""Face parameters of every output picture of an access unit, from those that have messages.

Without a schedule each message is of a picture, and what it leaves out (keypoints, or matrices)
stays as it was. With a schedule, pictures are interpolated between the messages that carry the
keypoints, and between those that carry the matrices; but not from one reference to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gfvc.errors import StreamError
from gfvc.parameter_coding import to_parameters
from gfvc.parameter_rows import interpolated, repacked, to_numbers
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.schedule import PictureSchedule
from models import FaceParameters, ParameterLayout
from models.contract import FloatArray
from sei import FaceValues


def parameters_of_pictures(
    unit: PictureUnit,
    layout: ParameterLayout,
    source: Path,
    ends: tuple[FaceParameters, FaceParameters] | None = None,
    *,
    repack: bool,
) -> Iterator[FaceParameters]:
    """Face parameters in a model's layout: of the coded picture, then of each that it drives.

    `repack` says that the stream has another layout, whose numbers are put into the model's; `ends`
    are what is known, without a message, of this coded picture and of the one after the last: the
    last pictures go to that. Without messages, and `ends` either, there are none.
    Raises `StreamError` when the messages do not carry what the model wants.
    """
    if not unit.messages:
        if ends is not None:
            rows = np.stack([layout.flatten(parameters) for parameters in ends])
            count = unit.numbered_pictures
            straight = interpolated(rows, [0, count], count)
            yield from map(layout.unflatten, straight)
        return
    end = None if ends is None else ends[1]
    try:
        schedule = unit.schedule
        if schedule is None:
            for values in _held(unit.values()):
                own = repacked(values, layout) if repack else values
                yield to_parameters(own, layout, source)
            return
        yield from _scheduled(unit, schedule, layout, source, end, repack=repack)
    except StreamError as error:
        text = str(error)
        where = f"{source}: "
        raise StreamError(text if text.startswith(where) else where + text) from None


def base_parameters(
    unit: PictureUnit, layout: ParameterLayout, source: Path, *, repack: bool
) -> FaceParameters | None:
    """Face parameters of a coded picture itself, from its base message; None without one.

    `repack` is as of `parameters_of_pictures`, and so is what is raised.
    """
    if not unit.messages:
        return None
    values = unit.messages[0].values
    return to_parameters(repacked(values, layout) if repack else values, layout, source)


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

    def of_unit(self, unit: PictureUnit, end: FloatArray | None) -> FloatArray:
        """Numbers of a unit's numbered pictures [pictures, n], `end` being those of the next one.

        Both the pictures shown before the coded picture and those after it go on from it.
        """
        if not self.numbers:
            return np.zeros((unit.numbered_pictures, 0))
        leading = unit.leading
        if leading or end is not None:
            before = self._span(0, leading + 1)
            after = self._span(leading + 1, unit.numbered_pictures, self.numbers[0], end)
            return np.concatenate([before, after])
        return np.concatenate(
            [self._span(start, after) for start, after, _ in unit.reference_spans]
        )

    def _span(
        self,
        start: int,
        end: int,
        before: FloatArray | None = None,
        after: FloatArray | None = None,
    ) -> FloatArray:
        """Numbers of the pictures from `start` up to, not with, `end`.

        `before` and `after` are those of the pictures next to them, where they count.
        """
        first, beyond = np.searchsorted(self.pictures, [start, end])
        places = [picture - start for picture in self.pictures[first:beyond]]
        rows = self.numbers[first:beyond]
        if after is not None:
            places, rows = [*places, end - start], [*rows, after]
        if before is not None:
            places, rows = [0, *(place + 1 for place in places)], [before, *rows]
            return interpolated(np.stack(rows), places, end - start + 1)[1:]
        if not places or places[0]:
            raise StreamError(
                f"picture {start}: its message is missing or leaves out parameters, and its "
                "reference is another than that of the pictures before"
            )
        return interpolated(np.stack(rows), places, end - start)


def _scheduled(
    unit: PictureUnit,
    schedule: PictureSchedule,
    layout: ParameterLayout,
    source: Path,
    end: FaceParameters | None,
    *,
    repack: bool,
) -> Iterator[FaceParameters]:
    keypoints, matrices = _Rows(), _Rows()
    places = (0, *schedule.sent)
    # Messages at the end may be missing; what came last stays then.
    for picture, values in zip(places, unit.values(), strict=False):
        if picture == 0:
            # The layout is that of the base message, and the same for all.
            own = repacked(values, layout) if repack else values
            to_parameters(own, layout, source)
        keypoints.add(picture, replace(values, matrices=()))
        matrices.add(picture, replace(values, keypoints=None, keypoint_precision_factor=None))
    for part in (keypoints, matrices):
        if part.pictures and part.pictures[0]:
            raise StreamError("a message carries a kind of parameters that its base message lacks")
    known = None if end is None else layout.flatten(end)
    # Messages of another layout have the same numbers in the same order, parted elsewhere.
    split = len(keypoints.numbers[0]) if keypoints.numbers else 0
    ends = (None, None) if known is None else (known[:split], known[split:])
    parts = zip((keypoints, matrices), ends, strict=True)
    rows = np.concatenate([part.of_unit(unit, after) for part, after in parts], axis=1)
    yield from map(layout.unflatten, rows)
