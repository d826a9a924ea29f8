"""Correcting tracked pose and expression by what the key picture shows when it is bent so.

A tracker looks at one picture at a time, and its landmarks wander by a pixel against the skin
they stand for. What is drawn from them is then off by that pixel. So the encoder bends the key
picture as the decoder will, looks how the result differs from the real picture, and corrects
pose and expression by that (analysis by synthesis, as in Li et al., "3-D motion estimation in
model-based facial image coding", 1993). It looks twice: the optical flow between the two
(Kroeger et al., "Fast optical flow using dense inverse search", 2016) says where skin should
move, the tracker where the parts of the face should. Both fail where the two pictures show little
in common, as when a head turns; so the key picture is bent once more by the correction and by
half of it, and what comes closest to the real picture is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.contract import Float32Array, FloatArray, Picture
from models.landmarks import points as groups
from models.landmarks.face_space import FaceSpace
from models.landmarks.flow import FLOW_POINTS, plane
from models.landmarks.layout import FACE_VALUES
from models.landmarks.values import STEPS, RestFace
from models.landmarks.warp import LandmarkWarp

# Where the flow is that of skin. The outline of the face is not among them: the flow there
# is that of the background as often as that of the cheek.
ALIGNED_POINTS = np.setdiff1d(FLOW_POINTS, groups.FACE_OVAL)
# Larger pictures are reduced to this: the flow is exact to a fraction of a pixel.
WORKING_SIZE = 256
# The flow is found in the face's box and this much of its larger side around it.
SURROUNDINGS = 0.1
LEAST_SURROUNDINGS = 32
# Standard deviation of the window in which a landmark's flow is averaged, in pixels.
FLOW_WINDOW = 2.0
# Flow that disagrees by more than this counts less (Huber, "Robust estimation of a location
# parameter", 1964): teeth that come into view have no counterpart. In pixels.
OUTLIER = 1.0
REWEIGHTINGS = 4
# How much the squared miss of a tracked landmark counts beside that of a point of the flow.
TRACKER_WEIGHT = 2.0
# The same where nothing was tracked in the bent picture, and landmarks are to stay.
STAY_WEIGHT = 0.6
# Shares of the correction that are tried.
SHARES = (0.5, 1.0)
# How much similarity in the mouth counts beside that in the face.
MOUTH_WEIGHT = 0.5
# Keeps the system regular whatever the face.
RIDGE = 1e-4

Look = Callable[[Picture], "FloatArray | None"]
"""Landmarks [478, 3] of the face in a picture, None without one."""


class Alignment:
    """Aligns faces with one key picture.

    Args:
        space: the face space of the values.
        picture: the key picture uint8 RGB [height, width, 3].
        face: its face.
        look: finds the landmarks of the face in the bent key picture; None to save the time, and
            to keep to what was tracked in the real picture instead.
    """

    def __init__(
        self, space: FaceSpace, picture: Picture, face: RestFace, look: Look | None
    ) -> None:
        self._space = space
        self._face = face
        self._look = look
        height, width = picture.shape[:2]
        scale = min(1.0, WORKING_SIZE / max(height, width))
        self._size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self._warp = LandmarkWarp(self._reduced(picture), face.key_landmarks)

    def align(self, picture: Picture, tracked: FloatArray) -> FloatArray:
        """Pose and expression [14] of a driven picture, in which landmarks [478, 3] were tracked.

        They are not quantised. Several threads may ask for those of several pictures.
        """
        values = self._face.values(self._space, tracked)
        landmarks = self._face.landmarks(self._space, values)
        bent = self._bent(landmarks)
        drawn, real = self._warp.draw_along(*bent), self._reduced(picture)
        found = None if self._look is None else self._look(drawn)
        if found is None:
            weight, tracker_shifts = STAY_WEIGHT, self._positions(tracked - landmarks)
        else:
            weight, tracker_shifts = TRACKER_WEIGHT, self._positions(tracked - found)
        flow_shifts = self._flow_shifts(drawn, real, landmarks)
        moves = self._moves(values, landmarks)
        steps = _fit(moves, weight, tracker_shifts, flow_shifts, self._space.weights)
        likeness = _Likeness(real, self._positions(tracked))
        best, most = values, likeness.of(drawn)
        corrected = self._bent(self._face.landmarks(self._space, values + steps * STEPS))
        for share in SHARES:
            # Flows are most of the work, and that of a part of so small a way is a part of both.
            flow, to = (
                one + np.float32(share) * (other - one)
                for one, other in zip(bent, corrected, strict=True)
            )
            like = likeness.of(self._warp.draw_along(flow, to))
            if like > most:
                best, most = values + share * steps * STEPS, like
        return best

    def _bent(self, landmarks: FloatArray) -> tuple[Float32Array, Float32Array]:
        """How the key picture is bent: displacements [H, W, 2], and landmarks [478, 2]."""
        driven = plane(landmarks)
        return self._warp.flow(driven), driven

    def _reduced(self, picture: Picture) -> Picture:
        if picture.shape[1::-1] == self._size:
            return picture
        return np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)

    def _positions(self, landmarks: FloatArray) -> FloatArray:
        """Points of the face in pixels, x and y: [468, 2]."""
        positions: FloatArray = landmarks[: groups.FACE_POINTS, :2] * self._size
        return positions

    def _flow_shifts(self, drawn: Picture, picture: Picture, landmarks: FloatArray) -> FloatArray:
        """How far the flow carries the aligned points from the drawn to the real picture, [M, 2].

        In pixels.
        """
        positions = self._positions(landmarks)
        rows, columns = self._surroundings(positions)
        grey = [
            cv2.cvtColor(image[rows, columns], cv2.COLOR_RGB2GRAY) for image in (drawn, picture)
        ]
        # One for each picture: it keeps notes of its own, and starts in no time.
        optical_flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        # mypy does not know that None lets it make the array.
        flow = optical_flow.calc(grey[0], grey[1], None)  # type: ignore[call-overload]
        flow = cv2.GaussianBlur(flow, (0, 0), FLOW_WINDOW)
        # A pixel's centre is half a pixel from its corner.
        at = (positions[ALIGNED_POINTS] - (columns.start + 0.5, rows.start + 0.5)).astype(
            np.float32
        )
        shifts = cv2.remap(
            flow,
            at[:, None, 0],
            at[:, None, 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(shifts[:, 0], np.float64)

    def _surroundings(self, positions: FloatArray) -> tuple[slice, slice]:
        """Rows and columns of the picture in which the flow is wanted: the face and around it."""
        low, high = positions.min(axis=0), positions.max(axis=0)
        margin = SURROUNDINGS * (high - low).max()
        slices = []
        for first, last, size in zip(low - margin, high + margin, self._size, strict=True):
            # Never smaller than the flow can be found in, wherever a face is said to be.
            start = int(np.clip(first, 0, max(0, size - LEAST_SURROUNDINGS)))
            stop = int(np.clip(np.ceil(last), min(size, start + LEAST_SURROUNDINGS), size))
            slices.append(slice(start, stop))
        columns, rows = slices
        return rows, columns

    def _moves(self, values: FloatArray, landmarks: FloatArray) -> FloatArray:
        """How far a step of each value moves the points of the face: [468, 2, 14] pixels."""
        start = self._positions(landmarks)
        moves = np.empty((*start.shape, FACE_VALUES))
        for number, step in enumerate(STEPS):
            changed = values.copy()
            changed[number] += step
            moves[..., number] = self._positions(self._face.landmarks(self._space, changed)) - start
        return moves


class _Likeness:
    """How like a real picture [height, width, 3] bent ones are, around its face.

    Structural similarity (Wang et al., "Image quality assessment: from error visibility to
    structural similarity", 2004) of luma over the box of the face, and over that of the mouth.
    `positions` are the points of the face in pixels, [468, 2].
    """

    def __init__(self, picture: Picture, positions: FloatArray) -> None:
        self._face = _box(positions, picture)
        rows, columns = _box(positions[list(groups.LIPS_OUTER)], picture)
        top, left = self._face[0].start, self._face[1].start
        self._mouth = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        self._reference = cv2.quality.QualitySSIM.create(self._grey(picture))

    def _grey(self, picture: Picture) -> Picture:
        return np.asarray(cv2.cvtColor(picture[self._face], cv2.COLOR_RGB2GRAY), np.uint8)

    def of(self, bent: Picture) -> float:
        """Similarity of a bent picture; more is better."""
        mean = self._reference.compute(self._grey(bent))[0]
        mouth = np.asarray(self._reference.getQualityMap())[self._mouth]
        return float(mean) + MOUTH_WEIGHT * float(mouth.mean())


def _box(points: FloatArray, picture: Picture) -> tuple[slice, slice]:
    """Rows and columns of the bounding box of points [N, 2], at least a pixel."""
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(points.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(
        np.ceil(points.max(axis=0)), (left + 1, top + 1), (width, height)
    ).astype(int)
    return slice(top, bottom), slice(left, right)


def _fit(
    moves: FloatArray,
    tracker_weight: float,
    tracker_shifts: FloatArray,
    flow_shifts: FloatArray,
    weights: FloatArray,
) -> FloatArray:
    """Steps [14] whose moves [468, 2, 14] follow the shifts.

    Those of the tracker are [468, 2], those of the flow [M, 2] at the aligned points; both count
    by the weights [478] of the points.
    """
    weights = np.repeat(weights, 2)
    tracked_moves, flow_moves = (m.reshape(-1, FACE_VALUES) for m in (moves, moves[ALIGNED_POINTS]))
    trust = weights[: 2 * groups.FACE_POINTS]
    trusted = tracked_moves * (tracker_weight * trust / trust.sum())[:, None]
    by_tracker = trusted.T @ tracked_moves + RIDGE * np.eye(FACE_VALUES)
    pull = trusted.T @ tracker_shifts.ravel()
    flow_weights = weights.reshape(-1, 2)[ALIGNED_POINTS].ravel()
    flow_weights = flow_weights / flow_weights.sum()
    steps = np.zeros(FACE_VALUES)
    for _ in range(REWEIGHTINGS):
        misses = np.abs(flow_moves @ steps - flow_shifts.ravel())
        trusted = flow_moves * (flow_weights / np.maximum(1.0, misses / OUTLIER))[:, None]
        steps = np.linalg.solve(
            by_tracker + trusted.T @ flow_moves, pull + trusted.T @ flow_shifts.ravel()
        )
    return steps
