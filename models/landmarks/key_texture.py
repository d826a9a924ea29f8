"""Texture of a key picture in the coded pictures that are predicted after it.

Key pictures are coded finer than the pictures after them, and what these lose is fine: pores,
lashes, the line of a lip. So a key picture is bent to where a later coded picture has the same
face, by their landmarks and by what optical flow still finds between the two. Where both then agree
in all that is coarse, the finest bands of their Laplacian pyramids (Burt and Adelson, 1983) are
averaged, that of the key picture with more weight. Elsewhere, as in a mouth that opened, the coded
picture stays as it was decoded. Nothing is sent for it.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.contract import Float32Array, Picture
from models.landmarks.flow import CLOSE, backward_flow, read_at, warp, without_folds
from models.landmarks.fusing import laplacian_bands
from models.landmarks.rest_motion import rest_motion

BANDS = 2
"""So many bands, the finest, are taken."""

WEIGHT = 2.0
"""How much the key picture counts in them where it agrees, the coded picture counting 1."""

# Levels by which the two differ, smoothed, at which the key picture counts 1 / e of that; and the
# standard deviations in pixels with which they are smoothed, and with which they are compared.
APART_LEVELS = 8.0
SMOOTHING, WINDOW = 1.5, 2.0


def with_key_texture(
    picture: Picture, landmarks: Float32Array, key: Picture, key_landmarks: Float32Array
) -> Picture:
    """A coded picture [H, W, 3] with texture of a key picture of the same size.

    Landmarks are [478, 2] of each, in picture widths and heights.
    """
    bent = _bent(picture, landmarks, key, key_landmarks)
    share = WEIGHT * _agreement(picture, bent)
    share /= 1 + share
    *bands, whole = laplacian_bands(picture, BANDS)
    *key_bands, _ = laplacian_bands(bent, BANDS)
    for band, key_band in zip(reversed(bands), reversed(key_bands), strict=True):
        size = band.shape[1], band.shape[0]
        weights = cv2.resize(share, size, interpolation=cv2.INTER_AREA)
        mixed = band + weights[..., None] * (key_band - band)
        whole = np.asarray(mixed + cv2.pyrUp(whole, dstsize=size), np.float32)
    return np.asarray(np.clip(np.rint(whole), 0, 255), np.uint8)


def changed_alike(coded: Picture, before: Picture, after: Picture) -> Picture:
    """A picture [h, w, 3] changed as one of the same in another size [H, W, 3] was."""
    height, width = coded.shape[:2]
    change = cv2.subtract(after, before, dtype=cv2.CV_16S)
    if change.shape != coded.shape:
        change = cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(coded, change, dtype=cv2.CV_8U), np.uint8)


def _bent(
    picture: Picture, landmarks: Float32Array, key: Picture, key_landmarks: Float32Array
) -> Picture:
    """A key picture as it would be if it showed its face where a later picture has it."""
    height, width = picture.shape[:2]
    reach = without_folds(CLOSE, key_landmarks, landmarks)
    flow = backward_flow(key_landmarks, landmarks, (width, height), reach)
    rest = rest_motion(warp(key, flow), picture)
    return warp(key, rest + read_at(flow, rest))


def _agreement(picture: Picture, bent: Picture) -> Float32Array:
    """1 where two pictures show the same in all that is coarse, falling to 0: [H, W]."""
    smooth = (cv2.GaussianBlur(each, (0, 0), SMOOTHING) for each in (picture, bent))
    apart = cv2.absdiff(*smooth).max(axis=2).astype(np.float32)
    levels = cv2.GaussianBlur(apart, (0, 0), WINDOW)
    return np.asarray(np.exp(-((levels / np.float32(APART_LEVELS)) ** 2)), np.float32)
