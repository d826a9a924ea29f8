"""Two references seen together: where a face between them lies, and how each is bent there.

Both are bent to the same landmarks, or what is drawn from the two would show each outline twice.
The values of a picture describe it against the earlier reference. What these values cannot say
about the face of the later one is known, since a decoder has both pictures; it is added in
proportion to time, so that drawing arrives at the later reference without a jump.

Landmarks say nothing of hair, glasses and shoulders. So the earlier reference is bent once to the
landmarks of the later, and the rest motion (`models.landmarks.rest_motion`) between the two tells
what is left. In between each reference is moved by its share of it: as much as the head has done of
its own way.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.contract import (
    FaceParameters,
    Float32Array,
    FloatArray,
    HeadTrust,
    Picture,
    ReferencePair,
    check_position,
)
from models.errors import ModelError
from models.landmarks.face_space import FaceSpace, values_to_pose
from models.landmarks.flow import (
    CLOSE,
    TIGHT,
    BackwardFlows,
    HeadReach,
    head_mask,
    plane,
    read_at,
    without_folds,
)
from models.landmarks.fusing import reference_lead
from models.landmarks.layout import POSE_VALUES
from models.landmarks.lids import closed_further
from models.landmarks.rest_motion import motion_progress, rest_motion, still
from models.landmarks.values import RestFace, to_parameters, to_values


class SharedFace:
    """The face of pictures between two references.

    `values` [14] are pose and expression of the later reference's face against the earlier one,
    found as those of other pictures are.
    """

    def __init__(
        self, space: FaceSpace, earlier: RestFace, later: RestFace, values: FloatArray
    ) -> None:
        self._space = space
        self._earlier = earlier
        said = earlier.landmarks(space, values)
        unsaid = later.key_landmarks - said
        # Values do not say where in depth a head is, and its pose would turn that to the side.
        unsaid[:, 2] = 0
        pose = values_to_pose(values[:POSE_VALUES])
        self._unsaid = pose.remove(said + unsaid) - pose.remove(said)

    def landmarks(self, values: FloatArray, position: float) -> FloatArray:
        """Landmarks [478, 3] of pose and expression values [14] at a position 0..1.

        At 0 they are those that the earlier reference alone would have; at 1 and with the values
        of the later reference's face they are this face's landmarks.
        """
        shape = self._space.deform(self._earlier.rest, values[POSE_VALUES:])
        return values_to_pose(values[:POSE_VALUES]).apply(shape + position * self._unsaid)


@dataclass(frozen=True, slots=True)
class PairPlace:
    """How a picture between two references is to be drawn, in picture widths and heights.

    Attributes:
        landmarks: [478, 2].
        flows: displacements [H, W, 2] of each pixel to where the landmarks have it read in the
            earlier and in the later reference.
        shifts: displacements [H, W, 2] of each pixel to where the rest motion has it read in what
            was drawn from the earlier and from the later reference.
        progress: how much of the rest motion is done, see `motion_progress`.
        lead: [h, w], how much likelier the later reference is right, see `reference_lead`.
    """

    landmarks: Float32Array
    flows: tuple[Float32Array, Float32Array]
    shifts: tuple[Float32Array, Float32Array]
    progress: float
    lead: Float32Array

    def moved_flows(self) -> tuple[Float32Array, Float32Array]:
        """Of each pixel, `flows` of where the rest motion has it read: [H, W, 2] each."""
        earlier, later = (
            read_at(flow, shift) for flow, shift in zip(self.flows, self.shifts, strict=True)
        )
        return earlier, later

    def whole_flows(self) -> tuple[Float32Array, Float32Array]:
        """Displacements [H, W, 2] to the earlier and the later reference, with the rest motion."""
        earlier, later = self.moved_flows()
        return self.shifts[0] + earlier, self.shifts[1] + later


def check_sizes(earlier: tuple[int, ...], later: tuple[int, ...]) -> None:
    """Raise `ModelError` where pictures [H, W, ...] of two references differ in their shape."""
    if earlier != later:
        sizes = " and ".join(f"{width}x{height}" for height, width, *_ in (earlier, later))
        raise ModelError(f"two references to draw from are of different sizes: {sizes}")


class PairFlow:
    """Flows from pictures that lie between two references to both.

    Args:
        face: the face between the two.
        keys: landmarks [478, 2] of the earlier and of the later reference.
        pictures: of the earlier and of the later reference, [H, W, 3].
        draw: draws the earlier reference with given landmarks [478, 2], along displacements
            [H, W, 2].
        reach: how far around the face the picture follows it, where it moves little.
        lead_step: how many pixels a sample of the lead is wide and high.

    Attributes:
        trust: how far the head tells the progress of the rest motion.

    Raises:
        ModelError: the pictures differ in size.
    """

    def __init__(
        self,
        face: SharedFace,
        keys: tuple[Float32Array, Float32Array],
        pictures: tuple[Picture, Picture],
        draw: Callable[[Float32Array, Float32Array], Picture],
        reach: HeadReach = CLOSE,
        lead_step: int = 1,
    ) -> None:
        self._face = face
        self._reach = reach
        self._lead_step = lead_step
        self._keys = keys
        self.trust = HeadTrust.AS_FILMED
        earlier, later = pictures
        check_sizes(earlier.shape, later.shape)
        self._height, self._width = later.shape[:2]
        self._still = still(earlier, later)
        moving = self._moving(keys[1])
        bent = draw(keys[1], moving * self._flows(keys[:1], keys[1])[0])
        self._rest = rest_motion(bent, later)

    def place(
        self, values: FloatArray, position: float, *, closes_further: bool = False
    ) -> PairPlace:
        """Where to read for pose and expression values [14] at a position 0..1.

        `closes_further` has lids closed as of `models.landmarks.lids.closed_further`.
        """
        landmarks = plane(self._face.landmarks(values, position))
        if closes_further:
            landmarks = closed_further(landmarks, self._keys)
        earlier, later = self._flows(self._keys, landmarks)
        moving = self._moving(landmarks)
        # The rest motion is that of places of the later reference.
        rest = moving * read_at(self._rest, later)
        earlier, later = moving * earlier, moving * later
        progress = motion_progress(landmarks, self._keys, position, self.trust)
        shifts = np.float32(progress) * rest, np.float32(progress - 1) * rest
        flows = earlier, later
        lead = reference_lead(landmarks, self._keys, flows, position, self._lead_step)
        return PairPlace(landmarks, flows, shifts, progress, lead)

    def _flows(self, keys: Sequence[Float32Array], landmarks: Float32Array) -> list[Float32Array]:
        reaches = [without_folds(self._reach, key, landmarks) for key in keys]
        return BackwardFlows(keys, landmarks, reaches).dense(self._width, self._height)

    def _moving(self, landmarks: Float32Array) -> Float32Array:
        """0 beside the head, where the references show the same; 1 elsewhere: [H, W, 1]."""
        head = head_mask(landmarks, self._width, self._height, TIGHT)
        moving = 1 - self._still * (1 - head)
        return np.asarray(moving[..., None], np.float32)


class LandmarkPair(ReferencePair):
    """Two references whose faces have landmarks; a model adds how it draws them.

    `later_values` [14] are pose and expression of the later reference against the earlier one;
    `features` values of a compact feature follow these in parameters, and are 0 in both references.
    `reach` and `lead_step` are as of `PairFlow`. Raises `ModelError` when the pictures differ in
    size.
    """

    def __init__(
        self,
        space: FaceSpace,
        faces: tuple[RestFace, RestFace],
        pictures: tuple[Picture, Picture],
        later_values: FloatArray,
        features: int = 0,
        reach: HeadReach = CLOSE,
        lead_step: int = 1,
    ) -> None:
        check_sizes(*(picture.shape for picture in pictures))
        self._faces = faces
        self._pictures = pictures
        self._features = features
        self._reach = reach
        self._lead_step = lead_step
        own = faces[0].values(space, faces[0].key_landmarks)
        steps = np.zeros(features) if features else None
        self._ends = to_parameters(own, steps), to_parameters(later_values, steps)
        self._face = SharedFace(space, *faces, later_values)
        self._trust = HeadTrust.AS_FILMED

    def trust_head(self, trust: HeadTrust) -> None:
        """Have the head tell the progress of the rest motion so far; said before any drawing."""
        self._trust = trust

    @abstractmethod
    def _bent(self, landmarks: Float32Array, flow: Float32Array) -> Picture:
        """The earlier reference with landmarks [478, 2], along displacements [H, W, 2]."""

    @cached_property
    def _flow(self) -> PairFlow:
        """Made when the first picture is drawn: an encoder may ask for the ends alone."""
        earlier, later = (plane(face.key_landmarks) for face in self._faces)
        flow = PairFlow(
            self._face,
            (earlier, later),
            self._pictures,
            self._bent,
            self._reach,
            self._lead_step,
        )
        flow.trust = self._trust
        return flow

    @property
    def ends(self) -> tuple[FaceParameters, FaceParameters]:
        """Pose and expression of both references' own landmarks."""
        return self._ends

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray:
        """The earlier reference's face, and in proportion what is known of the later one's."""
        check_position(position)
        values, _ = to_values(parameters, self._features)
        return self._face.landmarks(values, position)

    def progress(self, parameters: FaceParameters, position: float) -> float:
        """How much of its way from one reference to the other the head has done."""
        check_position(position)
        earlier, later = (plane(face.key_landmarks) for face in self._faces)
        landmarks = plane(self.landmarks(parameters, position))
        return motion_progress(landmarks, (earlier, later), position, self._trust)
