"""One picture out of two that show the same: drawn from the references before and after it.

How much likelier the later one is right (its lead) is told by time, by how much each reference is
stretched there or read from beyond its border, and at eyes and mouth by how far each was opened.
The two are then fused band by band, as in Burt and Adelson, "A multiresolution spline with
application to image mosaics", 1983. Where they agree they are averaged, which is nearest to the
truth on the mean; the less they agree, the more the likelier one is taken alone, since a mixture of
the two would show outlines twice. All weights are smooth in what they are made of, and so in time.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from models.contract import Float32Array, Picture
from models.landmarks import points as groups
from models.landmarks.rims import LEFT_LIDS, MOUTH, RIGHT_LIDS, Rims

# A position's odds are kept within these of 0 and 1.
LEAST_POSITION = 1e-6
# Beside time, evidence counts no more than this, so that pictures near a reference are as it is.
MOST_EVIDENCE = 5.0
# Evidence of a place that one reference shows half as large as the other, over log 2.
STRETCH_EVIDENCE = 2.0
# Places that are stretched more than this are all equally bad.
MOST_STRETCH = 10.0
# Standard deviation of the window in which stretch is averaged, in pixels.
STRETCH_WINDOW = 2.0
# Evidence for each pixel that one reference is read further beyond its border, up to so many.
OUTSIDE_EVIDENCE = 0.5
MOST_OUTSIDE = 16.0
# Evidence for each unit of opening, in widths of the eye or mouth, that one is further away.
OPENING_EVIDENCE = 20.0
# An opening's surroundings that change with it, over its contour; and their soft edge, in widths.
LIPS_SURROUNDINGS = 1.3
LIDS_SURROUNDINGS = 1.6
SOFT_EDGE = 0.1

LEVELS = 4
# Standard deviation of the window in which a band's disagreement is looked at, in its samples.
DISAGREEMENT_WINDOW = 1.5
# Squared levels that are as good as nothing in a band.
BAND_NOISE = 4.0
# How much the lead is multiplied by for each unit of disagreement: 0 for equal bands, 1 for
# unlike ones, 2 for opposite ones.
SHARPENING = 3.0

# Rims, contour and surroundings.
_OPENINGS: tuple[tuple[Rims, tuple[int, ...], float], ...] = (
    (MOUTH, groups.LIPS_OUTER, LIPS_SURROUNDINGS),
    (RIGHT_LIDS, groups.RIGHT_EYE, LIDS_SURROUNDINGS),
    (LEFT_LIDS, groups.LEFT_EYE, LIDS_SURROUNDINGS),
)


def reference_lead(
    landmarks: Float32Array,
    keys: tuple[Float32Array, Float32Array],
    flows: tuple[Float32Array, Float32Array],
    position: float,
    step: int = 1,
) -> Float32Array:
    """How much likelier the later reference is right: log of the odds, float32 [h, w].

    Args:
        landmarks: [478, 2] of the picture to draw, in picture widths and heights.
        keys: landmarks [478, 2] of the earlier and the later reference.
        flows: displacements [H, W, 2] of each pixel to where the earlier and the later reference
            are read, in picture widths and heights.
        position: 0..1, where the picture lies in time between the two.
        step: how many pixels a sample of the lead is wide and high: h is H / step, w is W / step.
    """
    if step > 1:
        height, width = flows[0].shape[:2]
        size = width // step, height // step
        flows = _reduced(flows[0], size), _reduced(flows[1], size)
    first, second = (_stretch(flow) for flow in flows)
    evidence = STRETCH_EVIDENCE * cv2.GaussianBlur(
        cv2.log(second) - cv2.log(first), (0, 0), STRETCH_WINDOW / step
    )
    evidence += OUTSIDE_EVIDENCE * (_outside(flows[0], step) - _outside(flows[1], step))
    height, width = evidence.shape
    for rims, contour, enlargement in _OPENINGS:
        here, early, late = (rims.opening(points) for points in (landmarks, *keys))
        likelier = OPENING_EVIDENCE * (abs(early - here) - abs(late - here))
        if likelier:
            evidence += np.float32(likelier) * _surroundings(
                landmarks[list(contour)], enlargement, width, height, step
            )
    np.clip(evidence, -MOST_EVIDENCE, MOST_EVIDENCE, out=evidence)
    likely = np.clip(position, LEAST_POSITION, 1 - LEAST_POSITION)
    lead: Float32Array = evidence + np.float32(np.log(likely / (1 - likely)))
    return lead


def _reduced(flow: Float32Array, size: tuple[int, int]) -> Float32Array:
    return np.asarray(cv2.resize(flow, size, interpolation=cv2.INTER_AREA), np.float32)


def _stretch(flow: Float32Array) -> Float32Array:
    """Smaller singular value of the Jacobian of where samples are read, no less than 0.1: [H, W].

    1 where the reference is shown as it is, below where it is stretched, 1 at most.
    """
    height, width = flow.shape[:2]
    derivatives = [
        np.asarray(cv2.Sobel(flow, cv2.CV_32F, dx, dy, ksize=1, scale=0.5), np.float32)
        for dx, dy in ((1, 0), (0, 1))
    ]
    (a, c), (b, d) = (cv2.split(derivative) for derivative in derivatives)
    a, d = 1 + a * width, 1 + d * height
    b, c = b * np.float32(width), c * np.float32(height)
    # Singular values are half the sum and half the difference of these two.
    whole, part = np.hypot(a + d, c - b), np.hypot(a - d, b + c)
    smaller = np.abs(whole - part) / 2
    # A fold shows the reference from behind.
    smaller[a * d < b * c] = 0
    result: Float32Array = np.clip(smaller, 1 / MOST_STRETCH, 1).astype(np.float32)
    return result


def _outside(flow: Float32Array, step: int) -> Float32Array:
    """How many pixels beyond the reference's border each sample is read, 16 at most: [H, W]."""
    height, width = (side * step for side in flow.shape[:2])
    # Middles of samples, among centres of pixels.
    columns, rows = (np.arange((step - 1) / 2, side, step, np.float32) for side in (width, height))
    x = flow[..., 0] * width + columns
    y = flow[..., 1] * height + rows[:, None]
    beyond = np.maximum(np.maximum(-x, x - (width - 1)), np.maximum(-y, y - (height - 1)))
    result: Float32Array = np.clip(beyond, 0, MOST_OUTSIDE)
    return result


