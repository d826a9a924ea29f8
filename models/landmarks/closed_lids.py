"""Lids that close: their skin, and the lashes where they touch.

Where eyes are open in all references, these show of a closed lid a narrow strip alone, dark by
shadow and lashes. Bent to where the lids touch, that is a lid which is too dark, and what lay
between the lids is a ragged line with scraps of white. A filmed eye that is closed shows skin, and
a soft dark band of lashes. So the colour of the skin around is mixed into the lid, and a band as
dark as the darkest of the eye is painted along the line where the lids touch: the more, the further
the eye is closed beyond the references.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from models.contract import Picture
from models.landmarks import points as groups
from models.landmarks.flow import Float32Array
from models.landmarks.rims import Rims, lids_of, rising

PAINTED_FROM, PAINTED_WHOLLY = 0.5, 0.9
"""Shares of the references' opening by which an eye is closed when painting begins, and is all."""

OPEN_FROM, SURELY_OPEN = 0.05, 0.1
"""Openings of a reference, gap over width, from which on an eye counts as one that closes."""

SKIN, LASHES = 0.4, 0.9
"""How much of a closed lid is the colour of the skin around, and of the band that of lashes."""

THICKNESS, AT_INNER_CORNER = 0.16, 0.6
"""Of the band: in eye widths where it is thickest, and what is left of it at the inner corner."""

# It gets narrow towards both corners, to so much of that, and is whole at an eighth of its length.
_AT_CORNERS, _TAPER = 0.2, 6.4
# In eye widths: how soft the band is, and the lid, and how far the skin around counts.
_SOFT_BAND, _SOFT_LID, _AROUND = 0.03, 0.05, 0.2
# Lashes are the mean of this darkest share of an eye, and no lighter than this share of the skin.
_DARKEST, _LIGHTEST = 0.1, 0.55
# Eyes of fewer pixels show no lashes. No eyes are what is wider than this share of the picture, or
# what landmarks of a damaged stream spread over more of its widths.
_FEWEST_PIXELS, _WIDEST, _FURTHEST_SPREAD = 8.0, 0.4, 3.0
# Pixels of the widest smoothing: what is smoother is smoothed where it is smaller.
_MOST_SMOOTHING = 12.0
# Outlines are drawn so much larger, then reduced: the band must not jump by whole pixels.
_FINER, _FRACTION_BITS = 4, 4


class _Lids(NamedTuple):
    """The rims of an eye, and the fold of its upper lid from the outer to the inner corner."""

    rims: Rims
    fold: tuple[int, ...]


_EYES = (
    _Lids(lids_of(groups.RIGHT_EYE), groups.RIGHT_FOLD),
    _Lids(lids_of(groups.LEFT_EYE), groups.LEFT_FOLD),
)


def with_closed_lids(
    drawn: Picture, landmarks: Float32Array, keys: Sequence[Float32Array]
) -> Picture:
    """A drawn picture [H, W, 3] with skin and lashes on eyes that close beyond the references.

    Args:
        drawn: stays as it is; the same is returned where no eye closes so far.
        landmarks: [478, 2] that it was drawn by, in picture widths and heights.
        keys: those of the references, one or two.
    """
    height, width = drawn.shape[:2]
    scale = np.array((width, height), np.float32)
    result = drawn
    for eye in _EYES:
        share = _share(eye.rims, landmarks, keys)
        eye_width = eye.rims.width(landmarks * scale)
        if share == 0.0 or not _FEWEST_PIXELS <= eye_width <= _WIDEST * width:
            continue
        points = landmarks * scale
        outline = points[[*eye.rims.upper, *eye.rims.lower, *eye.rims.corners, *eye.fold]]
        if np.ptp(outline, axis=0).max() > _FURTHEST_SPREAD * eye_width:
            continue
        # As far as the skin around counts at all.
        margin = 3 * _AROUND * eye_width
        left, top = np.clip(outline.min(axis=0) - margin, 0, scale).astype(int).tolist()
        right, bottom = np.clip(outline.max(axis=0) + margin, 0, scale).astype(int).tolist()
        part = drawn[top:bottom, left:right]
        if not part.size:
            continue
        if result is drawn:
            result = drawn.copy()
        masks = _Masks(eye, points - np.array((left, top), np.float32), eye_width, part.shape)
        result[top:bottom, left:right] = _painted(part, masks, np.float32(share))
    return result


