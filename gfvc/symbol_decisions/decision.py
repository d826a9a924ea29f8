"""All decisions about an access unit, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gfvc.symbol_decisions.byte_filling import filled
from gfvc.symbol_decisions.code_lengths import IntegerArray
from gfvc.symbol_decisions.parts import Part
from gfvc.symbol_decisions.schedule import at_interval, choose_pictures
from gfvc.symbol_decisions.switches import Switches
from gfvc.symbol_decisions.trellis import best_values, nearest_values


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
