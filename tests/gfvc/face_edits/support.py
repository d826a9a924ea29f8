"""What a face tracker measures in pictures, and how much of it may change unasked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks import face_edits
from models.contract import FloatArray, Picture

YAW, PITCH, ROLL, LIDS, LIPS = range(5)

# Of what is not asked for less may change: degrees, and eye distances. A tracker takes a jaw that
# drops for a head that is raised.
STILL = np.array([1.5, 2.0, 1.5, 0.012, 0.012])
WITH_JAW = 3.0


def measured(pictures: Sequence[Picture]) -> FloatArray:
    """Yaw, pitch, roll (degrees), lids and lips (eye distances): [pictures, 5]; all have faces."""
    rows = face_edits.measured(pictures)
    assert not np.isnan(rows).any()
    return rows
