"""The head's pose as a BVH file: one joint, a line of channels a picture.

Places are in centimetres, angles in degrees. The channels Yrotation, Xrotation, Zrotation stand in
the order that their rotations are multiplied in: yaw, pitch, roll as `models.landmarks.head_angles`
has them. How far away a head is the stream does not say, so Zposition is 0.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from gfvc.exporting.head import metres, places, without_gaps
from gfvc.exporting.motion import HeadMotion
from models.contract import FloatArray
from models.landmarks.head_angles import head_angles
from models.landmarks.points import FOREHEAD

CENTIMETRES = 100.0

_HIERARCHY = """\
HIERARCHY
ROOT Head
{{
\tOFFSET 0.000000 0.000000 0.000000
\tCHANNELS 6 Xposition Yposition Zposition Yrotation Xrotation Zrotation
\tEnd Site
\t{{
\t\tOFFSET 0.000000 {height:.6f} 0.000000
\t}}
}}
MOTION
Frames: {pictures}
Frame Time: {seconds:.8f}
"""


def write_bvh(path: Path, head: HeadMotion, rate: Fraction) -> None:
    """Write the motion of a head at so many pictures a second.

    Pictures of which nothing is known lie on a straight line between those around them.
    """
    pose = without_gaps(head.pose)
    unit = metres(head.rest.shape) * CENTIMETRES
    height = -float(head.rest.shape[FOREHEAD, 1]) * unit
    flat = places(pose, unit)
    rows: FloatArray = np.concatenate(
        [flat, np.zeros((len(pose), 1)), head_angles(pose[:, :3])], axis=1
    )
    with path.open("w", encoding="ascii") as file:
        seconds = float(1 / rate)
        file.write(_HIERARCHY.format(height=height, pictures=len(rows), seconds=seconds))
        for row in rows:
            file.write(" ".join(f"{value:.6f}" for value in row) + "\n")
