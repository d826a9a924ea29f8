"""Where faces are driven and drawn, as our user data say: the square of the first, and others.

A face beside the first has a square and a gfv_id of its own: the first face of a sequence that has
further ones is 0, and these are 1, 2 and 3 in the order of the user data. It may be drawn in some
pictures of the sequence and not in others, as where a person leaves; that changes at coded pictures
only. Where it is not drawn it is part of what is beside the first face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gfvc.face_square import LEAST_SIDE, MAX_FACES, MOST_SIDE, FaceSquare
from gfvc.stream.schedule import picture_schedule
from gfvc.stream.sequence import SequencePart, SequenceSchedule
from sei.coder import UNREAD, Coder
from sei.columns import numbers_of
from sei.elements import u

_LEAST_BITS = 3 * 16 + 3  # of a further face, with an empty schedule


def face_square(c: Coder, given: FaceSquare) -> FaceSquare:
    """Syntax of the face square; `sei.coder` says how it serves reading and writing."""
    left = c.u("face_square_left", 16, given.left)
    top = c.u("face_square_top", 16, given.top)
    side = c.u("face_square_side", 16, given.side, LEAST_SIDE, MOST_SIDE)
    return FaceSquare(left, top, side)


@dataclass(frozen=True, slots=True)
class FurtherFace:
    """A face beside the first in the pictures of a sequence.

    It is driven and drawn in `square`. `drawn` says of each coded picture whether it is drawn in
    the pictures that this one drives. `schedule` is that of the sequence, with the messages of
    this face in place of those of the first. Raises `ValueError` where they do not go together.
    """

    square: FaceSquare
    drawn: tuple[bool, ...]
    schedule: SequenceSchedule
    _first: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        drawn, driven = np.array(self.drawn, bool), np.array(self.schedule.driven)
        if drawn.shape != driven.shape:
            raise ValueError(
                "of each coded picture it must be said whether a further face is drawn"
            )
        if (drawn & (driven == 0)).any():
            raise ValueError("a further face is drawn by a coded picture that drives none")
        # Number 1 is the first driven picture.
        of_unit = np.searchsorted(driven.cumsum(), np.array(self.schedule.sent, np.int64))
        if not drawn[of_unit].all():
            raise ValueError("a message is of a further face that is not drawn")
        first = int(drawn.argmax()) if drawn.any() else len(drawn)
        object.__setattr__(self, "_first", first)

    def has_messages(self, number: int) -> bool:
        """Whether the coded picture of a number, counted from 0, has a base message of the face.

        It has one where the face is drawn, but not where the face goes straight to the next coded
        picture. The first where it is drawn has one in any case, which names the model.
        """
        if not self.drawn[number] or number == self._first:
            return self.drawn[number]
        between = self.schedule.two_references and number + 1 < len(self.drawn)
        return not between or bool(self.schedule.unit(number).sent)

    def part(self, number: int) -> SequencePart:
        """What is said of the coded picture of a number, counted from 0, as of the first face."""
        part = self.schedule.part(number)
        return replace(part, has_messages=self.has_messages(number))


def further_faces(
    c: Coder, given: Sequence[FurtherFace], sequence: SequenceSchedule
) -> tuple[FurtherFace, ...]:
    """Syntax of the faces beside the first; `sei.coder` says how it serves reading and writing."""
    count = c.u("further_faces_minus1", 2, len(given) - 1, 0, MAX_FACES - 2) + 1
    blank = FurtherFace(FaceSquare(0, 0, LEAST_SIDE), (False,), SequenceSchedule((0,)))
    faces = c.items("further faces", given, count, _LEAST_BITS, blank)
    return tuple(_further_face(c, face, sequence, i) for i, face in enumerate(faces))


def _further_face(c: Coder, given: FurtherFace, sequence: SequenceSchedule, i: int) -> FurtherFace:
    left = c.u("further_face_left", 16, given.square.left, 0, 0xFFFF, (i,))
    top = c.u("further_face_top", 16, given.square.top, 0, 0xFFFF, (i,))
    side = c.u("further_face_side", 16, given.square.side, LEAST_SIDE, MOST_SIDE, (i,))
    coded = len(sequence.driven)
    (flags,) = c.array(
        (u("drawn_flag", 1),),
        c.items("drawn flags", [(flag,) for flag in given.drawn], coded, 1, UNREAD),
        coded,
        lambda: ((i, j) for j in range(coded)),
    )
    messages = picture_schedule(c, given.schedule.messages)
    if messages.pictures != 1 + sum(sequence.driven):
        raise ValueError(
            f"{messages.pictures - 1} pictures in the schedule of a further face where "
            f"{sum(sequence.driven)} are driven"
        )
    drawn = tuple(map(bool, numbers_of(flags)))
    square = FaceSquare(left, top, side)
    return FurtherFace(square, drawn, replace(sequence, sent=messages.sent))
