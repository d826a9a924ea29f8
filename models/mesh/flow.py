"""From landmark displacements to a dense, smooth backward flow over the whole picture.

A backward flow says, for every place of the picture to be drawn, where in the key picture to
read. Coordinates are picture widths and heights, 0..1 inside the picture.

Near the face the flow interpolates the landmarks' displacements (inverse distance weighting;
Shepard, "A two-dimensional interpolation function for irregularly-spaced data", 1968). Around
it, hair, ears and neck follow the affine motion of the whole head. That motion dies away with
the distance from the head, slowly enough that the flow never folds, so the background stays
still.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models import landmarks as groups

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
SOFTENING = 1e-4
DETAIL_SOFTENING = 4e-6
DETAIL_GRID = 48
DETAIL_MARGIN = 0.35
# Contours get this many points between two landmarks, or the flow would ripple along them.
DETAIL_POINTS = 3
# An eye open by less than the first share of its width does not show its iris.
IRIS_HIDDEN = 0.06
IRIS_SHOWN = 0.16
# The residual of the affine motion fades with the distance from the nearest landmark.
RESIDUAL_REACH = 0.10
# The head is an ellipse around the face, larger by hair and ears; in face heights.
HEAD_WIDTH = 0.60
HEAD_UP = 0.85
HEAD_DOWN = 0.75
# Beyond the head its motion dies away over this many head radii, more slowly towards the neck.
FADE = 0.9
FADE_DOWN = 1.6


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


def grid_centres(size: int = GRID) -> Float32Array:
    """Centres of the cells of a square grid: float32 [size * size, 2], x then y, 0..1."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = np.meshgrid(centres, centres)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def head_influence(points: Float32Array, face: Float32Array) -> Float32Array:
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
    vertical = np.where(along < 0, along / HEAD_UP, along / HEAD_DOWN)
    radius = np.hypot(offset @ across / HEAD_WIDTH, vertical)
    below = np.clip(vertical / np.maximum(radius, 1e-6), 0.0, 1.0)
    fade = FADE + (FADE_DOWN - FADE) * below
    return _smooth_step(1.0 - (radius - 1.0) / fade)


