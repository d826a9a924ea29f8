"""From landmark displacements to a dense, smooth backward flow over the whole picture.

A backward flow says, for every place of the picture to be drawn, where in the key picture to
read. Coordinates are picture widths and heights, 0..1 inside the picture.

Near the face the flow interpolates the landmarks' displacements (inverse distance weighting;
Shepard, "A two-dimensional interpolation function for irregularly-spaced data", 1968). Around
it, hair, ears and neck follow the affine motion of the whole head. That motion dies away with
the distance from the head, so the background stays still; where one reference has to do, slowly
enough that the flow never folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import Float32Array, FloatArray
from models.landmarks import points as groups
from models.landmarks.flow_openings import OPENINGS, Opening, Shaping

# The landmarks that shape the flow over the whole picture: every contour, and enough of the
# skin between them.
FLOW_POINTS = np.array(
    sorted(
        {
            *groups.LIPS_OUTER,
            *groups.LIPS_INNER,
            *groups.RIGHT_EYE,
            *groups.LEFT_EYE,
            *groups.RIGHT_BROW,
            *groups.LEFT_BROW,
            *groups.NOSE,
            *groups.FACE_OVAL,
            *groups.CHEEKS,
        }
    )
)

GRID = 64
# Squared distance below which landmarks are averaged rather than met exactly: about a cell of
# the coarse grid. Over eyes and mouth it is a fraction of a pixel, since there the two sides of
# a closed lid or lip must read from different places.
SOFTENING = 5e-4
DETAIL_SOFTENING = 4e-6
DETAIL_GRID = 48
# Squared distances that are worked on at a time.
BAND_VALUES = 160 * 1024
# The residual of the affine motion fades with the distance from the nearest landmark.
RESIDUAL_REACH = 0.10
# Places are one map of both coordinates.
_NO_SECOND_MAP = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class HeadReach:
    """How far the picture follows the head's motion.

    The head is an ellipse around the face, larger by hair and ears: `width` is half its width, `up`
    and `down` reach from the face's middle, all in face heights. Beyond it the motion dies away
    over `fade` head radii, over `fade_down` towards the neck.
    """

    width: float
    up: float
    down: float
    fade: float
    fade_down: float


WIDE = HeadReach(width=0.60, up=0.85, down=0.75, fade=0.9, fade_down=1.6)
"""For one reference: neck and shoulders go with the head, rather than tear."""
# Head radii of fade for each radius that the head moves: the flow must not fold between the head
# and what stands still.
FOLDS = 2.5
CLOSE = HeadReach(width=0.55, up=0.80, down=0.55, fade=0.2, fade_down=0.2)
"""For two references, which tell where the body moves: the head alone."""
TIGHT = HeadReach(width=0.50, up=0.75, down=0.55, fade=0.15, fade_down=0.15)
"""What may be the head at all, where all else is known to stand still."""
NEAR = HeadReach(width=0.55, up=0.80, down=0.60, fade=0.5, fade_down=0.6)
"""The same for a network, which itself keeps the background out of what moves with the head."""


@dataclass(frozen=True, slots=True)
class _Affine:
    matrix: Float32Array  # [2, 3]: reads at matrix @ (x, y, 1)

    def __call__(self, points: Float32Array) -> Float32Array:
        moved: Float32Array = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved


def _fit_affine(driven: Float32Array, key: Float32Array) -> _Affine:
    design = np.concatenate([driven, np.ones((len(driven), 1), np.float32)], axis=1)
    solution = np.linalg.lstsq(design, key, rcond=None)[0]
    return _Affine(solution.T.astype(np.float32))


def _smooth_step(value: Float32Array) -> Float32Array:
    clipped = np.clip(value, 0.0, 1.0)
    smooth: Float32Array = clipped * clipped * (3.0 - 2.0 * clipped)
    return smooth


def _centres(size: int) -> Float32Array:
    """Centres of the cells along a side of a grid: float32 [size], 0..1."""
    return (np.arange(size, dtype=np.float32) + 0.5) / size


class _Grid:
    """Positions of a grid with columns at x [W] and rows at y [H].

    Attributes:
        shape: rows and columns.
        positions: [H * W, 2], row by row.
        squares: [4, H * W], see `apart_from`.
    """

    def __init__(self, columns: Float32Array, rows: Float32Array) -> None:
        self.shape = len(rows), len(columns)
        positions = np.empty((*self.shape, 2), np.float32)
        positions[..., 0] = columns
        positions[..., 1] = rows[:, None]
        self.positions: Float32Array = positions.reshape(-1, 2)
        # Seen from the middle the expanded square loses no precision.
        self._middle: Float32Array = (self.positions[0] + self.positions[-1]) / 2
        near = self.positions - self._middle
        self.squares = np.ones((4, len(near)), np.float32)
        self.squares[:2] = near.T
        self.squares[3] = (near**2).sum(axis=1)

    @property
    def corners(self) -> Float32Array:
        """The four positions at the corners: [4, 2]."""
        rows, columns = self.shape
        return self.positions[[0, columns - 1, (rows - 1) * columns, rows * columns - 1]]

    def apart_from(self, points: Float32Array, softening: float) -> Float32Array:
        """Of points [M, 2] what, times `squares`, is each one's squared distance to each position.

        [M, 4], with a softening added: the expanded square is one matrix product.
        """
        near = points - self._middle
        apart = np.ones((len(points), 4), np.float32)
        apart[:, :2] = -2 * near
        apart[:, 2] = (near**2).sum(axis=1) + np.float32(softening)
        return apart


@lru_cache(maxsize=1)
def _coarse_grid() -> _Grid:
    """The grid over the whole picture; nobody writes to it."""
    centres = _centres(GRID)
    return _Grid(centres, centres)


def head_influence(
    points: Float32Array, face: Float32Array, reach: HeadReach = WIDE
) -> Float32Array:
    """How much of the head's motion each point [N, 2] follows, 0..1 [N].

    `face` are landmarks [478, 2]. 1 on the head, 0 on the far background.
    """
    return _dying_away(*_from_head(points, face, reach), reach)


def _from_head(
    points: Float32Array, face: Float32Array, reach: HeadReach
) -> tuple[Float32Array, Float32Array]:
    """Of points [N, 2] how many head radii they are from its middle, and how far that is down."""
    top, chin = face[groups.FOREHEAD], face[groups.CHIN]
    centre = (top + chin) / 2
    down = chin - top
    height = float(np.hypot(*down)) + 1e-6
    down = down / height
    across = np.array([down[1], -down[0]], np.float32)
    offset = (points - centre) / height
    along = offset @ down
    vertical = np.where(along < 0, along / reach.up, along / reach.down)
    return np.hypot(offset @ across / reach.width, vertical), vertical


def _dying_away(radius: Float32Array, vertical: Float32Array, reach: HeadReach) -> Float32Array:
    below = np.clip(vertical / np.maximum(radius, 1e-6), 0.0, 1.0)
    fade = reach.fade + (reach.fade_down - reach.fade) * below
    return _smooth_step(1.0 - (radius - 1.0) / fade)


def _influences(
    grid: _Grid, face: Float32Array, reaches: Sequence[HeadReach]
) -> list[Float32Array | None]:
    """`head_influence` on the positions of a grid by each reach; None where it is 1 on all."""
    heads: dict[tuple[float, float, float], tuple[Float32Array, Float32Array] | None] = {}
    influences = []
    for reach in reaches:
        head = reach.width, reach.up, reach.down
        if head not in heads:
            # The head is convex: a grid with its corners within lies within.
            within = (_from_head(grid.corners, face, reach)[0] <= 1).all()
            heads[head] = None if within else _from_head(grid.positions, face, reach)
        place = heads[head]
        influences.append(None if place is None else _dying_away(*place, reach))
    return influences


def without_folds(reach: HeadReach, key: Float32Array, driven: Float32Array) -> HeadReach:
    """A reach whose motion dies away slowly enough for that of a head, landmarks [478, 2].

    Its fades are those of `reach` where the head moves little, and `WIDE` ones at most.
    """
    height = float(np.linalg.norm(driven[groups.CHIN] - driven[groups.FOREHEAD])) + 1e-6
    moved = float(np.linalg.norm(key - driven, axis=1)[FLOW_POINTS].max())
    needed = FOLDS * moved / (height * reach.width)
    return replace(
        reach,
        fade=max(reach.fade, min(needed, WIDE.fade)),
        fade_down=max(reach.fade_down, min(needed, WIDE.fade_down)),
    )


def head_mask(face: Float32Array, width: int, height: int, reach: HeadReach) -> Float32Array:
    """`head_influence` on the pixels of a picture, float32 [height, width]."""
    coarse = head_influence(_coarse_grid().positions, face, reach).reshape(GRID, GRID)
    mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(mask, np.float32)


class BackwardFlows:
    """Where in each of some key pictures to read, for any place of a driven picture.

    How near the driven landmarks are to each place, which is most of the work, is found once for
    all of them.

    Args:
        keys: landmarks [478, 2] of the key pictures.
        driven: landmarks [478, 2] of the driven picture.
        reaches: of each key picture, how far around the face the picture follows it.
    """

    def __init__(
        self, keys: Sequence[Float32Array], driven: Float32Array, reaches: Sequence[HeadReach]
    ) -> None:
        self._faces = np.stack([driven, *keys])
        self._reaches = reaches
        points = self._faces[:, FLOW_POINTS]
        self._affines = [_fit_affine(points[0], key) for key in points[1:]]
        self._whole = Shaping(points, np.ones((len(keys), len(FLOW_POINTS)), np.float32))

    def _head_offsets(self, grid: _Grid) -> list[Float32Array]:
        """Offsets [N, 2] by which the head's motion has the positions of a grid read."""
        influences = _influences(grid, self._faces[0], self._reaches)
        offsets = []
        for affine, influence in zip(self._affines, influences, strict=True):
            offset = affine(grid.positions) - grid.positions
            if influence is not None:
                offset *= influence[:, None]
            offsets.append(offset)
        return offsets

    def _displacements(self, grid: _Grid, shaping: Shaping, softening: float) -> list[Float32Array]:
        """Offsets [H, W, 2] from the positions of a grid to where each key picture is read."""
        offsets = self._head_offsets(grid)
        driven = shaping.driven
        # For each key picture weighted residual motion, and weights, whose sum is that of all.
        sums = np.ones((len(offsets), 3, len(driven)), np.float32)
        for rows, affine, key in zip(sums, self._affines, shaping.points[1:], strict=True):
            rows[:2] = (key - affine(driven)).T
        sums *= shaping.weights[:, None]
        of_sums = sums.reshape(-1, len(driven))
        points, squares = grid.apart_from(driven, softening), grid.squares
        counted = shaping.counted(grid.positions)
        # Not all at a time: the distances of all points to all positions are the bulk of the work,
        # and those of a band stay in the processor's cache.
        bands = math.ceil(len(points) * squares.shape[1] / BAND_VALUES)
        edges = [squares.shape[1] * number // bands for number in range(bands + 1)]
        room = np.empty(len(points) * max(b - a for a, b in pairwise(edges)), np.float32)
        for first, last in pairwise(edges):
            band = slice(first, last)
            pull = room[: len(points) * (last - first)].reshape(len(points), -1)
            np.matmul(points, squares[:, band], out=pull)
            nearest = pull.min(axis=0) - np.float32(softening)
            close = nearest < (3.0 * RESIDUAL_REACH) ** 2
            if not close.any():
                continue
            np.multiply(pull, pull, out=pull)
            np.reciprocal(pull, out=pull)
            for points_of_rim, counts in counted:
                pull[points_of_rim] *= counts[band]
            fade = close * np.exp(nearest / np.float32(-2 * RESIDUAL_REACH**2))
            summed = (of_sums @ pull).reshape(len(offsets), 3, -1)
            for offset, (x, y, total) in zip(offsets, summed, strict=True):
                share = fade / total
                offset[band, 0] += share * x
                offset[band, 1] += share * y
        return [offset.reshape(*grid.shape, 2) for offset in offsets]

    def dense(self, width: int, height: int) -> list[Float32Array]:
        """Displacements of every pixel to each key picture, float32 [height, width, 2].

        In picture widths and heights. A coarse grid over the picture, and a fine one over each eye
        and the mouth, where the flow changes from one eyelid to the other.
        """
        dense = [
            np.asarray(
                cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
            )
            for coarse in self._displacements(_coarse_grid(), self._whole, SOFTENING)
        ]
        for opening in OPENINGS:
            self._refine(dense, opening)
        return dense

    def _refine(self, dense: Sequence[Float32Array], opening: Opening) -> None:
        height, width = dense[0].shape[:2]
        low, high = region = opening.region(self._faces[0])
        left, top = np.maximum(np.floor(low * (width, height)), 0).astype(int).tolist()
        right, bottom = (
            np.minimum(np.ceil(high * (width, height)), (width, height)).astype(int).tolist()
        )
        if right - left < 2 or bottom - top < 2:
            return
        columns = min(right - left, DETAIL_GRID)
        rows = min(bottom - top, DETAIL_GRID)
        x = (np.float32(left) + _centres(columns) * np.float32(right - left)) / np.float32(width)
        y = (np.float32(top) + _centres(rows) * np.float32(bottom - top)) / np.float32(height)
        shaping = opening.shaping(self._faces, region)
        blend = _feather(bottom - top)[:, None, None] * _feather(right - left)[None, :, None]
        reduced = self._displacements(_Grid(x, y), shaping, DETAIL_SOFTENING)
        for whole, part in zip(dense, reduced, strict=True):
            fine = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
            of_whole = whole[top:bottom, left:right]
            of_whole += blend * (fine - of_whole)


def backward_flow(
    key: Float32Array, driven: Float32Array, size: tuple[int, int], reach: HeadReach = WIDE
) -> Float32Array:
    """Displacements [height, width, 2] to one key picture, as of `BackwardFlows.dense`.

    `key` and `driven` are landmarks [478, 2] of the two pictures, `size` is width and height.
    """
    (displacement,) = BackwardFlows([key], driven, [reach]).dense(*size)
    return displacement


def _feather(length: int) -> Float32Array:
    """A window of 1 that falls smoothly to 0 over the outer quarters: float32 [length]."""
    place = (np.arange(length, dtype=np.float32) + 0.5) / length
    return _smooth_step(np.minimum(place, 1.0 - place) * 4.0)


def coarse_flow(key: Float32Array, driven: Float32Array, size: int) -> Float32Array:
    """The flow of a square picture of `size` pixels a side in planes, as networks have it.

    `key` and `driven` are landmarks [478, 2]. Returns displacements [2, size, size], x then y, in
    picture widths and heights.
    """
    return in_planes(backward_flow(key, driven, (size, size)))


def in_planes(displacement: Float32Array) -> Float32Array:
    """Displacements [H, W, 2] as networks have them: [2, H, W]."""
    return np.ascontiguousarray(displacement.transpose(2, 0, 1))


def plane(landmarks: FloatArray) -> Float32Array:
    """Landmarks [478, 2 or 3] as flows have them: [478, 2], without depth."""
    return landmarks[:, :2].astype(np.float32)


def warp(picture: npt.NDArray[np.uint8], displacement: Float32Array) -> npt.NDArray[np.uint8]:
    """Read a picture [H, W, 3] at the displacement of each pixel [H, W, 2].

    Places outside the picture repeat its border.
    """
    return np.asarray(_remapped(picture, displacement, cv2.INTER_CUBIC), np.uint8)


def read_at(planes: Float32Array, displacement: Float32Array) -> Float32Array:
    """Read planes [H, W, C] at the displacement of each pixel [H, W, 2], linearly."""
    return np.asarray(_remapped(planes, displacement, cv2.INTER_LINEAR), np.float32)


# A decoder asks for whole pictures and the squares of four faces in turn.
@lru_cache(maxsize=8)
def pixel_places(width: int, height: int) -> Float32Array:
    """Column and row of each pixel: [H, W, 2], not to be written to."""
    columns, rows = (np.arange(side, dtype=np.float32) for side in (width, height))
    places: Float32Array = np.stack(np.meshgrid(columns, rows), axis=-1)
    places.setflags(write=False)
    return places


def read_places(planes: npt.NDArray[Any], places: Float32Array) -> npt.NDArray[Any]:
    """Read planes [H, W] or [H, W, C] at places [h, w, 2] in pixels, as of `pixel_places`.

    Those outside repeat the border.
    """
    return cv2.remap(
        planes,
        places,
        _NO_SECOND_MAP,
        interpolation=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _remapped(
    planes: npt.NDArray[Any], displacement: Float32Array, interpolation: int
) -> npt.NDArray[Any]:
    height, width = planes.shape[:2]
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(
        planes,
        columns + displacement[..., 0] * width,
        rows + displacement[..., 1] * height,
        interpolation=interpolation,
        borderMode=cv2.BORDER_REPLICATE,
    )
