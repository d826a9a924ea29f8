"""What to send of an access unit, whose pictures may have several references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gfvc.symbol_decisions.cost import finer, total_cost
from gfvc.symbol_decisions.decision import Decided, decide
from gfvc.symbol_decisions.face_parts import default_weights, to_parts
from gfvc.symbol_decisions.switches import SymbolSettings
from models import FaceParameters, ParameterLayout
from models.contract import FloatArray

Faces = Sequence[FaceParameters | None]
"""Face parameters of successive pictures of one reference; None without a face, not the first."""


@dataclass(frozen=True, slots=True)
class DecidedUnit:
    """What is sent of an access unit: `runs`, one for each reference, in steps of `layout`."""

    layout: ParameterLayout
    runs: tuple[Decided, ...]

    @property
    def leaves_parts_out(self) -> bool:
        """Whether some message carries less than all parts."""
        return any(run.leaves_parts_out for run in self.runs)


def decide_unit(
    faces: Sequence[Faces],
    layout: ParameterLayout,
    weights: Sequence[FloatArray | None],
    settings: SymbolSettings,
) -> DecidedUnit:
    """Decide about the pictures of each reference; the first of each has a message with all parts.

    `weights` are `AnimationModel.value_weights` of each reference. If the precision is decided as
    well, the layout's is tried and a finer one, and the one that costs less taken; none coarser: a
    model may have rounded the base message by its own.
    """
    known = [default_weights(layout) if of_run is None else of_run for of_run in weights]
    layouts = (layout, finer(layout)) if settings.switches.precision else (layout,)
    found = [_decided_in(faces, tried, known, settings) for tried in layouts]
    _, unit = min(found, key=lambda entry: entry[0])
    return unit


def _decided_in(
    faces: Sequence[Faces],
    layout: ParameterLayout,
    weights: Sequence[FloatArray],
    settings: SymbolSettings,
) -> tuple[float, DecidedUnit]:
    """Cost and decision in one precision."""
    cost = 0.0
    runs = []
    for of_run, weights_of_run in zip(faces, weights, strict=True):
        parts = to_parts(of_run, layout, weights_of_run)
        decided = decide(parts, settings.multiplier, settings.switches)
        cost += total_cost(parts, decided, settings.multiplier)
        runs.append(decided)
    return cost, DecidedUnit(layout, tuple(runs))
