"""Whether landmarks can be those of a face.

A tracker lays its mesh over what it takes for a face, and now and then that is none, or one on
its side or upside down, over which an upright mesh is melted. Such a mesh is not like that of a
face: it is far from all shapes that pose and expression give the average face, its expression is
beyond what people do, triangles of it are turned over, or much of it lies outside of the picture.

Limits are from clips of the training and validation sets, as they are and turned by 30 to 180
degrees; `python -m benchmarks.face_changes --meshes` prints how many are taken for faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import FloatArray
from models.landmarks.face_space import FaceSpace, find_pose
from models.landmarks.points import FACE_POINTS

# Limits; the first and the third grow by so much for each degree that the head is turned sideways
# beyond `FREE_TURN`, where the tracker guesses the far half of the face.
RESIDUAL, RESIDUAL_A_DEGREE = 0.035, 0.0008
EXPRESSION = 5.6
TURNED_OVER, TURNED_OVER_A_DEGREE = 0.03, 0.001
FREE_TURN = 30.0
OUTSIDE = 0.25

# Rounds of fitting pose and expression in turn.
_ROUNDS = 2
# Triangles that are seen from their edge may turn over; in shares of the usual area.
_EDGE_ON = 0.1


@dataclass(frozen=True, slots=True)
class MeshMeasures:
    """What is measured of landmarks.

    `residual` is the weighted root mean square of what pose and expression do not explain, in
    units of the face space; `expression` the root mean square of the coefficients, in standard
    deviations; `turned_over` the share of triangles that face ahead and lie on their back;
    `outside` the share of points that lie outside of the picture. `yaw`, `pitch` and `roll` are in
    degrees.
    """

    residual: float
    expression: float
    turned_over: float
    outside: float
    yaw: float
    pitch: float
    roll: float

    @property
    def strain(self) -> float:
        """How near they come to the limits of a face: more than 1 is none."""
        beyond = max(0.0, abs(self.yaw) - FREE_TURN)
        return max(
            self.residual / (RESIDUAL + RESIDUAL_A_DEGREE * beyond),
            self.expression / EXPRESSION,
            self.turned_over / (TURNED_OVER + TURNED_OVER_A_DEGREE * beyond),
            self.outside / OUTSIDE,
        )

    @property
    def plausible(self) -> bool:
        """Whether they can be those of a face."""
        return self.strain <= 1


class MeshJudge:
    """Measures landmarks against a face space."""

    def __init__(self, space: FaceSpace) -> None:
        from scipy.spatial import Delaunay

        self._space = space
        ahead = space.mean[:FACE_POINTS, :2]
        self._triangles = Delaunay(ahead).simplices
        self._facing = np.sign(_areas(ahead, self._triangles))

    def measure(self, landmarks: FloatArray, aspect: float = 1.0) -> MeshMeasures:
        """Measure landmarks [478, 3] of a picture whose height is `aspect` times its width."""
        space, shape = self._space, self._space.mean
        outside = (landmarks[:FACE_POINTS, :2] < 0) | (landmarks[:FACE_POINTS, :2] > 1)
        landmarks = landmarks * (1.0, aspect, 1.0)
        coefficients = np.zeros(len(space.spread))
        for _ in range(_ROUNDS + 1):
            pose = find_pose(shape, landmarks, space.weights)
            found = pose.remove(landmarks)
            coefficients = space.expression(found, space.mean)
            shape = space.deform(space.mean, coefficients)
        points = landmarks[:FACE_POINTS, :2]
        rotation = pose.rotation
        return MeshMeasures(
            residual=float(np.sqrt(space.weights @ ((found - shape) ** 2).sum(axis=1))),
            expression=float(np.sqrt(((coefficients / space.spread) ** 2).mean())),
            turned_over=self._turned_over(pose.apply(shape)[:FACE_POINTS, :2], points),
            outside=float(outside.any(axis=1).mean()),
            yaw=float(np.degrees(np.arctan2(rotation[0, 2], rotation[2, 2]))),
            pitch=float(np.degrees(np.arcsin(np.clip(-rotation[1, 2], -1, 1)))),
            roll=float(np.degrees(np.arctan2(rotation[1, 0], rotation[1, 1]))),
        )

    def is_face(self, landmarks: FloatArray, aspect: float = 1.0) -> bool:
        """Whether landmarks [478, 3] can be those of a face; arguments as of `measure`."""
        return self.measure(landmarks, aspect).plausible

    def _turned_over(self, fitted: FloatArray, points: FloatArray) -> float:
        """The share of triangles that should be seen from ahead, and are seen from behind."""
        expected = _areas(fitted, self._triangles) * self._facing
        seen = expected > _EDGE_ON * np.median(np.abs(expected))
        back = _areas(points, self._triangles) * self._facing < 0
        return float((back & seen).sum() / max(1, seen.sum()))


def _areas(points: FloatArray, triangles: FloatArray) -> FloatArray:
    """Twice the signed areas of triangles [N, 3] of points [M, 2]."""
    one, two, three = (points[triangles[:, corner]] for corner in range(3))
    a, b = two - one, three - one
    areas: FloatArray = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return areas
