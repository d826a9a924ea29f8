"""How faces move between two coded pictures, as a receiver sees these.

A tracker sees a coarsely coded face a little elsewhere than the same face in the source, and a
model draws a picture by where it sees the landmarks in the coded ones. What is sent of the pictures
between must agree with that at both ends, or the face would jump at each coded picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models import FaceParameters, ParameterLayout
from models.contract import FloatArray

Ends = tuple[FaceParameters, FaceParameters]


def through_ends(
    faces: Sequence[FaceParameters | None], found: Ends, known: Ends, layout: ParameterLayout
) -> list[FaceParameters | None]:
    """Parameters of the pictures between two coded ones, moved so that they meet what is known.

    `found` are those of the two pictures, found in the source as `faces` are; `known` those that a
    receiver sees in them as coded. The difference is spread linearly over time.
    """
    first, last = (
        layout.flatten(seen) - layout.flatten(own) for seen, own in zip(known, found, strict=True)
    )

    def moved(place: int, face: FaceParameters) -> FaceParameters:
        share = place / (len(faces) + 1)
        vector: FloatArray = layout.flatten(face) + first + (last - first) * np.float64(share)
        return layout.unflatten(vector)

    return [None if face is None else moved(place, face) for place, face in enumerate(faces, 1)]
