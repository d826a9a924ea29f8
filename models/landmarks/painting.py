"""A part of a picture around an eye or a mouth, where what has closed is painted."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from models.contract import Float32Array, Picture

# Openings of fewer pixels show no line where they close. None is what is wider than this share of
# the picture, or what landmarks of a damaged stream spread over more of its widths.
_FEWEST_PIXELS, _WIDEST, _FURTHEST_SPREAD = 8.0, 0.4, 3.0
# Pixels of the widest smoothing: what is smoother is smoothed where it is smaller.
_MOST_SMOOTHING = 12.0
# Outlines are drawn so much larger, then reduced: lines must not jump by whole pixels.
_FINER, _FRACTION_BITS = 4, 4
_LEAST_WEIGHT = 1e-4


class OpeningPart:
    """The rows and columns around an opening.

    Places are [n, 2] in pixels of the part, reaches and thicknesses in widths of the opening.

    Attributes:
        rows, columns: of the picture.
        corner: its first column and row, [2].
        width: of the opening, in pixels.
    """

    def __init__(self, rows: slice, columns: slice, width: float) -> None:
        self.rows = rows
        self.columns = columns
        self.corner = np.array((columns.start, rows.start), np.float32)
        self.width = width
        self._size = columns.stop - columns.start, rows.stop - rows.start

    @classmethod
    def around(
        cls, outline: Float32Array, width: float, margin: float, picture: tuple[int, ...]
    ) -> OpeningPart | None:
        """What is as near to an outline [n, 2] as the margin; None where no opening is seen.

        Args:
            outline: in pixels of the picture.
            width: of the opening, in pixels.
            margin: in widths of the opening.
            picture: its shape, height and width first.
        """
        size = picture[1::-1]
        if not _FEWEST_PIXELS <= width <= _WIDEST * size[0]:
            return None
        if np.ptp(outline, axis=0).max() > _FURTHEST_SPREAD * width:
            return None
        left, top = np.clip(outline.min(axis=0) - margin * width, 0, size).astype(int).tolist()
        right, bottom = np.clip(outline.max(axis=0) + margin * width, 0, size).astype(int).tolist()
        if left >= right or top >= bottom:
            return None
        return cls(slice(top, bottom), slice(left, right), width)

    def levels(self, picture: Picture) -> Float32Array:
        """The part of a picture [H, W, 3]."""
        return picture[self.rows, self.columns].astype(np.float32)

    def filled(self, polygon: Float32Array) -> Float32Array:
        """How much of each pixel lies in a polygon, 0..1: [h, w]."""
        width, height = self._size
        mask = np.zeros((_FINER * height, _FINER * width), np.uint8)
        # Whatever a damaged stream says, within what OpenCV's polygons can be.
        corners = np.clip((polygon + 0.5) * _FINER - 0.5, -(2**12), 2**14)
        fixed = np.round(corners * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_8, _FRACTION_BITS)
        reduced = cv2.resize(mask, self._size, interpolation=cv2.INTER_AREA)
        return reduced.astype(np.float32) / np.float32(255)

    def band(self, line: Float32Array, thickness: Sequence[float] | Float32Array) -> Float32Array:
        """How much of each pixel lies in a band along a line, as thick as given at each place."""
        # At right angles to the opening, however the head is tilted.
        along = line[-1] - line[0]
        half = np.asarray(thickness, np.float32)[:, None] / 2 * np.array((-along[1], along[0]))
        return self.filled(np.vstack([line + half, (line - half)[::-1]]).astype(np.float32))

    def soft(self, planes: Float32Array, reach: float) -> Float32Array:
        """Planes [h, w] or [h, w, C] smoothed."""
        smoothing = reach * self.width
        share = _MOST_SMOOTHING / smoothing
        if share >= 1:
            return np.asarray(cv2.GaussianBlur(planes, (0, 0), smoothing), np.float32)
        width, height = (max(1, round(share * pixels)) for pixels in self._size)
        reduced = cv2.resize(planes, (width, height), interpolation=cv2.INTER_AREA)
        smoothed = cv2.GaussianBlur(reduced, (0, 0), _MOST_SMOOTHING)
        whole = cv2.resize(smoothed, self._size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(whole, np.float32)

    def colour_around(
        self, covered: Float32Array, levels: Float32Array, reach: float
    ) -> Float32Array | None:
        """The colour around what is covered [h, w], 0..1, for each pixel of levels: [h, w, 3].

        By normalised convolution (Knutsson and Westin, 1993). None where nothing is around.
        """
        certain = np.clip(1 - 2 * covered, 0, 1)
        weight = self.soft(certain, reach)[..., None]
        if float(weight.min()) < _LEAST_WEIGHT:
            return None
        return np.asarray(self.soft(levels * certain[..., None], reach) / weight, np.float32)
