"""Many equal items of a payload read at once: arrays of Exp-Golomb and fixed-length codes.

Where a code ends is known only when it was read, so that items are read one after the other. But
for every bit of the payload, as if an item started there, it can be told by a few operations on
arrays where that item would end. What is left is to follow the chain of these ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sei.elements import SIGN, UE

if TYPE_CHECKING:
    Places = NDArray[np.int32]
    Numbers = NDArray[np.int64]

_WINDOW = 2**13
"""Bytes that are looked at together: the arrays of their bits fit into a cache."""

_MARGIN = 8
_LONGEST_UE = 31

# A chain is followed in strides of 2^4 items, but for one of few items, which are gone through.
_STRIDE_LEVELS = 4
_FEW = 400


class _Window:
    """Some bytes of a payload; places are bits of it, ``stuck`` stands for beyond its end."""

    def __init__(self, data: bytes) -> None:
        padded = np.frombuffer(data + bytes(_MARGIN), np.uint8)
        bits = np.unpackbits(padded[: len(data)])
        self.size = len(bits)
        self.stuck = self.size + 1
        self.places = np.arange(self.size + 2, dtype=np.int32)
        # For each bit the next one bit; far away where there is none.
        ones = np.flatnonzero(bits.view(bool)).astype(np.int32)
        gaps = np.diff(ones, prepend=np.int32(-1))
        self.next_one = np.full(self.size + 2, 2 * self.size + 64, np.int32)
        self.next_one[: len(ones) and ones[-1] + 1] = np.repeat(ones, gaps)
        # Eight bytes from each byte on, as a number.
        eight: NDArray[np.uint64] = np.ndarray((len(data) + 1,), ">u8", padded, 0, (1,))
        self._words = eight.astype(np.uint64)

    def ends(self, unit: Sequence[int]) -> Places:
        """For each bit the end of the item that would start there, ``stuck`` if it has none."""
        place, is_zero = self.places, np.ones(self.size + 2, bool)
        ue_ends = None
        for code in unit:
            if code == SIGN:
                place = place + ~is_zero
                is_zero = np.ones(self.size + 2, bool)
            elif code == UE:
                if ue_ends is None:
                    ue_ends = 2 * self.next_one - self.places + 1
                    ue_ends[self.next_one - self.places > _LONGEST_UE] = self.stuck
                    is_one = self.next_one == self.places
                first = place is self.places
                is_zero = is_zero & (is_one if first else is_one.take(place))
                place = ue_ends if first else ue_ends.take(place)
            else:
                is_zero = is_zero & (self.next_one.take(place) >= place + code)
                place = place + np.int32(code)
            place = np.minimum(place, self.stuck)
        # An item that takes no bits, or is beyond the end, goes nowhere.
        place[self.size :] = self.stuck
        place[place > self.size] = self.stuck
        return place

    def _numbers(self, places: Places, lengths: Places | int) -> Numbers:
        """Numbers of so many bits, at most 32, from these places on."""
        words = self._words[places >> 3] << (places & 7).astype(np.uint64)
        shift = np.uint64(64) - np.asarray(lengths).astype(np.uint64)
        numbers: Numbers = (words >> shift).astype(np.int64)
        return numbers

    def values(self, unit: Sequence[int], starts: Places) -> list[Numbers]:
        """The values of each code of the items that start there; signs are 0 or 1."""
        columns = []
        place, is_zero = starts, np.ones(len(starts), bool)
        for code in unit:
            column = np.zeros(len(starts), np.int64)
            if code == SIGN:
                signed = np.flatnonzero(~is_zero)
                column[signed] = self._numbers(place[signed], 1)
                place = place + ~is_zero
                is_zero = np.ones(len(starts), bool)
            elif code == UE:
                one = self.next_one[place]
                longer = np.flatnonzero(one != place)
                ones = one[longer]
                column[longer] = self._numbers(ones, ones - place[longer] + 1) - 1
                place = 2 * one - place + 1
                is_zero &= column == 0
            else:
                column = self._numbers(place, code)
                place = place + np.int32(code)
                is_zero &= column == 0
            columns.append(column)
        return columns


def chain(ends: Places, start: int, count: int) -> Places:
    """Starts of the sound items from ``start`` on, ``count`` at the most.

    ``ends`` says of each place where the item would end that starts there. Its last place stands
    for beyond the end, where an unsound item ends and nothing leads on; the one before is the end.
    """
    size = len(ends) - 2
    jumps = ends
    levels = _STRIDE_LEVELS if count > _FEW else 0
    for _ in range(levels):
        jumps = jumps.take(jumps)
    stride = 1 << levels
    following = memoryview(jumps.data)
    place, anchors = start, []
    for _ in range(-(-count // stride)):
        if place > size:
            break
        anchors.append(place)
        place = following[place]
    grid = np.empty((len(anchors), stride), np.int32)
    column = np.array(anchors, np.int32)
    for step in range(stride):
        grid[:, step] = column
        column = ends.take(column)
    starts = grid.ravel()[:count]
    sound: Places = starts[ends[starts] <= size]
    return sound


def read_items(
    data: bytes, start: int, codes: Sequence[int], count: int
) -> tuple[list[Numbers], Numbers]:
    """Values of items from bit ``start`` of ``data`` on, code by code, and where each starts.

    ``codes`` are those of `sei.elements.Field`. There are fewer than ``count`` items when one is
    damaged or runs past the end: those before it are read. The starts have one more: where the
    last item ends.
    """
    unit, repeats = _unit(codes)
    left = count * repeats
    columns: list[list[Numbers]] = [[] for _ in unit]
    starts: list[Numbers] = []
    place = start
    while left:
        first = place >> 3
        window = _Window(data[first : first + _WINDOW])
        ends = window.ends(unit)
        found = chain(ends, place & 7, left)
        if not len(found):
            break
        for column, values in zip(columns, window.values(unit, found), strict=True):
            column.append(values)
        starts.append(found.astype(np.int64) + 8 * first)
        place = int(ends[found[-1]]) + 8 * first
        left -= len(found)
    starts.append(np.array([place], np.int64))
    read = (count * repeats - left) // repeats
    all_starts = np.concatenate(starts)[: read * repeats + 1 : repeats]
    if not read:
        return [np.zeros(0, np.int64) for _ in codes], all_starts
    whole = [np.concatenate(column)[: read * repeats] for column in columns]
    return [column[i::repeats] for i in range(repeats) for column in whole], all_starts


def _unit(codes: Sequence[int]) -> tuple[Sequence[int], int]:
    """The codes that repeat, each time ending in a sign, and how often: axes of a keypoint."""
    period = codes.index(SIGN) + 1 if SIGN in codes else len(codes)
    repeats = len(codes) // period
    if tuple(codes[:period]) * repeats == tuple(codes):
        return codes[:period], repeats
    return codes, 1
