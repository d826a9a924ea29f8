"""Learn the face space from clips of talking heads.

    python -m models.landmarks.fit CLIP... --out FILE [--cache FOLDER] [--expressions 24]

Every clip is tracked once (`--cache` keeps the landmarks). Shapes are freed of head pose by
Procrustes analysis against the average face; expressions are the principal components of each
clip's deviations from its own mean shape, so that identity stays out of them. Each shape counts
a second time mirrored, which makes the basis symmetric.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from models.contract import FloatArray
from models.errors import ModelError
from models.landmarks import points as groups
from models.landmarks.face_space import MIRROR, FaceSpace, find_pose, mirror_order
from models.landmarks.tracking import clip_landmarks

# Lips and eyelids are what people look at, and few points among 478. An eyelid moves much less
# than a jaw, so it has to count more if blinks are to be among the first expressions.
EMPHASIS = (
    (4.0, (*groups.LIPS_OUTER, *groups.LIPS_INNER)),
    (16.0, (*groups.RIGHT_EYE, *groups.LEFT_EYE)),
    (4.0, (groups.RIGHT_IRIS[0], groups.LEFT_IRIS[0])),
)
PICTURE_STEP = 3  # neighbouring pictures say nearly the same
ALIGNMENT_ROUNDS = 4


def point_weights() -> FloatArray:
    """How much each of the 478 points counts; sum 1."""
    weights = np.ones(groups.ALL_POINTS)
    for weight, points in EMPHASIS:
        weights[list(points)] = weight
    return np.asarray(weights / weights.sum(), np.float64)


def normalise(shape: FloatArray, weights: FloatArray) -> FloatArray:
    """Move the weighted centre to the origin and scale the mean square radius to 1."""
    centred = shape - weights @ shape
    scaled: FloatArray = centred / np.sqrt(weights @ (centred**2).sum(axis=1))
    return scaled


def average_face(clips: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """Average shape [478, 3] over clips of landmarks [pictures, 478, 3], pose removed."""
    mean = normalise(clips[0][0], weights)
    for _ in range(ALIGNMENT_ROUNDS):
        shapes = [
            np.mean([find_pose(mean, face, weights).remove(face) for face in clip], axis=0)
            for clip in clips
        ]
        mean = normalise(np.mean(shapes, axis=0), weights)
    return mean


def face_ahead(shape: FloatArray, order: npt.NDArray[np.intp], weights: FloatArray) -> FloatArray:
    """Turn a symmetric shape so that its plane of symmetry is x = 0."""
    half_turn = find_pose(shape, shape[order] * MIRROR, weights).rotation
    vector = cv2.Rodrigues(half_turn)[0] / 2
    turned: FloatArray = shape @ cv2.Rodrigues(vector)[0].T
    return turned


def learn_face_space(clips: Sequence[FloatArray], expressions: int) -> FaceSpace:
    """Learn from clips of landmarks [pictures, 478, 3].

    The mean is made symmetric; each clip counts by the number of its pictures. Raises
    `ModelError` when there is no clip, or no face that is nearly symmetric.
    """
    if not clips:
        raise ModelError("no clip shows a face to learn from")
    weights = point_weights()
    rough = average_face(clips, weights)
    order = mirror_order(rough)
    mirrored = rough[order] * MIRROR
    mirrored = find_pose(mirrored, rough, weights).apply(mirrored)
    mean = normalise((rough + mirrored) / 2, weights)
    mean = face_ahead(mean, order, weights)
    deviations = []
    for clip in clips:
        shapes = np.stack([find_pose(mean, face, weights).remove(face) for face in clip])
        deviation = shapes - shapes.mean(axis=0)
        deviations += [deviation, deviation[:, order] * MIRROR]
    data = np.concatenate(deviations)
    root = np.sqrt(weights)[:, None]
    _, singular, rows = np.linalg.svd(
        (data * root).reshape(len(data), -1).astype(np.float32), full_matrices=False
    )
    basis = rows[:expressions].reshape(expressions, -1, 3) / root
    spread = singular[:expressions] / np.sqrt(len(data))
    return FaceSpace(mean, basis.astype(np.float64), weights, spread.astype(np.float64))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.landmarks.fit", description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--expressions", type=int, default=24)
    options = parser.parse_args(arguments)
    clips = []
    for path in options.clips:
        found = clip_landmarks(path, options.cache)
        found = found[~np.isnan(found[:, 0, 0])][::PICTURE_STEP]
        sys.stderr.write(f"{path.name}: {len(found)} shapes\n")
        if len(found) > 1:
            clips.append(found)
    space = learn_face_space(clips, options.expressions)
    save_file(
        {
            name: np.ascontiguousarray(getattr(space, name), np.float32)
            for name in ("mean", "basis", "weights", "spread")
        },
        options.out,
    )
    sys.stderr.write(f"{options.out}: {len(clips)} clips, {sum(map(len, clips))} shapes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
