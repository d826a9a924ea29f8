"""What shapes the flow over eyes and mouth, which it follows from one lid or lip to the other.

Landmarks of several pictures stand in one array [P, 478, 2]: first those of the driven picture,
then those of each key picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.contract import Float32Array
from models.landmarks import points as groups

MARGIN = 0.35
"""How far a part reaches beyond its landmarks, in widths or heights of these."""

# Contours get this many points between two landmarks, or the flow would ripple along them.
_POINTS_BETWEEN = 3
# An eye open by less than the first share of its width does not show its iris.
_IRIS_HIDDEN = 0.10
_IRIS_SHOWN = 0.20
_IRISES = (*groups.RIGHT_IRIS, *groups.LEFT_IRIS)


@dataclass(frozen=True, slots=True)
class Shaping:
    """Points whose motion is interpolated.

    Attributes:
        points: [P, M, 2], those of the driven picture first, then those of each key picture.
        weights: how much they count for each key picture, [P - 1, M].
        rims: the upper and the lower rim of an opening among the points. Above it only its upper
            rim counts and below it only its lower one: where they touch they pull different ways,
            and what lay between them must vanish rather than mix.
    """

    points: Float32Array
    weights: Float32Array
    rims: tuple[slice, slice] | None = None

    @property
    def driven(self) -> Float32Array:
        """Points of the driven picture, [M, 2]."""
        driven: Float32Array = self.points[0]
        return driven

    def counted(self, positions: Float32Array) -> list[tuple[slice, Float32Array]]:
        """Points that do not count everywhere, and how much they do on positions [N, 2]: 0, 1."""
        if self.rims is None:
            return []
        upper, lower = (self.driven[rim] for rim in self.rims)
        axis = upper[-1] - upper[0]
        axis = axis / max(float(np.hypot(*axis)), 1e-6)
        # Positive across is down, whichever way the corners lie.
        across = np.array([-axis[1], axis[0]], np.float32)
        across *= np.sign(across[1]) or 1.0
        from_corner = positions - upper[0]
        along, height = from_corner @ axis, from_corner @ across

        def rim_height(rim: Float32Array) -> npt.NDArray[np.float64]:
            rim_from_corner = rim - upper[0]
            place = rim_from_corner @ axis
            order = np.argsort(place)
            return np.interp(along, place[order], (rim_from_corner @ across)[order])

        top, bottom = rim_height(upper), rim_height(lower)
        middle = (top + bottom) / 2
        above = height < np.minimum(top, middle)
        below = ~above & (height > np.maximum(bottom, middle))
        return [
            (rim, (~beyond).astype(np.float32))
            for rim, beyond in zip(self.rims, (below, above), strict=True)
        ]


class Opening:
    """An eye or the mouth: two lids or lips that may close, where the flow is drawn finely.

    Args:
        upper: from one corner to the other, both included.
        lower: the same corners and as many points.
        iris: what it shows when it is open.
    """

    def __init__(
        self, upper: tuple[int, ...], lower: tuple[int, ...], iris: tuple[int, ...] = ()
    ) -> None:
        self._rims = np.array([upper, lower])
        self._iris = list(iris)

    def region(self, driven: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Low and high corner [2] of the part, with a margin around it, of landmarks [478, 2]."""
        points = driven[self._rims.ravel()]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = MARGIN * (high - low).max()
        return low - margin, high + margin

    def shaping(self, faces: Float32Array, region: tuple[Float32Array, Float32Array]) -> Shaping:
        """The points that shape the part, of landmarks [P, 478, 2] and the part's `region`."""
        low, high = region
        inside = ((faces[0] >= low) & (faces[0] <= high)).all(axis=1)
        inside[self._rims.ravel()] = False
        inside[[*_IRISES]] = False
        skin = np.flatnonzero(inside)
        rims = _divided(faces[:, self._rims])
        count, length = len(skin), rims.shape[2]
        end = count + 2 * length
        points = np.concatenate(
            [faces[:, skin], rims.reshape(len(faces), -1, 2), faces[:, self._iris]], axis=1
        )
        rim_places = slice(count, count + length), slice(count + length, end)
        return Shaping(points, self._weights(faces, points.shape[1], end), rim_places)

    def _weights(self, faces: Float32Array, count: int, end: int) -> Float32Array:
        """How much so many points count in each key picture: an iris, from `end` on, if shown."""
        weights = np.ones((len(faces) - 1, count), np.float32)
        if self._iris:
            here, *in_keys = (self._iris_shown(face) for face in faces)
            for row, in_key in zip(weights, in_keys, strict=True):
                row[end:] = min(here, in_key)
        return weights

    def _iris_shown(self, landmarks: Float32Array) -> float:
        upper, lower = landmarks[self._rims]
        middle = len(upper) // 2
        gap = upper[middle] - lower[middle]
        width = max(float(np.hypot(*(upper[-1] - upper[0]))), 1e-6)
        share = (float(np.hypot(*gap)) / width - _IRIS_HIDDEN) / (_IRIS_SHOWN - _IRIS_HIDDEN)
        return min(max(share, 0.0), 1.0)


def _divided(lines: Float32Array) -> Float32Array:
    """Polylines [..., N, 2] with points set between their corners."""
    steps = _POINTS_BETWEEN + 1
    shares = np.arange(steps, dtype=np.float32)[:, None] / steps
    starts = lines[..., :-1, None, :]
    between = starts + shares * (lines[..., 1:, None, :] - starts)
    return np.concatenate([between.reshape(*lines.shape[:-2], -1, 2), lines[..., -1:, :]], axis=-2)


def _rims(contour: tuple[int, ...], corner: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A closed contour as two rims from its first point to the one of number `corner`."""
    return contour[: corner + 1], (contour[0], *reversed(contour[corner:]))


_RIGHT_LIDS = _rims(groups.RIGHT_EYE, 8)
_LEFT_LIDS = _rims(groups.LEFT_EYE, 8)
OPENINGS = (
    Opening(_RIGHT_LIDS[1], _RIGHT_LIDS[0], groups.RIGHT_IRIS),
    Opening(_LEFT_LIDS[1], _LEFT_LIDS[0], groups.LEFT_IRIS),
    Opening(*_rims(groups.LIPS_INNER, 10)),
)
"""Both eyes and the mouth."""
