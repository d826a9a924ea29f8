"""Pictures of ordinary video that are not there, by the order counts of those that are.

User data say of no such picture that it should come. But the encoders of gfvc count pictures by
one, so a count that is left out is that of a picture that was lost, or taken out with its temporal
sub-layer. One that comes twice is that of a picture of the next sequence, whose IDR picture was
lost.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gfvc.stream.picture_order import PictureOrder

# So many equal steps are no chance.
_STEPS_OF_A_HABIT = 3


@dataclass(frozen=True, slots=True)
class MissingPictures:
    """What is missing: the picture at byte `at` is shown right after the first gap.

    `where` says so; None where pictures may be missing on purpose.
    """

    text: str
    at: int
    where: str | None


class PictureGaps:
    """Finds them. Memory holds some bytes of each coded picture since order counts began anew.

    `twice_at` is the byte of the first picture whose order count one before it had; None where
    none is known.
    """

    def __init__(self) -> None:
        self._starts = 0
        self._is_ordinary = False
        self._counts, self._places = array("q"), array("q")
        self._missing = 0
        self._first_at = -1
        self.twice_at: int | None = None
        self._steps = 0
        self._least_step: int | None = None
        self._greatest_step = 0

    def add(self, order: PictureOrder, *, is_ordinary: bool) -> None:
        """Take the last coded picture; of others than ordinary video user data tell."""
        if order.last is None or order.at is None:
            return
        if order.last.starts != self._starts:
            self._end_sequence()
            self._starts, self._is_ordinary = order.last.starts, True
        self._is_ordinary &= is_ordinary
        if self._is_ordinary:
            self._counts.append(order.last.value)
            self._places.append(order.at)

    def _end_sequence(self) -> None:
        counts, self._counts = np.array(self._counts, np.int64), array("q")
        places, self._places = self._places, array("q")
        if not self._is_ordinary or len(counts) < 2:
            return
        shown = np.argsort(counts, kind="stable")
        steps = np.diff(counts[shown])
        if self.twice_at is None and not steps.all():
            self.twice_at = places[int(shown[1:][steps == 0].min())]
        self._steps += len(steps)
        least = int(steps.min())
        self._least_step = least if self._least_step is None else min(least, self._least_step)
        self._greatest_step = max(int(steps.max()), self._greatest_step)
        missing = int(np.maximum(steps - 1, 0).sum())
        if missing and not self._missing:
            self._first_at = places[int(shown[1 + int((steps > 1).argmax())])]
        self._missing += missing

    def found(self, rate: Fraction | None) -> MissingPictures | None:
        """What is missing in the stream, which ends here; None where nothing is.

        `rate` is that of the output pictures, as far as it is known.
        """
        self._end_sequence()
        if not self._missing:
            return None
        missing, step = self._missing, self._least_step
        where = f"right before that at byte {self._first_at} in output order"
        is_habit = step == self._greatest_step and self._steps >= _STEPS_OF_A_HABIT
        if is_habit:
            # Other encoders may count so.
            text = (
                f"coded pictures of ordinary video count by {step}, as where those between them "
                f"were taken out, {missing} of them, the first"
            )
        else:
            text = f"coded pictures of ordinary video are missing, {missing} of them, the first"
        text += f" {where}"
        if rate is not None:
            text += f"; the video is {float(missing / rate):.2f} s shorter"
        return MissingPictures(text, self._first_at, None if is_habit else where)
