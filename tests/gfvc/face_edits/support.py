"""What a face tracker measures in pictures, and how much of it may change unasked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.plausibility import MeshJudge
from models.landmarks.tracking import FaceTracker
from models.metrics.openings import openings

YAW, PITCH, ROLL, LIDS, LIPS = range(5)

# Of what is not asked for less may change: degrees, and eye distances. A tracker takes a jaw that
# drops for a head that is raised.
STILL = np.array([1.5, 2.0, 1.5, 0.012, 0.012])
WITH_JAW = 3.0


def measured(pictures: Sequence[Picture]) -> FloatArray:
    """Yaw, pitch, roll in degrees, lids and lips in eye distances: [pictures, 5]."""
    judge = MeshJudge(shipped_face_space())
    rows = []
    with FaceTracker() as tracker:
        for picture in pictures:
            landmarks = tracker.look(picture)
            assert landmarks is not None
            mesh, opened = judge.measure(landmarks), openings(landmarks)
            rows.append([-mesh.yaw, mesh.pitch, -mesh.roll, opened.lids, opened.lips])
    return np.array(rows)
