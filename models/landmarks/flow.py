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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray
from models.landmarks import points as groups

Float32Array = npt.NDArray[np.float32]

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
DETAIL_MARGIN = 0.35
# Contours get this many points between two landmarks, or the flow would ripple along them.
DETAIL_POINTS = 3
# Squared distances that are worked on at a time.
BAND_VALUES = 512 * 1024
# An eye open by less than the first share of its width does not show its iris.
IRIS_HIDDEN = 0.10
IRIS_SHOWN = 0.20
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


def _crossings(columns: Float32Array, rows: Float32Array) -> Float32Array:
    """Positions [H * W, 2] of a grid with columns at x [W] and rows at y [H], row by row."""
    positions = np.empty((len(rows), len(columns), 2), np.float32)
    positions[..., 0] = columns
    positions[..., 1] = rows[:, None]
    return positions.reshape(-1, 2)


def head_influence(
    points: Float32Array, face: Float32Array, reach: HeadReach = WIDE
) -> Float32Array:
    """How much of the head's motion each point [N, 2] follows, 0..1 [N].

    `face` are landmarks [478, 2]. 1 on the head, 0 on the far background.
    """
    top, chin = face[groups.FOREHEAD], face[groups.CHIN]
    centre = (top + chin) / 2
    down = chin - top
    height = float(np.hypot(*down)) + 1e-6
    down = down / height
    across = np.array([down[1], -down[0]], np.float32)
    offset = (points - centre) / height
    along = offset @ down
    vertical = np.where(along < 0, along / reach.up, along / reach.down)
    radius = np.hypot(offset @ across / reach.width, vertical)
    below = np.clip(vertical / np.maximum(radius, 1e-6), 0.0, 1.0)
    fade = reach.fade + (reach.fade_down - reach.fade) * below
    return _smooth_step(1.0 - (radius - 1.0) / fade)


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
    centres = _centres(GRID)
    coarse = head_influence(_crossings(centres, centres), face, reach).reshape(GRID, GRID)
    mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(mask, np.float32)


