"""Eyes that close further than in any picture that they are drawn from.

No reference shows such an eye, so a network paints it: too open, and with scraps of white and iris.
The landmarks' flow alone draws it better: what lay between the lids becomes a line there, on which
`models.landmarks.closings` then paints lashes. And of lids that close, less shows than is in
their landmarks, since that line has a width. So they are closed a little further than the landmarks
say.

How far an eye is open is the mean gap between its lids over its width, about 0.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from models.contract import Float32Array, Picture
from models.landmarks import points as groups
from models.landmarks.rims import lids_of, rising

FURTHER = 1.3
"""How much further lids are closed than landmarks say, beyond where a reference shows them.

`python -m benchmarks.drawn_lids CLIP... --further SHARE` tells what another share would do.
"""

PAINTED_ALONE, BENT_ALONE = 0.1, 0.3
"""What is bent counts from the first share on that an eye closes beyond the references; from the
second on, nothing is painted."""

# The part that is bent: the eye, enlarged, and so many eye widths above and below, softly.
_ENLARGED, _AROUND, _SOFT_EDGE = 1.2, 0.2, 0.1


class BentReference(NamedTuple):
    """A reference and where it is read.

    Attributes:
        picture: [H, W, 3].
        landmarks: its own, [478, 2] in picture widths and heights.
        flow: displacements [2, H, W] of each pixel to where it is read,
        rest: and of the rest motion, if any,
        share: of which so much is added.
    """

    picture: Picture
    landmarks: Float32Array
    flow: Float32Array
    rest: Float32Array | None = None
    share: float = 0.0


# Of their whole length, corners aside.
_EYES = lids_of(groups.RIGHT_EYE), lids_of(groups.LEFT_EYE)


def closed_further(landmarks: Float32Array, keys: Sequence[Float32Array]) -> Float32Array:
    """Landmarks [478, 2] to draw by: upper lids further down where they are closed beyond `keys`.

    `keys` are landmarks [478, 2] of the references. Lids never pass each other.
    """
    moved = landmarks
    for eye in _EYES:
        opening, reference = eye.opening(landmarks), eye.least_opening(keys)
        if opening >= reference:
            continue
        wanted = max(0.0, reference + FURTHER * (opening - reference))
        upper, lower = list(eye.upper), list(eye.lower)
        change = np.float32(wanted / max(opening, 1e-6) - 1) * (landmarks[upper] - landmarks[lower])
        if moved is landmarks:
            moved = landmarks.copy()
        moved[upper] += change
    return moved


def with_bent_lids(
    drawn: Picture,
    landmarks: Float32Array,
    references: Sequence[BentReference],
    lead: Float32Array | None = None,
) -> Picture:
    """A drawn picture [H, W, 3] in which eyes that close beyond the references are bent from these.

    Args:
        drawn: what a network painted; it stays as it is.
        landmarks: [478, 2] that it was drawn by.
        references: one or two.
        lead: of the second one [h, w], see `models.landmarks.fusing.reference_lead`.
    """
    height, width = drawn.shape[:2]
    result = drawn
    keys = [reference.landmarks for reference in references]
    for eye in _EYES:
        share = rising(eye.closed_beyond(landmarks, keys), PAINTED_ALONE, BENT_ALONE)
        if share == 0.0:
            continue
        points = landmarks[[*eye.upper, *eye.lower, *eye.corners]]
        points = points * np.array((width, height), np.float32)
        mask, rows, columns = _around(points, eye.width(landmarks) * width, width, height)
        if not mask.size:
            continue
        whole = _read(references[0], rows, columns)
        if lead is not None:
            # Of the same landmarks, the two show no outline twice: a mean does, without bands.
            later = 0.5 + 0.5 * np.tanh(0.5 * _at(lead, landmarks[list(eye.corners)]))
            other = _read(references[1], rows, columns)
            whole = np.asarray(cv2.addWeighted(whole, 1 - later, other, later, 0), np.uint8)
        if result is drawn:
            result = drawn.copy()
        part = result[rows, columns].astype(np.float32)
        part += np.float32(share) * mask[..., None] * (whole - part)
        result[rows, columns] = np.rint(part)
    return result


def _around(
    points: Float32Array, eye_width: float, width: int, height: int
) -> tuple[Float32Array, slice, slice]:
    """Rows and columns around an eye's points [n, 2] in pixels, and a soft mask [rows, columns].

    It is 1 in the eye and a little around it.
    """
    reach = np.array([0, _AROUND * eye_width], np.float32)
    middle = points.mean(axis=0)
    enlarged = middle + np.float32(_ENLARGED) * (points - middle)
    # Whatever a damaged stream says, within what OpenCV's polygons can be, and soon blurred.
    outline = np.concatenate([enlarged - reach, enlarged + reach])
    outline = np.clip(outline, -4 * width, 5 * width)
    edge = float(np.clip(_SOFT_EDGE * eye_width, 1.0, 0.1 * width))
    low = np.clip(outline.min(axis=0) - 3 * edge, 0, (width, height))
    high = np.clip(outline.max(axis=0) + 3 * edge, 0, (width, height))
    left, top = np.floor(low).astype(int).tolist()
    right, bottom = np.ceil(high).astype(int).tolist()
    mask = np.zeros((bottom - top, right - left), np.uint8)
    if mask.size:
        shift = 4  # subpixel corners: the edge must not jump by whole pixels between pictures
        corners = np.round((outline - 0.5 - (left, top)) * 2**shift).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(corners), (255,), cv2.LINE_AA, shift)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), edge), np.uint8)
    return mask.astype(np.float32) / np.float32(255), slice(top, bottom), slice(left, right)


def _read(reference: BentReference, rows: slice, columns: slice) -> Picture:
    """A part of a reference read along its flow."""
    height, width = reference.picture.shape[:2]
    flow = reference.flow[:, rows, columns]
    if reference.rest is not None:
        flow = flow + np.float32(reference.share) * reference.rest[:, rows, columns]
    x, y = flow
    across = np.arange(columns.start, columns.stop, dtype=np.float32)
    down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    read = cv2.remap(
        reference.picture,
        x * np.float32(width) + across,
        y * np.float32(height) + down,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(read, np.uint8)


def _at(planes: Float32Array, corners: Float32Array) -> float:
    """The value of [h, w] in the middle of an eye, of corners [2, 2] in picture widths and heights.

    At the border where the eye lies beyond it.
    """
    size = np.array(planes.shape[::-1])
    column, row = np.clip(corners.mean(axis=0) * size, 0, size - 1).astype(int)
    return float(planes[row, column])
