"""How far faces of the training clips are from a key picture: what networks were trained to draw.

    python -m models.landmarks.ranges CLIP... [--cache FOLDER]

prints how large the differences of pose and expression to a key picture of the same clip are, in
shares of all pictures, and how far heads are turned from looking straight ahead. Of each clip the
first picture with a face and the middle one are taken as key pictures. The ranges below are those
of 99 in a hundred, for expressions of 999 in a thousand: eyes are closed in few pictures, and yet
often enough for networks to learn of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.contract import FloatArray
from models.landmarks.face_space import (
    FaceSpace,
    find_pose,
    pose_to_values,
    shipped_face_space,
)
from models.landmarks.head_angles import head_angles
from models.landmarks.layout import EXPRESSION_VALUES, POSE_VALUES
from models.landmarks.plausibility import MeshJudge
from models.landmarks.tracking import clip_landmarks
from models.landmarks.values import rest_face

ANGLES = np.array([29.0, 14.0, 20.0])
"""Largest differences of yaw, pitch and roll, in degrees."""

FACING = np.array([32.0, 25.0])
"""Largest yaw and pitch themselves, in degrees: of heads that turn further, half is not seen."""

PLACE = np.array([0.23, 0.13, 0.24])
"""Of x and y, in picture widths, and of the logarithm of the scale."""

EXPRESSION = np.array([5.7, 6.8, 6.2, 6.8, 8.9, 6.9, 6.1, 10.8])
"""Of the coefficients of expression, in standard deviations of the face space."""

_STEP = 10  # pictures
_SHARES = (0.5, 0.9, 0.99, 0.999, 1.0)


def differences(space: FaceSpace, landmarks: FloatArray) -> Iterator[FloatArray]:
    """Differences [14] of faces [n, 478, 3] of a clip to its key pictures.

    Yaw, pitch and roll in degrees; x, y and logarithm of the scale; expression in standard
    deviations.
    """
    for key in {0, len(landmarks) // 2}:
        face, of_key = rest_face(space, landmarks[key])
        rows = np.stack([of_key, *(face.values(space, each) for each in landmarks)])
        angles = head_angles(rows[:, :3])
        expression = rows[:, POSE_VALUES:] / space.spread[:EXPRESSION_VALUES]
        described = np.concatenate([angles, rows[:, 3:POSE_VALUES], expression], axis=1)
        yield from described[1:] - described[0]


def turns(space: FaceSpace, landmarks: FloatArray) -> FloatArray:
    """Yaw and pitch [n, 2] of faces [n, 478, 3] against the average face, in degrees."""
    poses = [pose_to_values(find_pose(space.mean, each, space.weights)) for each in landmarks]
    return head_angles(np.stack(poses)[:, :3])[:, :2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.landmarks.ranges", description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args(arguments)
    space = shipped_face_space()
    judge = MeshJudge(space)
    found: list[FloatArray] = []
    turned: list[FloatArray] = []
    for path in options.clips:
        landmarks = clip_landmarks(path, options.cache)
        seen = [face for face in landmarks[::_STEP] if np.isfinite(face[0, 0])]
        faces = [face for face in seen if judge.is_face(face)]
        if faces:
            found += differences(space, np.stack(faces))
            turned.append(turns(space, np.stack(faces)))
    sizes, facing = np.abs(np.stack(found)), np.abs(np.concatenate(turned))
    names = ["yaw", "pitch", "roll", "x", "y", "scale"]
    names += [f"e{number}" for number in range(1, EXPRESSION_VALUES + 1)]
    lines = [f"{len(found)} pictures", " ".join(["share", *(f"{name:>6}" for name in names)])]
    for share in _SHARES:
        numbers = np.quantile(sizes, share, axis=0)
        lines.append(" ".join([f"{share:5.3f}", *(f"{number:6.2f}" for number in numbers)]))
    lines += [f"{len(facing)} faces, against one that looks straight ahead", "share    yaw  pitch"]
    for share in _SHARES:
        yaw, pitch = np.quantile(facing, share, axis=0)
        lines.append(f"{share:5.3f} {yaw:6.2f} {pitch:6.2f}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
