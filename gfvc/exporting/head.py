"""Where a head is, as other software wants to know it: turns and places in metres.

The stream's frame is that of pictures: x right, y down, z away from the viewer. Here it is that of
glTF, BVH and ARKit: x right, y up, z towards the viewer, so that a head at rest looks along z. Both
are right-handed; one is the other turned by half a circle about x. The person's left is at
positive x. Angles in this frame are `models.landmarks.head_angles`.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from models.contract import FloatArray

AXES = np.array([1.0, -1.0, -1.0])
"""Turns coordinates from one frame into the other."""

IRIS_METRES = 0.0117
"""Width of a human iris, nearly the same in all adults: 11.7 mm, give or take 0.5 mm.

Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.
"""

_IRIS_SIDES = (469, 471), (474, 476)


def metres(shape: FloatArray) -> float:
    """Metres in a unit of the face space, by the irises of a face [478, 3]."""
    widths = [np.linalg.norm(shape[a] - shape[b]) for a, b in _IRIS_SIDES]
    return IRIS_METRES / float(np.mean(widths))


def turns(pose: FloatArray) -> Rotation:
    """Rotations of known poses [n, 6]."""
    return Rotation.from_rotvec(pose[:, :3] * AXES)


def places(pose: FloatArray, unit: float) -> FloatArray:
    """Where known poses [n, 6] are, right of and above the picture's middle, in metres: [n, 2].

    A head is taken to be as large as it is, `unit` metres in a unit of the face space: it is as
    far from the middle as that many of its own sizes in the first picture.
    """
    scale = np.exp(pose[0, 5])
    offsets: FloatArray = (pose[:, 3:5] - 0.5) * AXES[:2] * unit / scale
    return offsets


def without_gaps(rows: FloatArray) -> FloatArray:
    """Rows [n, k] with those that are NaN filled: linear between their neighbours, held at ends.

    Raises `ValueError` when all are NaN.
    """
    known = np.flatnonzero(np.isfinite(rows).all(axis=1))
    if not known.size:
        raise ValueError("nothing is known of any picture")
    pictures = np.arange(len(rows))
    columns = [np.interp(pictures, known, column[known]) for column in rows.T]
    return np.stack(columns, axis=1) if columns else rows
