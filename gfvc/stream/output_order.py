"""The order in which the coded pictures of a stream are shown, where they are coded in another."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gfvc.stream.picture_units import PictureUnit


class PictureOrders(NamedTuple):
    """Places of coded pictures in the order of the stream, as they are shown, and the reverse.

    `output` has for each as they are shown its place in the stream, `coding` for each of the stream
    its place among those.
    """

    output: array[int]
    coding: array[int]


class OutputOrder:
    """Takes the coded pictures of a stream one by one; memory holds some bytes of each.

    Those of a sequence go by their numbers. All others stay where they are: what is to be told
    apart in ordinary video is its decoded pictures, which come as they are shown.
    """

    def __init__(self) -> None:
        self._sequences, self._numbers = array("q"), array("q")
        self._sequence = 0
        self._is_reordered = False

    def add(self, unit: PictureUnit) -> None:
        """Take the next coded picture."""
        number = 0 if unit.part is None else unit.part.number
        # The first of a sequence, an IDR picture, comes first in any order.
        if not number or not self._numbers:
            self._sequence += 1
        elif number < self._numbers[-1]:
            self._is_reordered = True
        self._sequences.append(self._sequence)
        self._numbers.append(number)

    def found(self) -> PictureOrders | None:
        """The orders; None where pictures are shown in the order of the stream."""
        if not self._is_reordered:
            return None
        output = np.lexsort((np.array(self._numbers), np.array(self._sequences)))
        return PictureOrders(_kept(output), _kept(np.argsort(output)))


def _kept(places: NDArray[np.intp]) -> array[int]:
    return array("q", places.astype(np.int64).tobytes())
