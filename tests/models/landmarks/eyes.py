"""Faces whose eyes close."""

from __future__ import annotations

import numpy as np

from models.contract import Float32Array
from models.landmarks import points as groups
from models.landmarks.face_space import shipped_face_space

SIZE = 256
UPPER = [*groups.RIGHT_EYE[9:], *groups.LEFT_EYE[9:]]
LOWER = [*groups.RIGHT_EYE[:0:-1][8:], *groups.LEFT_EYE[:0:-1][8:]]


def average_face() -> Float32Array:
    """The average face in the middle of a picture, eyes open."""
    return (shipped_face_space().mean[:, :2] * 0.14 + 0.5).astype(np.float32)


def closed(face: Float32Array, share: float) -> Float32Array:
    """The face with its lids closed by a share of their opening."""
    changed = face.copy()
    changed[UPPER] += np.float32(share) * (face[LOWER] - face[UPPER])
    return changed


def eyes(face: Float32Array) -> list[tuple[int, int]]:
    """Row and column of the middle of each eye."""
    middles = [face[list(eye)].mean(axis=0) * SIZE for eye in (groups.RIGHT_EYE, groups.LEFT_EYE)]
    return [(int(y), int(x)) for x, y in middles]