@dataclass(frozen=True, slots=True)
class _Opening:
    """An eye or the mouth: two lids or lips that may close, where the flow is drawn finely.

    `upper` and `lower` run from one corner to the other, both corners included.
    """

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    iris: tuple[int, ...] = ()

    def region(self, landmarks: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Low and high corner [2] of the part, with a margin around it."""
        points = landmarks[[*self.upper, *self.lower]]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = DETAIL_MARGIN * (high - low).max()
        return low - margin, high + margin

    def shape(self, key: Float32Array, driven: Float32Array) -> _Shaping:
        """The points that shape the part, from landmarks [478, 2] of both pictures."""
        low, high = self.region(driven)
        inside = ((driven >= low) & (driven <= high)).all(axis=1)
        inside[[*self.upper, *self.lower, *groups.RIGHT_IRIS, *groups.LEFT_IRIS]] = False
        skin = np.flatnonzero(inside)
        rims = [
            (_divided(key[list(rim)]), _divided(driven[list(rim)]))
            for rim in (self.upper, self.lower)
        ]
        iris = list(self.iris)
        shown = min(self._iris_shown(key), self._iris_shown(driven)) if iris else 1.0
        middle, end = len(skin) + len(rims[0][0]), len(skin) + len(rims[0][0]) + len(rims[1][0])
        weights = np.ones(end + len(iris), np.float32)
        weights[end:] = shown
        return _Shaping(
            np.concatenate([key[skin], rims[0][0], rims[1][0], key[iris]]),
            np.concatenate([driven[skin], rims[0][1], rims[1][1], driven[iris]]),
            weights,
            rims=(slice(len(skin), middle), slice(middle, end)),
        )

    def _iris_shown(self, landmarks: Float32Array) -> float:
        first, last = landmarks[self.upper[0]], landmarks[self.upper[-1]]
        middle = len(self.upper) // 2
        gap = landmarks[self.upper[middle]] - landmarks[self.lower[middle]]
        opening = float(np.hypot(*gap)) / max(float(np.hypot(*(last - first))), 1e-6)
        return float(np.clip((opening - IRIS_HIDDEN) / (IRIS_SHOWN - IRIS_HIDDEN), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Shaping:
    """Points [M, 2] of key and driven picture whose motion is interpolated, weighted by [M].

    `rims` are the upper and the lower rim of an opening among them. Above it only its upper
    rim counts and below it only its lower one: where they touch they pull different ways, and
    what lay between them must vanish rather than mix.
    """

    key: Float32Array
    driven: Float32Array
    weights: Float32Array
    rims: tuple[slice, slice] | None = None

    def counted(self, positions: Float32Array) -> list[tuple[slice, npt.NDArray[np.bool_]]]:
        """Points that do not count everywhere, and whether they do on positions [N, 2]: [N]."""
        if self.rims is None:
            return []
        upper, lower = (self.driven[rim] for rim in self.rims)
        axis = upper[-1] - upper[0]
        axis = axis / max(float(np.hypot(*axis)), 1e-6)
        # Positive across is down, whichever way the corners lie.
        across = np.array([-axis[1], axis[0]], np.float32)
        across *= np.sign(across[1]) or 1.0
        along = (positions - upper[0]) @ axis
        height = (positions - upper[0]) @ across

        def rim_height(rim: Float32Array) -> Float32Array:
            place = (rim - upper[0]) @ axis
            order = np.argsort(place)
            level: Float32Array = np.interp(along, place[order], ((rim - upper[0]) @ across)[order])
            return level

        top, bottom = rim_height(upper), rim_height(lower)
        above = height < np.minimum(top, (top + bottom) / 2)
        below = ~above & (height > np.maximum(bottom, (top + bottom) / 2))
        return [(self.rims[0], ~below), (self.rims[1], ~above)]


def _divided(rim: Float32Array) -> Float32Array:
    """A polyline [N, 2] with points set between its corners."""
    steps = DETAIL_POINTS + 1
    shares = np.arange(steps, dtype=np.float32)[:, None] / steps
    between = rim[:-1, None] + shares * (rim[1:] - rim[:-1])[:, None]
    return np.concatenate([between.reshape(-1, 2), rim[-1:]])


def _rims(contour: tuple[int, ...], corner: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A closed contour as two rims from its first point to the one of number `corner`."""
    return contour[: corner + 1], (contour[0], *reversed(contour[corner:]))


_RIGHT_LIDS = _rims(groups.RIGHT_EYE, 8)
_LEFT_LIDS = _rims(groups.LEFT_EYE, 8)
_LIPS = _rims(groups.LIPS_INNER, 10)
_OPENINGS = (
    _Opening(_RIGHT_LIDS[1], _RIGHT_LIDS[0], groups.RIGHT_IRIS),
    _Opening(_LEFT_LIDS[1], _LEFT_LIDS[0], groups.LEFT_IRIS),
    _Opening(_LIPS[0], _LIPS[1]),
)


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
        self._keys = keys
        self._driven = driven
        self._reaches = reaches
        self._affines = [_fit_affine(driven[FLOW_POINTS], key[FLOW_POINTS]) for key in keys]

    def _displacements(
        self,
        columns: Float32Array,
        rows: Float32Array,
        shapings: Sequence[_Shaping],
        softening: float,
    ) -> list[Float32Array]:
        """Offsets [H, W, 2] from the positions of a grid, x [W] and y [H], to where each reads.

        `shapings` are of the same driven points, one for each key picture.
        """
        positions = _crossings(columns, rows)
        offsets = [
            head_influence(positions, self._driven, reach)[:, None]
            * (affine(positions) - positions)
            for affine, reach in zip(self._affines, self._reaches, strict=True)
        ]
        driven = shapings[0].driven
        # Weighted residual motion and weights, whose sum is the sum of all weights: [3, N] each.
        residuals = [
            shaping.weights
            * np.stack([*(shaping.key - affine(driven)).T, np.ones(len(driven), np.float32)])
            for affine, shaping in zip(self._affines, shapings, strict=True)
        ]
        # The expanded square is one matrix product; seen from the middle it loses no precision.
        middle = (positions[0] + positions[-1]) / 2
        near_points, near_positions = driven - middle, positions - middle
        points = np.ones((len(driven), 4), np.float32)
        points[:, :2] = -2 * near_points
        points[:, 2] = (near_points**2).sum(axis=1) + np.float32(softening)
        grid = np.ones((4, len(positions)), np.float32)
        grid[:2] = near_positions.T
        grid[3] = (near_positions**2).sum(axis=1)
        counted = shapings[0].counted(positions)
        # Not all at a time, or the distances of all points to all positions would not stay in the
        # processor's cache: they are the bulk of the work.
        step = max(1, BAND_VALUES // len(driven))
        for first in range(0, len(positions), step):
            band = slice(first, first + step)
            pull = points @ grid[:, band]
            nearest = pull.min(axis=0) - np.float32(softening)
            close = nearest < (3.0 * RESIDUAL_REACH) ** 2
            if not close.any():
                continue
            np.multiply(pull, pull, out=pull)
            np.reciprocal(pull, out=pull)
            for points_of_rim, counts in counted:
                pull[points_of_rim] *= counts[band]
            fade = close * np.exp(nearest / np.float32(-2 * RESIDUAL_REACH**2))
            for offset, residual in zip(offsets, residuals, strict=True):
                # Row by row: BLAS is several times slower at a product of so few rows.
                x, y, total = (row @ pull for row in residual)
                share = fade / total
                offset[band, 0] += share * x
                offset[band, 1] += share * y
        return [offset.reshape(len(rows), len(columns), 2) for offset in offsets]

    def dense(self, width: int, height: int) -> list[Float32Array]:
        """Displacements of every pixel to each key picture, float32 [height, width, 2].

        In picture widths and heights. A coarse grid over the picture, and a fine one over each eye
        and the mouth, where the flow changes from one eyelid to the other.
        """
        shapings = [
            _Shaping(
                key[FLOW_POINTS],
                self._driven[FLOW_POINTS],
                np.ones(len(FLOW_POINTS), np.float32),
            )
            for key in self._keys
        ]
        centres = _centres(GRID)
        dense = [
            np.asarray(
                cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
            )
            for coarse in self._displacements(centres, centres, shapings, SOFTENING)
        ]
        for opening in _OPENINGS:
            self._refine(dense, opening)
        return dense

    def _refine(self, dense: Sequence[Float32Array], opening: _Opening) -> None:
        height, width = dense[0].shape[:2]
        low, high = opening.region(self._driven)
        left, top = np.maximum(np.floor(low * (width, height)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(high * (width, height)), (width, height)).astype(int)
        if right - left < 2 or bottom - top < 2:
            return
        columns = min(right - left, DETAIL_GRID)
        rows = min(bottom - top, DETAIL_GRID)
        x = (np.float32(left) + _centres(columns) * np.float32(right - left)) / np.float32(width)
        y = (np.float32(top) + _centres(rows) * np.float32(bottom - top)) / np.float32(height)
        shapings = [opening.shape(key, self._driven) for key in self._keys]
        blend = _feather(bottom - top)[:, None, None] * _feather(right - left)[None, :, None]
        reduced = self._displacements(x, y, shapings, DETAIL_SOFTENING)
        for whole, part in zip(dense, reduced, strict=True):
            fine = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
            region = whole[top:bottom, left:right]
            region += blend * (fine - region)


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
