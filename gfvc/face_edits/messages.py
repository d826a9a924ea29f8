"""The messages of an access unit whose pictures have other numbers than before.

Pictures that had a message keep it. Others get one where what is interpolated would miss the edited
numbers by more than half a step, such as where an edit comes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gfvc.parameter_coding import restated
from gfvc.parameter_rows import from_numbers, interpolated, layout_of
from gfvc.stream.picture_units import PictureUnit
from models import ParameterLayout
from models.contract import FloatArray
from sei import FaceValues, GenerativeFaceVideo, GfvState

FINE = 10
"""Precision factor from which on edited numbers are not written in finer steps.

Steps of streams are as coarse as a decision about each picture allows; an edit adds the same to
many, and would be rounded alike in all.
"""

_FINER = 2


Coded = tuple[GenerativeFaceVideo, FaceValues]
"""A message as coded, and what it makes a receiver have."""


@dataclass(frozen=True, slots=True)
class EditedMessages:
    """Payloads of an access unit's face messages, and what our user data are to say of them.

    It has `pictures` numbered ones, of which `sent` have a message beside the base message.
    """

    payloads: list[bytes]
    pictures: int
    sent: tuple[int, ...]
    hides_coded_picture: bool


def finer(layout: ParameterLayout) -> ParameterLayout:
    """The layout in steps that do an edit justice."""
    coordinate, matrix = (
        precision if precision >= FINE else precision + _FINER
        for precision in (layout.coordinate_precision, layout.matrix_precision)
    )
    return replace(layout, coordinate_precision=coordinate, matrix_precision=matrix)


def edited_messages(
    unit: PictureUnit,
    coded: Sequence[GenerativeFaceVideo],
    like: Coded,
    rows: FloatArray,
    end: FloatArray | None = None,
    *,
    hides: bool,
) -> EditedMessages:
    """Messages for rows [pictures, size] of all numbered pictures, the coded one first.

    `coded` are the messages of `unit` as coded; where it has none, its base message is made like
    one of another unit. `end` [size] are the numbers to which those after the last message go.
    `hides` says that the first picture after the leading ones stands in for the coded picture;
    where none does in `unit`, rows have one picture more than that. Raises `StreamError` for
    numbers that no message can carry.
    """
    leading = unit.leading
    shifted = hides and not unit.hides_coded_picture
    schedule = unit.schedule
    old = range(unit.numbered_pictures) if schedule is None else (0, *schedule.sent)
    received = zip(coded, unit.values(), strict=True)
    template = {
        number + (shifted and number > leading): each
        for number, each in zip(old, received, strict=False)
    }
    template.setdefault(0, like)
    base, values = template[0]
    layout = layout_of(values)
    ends = _Ends(leading, hides, end)
    carrying = _carrying(rows, layout, template, ends, every=schedule is None)
    sent = sorted(set().union(*carrying))
    state = GfvState()
    payloads = []
    target = finer(layout)
    coded_layout = None if base.coordinates is None else base.coordinates.layout
    message = base
    for count, picture in enumerate(sent):
        if picture in template:
            message = template[picture][0]
        elif count:
            message = replace(message, base_picture_flag=False, network=None, extension=None)
        numbers = from_numbers(rows[picture], target)
        parts = [picture in pictures for pictures in carrying]
        payloads.append(
            restated(
                state,
                message,
                _with_parts(numbers, *parts),
                gfv_cnt=count,
                network=message.network,
                z_max_value=(coded_layout and coded_layout.z_max_value) or 1,
            )
        )
    return EditedMessages(payloads, len(rows), tuple(sent[1:]), hides)


def base_like(base: Coded, own: FloatArray) -> bytes:
    """The payload of a base message that says other numbers [size], and is like `base`."""
    message, values = base
    layout = None if message.coordinates is None else message.coordinates.layout
    return restated(
        GfvState(),
        message,
        from_numbers(own, layout_of(values)),
        gfv_cnt=0,
        network=message.network,
        z_max_value=(layout and layout.z_max_value) or 1,
    )


def _with_parts(values: FaceValues, keypoints: bool, matrices: bool) -> FaceValues:
    if not keypoints:
        values = replace(values, keypoints=None, keypoint_precision_factor=None)
    return values if matrices else replace(values, matrices=())


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where the rows of a unit are interpolated from, and to.

    Leading pictures and those after the coded one both go on from it; but from the one in its
    place where it is hidden.
    """

    leading: int
    hides: bool
    end: FloatArray | None


def _carrying(
    rows: FloatArray,
    layout: ParameterLayout,
    template: dict[int, Coded],
    ends: _Ends,
    *,
    every: bool,
) -> tuple[set[int], set[int]]:
    """The pictures whose messages carry the keypoints, and those that carry the matrices."""
    split = layout.coordinates
    steps = 2.0**-layout.precisions
    parts = [set[int](), set[int]()]
    columns = (slice(0, split), slice(split, None))
    for part, (pictures, column) in enumerate(zip(parts, columns, strict=True)):
        if not rows[:, column].size:
            continue
        if every:
            pictures |= set(range(len(rows)))
            continue
        pictures |= {
            number
            for number, (_, values) in template.items()
            if (values.matrices if part else values.keypoints is not None)
        }
        first = ends.leading + 1
        pictures |= {0, first} if ends.hides else {0}
        tolerance = steps[column] / 2
        before = sorted(picture for picture in pictures if picture < first)
        after = [0, *sorted(picture - ends.leading for picture in pictures if picture >= first)]
        known = rows[[0, *range(first, len(rows))]][:, column]
        if ends.end is not None:
            after.append(len(known))
            known = np.concatenate([known, ends.end[None, column]])
        pictures |= set(_between(rows[:first, column], before, tolerance))
        pictures |= {place + ends.leading for place in _between(known, after, tolerance)}
    return parts[0], parts[1]


def _between(rows: FloatArray, sent: list[int], tolerance: FloatArray) -> Iterator[int]:
    """Further pictures to send, so that no number is missed by more than its tolerance."""
    last = len(rows) - 1
    spans = list(pairwise(sent))
    if sent[-1] < last and (np.abs(rows[sent[-1] :] - rows[sent[-1]]) > tolerance).any():
        yield last
        spans.append((sent[-1], last))
    while spans:
        start, end = spans.pop()
        if end - start < 2:
            continue
        inner = rows[start : end + 1]
        drawn = interpolated(inner[[0, -1]], [0, end - start], len(inner))
        misses = (np.abs(inner - drawn) / tolerance).max(axis=1)
        worst = int(misses.argmax())
        if misses[worst] > 1:
            yield start + worst
            spans += [(start, start + worst), (start + worst, end)]
