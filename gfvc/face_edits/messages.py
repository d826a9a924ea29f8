"""The messages of an access unit whose pictures have other numbers than before.

Pictures that had a message keep it. Others get one where what is interpolated would miss the edited
numbers by more than half a step, such as where an edit comes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gfvc.interpolation import interpolated
from gfvc.parameter_coding import restated
from gfvc.parameter_rows import from_numbers, layout_of
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.schedule import PictureSchedule
from models import ParameterLayout
from models.contract import FloatArray
from sei import FaceValues, GenerativeFaceVideo, GfvState

FINE = 10
"""Precision factor from which on edited numbers are not written in finer steps.

Steps of streams are as coarse as a decision about each picture allows; an edit adds the same to
many, and would be rounded alike in all.
"""

_FINER = 2


@dataclass(frozen=True, slots=True)
class EditedMessages:
    """Payloads of an access unit's face messages, and what our user data are to say of them."""

    payloads: list[bytes]
    schedule: PictureSchedule | None
    hides_coded_picture: bool


def finer(layout: ParameterLayout) -> ParameterLayout:
    """The layout in steps that do an edit justice."""
    coordinate, matrix = (
        precision if precision >= FINE else precision + _FINER
        for precision in (layout.coordinate_precision, layout.matrix_precision)
    )
    return replace(layout, coordinate_precision=coordinate, matrix_precision=matrix)


def edited_messages(
    unit: PictureUnit, coded: Sequence[GenerativeFaceVideo], rows: FloatArray, *, hides: bool
) -> EditedMessages:
    """Messages for rows [pictures, size] of all numbered pictures, the coded one first.

    `coded` are the messages of `unit` as coded. `hides` says that number 1 stands in for the coded
    picture; where it does not in `unit`, rows have one picture more than that. Raises `StreamError`
    for numbers that no message can carry.
    """
    base = coded[0]
    shifted = hides and not unit.hides_coded_picture
    layout = layout_of(unit.messages[0].values)
    schedule = unit.schedule
    old = range(unit.numbered_pictures) if schedule is None else (0, *schedule.sent)
    received = zip(coded, unit.values(), strict=True)
    template = {
        number + (shifted and number > 0): each for number, each in zip(old, received, strict=False)
    }
    carrying = _carrying(rows, layout, template, every=schedule is None, shifted=shifted)
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
    announced = None if schedule is None else PictureSchedule(len(rows), tuple(sent[1:]))
    return EditedMessages(payloads, announced, hides)


def _with_parts(values: FaceValues, keypoints: bool, matrices: bool) -> FaceValues:
    if not keypoints:
        values = replace(values, keypoints=None, keypoint_precision_factor=None)
    return values if matrices else replace(values, matrices=())


def _carrying(
    rows: FloatArray,
    layout: ParameterLayout,
    template: dict[int, tuple[GenerativeFaceVideo, FaceValues]],
    *,
    every: bool,
    shifted: bool,
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
        pictures |= {0, 1} if shifted else {0}
        pictures |= set(_between(rows[:, column], sorted(pictures), steps[column] / 2))
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