@dataclass(frozen=True, slots=True)
class _Detail:
    """A part of the face where the flow is drawn finely: its closed contours, and its iris."""

    contours: tuple[tuple[int, ...], ...]
    iris: tuple[int, ...] = ()

    def region(self, landmarks: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Low and high corner [2] of the part, with a margin around it."""
        points = landmarks[list(self.contours[0])]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = DETAIL_MARGIN * (high - low).max()
        return low - margin, high + margin

    def select(
        self, key: Float32Array, driven: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """Points [M, 2] of key and driven picture that shape the part, and their weights [M]."""
        low, high = self.region(driven)
        face = driven[: groups.FACE_POINTS]
        near = np.flatnonzero(((face >= low) & (face <= high)).all(axis=1))
        parts = [(key[near], driven[near], np.ones(len(near), np.float32))]
        for contour in self.contours:
            between = [_between(landmarks[list(contour)]) for landmarks in (key, driven)]
            parts.append((between[0], between[1], np.ones(len(between[0]), np.float32)))
        if self.iris:
            shown = min(self._iris_shown(key), self._iris_shown(driven))
            iris = list(self.iris)
            parts.append((key[iris], driven[iris], np.full(len(iris), shown, np.float32)))
        keys, drivens, weights = zip(*parts, strict=True)
        return np.concatenate(keys), np.concatenate(drivens), np.concatenate(weights)

    def _iris_shown(self, landmarks: Float32Array) -> float:
        eye = landmarks[list(self.contours[0])]
        width = float(np.hypot(*(eye[0] - eye[8])))
        opening = float(np.hypot(*(eye[4] - eye[12]))) / max(width, 1e-6)
        return float(np.clip((opening - IRIS_HIDDEN) / (IRIS_SHOWN - IRIS_HIDDEN), 0.0, 1.0))


def _between(contour: Float32Array) -> Float32Array:
    """Points that divide the sides of a closed contour [N, 2], without its corners."""
    share = np.arange(1, DETAIL_POINTS + 1, dtype=np.float32)[:, None, None] / (DETAIL_POINTS + 1)
    points: Float32Array = (contour * (1 - share) + np.roll(contour, -1, axis=0) * share).reshape(
        -1, 2
    )
    return points


_DETAILS = (
    _Detail((groups.RIGHT_EYE,), groups.RIGHT_IRIS),
    _Detail((groups.LEFT_EYE,), groups.LEFT_IRIS),
    _Detail((groups.LIPS_OUTER, groups.LIPS_INNER)),
)


class BackwardFlow:
    """Where in the key picture to read, for any place of the driven picture.

    `key` and `driven` are the landmarks [478, 2] of the two pictures.
    """

    def __init__(self, key: Float32Array, driven: Float32Array) -> None:
        self._key = key
        self._driven = driven
        self._affine = _fit_affine(driven[FLOW_POINTS], key[FLOW_POINTS])

    def _displacement(
        self,
        places: Float32Array,
        key: Float32Array,
        driven: Float32Array,
        weights: Float32Array | np.float32,
        softening: float,
    ) -> Float32Array:
        """Offsets [N, 2] from places [N, 2] to where they read, shaped by points [M, 2]."""
        influence = head_influence(places, self._driven)
        offset = influence[:, None] * (self._affine(places) - places)
        # The expanded square costs one matrix product instead of an [N, M, 2] array; all the
        # rest happens in that one array, which is the bulk of the time of drawing a picture.
        squared = places @ (-2 * driven.T)
        squared += np.einsum("nd,nd->n", places, places)[:, None]
        squared += np.einsum("md,md->m", driven, driven)
        nearest = np.maximum(squared.min(axis=1), 0.0)
        close = np.flatnonzero(nearest < (3.0 * RESIDUAL_REACH) ** 2)
        pull = squared if len(close) == len(squared) else squared[close]
        np.maximum(pull, 0.0, out=pull)
        pull += np.float32(softening)
        np.multiply(pull, pull, out=pull)
        np.divide(weights, pull, out=pull)
        residual = key - self._affine(driven)
        motion = (pull @ residual) / pull.sum(axis=1, keepdims=True)
        fade = np.exp(nearest[close] / np.float32(-2 * RESIDUAL_REACH**2))
        offset[close] += fade[:, None] * motion
        return offset

    def dense(self, width: int, height: int) -> Float32Array:
        """Displacement of every pixel, float32 [height, width, 2], in picture widths and heights.

        A coarse grid over the picture, and a fine one over each eye and the mouth, where the
        flow changes from one eyelid to the other.
        """
        coarse = self._displacement(
            grid_centres(),
            self._key[FLOW_POINTS],
            self._driven[FLOW_POINTS],
            np.float32(1.0),
            SOFTENING,
        )
        dense = np.asarray(
            cv2.resize(
                coarse.reshape(GRID, GRID, 2), (width, height), interpolation=cv2.INTER_CUBIC
            ),
            np.float32,
        )
        for detail in _DETAILS:
            self._refine(dense, detail)
        return dense

    def _refine(self, dense: Float32Array, detail: _Detail) -> None:
        height, width = dense.shape[:2]
        low, high = detail.region(self._driven)
        left, top = np.maximum(np.floor(low * (width, height)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(high * (width, height)), (width, height)).astype(int)
        if right - left < 2 or bottom - top < 2:
            return
        columns = min(right - left, DETAIL_GRID)
        rows = min(bottom - top, DETAIL_GRID)
        x = (left + (np.arange(columns, dtype=np.float32) + 0.5) * (right - left) / columns) / width
        y = (top + (np.arange(rows, dtype=np.float32) + 0.5) * (bottom - top) / rows) / height
        grid = np.stack([part.ravel() for part in np.meshgrid(x, y)], axis=1).astype(np.float32)
        points = detail.select(self._key, self._driven)
        fine = cv2.resize(
            self._displacement(grid, *points, DETAIL_SOFTENING).reshape(rows, columns, 2),
            (right - left, bottom - top),
            interpolation=cv2.INTER_LINEAR,
        )
        blend = _feather(bottom - top)[:, None, None] * _feather(right - left)[None, :, None]
        region = dense[top:bottom, left:right]
        region += blend * (fine - region)


def _feather(length: int) -> Float32Array:
    """A window of 1 that falls smoothly to 0 over the outer quarters: float32 [length]."""
    place = (np.arange(length, dtype=np.float32) + 0.5) / length
    return _smooth_step(np.minimum(place, 1.0 - place) * 4.0)


def warp(picture: npt.NDArray[np.uint8], displacement: Float32Array) -> npt.NDArray[np.uint8]:
    """Read a picture [H, W, 3] at the displacement of each pixel [H, W, 2].

    Places outside the picture repeat its border.
    """
    height, width = picture.shape[:2]
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    drawn = cv2.remap(
        picture,
        columns + displacement[..., 0] * width,
        rows + displacement[..., 1] * height,
        interpolation=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(drawn, np.uint8)
