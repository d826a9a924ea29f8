"""Control grids between two coded pictures: measured in drawn pictures, sent where it pays.

Some pictures are drawn as a decoder draws them without grids. Their optical flow from the source
says where they are off (Kroeger et al., "Fast optical flow using dense inverse search", 2016), and
the nodes that say it best are a problem of least squares. Of no grid, one and three the best is
taken by rate and distortion.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np

from gfvc.control_motion import ControlMotion, face_mask, moved, pictures_of_grids, shares
from gfvc.encoding.picture_store import PictureStore
from gfvc.metrics import ssim_map
from gfvc.scaling import reduced, reduced_size
from gfvc.stream.control_grids import MOST_STEPS, ControlGrids, GridShape, Nodes, SequenceGrids
from models.contract import FaceParameters, FloatArray, Picture, ReferencePair
from models.landmarks.flow import Float32Array
from models.landmarks.rest_motion import LEAST_SIZE, flow_and_trust
from models.parallel import finish, map_in_order

# Distance of nodes, in longer sides of the picture, and the exponent of the steps they are sent in.
SPACING = 1 / 5
STEP_EXPONENT = 1
# Pictures are compared reduced to this width or height.
WORKING_SIZE = 320
# Grids that are tried, if so many pictures are driven.
TRIED = ((1, 2), (3, 3))
# Levels a pixel by which luma rises where flow counts in full.
FULL_SLOPE = 30.0
# What neighbouring nodes that differ by a pixel cost, and a node that moves by one, in pixels whose
# flow is missed by as much.
SMOOTHNESS, SMALLNESS = 20.0, 0.5
COUNT_BITS = 2  # of how many grids there are


class _Seen(NamedTuple):
    """A picture to be corrected: reduced, as filmed and as drawn, and where its face is drawn."""

    position: float
    source: Picture
    drawn: Picture
    landmarks: FloatArray | None


class GridChoice:
    """Decides about control grids. `multiplier` is in seconds of wrong pictures a kilobit."""

    def __init__(self, pictures: PictureStore, rate: Fraction, multiplier: float) -> None:
        self._pictures = pictures
        self._seconds = 1 / float(rate)
        self._multiplier = multiplier

    @property
    def shape(self) -> GridShape:
        """The shape of grids of the pictures."""
        return grid_shape(*self._pictures.picture_size)

    def choose(
        self, pair: ReferencePair, faces: Sequence[FaceParameters], numbers: Sequence[int]
    ) -> tuple[Nodes, ...]:
        """Grids between two coded pictures, of the pictures of `numbers` that are driven there.

        `faces` are the parameters that a decoder has of each.
        """
        driven = len(numbers)
        tried = [grids for grids, least in TRIED if driven >= least]
        # Optical flow wants to be so wide and high.
        working_size = reduced_size(self._pictures.picture_size, WORKING_SIZE)
        if not tried or min(working_size) < LEAST_SIZE:
            return ()
        shape = self.shape
        places = pictures_of_grids(max(tried), driven)
        seen = self._see(pair, faces, numbers, places)
        fitted = list(map_in_order(lambda picture: _fit(shape, picture), seen))
        of_place = dict(zip(places, fitted, strict=True))
        candidates = [
            tuple(of_place[place] for place in pictures_of_grids(grids, driven)) for grids in tried
        ]
        costs = map_in_order(
            lambda grids: self._cost(shape, grids, seen, driven), [(), *candidates]
        )
        return min(zip(costs, [(), *candidates], strict=True), key=lambda pair: pair[0])[1]

    def _see(
        self,
        pair: ReferencePair,
        faces: Sequence[FaceParameters],
        numbers: Sequence[int],
        places: Sequence[int],
    ) -> list[_Seen]:
        placed = [(faces[place - 1], place / (len(numbers) + 1)) for place in places]
        drawn = finish(pair.begin(placed))
        return [
            _Seen(
                position,
                reduced(self._pictures[numbers[place - 1]], WORKING_SIZE),
                reduced(picture, WORKING_SIZE),
                pair.landmarks(parameters, position),
            )
            for place, picture, (parameters, position) in zip(places, drawn, placed, strict=True)
        ]

    def _cost(
        self, shape: GridShape, grids: tuple[Nodes, ...], seen: Sequence[_Seen], driven: int
    ) -> float:
        """Distortion of all driven pictures, as far as some tell, and weighted bits."""
        corrected = (picture.drawn for picture in seen)
        bits = COUNT_BITS
        if grids:
            motion = ControlMotion(ControlGrids(shape, grids), driven)
            corrected = (
                moved(picture.drawn, motion.at(picture.position), picture.landmarks)
                for picture in seen
            )
            bits += SequenceGrids(shape, (grids,)).bits
        errors = [
            _error(picture.source, drawn) for picture, drawn in zip(seen, corrected, strict=True)
        ]
        distortion = float(np.mean(errors)) * driven * self._seconds
        return distortion + self._multiplier * bits / 1000


def grid_shape(width: int, height: int) -> GridShape:
    """The shape of grids for pictures of a size: their nodes are about as far apart both ways."""
    longer = max(width, height)
    columns, rows = (1 + max(1, round(side / longer / SPACING)) for side in (width, height))
    return GridShape(columns, rows, STEP_EXPONENT)


def _fit(shape: GridShape, picture: _Seen) -> Nodes:
    """The nodes by which a drawn picture comes nearest to the source."""
    source, drawn = (
        np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.uint8)
        for each in (picture.source, picture.drawn)
    )
    flow, weights = _flow(source, drawn)
    height, width = source.shape
    if picture.landmarks is not None:
        weights = weights * (1 - face_mask(picture.landmarks, width, height))
    down, across = shares(height, shape.rows), shares(width, shape.columns)
    count = shape.rows * shape.columns
    normal = np.einsum("yi,yk,yx,xj,xl->ijkl", down, down, weights, across, across, optimize=True)
    matrix = normal.reshape(count, count) + SMOOTHNESS * _roughness(shape)
    matrix = matrix + SMALLNESS * np.eye(count)
    wanted = np.einsum("yi,yxc,xj->ijc", down, weights[..., None] * flow, across, optimize=True)
    nodes = np.linalg.solve(matrix, wanted.reshape(count, 2))
    steps = np.rint(nodes / max(width, height) / shape.step)
    return tuple(np.clip(steps, -MOST_STEPS, MOST_STEPS).astype(int).ravel().tolist())


def _flow(source: Picture, drawn: Picture) -> tuple[Float32Array, Float32Array]:
    """Where pixels of the source are drawn, in pixels [H, W, 2], and what they count [H, W]."""
    there, trust = flow_and_trust(source, drawn)
    across, down = (
        cv2.Sobel(source, cv2.CV_32F, dx, dy, scale=0.25) for dx, dy in ((1, 0), (0, 1))
    )
    slope = np.minimum(np.hypot(across, down) / np.float32(FULL_SLOPE), 1)
    return there, np.asarray(trust * slope, np.float32)


def _roughness(shape: GridShape) -> FloatArray:
    """The matrix of the sum of squared differences of neighbouring nodes: [count, count]."""
    count = shape.rows * shape.columns
    numbers = np.arange(count).reshape(shape.rows, shape.columns)
    matrix = np.zeros((count, count))
    for one, other in ((numbers[:, 1:], numbers[:, :-1]), (numbers[1:], numbers[:-1])):
        for a, b in zip(one.ravel(), other.ravel(), strict=True):
            matrix[[a, b], [a, b]] += 1
            matrix[[a, b], [b, a]] -= 1
    return matrix


def _error(source: Picture, drawn: Picture) -> float:
    """1 less structural similarity, the mean of two scales."""
    errors = []
    for side in (WORKING_SIZE, WORKING_SIZE // 2):
        one, other = (reduced(picture, side) for picture in (source, drawn))
        errors.append(1 - float(ssim_map(one, other).mean()))
    return float(np.mean(errors))
