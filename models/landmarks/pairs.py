"""Two references seen together: where a face between them lies, and how each is bent there.

Both are bent to the same landmarks, or what is drawn from the two would show each outline twice.
The values of a picture describe it against the earlier reference. What these values cannot say
about the face of the later one is known, since a decoder has both pictures; it is added in
proportion to time, so that drawing arrives at the later reference without a jump.

Landmarks say nothing of hair, glasses and shoulders. So the earlier reference is bent once to the
landmarks of the later, and the optical flow between the two (Kroeger et al., "Fast optical flow
using dense inverse search", 2016) tells what is left: the rest motion. In between each reference is
moved by its share of it, as in frame interpolation (Baker et al., "A database and evaluation
methodology for optical flow", 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.contract import FloatArray, Picture
from models.errors import ModelError
from models.landmarks.face_space import FaceSpace, find_pose, values_to_pose
from models.landmarks.flow import CLOSE, BackwardFlow, Float32Array, plane, read_at, warp
from models.landmarks.fusing import reference_lead
from models.landmarks.layout import EXPRESSION_VALUES, POSE_VALUES
from models.landmarks.values import RestFace

# The rest motion is found in pictures reduced to this width: it is smooth.
WORKING_SIZE = 256
# The optical flow looks at squares of 8 pixels, at several scales.
LEAST_SIZE = 32
# Flow there and back that misses by this many pixels of the reduced pictures counts for little.
MISS = 1.0
# Standard deviations of the windows in which trusted flow is averaged, in pixels of the reduced
# pictures; the wide one counts where nothing is trusted nearby, and by this share.
NARROW, WIDE, WIDE_SHARE = 2.5, 10.0, 0.05
NEVER_ZERO = 1e-4


class SharedFace:
    """The face of pictures between two references."""

    def __init__(self, space: FaceSpace, earlier: RestFace, later: RestFace) -> None:
        self._space = space
        self._earlier = earlier
        pose = find_pose(earlier.rest, later.key_landmarks, space.weights)
        shape = pose.remove(later.key_landmarks)
        expression = space.expression(shape, earlier.rest)[:EXPRESSION_VALUES]
        self._unsaid = shape - space.deform(earlier.rest, expression)

    def landmarks(self, values: FloatArray, position: float) -> FloatArray:
        """Landmarks [478, 3] of pose and expression values [14] at a position 0..1.

        At 0 they are those that the earlier reference alone would have; at 1 and with the values
        of the later reference's own landmarks they are these landmarks.
        """
        shape = self._space.deform(self._earlier.rest, values[POSE_VALUES:])
        return values_to_pose(values[:POSE_VALUES]).apply(shape + position * self._unsaid)


@dataclass(frozen=True, slots=True)
class PairPlace:
    """How a picture between two references is to be drawn.

    Attributes:
        landmarks: [478, 2] in picture widths and heights.
        earlier: displacement [H, W, 2] of each pixel to where it is read in the earlier reference,
            in picture widths and heights.
        later: the same for the later reference.
        lead: [H, W], how much likelier the later reference is right, see `reference_lead`.
    """

    landmarks: Float32Array
    earlier: Float32Array
    later: Float32Array
    lead: Float32Array


class PairFlow:
    """Flows from pictures that lie between two references, given by picture and face, to both.

    Raises `ModelError` when the references differ in size.
    """

    def __init__(
        self, space: FaceSpace, earlier: tuple[Picture, RestFace], later: tuple[Picture, RestFace]
    ) -> None:
        (first, first_face), (second, second_face) = earlier, later
        if first.shape != second.shape:
            sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (first, second))
            raise ModelError(f"two references to draw from are of different sizes: {sizes}")
        self._height, self._width = first.shape[:2]
        self._face = SharedFace(space, first_face, second_face)
        self._keys = plane(first_face.key_landmarks), plane(second_face.key_landmarks)
        self._rest = self._rest_motion(first, second)

    def place(self, values: FloatArray, position: float) -> PairPlace:
        """Where to read for pose and expression values [14] at a position 0..1."""
        landmarks = plane(self._face.landmarks(values, position))
        earlier, later = (
            BackwardFlow(key, landmarks, CLOSE).dense(self._width, self._height)
            for key in self._keys
        )
        # The rest motion is that of places of the later reference.
        rest = read_at(self._rest, later)
        earlier = _moved(earlier, np.float32(position) * rest)
        later = _moved(later, np.float32(position - 1) * rest)
        lead = reference_lead(landmarks, self._keys, (earlier, later), position)
        return PairPlace(landmarks, earlier, later, lead)

    def _rest_motion(self, earlier: Picture, later: Picture) -> Float32Array:
        """From each place of the later reference to that of the bent earlier one that shows it.

        [H, W, 2] in picture widths and heights.
        """
        bent = warp(earlier, BackwardFlow(*self._keys, CLOSE).dense(self._width, self._height))
        scale = min(1.0, WORKING_SIZE / max(self._height, self._width))
        width, height = (
            max(LEAST_SIZE, round(side * scale)) for side in (self._width, self._height)
        )
        there = _trusted_flow(_grey(later, width, height), _grey(bent, width, height))
        whole = cv2.resize(there, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(whole / np.array((width, height), np.float32), np.float32)


def _moved(flow: Float32Array, motion: Float32Array) -> Float32Array:
    """A flow [H, W, 2] for a picture whose places are moved by [H, W, 2] before it is read."""
    moved: Float32Array = motion + read_at(flow, motion)
    return moved


def _grey(picture: Picture, width: int, height: int) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _trusted_flow(first: Picture, second: Picture) -> Float32Array:
    """Smooth optical flow between grey pictures [H, W], in pixels: [H, W, 2].

    Where the flow there and the flow back do not lead to where they started from, the flow of the
    surroundings stands in.
    """
    optical_flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # mypy does not know that None lets it make the array.
    there = optical_flow.calc(first, second, None)  # type: ignore[call-overload]
    back = optical_flow.calc(second, first, None)  # type: ignore[call-overload]
    height, width = first.shape
    missed = there + read_at(back, there / np.array((width, height), np.float32))
    trust = np.exp(-(missed**2).sum(axis=2) / np.float32(MISS * MISS))
    planes = np.dstack([there * trust[..., None], trust])
    narrow, wide = (cv2.GaussianBlur(planes, (0, 0), width) for width in (NARROW, WIDE))
    mean = narrow + np.float32(WIDE_SHARE) * wide
    flow: Float32Array = mean[..., :2] / (mean[..., 2:] + np.float32(NEVER_ZERO))
    return flow
