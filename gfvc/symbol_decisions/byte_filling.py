"""Single steps that pay in whole bytes, which is how messages are counted.

The trellis counts bits. A message whose last byte holds few bits may lose it for a small error;
one with room in its last byte may come nearer to its targets for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gfvc.symbol_decisions.code_lengths import header_bits, message_bytes
from gfvc.symbol_decisions.parts import PREDICTION_FLAG_BITS, Distortion, Part, distortion_between
from models.contract import FloatArray, IntegerArray

_SWEEPS = 2
_CHANGES_PER_MESSAGE = 12


class _PartState:
    """The values of a part, and what they cost."""

    def __init__(self, part: Part, sent: Sequence[int], values: IntegerArray) -> None:
        self.part = part
        self.values = values.copy()
        ends: list[int | None] = [*sent[1:], None]
        self.distortions: list[Distortion] = [
            distortion_between(part, start, end) for start, end in zip(sent, ends, strict=True)
        ]
        self.index_of = {picture: index for index, picture in enumerate(sent)}
        self.sent = sent

    def bits(self, index: int) -> IntegerArray:
        """Bits of the differences of a message; zeros where there is none."""
        if not 0 < index < len(self.values):
            return np.zeros(self.values.shape[1], np.int64)
        return self.part.code_length(self.values[index] - self.values[index - 1])

    def changed(self, index: int, step: int) -> tuple[FloatArray, IntegerArray, IntegerArray]:
        """For each value moved by a step: more distortion, bits here, bits of the next message."""
        values = self.values
        now = values[index]
        moved = now + step
        before = values[index - 1]
        here = self.part.code_length(moved - before) - self.part.code_length(now - before)
        distortion = _difference(self.distortions[index - 1], before, now, before, moved)
        if index + 1 < len(values):
            after = values[index + 1]
            later = self.part.code_length(after - moved) - self.part.code_length(after - now)
            distortion = distortion + _difference(self.distortions[index], now, after, moved, after)
        else:
            later = np.zeros_like(here)
            distortion = distortion + _difference(self.distortions[index], now, now, moved, moved)
        return distortion * self.part.weights, here, later


def _difference(
    between: Distortion, p: IntegerArray, q: IntegerArray, new_p: IntegerArray, new_q: IntegerArray
) -> FloatArray:
    first, second, third, fourth = (a.astype(np.float64) for a in (p, q, new_p, new_q))
    return between.of(third, fourth) - between.of(first, second)


def filled(
    parts: Sequence[Part],
    sent: Sequence[Sequence[int]],
    values: Sequence[IntegerArray],
    multiplier: float,
) -> list[IntegerArray]:
    """Values of each part after all steps that lower distortion plus weighted whole bytes."""
    states = [
        _PartState(part, pictures, rows)
        for part, pictures, rows in zip(parts, sent, values, strict=True)
    ]
    messages = sorted({picture for pictures in sent for picture in pictures})
    payload_bits = {}
    for count, picture in enumerate(messages[1:], 1):
        present = [state for state in states if picture in state.index_of]
        payload_bits[picture] = header_bits(count) + sum(
            PREDICTION_FLAG_BITS + int(state.bits(state.index_of[picture]).sum())
            for state in present
        )
    for _ in range(_SWEEPS):
        changes = sum(
            _improve(state, picture, payload_bits, multiplier)
            for picture in messages[1:]
            for state in states
            if picture in state.index_of
        )
        if not changes:
            break
    return [state.values for state in states]


def _improve(
    state: _PartState, picture: int, payload_bits: dict[int, int], multiplier: float
) -> int:
    """Take the best step of a message's values for as long as there is one; how many."""
    index = state.index_of[picture]
    following = state.sent[index + 1] if index + 1 < len(state.sent) else None
    for change in range(_CHANGES_PER_MESSAGE):
        options = [state.changed(index, step) for step in (-1, 1)]
        distortion = np.stack([option[0] for option in options])
        here = np.stack([option[1] for option in options])
        later = np.stack([option[2] for option in options])
        more = _more_bytes(payload_bits[picture], here)
        if following is not None:
            more = more + _more_bytes(payload_bits[following], later)
        gain = distortion + 8 * multiplier * more
        way, value = np.unravel_index(int(gain.argmin()), gain.shape)
        if gain[way, value] >= -1e-9 * multiplier:
            return change
        state.values[index, value] += (-1, 1)[way]
        payload_bits[picture] += int(here[way, value])
        if following is not None:
            payload_bits[following] += int(later[way, value])
    return _CHANGES_PER_MESSAGE


def _more_bytes(bits: int, change: IntegerArray) -> IntegerArray:
    """Further bytes of a message whose payload grows by these bits."""
    now = message_bytes(bits)
    table = {extra: message_bytes(bits + extra) - now for extra in np.unique(change).tolist()}
    return np.asarray(np.vectorize(table.__getitem__, otypes=[np.int64])(change), np.int64)
