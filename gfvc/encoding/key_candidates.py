"""Which of some successive pictures is the best key picture: worth drawing others from.

What makes a picture a bad one is measured on its own, and compared.
Most of it is relative to the other candidates: a face is blurred when it was sharper a moment
before, and eyes are shut when they open next. Each fault costs what it takes away from the pictures
drawn from that key picture, as `python -m benchmarks.key_choice` measures it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from gfvc.encoding.face_watch import FaceSight
from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.plausibility import MeshJudge
from models.metrics.face import face_region
from models.metrics.openings import openings
from models.metrics.similarity import luma

LOOK_SECONDS = Fraction(1, 2)
"""How long a time of pictures is worth comparing where a key picture is chosen."""

# What faults cost, in structural similarity of the face in pictures drawn from there: near what
# is fitted to 16 validation clips, but shut eyes cost more, which are few pixels and much seen.
COSTS = {
    "blur": 0.05,  # for half the sharpness of the sharpest
    "dim": 0.45,  # for no contrast at all, against that of the clearest
    "clipped": 0.35,  # for a face all black or white
    "shut": 0.08,  # for eyes shut, against the usual opening
    "lips": 0.005,  # for lips that open or close by an eye distance a second
    "turn": 0.045,  # for each 10 degrees
    "strain": 0.25,  # for landmarks at the limit of what is a face
    "outside": 0.3,  # for a face all out of the picture; not fitted, nor is the last
    "mixed": 0.5,  # for a mixture of two faces
}
# Later pictures must be better by this for each second: what comes before is sent with them.
LATER_COST = 0.01

# Lids open by less than this share of the usual opening are on their way down.
OPEN_SHARE = 0.85
# Of the openings seen, the one that this share stays below is usual.
USUAL = 0.75
# Frontal is what is turned by no more than this, in degrees.
FRONTAL = 8.0

# Fine detail lies below the first scale, coarse detail between the two: standard deviations of
# Gaussians, in shares of the face's side.
FINE, COARSE = 0.01, 0.04
# Luma of 255 that is as good as black, and as white.
BLACK, WHITE = 20, 250


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """What was measured of a picture that shows a face.

    `sharpness` is fine detail over coarse detail of the face, `contrast` the standard deviation of
    its luma (0..128), `clipped` the share of it that is black or white. `lids` and `lips` are
    openings in eye distances, `turn` the degrees by which the head is turned from straight ahead,
    sideways or up and down. `strain` says how near the landmarks are to be none of a face (1), and
    `outside` which share of them lies outside of the picture. `mixed` is a picture of a fade that
    changes the face.
    """

    picture: int
    sharpness: float
    contrast: float
    clipped: float
    lids: float
    lips: float
    turn: float
    strain: float
    outside: float
    mixed: bool = False


class KeyMeasurer:
    """Measures pictures, one by one."""

    def __init__(self) -> None:
        self._judge = MeshJudge(shipped_face_space())

    def measure(
        self, number: int, picture: Picture, landmarks: FloatArray, sight: FaceSight | None = None
    ) -> KeyCandidate:
        """Measure a square picture, uint8 RGB, whose face has landmarks [478, 3].

        `sight` is what a `FaceWatch` saw of it, if it is watched.
        """
        mesh = self._judge.measure(landmarks)
        size = picture.shape[0]
        region = face_region(landmarks, size, size)
        sharpness, contrast, clipped = _light(picture, region)
        opened = openings(landmarks)
        return KeyCandidate(
            picture=number,
            sharpness=sharpness,
            contrast=contrast,
            clipped=clipped,
            lids=opened.lids,
            lips=opened.lips,
            turn=max(abs(mesh.yaw), abs(mesh.pitch)),
            strain=mesh.strain,
            outside=mesh.outside,
            mixed=sight is not None and sight.mixed,
        )


def _light(picture: Picture, region: tuple[slice, slice]) -> tuple[float, float, float]:
    """Sharpness, contrast and clipped share of a region."""
    grey = luma(picture[region]).astype(np.float32)
    side = float(np.sqrt(grey.size))
    fine = cv2.GaussianBlur(grey, (0, 0), max(FINE * side, 0.5))
    coarse = cv2.GaussianBlur(grey, (0, 0), max(COARSE * side, 2.0))
    details = float((grey - fine).std()), float((fine - coarse).std())
    clipped = float(((grey <= BLACK) | (grey >= WHITE)).mean())
    return details[0] / max(details[1], 1e-3), float(grey.std()), clipped


def faults(candidates: Sequence[KeyCandidate], rate: Fraction) -> dict[str, FloatArray]:
    """How much each candidate has of each fault of `COSTS` [N]; in order, `rate` a second."""

    def each(name: str) -> FloatArray:
        return np.array([getattr(candidate, name) for candidate in candidates], np.float64)

    tiny = 1e-6
    sharpness, contrast = each("sharpness") + tiny, each("contrast") + tiny
    usual = float(np.quantile(each("lids"), USUAL)) + tiny
    return {
        "blur": np.log2(sharpness.max() / sharpness),
        "dim": 1 - contrast / contrast.max(),
        "clipped": each("clipped"),
        "shut": np.clip((OPEN_SHARE - each("lids") / usual) / OPEN_SHARE, 0.0, 1.0),
        "lips": _speed(each("lips"), each("picture")) * float(rate),
        "turn": np.maximum(0.0, each("turn") - FRONTAL) / 10,
        "strain": each("strain"),
        "outside": each("outside"),
        "mixed": each("mixed"),
    }


def costs(
    candidates: Sequence[KeyCandidate], rate: Fraction, later_cost: float = LATER_COST
) -> FloatArray:
    """What each candidate costs in quality [N], less is better; in order, `rate` pictures a second.

    Candidates are pictures of one scene, and of one person; some may be missing between. A second
    that a candidate comes later costs `later_cost`.
    """
    pictures = np.array([candidate.picture for candidate in candidates], np.float64)
    total: FloatArray = later_cost * (pictures - pictures.min()) / float(rate)
    for fault, amount in faults(candidates, rate).items():
        total = total + COSTS[fault] * amount
    return total


def best(
    candidates: Sequence[KeyCandidate], rate: Fraction, later_cost: float = LATER_COST
) -> KeyCandidate:
    """The candidate that costs least; the first of equals. Raises `ValueError` without any."""
    if not candidates:
        raise ValueError("there is no candidate for a key picture")
    ordered = sorted(candidates, key=lambda candidate: candidate.picture)
    return ordered[int(np.argmin(costs(ordered, rate, later_cost)))]


def _speed(values: FloatArray, pictures: FloatArray) -> FloatArray:
    """How fast values [N] change at each picture [N]: the faster of both sides, a picture."""
    if len(values) < 2:
        return np.zeros(len(values))
    steps = np.abs(np.diff(values)) / np.maximum(1.0, np.diff(pictures))
    return np.maximum(np.append(steps, 0.0), np.insert(steps, 0, 0.0))
