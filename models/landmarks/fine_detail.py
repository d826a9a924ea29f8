"""Pictures larger than a model draws: what it drew, enlarged, with fine detail of the references.

Models see and draw faces in 256x256 pixels. Where a face is larger in the picture, references show
more than that. What of a reference is lost when it is reduced so, and enlarged again, is its fine
detail: the finest bands of a Laplacian pyramid (Burt and Adelson, "The Laplacian pyramid as a
compact image code", 1983). It is bent as the reference is, and added where what was drawn agrees
with the bent reference. Where it does not, as in a mouth that opened, nothing finer is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from models.contract import Float32Array, Picture
from models.landmarks.flow import pixel_places, read_places

MOST_SIDE = 1024
"""Fine detail is kept of no more pixels a side, whatever a stream asks for."""

# Levels by which a drawn picture differs from the bent reference at which 1 / e of the reference's
# detail is added, and the standard deviation in pixels of the window in which they are compared.
APART_LEVELS = 24.0
WINDOW = 2.0
# Between two references the share of the later one rises over this part of the time, around the
# middle: a mean of two details that do not quite meet is less than each.
CHANGE = 0.4


class FineDetail:
    """What a reference shows of luma beyond the pixels that models see.

    `fine` [h, w, 3] shows the same as `picture` [H, W, 3], in more pixels; it is reduced to
    `MOST_SIDE` where it is larger.
    """

    def __init__(self, fine: Picture, picture: Picture) -> None:
        height, width = fine.shape[:2]
        share = min(1.0, MOST_SIDE / max(width, height))
        self.size = round(width * share), round(height * share)
        if share < 1:
            fine = np.asarray(cv2.resize(fine, self.size, interpolation=cv2.INTER_AREA), np.uint8)
        seen = enlarged(picture, self.size)
        all_luma, seen_luma = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (fine, seen))
        lost = cv2.subtract(all_luma, seen_luma, dtype=cv2.CV_32F)
        self._detail = np.asarray(lost, np.float32)

    def bent(self, flow: Float32Array) -> Float32Array:
        """It, read at displacements [H, W, 2] in picture widths and heights: [h, w]."""
        width, height = self.size
        moves = cv2.resize(flow * np.array(self.size, np.float32), self.size)
        places = np.asarray(cv2.add(moves, pixel_places(width, height)), np.float32)
        return np.asarray(read_places(self._detail, places), np.float32)


class BentDetail(NamedTuple):
    """A reference's detail, and how it is bent.

    Attributes:
        detail: of the reference.
        bent: the reference [H, W, 3], read along the flow.
        flow: displacements [H, W, 2] of each pixel to where it is read.
        share: how much of its detail counts, 0..1.
    """

    detail: FineDetail
    bent: Picture
    flow: Float32Array
    share: float = 1.0


def with_fine_detail(drawn: Picture, references: Sequence[BentDetail]) -> Picture:
    """A drawn picture [H, W, 3] in the size [h, w, 3] of the references' detail, and with it."""
    size = references[0].detail.size
    whole = np.zeros(size[::-1], np.float32)
    for reference in references:
        if reference.share == 0.0:
            continue
        agrees = np.float32(reference.share) * _agreement(drawn, reference.bent)
        shares = cv2.resize(agrees, size, interpolation=cv2.INTER_LINEAR)
        whole += shares * reference.detail.bent(reference.flow)
    detail = cv2.merge([whole] * 3)
    return np.asarray(cv2.add(enlarged(drawn, size), detail, dtype=cv2.CV_8U), np.uint8)


def of_both(
    earlier: FineDetail | None, later: FineDetail | None
) -> tuple[FineDetail, FineDetail] | None:
    """The detail of two references, if both have it in one size; a stream may say otherwise."""
    if earlier is None or later is None or earlier.size != later.size:
        return None
    return earlier, later


def with_fine_detail_of_both(
    drawn: Picture,
    details: tuple[FineDetail, FineDetail],
    bent: tuple[Picture, Picture],
    flows: tuple[Float32Array, Float32Array],
    position: float,
) -> Picture:
    """The same of what was drawn at a position 0..1 between two references, each bent."""
    rise = min(max((position - 0.5) / CHANGE + 0.5, 0.0), 1.0)
    later = rise * rise * (3 - 2 * rise)
    parts = zip(details, bent, flows, (1 - later, later), strict=True)
    return with_fine_detail(drawn, [BentDetail(*part) for part in parts])


def enlarged(picture: Picture, size: tuple[int, int]) -> Picture:
    """A picture [H, W, 3] in a larger width and height."""
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _agreement(drawn: Picture, bent: Picture) -> Float32Array:
    """1 where two pictures [H, W, 3] show the same, falling to 0: [H, W]."""
    apart = cv2.absdiff(drawn, bent).max(axis=2).astype(np.float32)
    levels = cv2.GaussianBlur(apart, (0, 0), WINDOW)
    return np.asarray(np.exp(-((levels / np.float32(APART_LEVELS)) ** 2)), np.float32)
