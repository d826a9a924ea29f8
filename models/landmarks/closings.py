"""Lids and lips that close: what is painted where they touch.

Where eyes are open in all references, these show of a closed lid a narrow strip alone, dark by
shadow and lashes. Bent to where the lids touch, that is a lid which is too dark, and what lay
between the lids is a ragged line with scraps of white. A filmed eye that is closed shows skin, and
a soft dark band of lashes. So the colour of the skin around is mixed into the lid, and a band as
dark as the darkest of the eye is painted along the line where the lids touch.

Of a mouth that is open in all references, teeth are left as white dots where bent lips touch.
Filmed lips have a thin shadow there. So the lips around are painted over the dots, and the shadow
over these.

Of either the more, the further it closes beyond the references.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from models.contract import Float32Array, FloatArray, Picture
from models.landmarks import points as groups
from models.landmarks.painting import OpeningPart
from models.landmarks.rims import LIPS, Rims, lids_of, rising

PAINTED_FROM, PAINTED_WHOLLY = 0.5, 0.9
"""Shares of the references' opening by which it is closed when painting begins, and is all."""

OPEN_FROM, SURELY_OPEN = 0.05, 0.1
"""Openings of a reference, gap over width, from which on it counts as one that closes."""

SKIN, LASHES = 0.4, 0.9
"""How much of a closed lid is the colour of the skin around, and of the band that of lashes."""

THICKNESS, AT_INNER_CORNER = 0.16, 0.6
"""Of lashes: in eye widths where they are thickest, and what is left of it at the inner corner."""

SHADOW, SHADOW_THICKNESS = 0.6, 0.025
"""Between lips: how bright it is, of the darkest quarter of the lips, and in mouth widths."""

# Bands get narrow towards both corners: lashes to so much, whole at an eighth of their length, the
# shadow likewise.
_AT_CORNERS, _TAPER = 0.2, 6.4
# In eye widths: how soft the band is, and the lid, and how far the skin around counts.
_SOFT_BAND, _SOFT_LID, _AROUND = 0.03, 0.05, 0.2
# Lashes are the mean of this darkest share of an eye, and no lighter than this share of the skin.
_DARKEST, _LIGHTEST = 0.1, 0.55
# In mouth widths: how wide the dots are that lips are painted over, how soft that is, and how far
# lips around count; how soft the shadow is. It is a little redder than lips are.
_DOTS, _SOFT_DOTS, _LIPS_AROUND, _SOFT_SHADOW = 0.06, 0.015, 0.04, 0.01
_DARK_OF_LIPS = 0.25
_REDDER = np.array((1.1, 0.95, 0.95), np.float32)


class _Lids(NamedTuple):
    """The rims of an eye, and the fold of its upper lid from the outer to the inner corner."""

    rims: Rims
    fold: tuple[int, ...]

    @property
    def outline(self) -> tuple[int, ...]:
        """What is around the eye."""
        return (*self.rims.upper, *self.rims.lower, *self.rims.corners, *self.fold)

    def painted(
        self, part: OpeningPart, levels: Float32Array, points: Float32Array, share: float
    ) -> Float32Array:
        """Levels [h, w, 3] with a lid of skin, and with lashes."""
        outer, inner = points[list(self.rims.corners)]
        lower, back = points[list(self.rims.lower)], points[list(self.fold)][::-1]
        line = _line(self.rims, points)
        eye = part.filled(np.vstack([outer, lower, inner, back]))
        lid = part.filled(np.vstack([line, back]))
        thickness = THICKNESS * _tapered(len(line))
        thickness *= np.linspace(1, AT_INNER_CORNER, len(line))
        band = part.soft(part.band(line, thickness), _SOFT_BAND)
        covered = np.maximum(lid, cv2.dilate(band, np.ones((3, 3), np.uint8)))
        skin = part.colour_around(part.soft(covered, _SOFT_BAND), levels, _AROUND)
        shown = levels[np.maximum(eye, lid) > 0.5]
        if not shown.size or skin is None:
            return levels
        luma = shown.mean(axis=1)
        lashes = shown[luma <= np.quantile(luma, _DARKEST)].mean(axis=0)
        lashes = np.minimum(lashes, np.float32(_LIGHTEST) * skin.mean(axis=(0, 1)))
        levels = _mixed(levels, skin, share * SKIN * part.soft(covered, _SOFT_LID))
        return _mixed(levels, lashes, share * LASHES * band)


