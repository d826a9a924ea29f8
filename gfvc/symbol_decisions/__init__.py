"""What to send of the face parameters of an access unit, decided by rate and distortion.

What becomes of pictures is decided elsewhere: `gfvc.encoding.decisions`.

    face_parts     face parameters as parts, and back
    parts          keypoints and matrices as rows of targets, in quantisation steps
    schedule       the pictures whose message carries a part; the others are interpolated
    trellis        the quantised values, by code length and distortion
    byte_filling   once more, now that messages are known to be whole bytes
    decision       all of it in order, and what it costs, to compare precisions by
    access_unit    the same for every reference of an access unit, in the precision that costs less

Distortion is the sum of weighted squared errors over all pictures, those without a message
included. The Lagrangian multiplier is the distortion that a bit may cost.
"""

from gfvc.options.encoding import DECISIONS, DEFAULT_MULTIPLIER
from gfvc.symbol_decisions.access_unit import (
    DecidedUnit,
    Faces,
    base_message_bytes,
    decide_unit,
    interpolation_cost,
)
from gfvc.symbol_decisions.decision import (
    FULL_RATE,
    Decided,
    Switches,
    SymbolSettings,
    decide,
    total_cost,
)
from gfvc.symbol_decisions.face_parts import of_parts
from gfvc.symbol_decisions.parts import Part

__all__ = [
    "DECISIONS",
    "DEFAULT_MULTIPLIER",
    "FULL_RATE",
    "Decided",
    "DecidedUnit",
    "Faces",
    "Part",
    "Switches",
    "SymbolSettings",
    "base_message_bytes",
    "decide",
    "decide_unit",
    "interpolation_cost",
    "of_parts",
    "total_cost",
]
