"""What the same face parameters cost in different generative face video layouts.

    python -m benchmarks.layouts CLIP... [--json FILE]

The `mesh` model's 14 values a picture are written as GFV messages, closed loop, in three ways
that each mean what H.274 says of them:

    compact    one compact feature (type 7), 1×14: pose and expression together
    typed      head rotation matrix (type 4), head translation (type 5: x, y, depth as log scale),
               expression as compact feature (type 7), 1×8
    keypoints  16 two-dimensional keypoints, from which a decoder would solve pose and expression

All are quantised so that a step moves landmarks by about the same distance. Printed: kbit/s of
the messages with their SEI headers, and the landmark error before any drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import command_parser, write_json
from gfvc.parameter_coding import quantise, to_face_values
from models import MatrixShape, ParameterLayout
from models.contract import COMPACT_FEATURE, HEAD_ROTATION, HEAD_TRANSLATION, FloatArray
from models.landmarks.face_space import (
    FaceSpace,
    find_pose,
    pose_to_values,
    shipped_face_space,
    values_to_pose,
)
from models.landmarks.layout import EXPRESSION_VALUES, face_layout
from models.landmarks.tracking import clip_landmarks
from models.landmarks.values import STEPS, RestFace
from models.metrics.face import landmark_distance
from sei import GENERATIVE_FACE_VIDEO, Codec, GfvState, SeiMessage, make_sei_nal_unit

RATE = 25.0
PRECISION = 8
MESSAGES_PER_NAL_UNIT = 64
# One in 30 of the face's 468 points would do for pose; these also show lids, lips and brows.
KEYPOINTS = [33, 263, 133, 362, 159, 386, 145, 374, 61, 291, 13, 14, 152, 10, 105, 334]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the values of a picture become coded numbers, and what a decoder makes of them."""

    name: str
    layout: ParameterLayout
    pack: Callable[[FloatArray, RestFace], FloatArray]
    unpack: Callable[[FloatArray, RestFace], FloatArray]


def build_layouts(space: FaceSpace) -> list[Layout]:
    """The three layouts. `pack` takes the 14 values and the face at rest, `unpack` goes back."""
    unit = STEPS * 2.0**PRECISION

    def pack_typed(values: FloatArray, rest: RestFace) -> FloatArray:
        rotation = values_to_pose(values[:6]).rotation.ravel() / unit[0]
        return np.concatenate([rotation, values[3:] / unit[3:]])

    def unpack_typed(coded: FloatArray, rest: RestFace) -> FloatArray:
        left, _, right = np.linalg.svd(coded[:9].reshape(3, 3) * unit[0])
        vector = cv2.Rodrigues(left @ right)[0][:, 0]
        return np.concatenate([vector, coded[9:] * unit[3:]])

    typed = (
        MatrixShape(HEAD_ROTATION, 1, 3, 3),
        MatrixShape(HEAD_TRANSLATION, 1, 3, 1),
        MatrixShape(COMPACT_FEATURE, 1, 1, EXPRESSION_VALUES),
    )

    # A step of a coordinate moves one point only, so it may be as large as the translation's.
    point_unit = unit[3]

    def pack_points(values: FloatArray, rest: RestFace) -> FloatArray:
        points: FloatArray = rest.landmarks(space, values)[KEYPOINTS, :2].ravel() / point_unit
        return points

    def unpack_points(coded: FloatArray, rest: RestFace) -> FloatArray:
        return _solve(space, rest, coded.reshape(-1, 2) * point_unit)

    return [
        Layout("compact", face_layout(), lambda v, _: v / unit, lambda c, _: c * unit),
        Layout("typed", ParameterLayout(matrices=typed), pack_typed, unpack_typed),
        Layout("keypoints", ParameterLayout(len(KEYPOINTS)), pack_points, unpack_points),
    ]


def _solve(space: FaceSpace, rest: RestFace, points: FloatArray) -> FloatArray:
    """Pose and expression that best put the keypoints there, by damped Gauss-Newton."""
    values = np.zeros(6 + EXPRESSION_VALUES)
    values[3:6] = points[:, 0].mean(), points[:, 1].mean(), np.log(0.15)
    damping = np.diag([1e-6] * 6 + [1e-2] * EXPRESSION_VALUES)
    for _ in range(12):
        guess = rest.landmarks(space, values)[KEYPOINTS, :2].ravel()
        columns = []
        for index in range(len(values)):
            moved = values.copy()
            moved[index] += 1e-4
            columns.append(rest.landmarks(space, moved)[KEYPOINTS, :2].ravel() - guess)
        slope = np.stack(columns, axis=1) / 1e-4
        step = np.linalg.solve(slope.T @ slope + damping, slope.T @ (points.ravel() - guess))
        values = values + step
    return values


def measure(space: FaceSpace, layout: Layout, landmarks: FloatArray) -> tuple[float, float]:
    """kbit/s and landmark error of a clip's landmarks [pictures, 478, 3]."""
    pose = pose_to_values(find_pose(space.mean, landmarks[0], space.weights))
    rest = RestFace(landmarks[0], values_to_pose(pose).remove(landmarks[0]))
    state = GfvState()
    previous = None
    messages = []
    errors = []
    for index, face in enumerate(landmarks):
        coded = quantise(layout.pack(rest.values(space, face), rest), PRECISION, previous)
        previous = coded
        message = state.predict(
            to_face_values(coded, layout.layout),
            gfv_id=0,
            gfv_cnt=index,
            base_picture_flag=index == 0,
        )
        messages.append(SeiMessage(GENERATIVE_FACE_VIDEO, state.write(message)))
        received = layout.unpack(coded * 2.0**-PRECISION, rest)
        errors.append(landmark_distance(face, rest.landmarks(space, received)))
    size = sum(
        len(make_sei_nal_unit(messages[i : i + MESSAGES_PER_NAL_UNIT], Codec.VVC).to_annex_b())
        for i in range(0, len(messages), MESSAGES_PER_NAL_UNIT)
    )
    return 8 * size * RATE / len(landmarks) / 1000, float(np.mean(errors))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("layouts", __doc__, clips=True, json=True)
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep landmarks here")
    options = parser.parse_args(arguments)
    space = shipped_face_space()
    clips = []
    for path in options.clips:
        found = clip_landmarks(path, options.cache)
        clips.append(found[~np.isnan(found[:, 0, 0])])
    results = {}
    for layout in build_layouts(space):
        rate, error = np.mean([measure(space, layout, clip) for clip in clips], axis=0)
        results[layout.name] = {"kbps": float(rate), "landmark_error": float(error)}
        print(f"{layout.name:10} {rate:.2f} kbit/s  landmark error {error:.4f}", flush=True)
    write_json(options.json, results)


if __name__ == "__main__":
    main()