def _surroundings(
    contour: Float32Array, enlargement: float, width: int, height: int, step: int
) -> Float32Array:
    """1 in an eye or mouth and around it, of a contour [N, 2], falling softly to 0: [H, W]."""
    points = contour * np.array((width, height), np.float32)
    middle = points.mean(axis=0)
    # Far outside, whatever a damaged stream says, and within what OpenCV's polygons can be.
    points = np.clip(middle + enlargement * (points - middle), -4 * width, 5 * width)
    shift = 4  # subpixel corners: the edge must not jump by whole pixels between pictures
    mask = np.zeros((height, width), np.uint8)
    corners = np.round((points - 0.5) * 2**shift).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(corners), (255,), cv2.LINE_AA, shift)
    edge = float(np.clip(SOFT_EDGE * np.ptp(points[:, 0]), 1 / step, 0.1 * width))
    soft = cv2.GaussianBlur(mask, (0, 0), edge)
    return np.asarray(soft, np.float32) / np.float32(255)


def fuse(earlier: Picture, later: Picture, lead: Float32Array) -> Picture:
    """One picture [H, W, 3] of two that show the same, by the lead [H, W] of the later one."""
    first, second = laplacian_bands(earlier), laplacian_bands(later)
    whole: Float32Array | None = None
    for level in range(len(first) - 1, -1, -1):
        one, other = first[level], second[level]
        height, width = one.shape[:2]
        leads = cv2.resize(lead, (width, height), interpolation=cv2.INTER_AREA)
        difference = other - one
        if whole is not None:
            disagreement = _energy(difference) / (_energy(one) + _energy(other) + BAND_NOISE)
            leads = leads * (1 + SHARPENING * disagreement)
        # The logistic function, which cannot overflow so.
        weight = 0.5 + 0.5 * np.tanh(0.5 * leads)
        band: Float32Array = one + weight[..., None] * difference
        if whole is not None:
            band += cv2.pyrUp(whole, dstsize=(width, height))
        whole = band
    assert whole is not None
    return np.asarray(np.clip(np.rint(whole), 0, 255), np.uint8)


def laplacian_bands(picture: Picture, levels: int = LEVELS) -> list[Float32Array]:
    """Laplacian pyramid, the finest band first, then what is coarser: float32 [h, w, 3] each.

    Small pictures have fewer levels.
    """
    smoothed = [picture.astype(np.float32)]
    while len(smoothed) <= levels and min(smoothed[-1].shape[:2]) > 2:
        smoothed.append(np.asarray(cv2.pyrDown(smoothed[-1]), np.float32))
    bands = [
        fine - cv2.pyrUp(coarse, dstsize=(fine.shape[1], fine.shape[0]))
        for fine, coarse in pairwise(smoothed)
    ]
    return [*bands, smoothed[-1]]


def _energy(band: Float32Array) -> Float32Array:
    """Squared values of a band [h, w, 3], averaged over colours and a small window: [h, w]."""
    squares = cv2.transform(band * band, np.full((1, 3), 1 / 3, np.float32))
    return np.asarray(cv2.GaussianBlur(squares, (0, 0), DISAGREEMENT_WINDOW), np.float32)
