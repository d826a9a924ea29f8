"""What decisions cost: the distortion of all pictures, and the weighted bytes of the messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gfvc.interpolation import interpolated
from gfvc.symbol_decisions.code_lengths import header_bits, message_bytes
from gfvc.symbol_decisions.decision import Decided
from gfvc.symbol_decisions.parts import PREDICTION_FLAG_BITS, Part
from models import ParameterLayout
from models.contract import MAX_PRECISION_FACTOR


def total_cost(parts: Sequence[Part], decided: Decided, multiplier: float) -> float:
    """Distortion plus `multiplier` for each bit of the messages that follow the first."""
    distortion = 0.0
    for part, sent, values in zip(parts, decided.sent, decided.values, strict=True):
        known, rows = list(sent), values.astype(np.float64)
        if part.end is not None:
            known, rows = [*known, part.pictures], np.vstack([rows, part.end])
        drawn = interpolated(rows, known, part.pictures)
        distortion += float(((drawn - part.targets) ** 2 @ part.weights).sum())
    bits = [header_bits(count) for count in range(len(decided.pictures))]
    message_of = {picture: count for count, picture in enumerate(decided.pictures)}
    for part, sent, values in zip(parts, decided.sent, decided.values, strict=True):
        lengths = part.code_length(np.diff(values, axis=0)).sum(axis=1)
        for picture, length in zip(sent[1:], lengths.tolist(), strict=True):
            bits[message_of[picture]] += PREDICTION_FLAG_BITS + length
    return distortion + 8 * multiplier * sum(message_bytes(size) for size in bits[1:])


def finer(layout: ParameterLayout) -> ParameterLayout:
    """The layout with steps of half the size."""
    return replace(
        layout,
        coordinate_precision=min(layout.coordinate_precision + 1, MAX_PRECISION_FACTOR),
        matrix_precision=min(layout.matrix_precision + 1, MAX_PRECISION_FACTOR),
    )
