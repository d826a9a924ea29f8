"""What both references show alike is taken from them, bent: it is nearer to the truth than paint.

The network paints all of a picture, also where nothing had to be painted. Where the two references,
each bent along its own flow, show the same, and what was painted is much like it, the two are
mixed. Where they differ, as at outlines, or where it was painted otherwise on purpose, as in a
mouth that opens further than in both, the painted picture stays.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.contract import Float32Array, Picture

# How much of the bent pictures is taken at most, and the levels by which these differ from each
# other, and from what was painted, at which it is 1 / e of that. Chosen on whole pictures of three
# validation clips.
MOST_BENT = 0.6
APART_LEVELS, PAINTED_LEVELS = 16.0, 20.0
# Standard deviation of the window in which pictures are compared, in pixels.
WINDOW = 2.0
# The finest detail stays as painted, which is sharper: standard deviation of the window in which
# changes are averaged, in pixels.
FINEST = 0.8


def with_bent(painted: Picture, bent: tuple[Picture, Picture], lead: Float32Array) -> Picture:
    """A painted picture [H, W, 3], mixed with the references that were bent to it.

    `lead` [h, w] is of the second one, see `models.landmarks.fusing.reference_lead`.
    """
    height, width = painted.shape[:2]
    shares = np.asarray(0.5 + 0.5 * np.tanh(0.5 * lead), np.float32)
    later = cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR)
    first, second = bent
    both = np.asarray(cv2.blendLinear(first, second, 1 - later, later), np.uint8)
    doubt = (_levels(first, second) / np.float32(APART_LEVELS)) ** 2
    doubt += (_levels(painted, both) / np.float32(PAINTED_LEVELS)) ** 2
    share = np.float32(MOST_BENT) * np.exp(-doubt)
    change = cv2.GaussianBlur(cv2.subtract(both, painted, dtype=cv2.CV_32F), (0, 0), FINEST)
    mixed = painted + share[..., None] * change
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def _levels(one: Picture, other: Picture) -> Float32Array:
    """By how many levels pictures differ around each pixel: [H, W]."""
    apart = cv2.absdiff(one, other).max(axis=2).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(apart, (0, 0), WINDOW), np.float32)
