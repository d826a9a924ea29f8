"""What the network is given for a prepared clip: pictures, landmarks and flows.

This is done as a decoder does it, by the same modules; it needs neither the tracker nor PyTorch.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from models.contract import Float32Array, Picture
from models.errors import TrainingError
from models.face import MOTION_SIDE, lead_step
from models.landmarks.face_space import shipped_face_space
from models.landmarks.flow import NEAR, backward_flow, plane, warp
from models.landmarks.pairs import PairFlow, SharedFace
from models.landmarks.values import rest_face
from tools.face_training.prepared import NO_PICTURE, load_prepared

LEFT_OUT = -1e4
"""The lead of a second reference that is not there."""


class Placed(NamedTuple):
    """What the network is given for a clip.

    Attributes:
        pictures: uint8 [D, S, S, 3], to be drawn.
        coded: uint8 [C, S, S, 3], to draw them from.
        coded_landmarks: float32 [C, 478, 2], in picture widths and heights.
        rows: int32 [N, 3], numbers of a picture and of its references; where there is one
            reference, it stands for the second too.
        landmarks: float32 [N, 478, 2], of the pictures.
        flows: float16 [N, 6, S, S], displacements that landmarks have both references read at, and
            the rest motion from one reference to the other.
        progress: float32 [N], how much of the rest motion is done in them, about 0..1.
        leads: float16 [N, 64, 64], of the second reference.
    """

    pictures: npt.NDArray[np.uint8]
    coded: npt.NDArray[np.uint8]
    coded_landmarks: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int32]
    landmarks: npt.NDArray[np.float32]
    flows: npt.NDArray[np.float16]
    progress: npt.NDArray[np.float32]
    leads: npt.NDArray[np.float16]


def read_pictures(path: Path) -> npt.NDArray[np.uint8]:
    """All pictures of a video, uint8 RGB [N, H, W, 3]; `TrainingError` when there is none."""
    reader = cv2.VideoCapture(str(path))
    pictures = []
    while True:
        found, picture = reader.read()
        if not found:
            break
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    reader.release()
    if not pictures:
        raise TrainingError(f"{path}: no video that can be read")
    return np.stack(pictures).astype(np.uint8)


def place_clip(folder: Path, name: str) -> Placed:
    """Place the driven pictures of a prepared clip.

    Raises:
        TrainingError: a video does not fit the table.
    """
    cv2.setNumThreads(1)
    clip = load_prepared(folder / f"{name}.npz")
    pictures = read_pictures(folder / f"{name}.pictures.mkv")
    coded = read_pictures(folder / f"{name}.coded.hevc")
    if len(coded) != len(clip.coded_faces) or len(pictures) != clip.driven.max() + 1:
        raise TrainingError(
            f"{folder / name}: {len(coded)} coded and {len(pictures)} other pictures; the table "
            f"has {len(clip.coded_faces)} and {clip.driven.max() + 1}"
        )
    space = shipped_face_space()
    size, count = coded.shape[1], len(clip.driven)
    faces = [rest_face(space, landmarks)[0] for landmarks in clip.coded_faces]
    planes = [plane(face.key_landmarks) for face in faces]
    landmarks = np.zeros((count, *planes[0].shape), np.float32)
    flows = np.zeros((count, 6, size, size), np.float16)
    progress = clip.positions.astype(np.float32)
    leads = np.full((count, MOTION_SIDE, MOTION_SIDE), LEFT_OUT, np.float16)
    rows = np.zeros((count, 3), np.int32)
    made: dict[tuple[int, int], PairFlow] = {}
    for row in range(count):
        first, second = (int(number) for number in clip.references[row])
        rows[row] = clip.driven[row], first, second
        values = clip.values[row]
        if second == NO_PICTURE:
            rows[row, 2] = first
            landmarks[row] = plane(faces[first].landmarks(space, values))
            flow = backward_flow(planes[first], landmarks[row], (size, size))
            flows[row, :2] = flow.transpose(2, 0, 1)
            continue
        if (first, second) not in made:
            shared = SharedFace(space, faces[first], faces[second], clip.later_values[second])
            keys, ends = (planes[first], planes[second]), (coded[first], coded[second])
            bend = partial(_bent, ends[0])
            made[first, second] = PairFlow(shared, keys, ends, bend, NEAR, lead_step(size))
        place = made[first, second].place(values, float(clip.positions[row]))
        landmarks[row] = place.landmarks
        progress[row] = place.progress
        whole = place.moved_flows()
        rest = place.shifts[0] - place.shifts[1]
        flows[row] = np.concatenate([*whole, rest], axis=2).transpose(2, 0, 1)
        leads[row] = cv2.resize(
            place.lead, (MOTION_SIDE, MOTION_SIDE), interpolation=cv2.INTER_AREA
        )
    return Placed(pictures, coded, np.stack(planes), rows, landmarks, flows, progress, leads)


def _bent(picture: Picture, landmarks: Float32Array, flow: Float32Array) -> Picture:
    """A reference drawn as `mesh` does."""
    return warp(picture, flow)


_DONE = "done"


def place_on_disk(folder: Path, name: str, out: Path) -> str:
    """`place_clip`, into the folder `out/name`, unless it is there; returns the name."""
    into = out / name
    if (into / _DONE).exists():
        return name
    # Many clips are placed side by side.
    with threadpool_limits(1, user_api="blas"):
        placed = place_clip(folder, name)
    into.mkdir(parents=True, exist_ok=True)
    for field, array in placed._asdict().items():
        np.save(into / f"{field}.npy", array)
    (into / _DONE).touch()
    return name


def load_placed(folder: Path) -> Placed:
    """What `place_on_disk` left in a folder."""
    return Placed(*(np.load(folder / f"{field}.npy") for field in Placed._fields))
