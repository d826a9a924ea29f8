"""What to send of an access unit, whose pictures may have several references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gfvc.parameter_rows import interpolated
from gfvc.symbol_decisions.code_lengths import message_bytes
from gfvc.symbol_decisions.decision import Decided, SymbolSettings, decide, total_cost
from gfvc.symbol_decisions.face_parts import default_weights, to_parts
from models import FaceParameters, ParameterLayout
from models.contract import MAX_PRECISION_FACTOR, FloatArray

Faces = Sequence[FaceParameters | None]
"""Face parameters of successive pictures of one reference; None without a face, not the first."""


@dataclass(frozen=True, slots=True)
class DecidedUnit:
    """What is sent of an access unit: `runs`, one for each reference, in steps of `layout`.

    `cost` is the distortion, and the weighted bits of all messages but the first of each run.
    """

    layout: ParameterLayout
    runs: tuple[Decided, ...]
    cost: float

    @property
    def leaves_parts_out(self) -> bool:
        """Whether some message carries less than all parts."""
        return any(run.leaves_parts_out for run in self.runs)


def decide_unit(
    faces: Sequence[Faces],
    layout: ParameterLayout,
    weights: Sequence[FloatArray | None],
    settings: SymbolSettings,
    ends: Sequence[FaceParameters | None] | None = None,
) -> DecidedUnit:
    """Decide about the pictures of each reference; the first of each has a message with all parts.

    `weights` are `AnimationModel.value_weights` of each reference. If the precision is decided as
    well, the layout's is tried and a finer one, and the one that costs less taken; none coarser: a
    model may have rounded the base message by its own. `ends` are what a receiver knows without a
    message of the picture after the last of each reference; None: nothing.
    """
    known = [default_weights(layout) if of_run is None else of_run for of_run in weights]
    after = ends or [None] * len(faces)
    layouts = (layout, _finer(layout)) if settings.switches.precision else (layout,)
    found = [_decided_in(faces, tried, known, settings, after) for tried in layouts]
    return min(found, key=lambda unit: unit.cost)


def _decided_in(
    faces: Sequence[Faces],
    layout: ParameterLayout,
    weights: Sequence[FloatArray],
    settings: SymbolSettings,
    ends: Sequence[FaceParameters | None],
) -> DecidedUnit:
    """Cost and decision in one precision."""
    cost = 0.0
    runs = []
    for of_run, weights_of_run, end in zip(faces, weights, ends, strict=True):
        parts = to_parts(of_run, layout, weights_of_run, end)
        decided = decide(parts, settings.multiplier, settings.switches)
        cost += total_cost(parts, decided, settings.multiplier)
        runs.append(decided)
    return DecidedUnit(layout, tuple(runs), cost)


def interpolation_cost(
    faces: Faces,
    layout: ParameterLayout,
    weights: FloatArray | None,
    end: FaceParameters,
) -> float:
    """Distortion when no picture has a message, and all go straight from the first to `end`."""
    known = default_weights(layout) if weights is None else weights
    cost = 0.0
    for part in to_parts(faces, layout, known, end):
        assert part.end is not None
        rows = np.stack([part.targets[0], part.end])
        drawn = interpolated(rows, [0, part.pictures], part.pictures)
        cost += float(((drawn - part.targets) ** 2 @ part.weights).sum())
    return cost


def base_message_bytes(key: FaceParameters, layout: ParameterLayout) -> int:
    """About the bytes of a base message that names no model."""
    (part, *others) = to_parts([key], layout, None)
    bits = sum(int(p.code_length(p.base).sum()) for p in (part, *others))
    return 6 + message_bytes(bits)


def _finer(layout: ParameterLayout) -> ParameterLayout:
    """The layout with steps of half the size."""
    return replace(
        layout,
        coordinate_precision=min(layout.coordinate_precision + 1, MAX_PRECISION_FACTOR),
        matrix_precision=min(layout.matrix_precision + 1, MAX_PRECISION_FACTOR),
    )