class _Lips(NamedTuple):
    """The inner rims of the lips, and their outer one."""

    rims: Rims
    outline: tuple[int, ...]

    def painted(
        self, part: OpeningPart, levels: Float32Array, points: Float32Array, share: float
    ) -> Float32Array:
        """Levels [h, w, 3] with lips over what is left of teeth, and the shadow between them."""
        lips = levels[part.filled(points[list(self.outline)]) > 0.5]
        line = _line(self.rims, points)
        taper = _tapered(len(line))
        dots = part.soft(part.band(line, _DOTS * taper), _SOFT_DOTS)
        around = part.colour_around(dots, levels, _LIPS_AROUND)
        if not lips.size or around is None:
            return levels
        shadow = np.quantile(lips, _DARK_OF_LIPS, axis=0) * np.float32(SHADOW) * _REDDER
        levels = _mixed(levels, around, share * dots)
        band = part.soft(part.band(line, SHADOW_THICKNESS * taper), _SOFT_SHADOW)
        return _mixed(levels, shadow, share * band)


def _line(rims: Rims, points: Float32Array) -> Float32Array:
    """Where two rims touch, from corner to corner, both included."""
    first, last = points[list(rims.corners)]
    return np.vstack([first, (points[list(rims.upper)] + points[list(rims.lower)]) / 2, last])


def _tapered(count: int) -> FloatArray:
    """Shares of a thickness at so many places from corner to corner."""
    along = np.linspace(0, 1, count)
    return np.minimum(1, _AT_CORNERS + _TAPER * np.minimum(along, 1 - along))


def _mixed(
    levels: Float32Array, colour: FloatArray | Float32Array, share: Float32Array
) -> Float32Array:
    """Levels [h, w, 3] of which a share [h, w] is a colour [3] or [h, w, 3]."""
    return np.asarray(levels + share[..., None] * (colour - levels), np.float32)


_OPENINGS = (
    _Lids(lids_of(groups.RIGHT_EYE), groups.RIGHT_FOLD),
    _Lids(lids_of(groups.LEFT_EYE), groups.LEFT_FOLD),
    _Lips(LIPS, groups.LIPS_OUTER),
)
# As far as what is around counts at all, in widths of an opening.
_MARGIN = 3 * _AROUND


def with_closings(drawn: Picture, landmarks: Float32Array, keys: Sequence[Float32Array]) -> Picture:
    """A drawn picture [H, W, 3] with lids and lips that close beyond the references.

    Args:
        drawn: stays as it is; the same is returned where nothing closes so far.
        landmarks: [478, 2] that it was drawn by, in picture widths and heights.
        keys: those of the references, one or two.
    """
    result = drawn
    scaled = landmarks * np.array(drawn.shape[1::-1], np.float32)
    for opening in _OPENINGS:
        rims = opening.rims
        share = _share(rims, landmarks, keys)
        if share == 0.0:
            continue
        outline = scaled[list(opening.outline)]
        part = OpeningPart.around(outline, rims.width(scaled), _MARGIN, drawn.shape)
        if part is None:
            continue
        if result is drawn:
            result = drawn.copy()
        painted = opening.painted(part, part.levels(result), scaled - part.corner, share)
        result[part.rows, part.columns] = np.clip(np.rint(painted), 0, 255)
    return result


def _share(rims: Rims, landmarks: Float32Array, keys: Sequence[Float32Array]) -> float:
    """How much is painted, 0..1."""
    is_open = rising(rims.least_opening(keys), OPEN_FROM, SURELY_OPEN)
    return is_open * rising(rims.closed_beyond(landmarks, keys), PAINTED_FROM, PAINTED_WHOLLY)