def _share(eye: Rims, landmarks: Float32Array, keys: Sequence[Float32Array]) -> float:
    """How much is painted, 0..1."""
    is_open = rising(eye.least_opening(keys), OPEN_FROM, SURELY_OPEN)
    return is_open * rising(eye.closed_beyond(landmarks, keys), PAINTED_FROM, PAINTED_WHOLLY)


class _Masks:
    """Where the lid and its lashes are in a part of a picture, [h, w] in 0..1.

    Attributes:
        eye_width: in pixels.
        eye: from the fold down to the lower rim.
        lid: from the fold down to the line where the lids touch.
        lashes: the band along that line, soft.
    """

    def __init__(
        self, eye: _Lids, points: Float32Array, eye_width: float, shape: tuple[int, ...]
    ) -> None:
        self.eye_width = eye_width
        self._size = shape[1], shape[0]
        outer, inner = points[list(eye.rims.corners)]
        lower, back = points[list(eye.rims.lower)], points[list(eye.fold)][::-1]
        line = np.vstack([outer, (points[list(eye.rims.upper)] + lower) / 2, inner])
        self.eye = self._filled(np.vstack([outer, lower, inner, back]))
        self.lid = self._filled(np.vstack([line, back]))
        along = np.linspace(0, 1, len(line))
        shape_along = np.minimum(1, _AT_CORNERS + _TAPER * np.minimum(along, 1 - along))
        shape_along *= 1 - (1 - AT_INNER_CORNER) * along
        # At right angles to the eye, however the head is tilted.
        normal = np.array((outer[1] - inner[1], inner[0] - outer[0]))
        half = THICKNESS / 2 * shape_along[:, None] * normal
        self.lashes = self.soft(
            self._filled(np.vstack([line + half, (line - half)[::-1]])), _SOFT_BAND
        )

    def _filled(self, polygon: Float32Array) -> Float32Array:
        width, height = self._size
        mask = np.zeros((_FINER * height, _FINER * width), np.uint8)
        # Whatever a damaged stream says, within what OpenCV's polygons can be.
        corners = np.clip((polygon + 0.5) * _FINER - 0.5, -(2**12), 2**14)
        fixed = np.round(corners * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_8, _FRACTION_BITS)
        reduced = cv2.resize(mask, self._size, interpolation=cv2.INTER_AREA)
        return reduced.astype(np.float32) / np.float32(255)

    def soft(self, planes: Float32Array, reach: float) -> Float32Array:
        """Smoothed by so many eye widths."""
        smoothing = reach * self.eye_width
        share = _MOST_SMOOTHING / smoothing
        if share >= 1:
            return np.asarray(cv2.GaussianBlur(planes, (0, 0), smoothing), np.float32)
        width, height = (max(1, round(share * pixels)) for pixels in self._size)
        reduced = cv2.resize(planes, (width, height), interpolation=cv2.INTER_AREA)
        smoothed = cv2.GaussianBlur(reduced, (0, 0), _MOST_SMOOTHING)
        whole = cv2.resize(smoothed, self._size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(whole, np.float32)


def _painted(part: Picture, masks: _Masks, share: np.float32) -> Picture:
    """A part of a picture with a lid of skin, and with lashes."""
    levels = part.astype(np.float32)
    covered = np.maximum(masks.lid, cv2.dilate(masks.lashes, np.ones((3, 3), np.uint8)))
    # The skin around, by normalised convolution (Knutsson and Westin, 1993).
    certain = np.clip(1 - 2 * masks.soft(covered, _SOFT_BAND), 0, 1)
    weight = masks.soft(certain, _AROUND)[..., None]
    eye = levels[np.maximum(masks.eye, masks.lid) > 0.5]
    if not eye.size or float(weight.min()) < 1e-4:
        return part  # There is no skin around, or no eye.
    skin = masks.soft(levels * certain[..., None], _AROUND) / weight
    luma = eye.mean(axis=1)
    lashes = eye[luma <= np.quantile(luma, _DARKEST)].mean(axis=0)
    lashes = np.minimum(lashes, np.float32(_LIGHTEST) * skin.mean(axis=(0, 1)))
    lid = share * np.float32(SKIN) * masks.soft(covered, _SOFT_LID)[..., None]
    levels += lid * (skin - levels)
    levels += share * np.float32(LASHES) * masks.lashes[..., None] * (lashes - levels)
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
