"""All decisions about the messages of a reference, one after the other, and what they cost.

`decide` takes them, `Switches` says which; `access_unit` does that for all of an access unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gfvc.options.encoding import DEFAULT_MULTIPLIER
from gfvc.parameter_rows import interpolated
from gfvc.symbol_decisions.byte_filling import filled
from gfvc.symbol_decisions.code_lengths import header_bits, message_bytes
from gfvc.symbol_decisions.message_choice import at_interval, choose_pictures
from gfvc.symbol_decisions.parts import PREDICTION_FLAG_BITS, Part
from gfvc.symbol_decisions.trellis import best_values, nearest_values
from models.contract import IntegerArray


@dataclass(frozen=True, slots=True)
class Switches:
    """Decisions to take.

    `interval` pictures a message, or None to choose the pictures by rate and distortion;
    `separate_parts` lets keypoints and matrices be left out of a message one without the other;
    `trellis` decides values by rate and distortion, otherwise they are rounded to nearest;
    `byte_filling` decides once more by whole bytes. `precision` has each access unit decided once
    more in steps of half the size, and takes what costs less; it is about the layout, and `decide`
    knows nothing of it.
    """

    interval: int | None = None
    separate_parts: bool = True
    trellis: bool = True
    byte_filling: bool = True
    precision: bool = False


FULL_RATE = Switches(interval=1)
"""A message for every picture."""


@dataclass(frozen=True, slots=True)
class SymbolSettings:
    """How to decide: the Lagrangian multiplier, and what is decided."""

    multiplier: float = DEFAULT_MULTIPLIER
    switches: Switches = Switches()


@dataclass(frozen=True, slots=True)
class Decided:
    """What is sent: for each part the pictures whose message carries it, and its values there.

    Pictures rise from 0, the key picture, whose message carries all parts. `values` int64
    [messages of the part, values].
    """

    sent: tuple[tuple[int, ...], ...]
    values: tuple[IntegerArray, ...]

    @property
    def pictures(self) -> list[int]:
        """Pictures that have a message, rising from 0."""
        return sorted({picture for sent in self.sent for picture in sent})

    @property
    def leaves_parts_out(self) -> bool:
        """Whether some message carries less than all parts."""
        return len(set(self.sent)) > 1

    def at(self, picture: int) -> list[IntegerArray | None]:
        """What the message of a picture carries of each part; None for nothing."""
        return [
            values[sent.index(picture)] if picture in sent else None
            for sent, values in zip(self.sent, self.values, strict=True)
        ]


def decide(parts: Sequence[Part], multiplier: float, switches: Switches) -> Decided:
    """Decide about an access unit.

    `multiplier` is the distortion that a bit may cost, more than 0.
    """
    if switches.interval is None:
        sent = choose_pictures(parts, multiplier, separate=switches.separate_parts)
    else:
        sent = [at_interval(parts[0].pictures, switches.interval) for _ in parts]
    values = [
        best_values(part, pictures, multiplier)
        if switches.trellis
        else nearest_values(part, pictures)
        for part, pictures in zip(parts, sent, strict=True)
    ]
    if switches.byte_filling:
        values = filled(parts, sent, values, multiplier)
    return Decided(tuple(map(tuple, sent)), tuple(np.asarray(rows, np.int64) for rows in values))


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
