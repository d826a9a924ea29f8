"""Yaw, pitch and roll of a head, as other software has them, from the rotation of its pose.

The pose's frame is that of pictures: x right, y down, z away from the viewer. Angles are those of a
frame with x right, y up and z towards the viewer: the head is first rolled about z, then pitched
about x, then turned about y. Positive yaw turns the face towards the person's left, which is the
right side of the picture; positive pitch turns it down; positive roll tilts the head towards the
person's right shoulder, the left side of the picture.
"""

from __future__ import annotations

import numpy as np

from models.contract import FloatArray

_AXES = np.array([1.0, -1.0, -1.0])
_ORDER = "YXZ"


def head_angles(rotations: FloatArray) -> FloatArray:
    """Yaw, pitch and roll [n, 3] in degrees of rotation vectors [n, 3] in radians."""
    from scipy.spatial.transform import Rotation

    angles: FloatArray = Rotation.from_rotvec(rotations * _AXES).as_euler(_ORDER, degrees=True)
    return angles


def head_rotations(angles: FloatArray) -> FloatArray:
    """Rotation vectors [n, 3] in radians of yaw, pitch and roll [n, 3] in degrees."""
    from scipy.spatial.transform import Rotation

    rotations: FloatArray = Rotation.from_euler(_ORDER, angles, degrees=True).as_rotvec()
    turned: FloatArray = rotations * _AXES
    return turned
