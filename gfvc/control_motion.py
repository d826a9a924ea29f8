"""Moving what is beside the face to where it was filmed, as control grids say.

Control grid interpolation is from Sullivan and Baker, "Motion compensation for video compression
using control grid interpolation", 1991. Here it corrects a picture that was drawn between two coded
ones, by grids that both have in common: none at the coded pictures themselves, and smooth in
time. The face stays, for its parameters say where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import tee

import cv2
import numpy as np

from gfvc.face_square import FaceSquare
from gfvc.scaling import Size
from gfvc.stream.control_grids import FEW_GRIDS, ControlGrids
from models.contract import (
    BegunPicture,
    FaceParameters,
    Float32Array,
    FloatArray,
    Picture,
    ReferencePair,
)
from models.landmarks import points as groups
from models.landmarks.flow import pixel_places, read_places

# The face is left out with a soft edge: standard deviation of its window, in widths of the face.
EDGE = 0.06
# Displacements are smooth, and found in so many columns or rows of the longer side.
WORKING_SIDE = 160
# A square of a picture has so many nodes a side, more than the grids have there.
NODES_OF_SQUARE = 9
# Shorter ones than this, in pixels, would blur and move nothing.
LEAST_MOTION = 1 / 16


def pictures_of_grids(grids: int, driven: int) -> list[int]:
    """Which of the driven pictures, counted from 1, between two coded ones grids belong to."""
    steps = driven + 1
    return [(2 * steps * (i + 1) + grids + 1) // (2 * (grids + 1)) for i in range(grids)]


class ControlMotion:
    """Displacements of the pictures between two coded ones, of which so many are driven.

    They are of whole pictures, or of a `part`: a face square in pictures of a width and height.
    """

    def __init__(
        self, control: ControlGrids, driven: int, part: tuple[FaceSquare, Size] | None = None
    ) -> None:
        arrays = [control.shape.array(nodes) for nodes in control.grids]
        grids = np.stack(arrays).astype(np.float64) * control.shape.step
        self._grids = grids if part is None else _cut(grids, *part)
        numbers = pictures_of_grids(len(arrays), driven)
        self._positions = np.array([0, *numbers, driven + 1]) / (driven + 1)

    def at(self, position: float) -> Float32Array:
        """Where nodes [rows, columns] are read from at a position 0..1: [rows, columns, 2].

        Displacements are in longer sides of the picture, or in sides of the square. They are those
        of the grids at their pictures, and 0 at both ends. Between these a few are those of the
        polynomial that has them all; it would swing between many, which are linear in time.
        """
        known = self._positions
        if len(self._grids) > FEW_GRIDS:
            return self._between_neighbours(position)
        weights = [
            np.prod([(position - other) / (here - other) for other in known if other != here])
            for here in known[1:-1]
        ]
        return np.asarray(np.tensordot(weights, self._grids, axes=1), np.float32)

    def _between_neighbours(self, position: float) -> Float32Array:
        known = self._positions
        after = min(int(np.searchsorted(known, position, side="right")), len(known) - 1)
        share = (position - known[after - 1]) / (known[after] - known[after - 1])
        # The grids lie between two ends that have none.
        nodes = np.zeros(self._grids.shape[1:])
        for number, weight in ((after - 2, 1 - share), (after - 1, share)):
            if 0 <= number < len(self._grids):
                nodes += weight * self._grids[number]
        return np.asarray(nodes, np.float32)


def _cut(grids: FloatArray, square: FaceSquare, size: Size) -> FloatArray:
    """Grids [n, rows, columns, 2] of whole pictures as those of a square of them."""
    rows, columns = grids.shape[1:3]
    places: FloatArray = np.linspace(0.0, square.side, NODES_OF_SQUARE)
    down, across = (
        np.asarray(np.clip((start + places) / length, 0, 1) * (nodes - 1), np.float64)
        for start, length, nodes in (
            (square.top, size[1], rows),
            (square.left, size[0], columns),
        )
    )
    of_rows, of_columns = _shares_at(down, rows), _shares_at(across, columns)
    cut: FloatArray = np.einsum("yi,nijc,xj->nyxc", of_rows, grids, of_columns, optimize=True)
    return cut * (max(size) / square.side)


def begin_moved(
    pair: ReferencePair, placed: Iterable[tuple[FaceParameters, float]], motion: ControlMotion
) -> Iterator[BegunPicture]:
    """Begin pictures of parameters and position, as `ReferencePair.begin` does, and move them."""
    known, given = tee(placed)
    for (parameters, position), picture in zip(known, pair.begin(given), strict=True):
        nodes = motion.at(position)
        yield partial(_move, picture, nodes, pair.landmarks(parameters, position))


def _move(picture: BegunPicture, nodes: Float32Array, landmarks: FloatArray | None) -> Picture:
    return moved(picture(), nodes, landmarks)


def moved(picture: Picture, nodes: Float32Array, landmarks: FloatArray | None) -> Picture:
    """A picture [H, W, 3] read at the displacements of nodes, but for the face of landmarks.

    `nodes` [rows, columns, 2] are in longer sides of the picture, `landmarks` [478, 3] in widths
    and heights; None where there is no face to be left out.
    """
    height, width = picture.shape[:2]
    if float(np.abs(nodes).max()) * max(width, height) < LEAST_MOTION:
        return picture
    moves = displacements(nodes, landmarks, width, height)
    places = cv2.add(moves, pixel_places(width, height))
    return np.asarray(read_places(picture, np.asarray(places, np.float32)), np.uint8)


def displacements(
    nodes: Float32Array, landmarks: FloatArray | None, width: int, height: int
) -> Float32Array:
    """Displacements [H, W, 2] in pixels; `nodes` and `landmarks` are as of `moved`."""
    longer = max(width, height)
    scale = min(1.0, WORKING_SIDE / longer)
    columns, rows = (max(1, round(side * scale)) for side in (width, height))
    across, down = shares(columns, nodes.shape[1]), shares(rows, nodes.shape[0])
    reduced = np.einsum("yi,ijc,xj->yxc", down, nodes * longer, across, optimize=True)
    if landmarks is not None:
        reduced = reduced * (1 - face_mask(landmarks, columns, rows)[..., None])
    whole = cv2.resize(
        np.asarray(reduced, np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(whole, np.float32)


def shares(pixels: int, nodes: int) -> Float32Array:
    """How much each of the nodes along a side counts at its pixels: [pixels, nodes]."""
    middles: FloatArray = (np.arange(pixels, dtype=np.float64) + 0.5) / pixels
    return _shares_at(middles * (nodes - 1), nodes)


def _shares_at(places: FloatArray, nodes: int) -> Float32Array:
    """How much each of the nodes 0, 1, ... counts at places between them: [places, nodes]."""
    apart = np.abs(places[:, None] - np.arange(nodes))
    return np.maximum(0, 1 - apart).astype(np.float32)


def face_mask(landmarks: FloatArray, width: int, height: int) -> Float32Array:
    """1 within the outline of the face of landmarks [478, 3], softly falling to 0: [H, W]."""
    outline = landmarks[list(groups.FACE_OVAL), :2] * (width, height)
    # Whatever a damaged stream says, within what OpenCV's polygons can be, and soon blurred.
    outline = np.clip(outline, (-width, -height), (2 * width, 2 * height))
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], (1.0,))
    edge = max(0.5, EDGE * float(np.ptp(outline[:, 0])))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), edge), np.float32)
