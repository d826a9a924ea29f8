"""The rest of a picture between two coded ones: both are moved towards each other, and mixed.

How things move is their optical flow (`models.landmarks.rest_motion`). Where both show the same,
it is a mean of the two; the less they agree, the more the nearer one in time is taken alone, since
a mixture of the two would show outlines twice.

They are mixed where the nearer one has things, and the mixture is moved: reading a picture at so
many places is what takes the time, and it is done once.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from gfvc.scaling import reduced
from models.contract import Float32Array, Picture
from models.landmarks.flow import pixel_places, read_places
from models.landmarks.rest_motion import rest_motion, still

# Disagreement is looked at in pictures reduced to this width; differences of so many levels are as
# good as none. Each unit of it multiplies the odds of the nearer picture.
WORKING_SIZE = 256
NOISE_LEVELS = 6.0
SHARPENING = 6.0
# Standard deviation of the window in which it is looked at, in pixels of the reduced pictures.
WINDOW = 2.0
# A position's odds are kept within these of 0 and 1.
LEAST_POSITION = 1e-3


class Surroundings:
    """What lies between two whole pictures [H, W, 3] of one size."""

    def __init__(self, earlier: Picture, later: Picture) -> None:
        self._earlier = earlier
        self._later = later
        moving = 1 - still(earlier, later)
        self._is_still = not (moving > 0.5 / 255).any()
        if not self._is_still:
            height, width = later.shape[:2]
            motion: Float32Array = rest_motion(earlier, later) * moving[..., None]
            # In pixels. It is that of places of the later picture.
            self._motion: Float32Array = motion * np.array((width, height), np.float32)
            self._unlike = _unlike(self._earlier_as_later, later)

    @cached_property
    def _earlier_as_later(self) -> Picture:
        """The earlier picture, with all where the later one has it."""
        return self._moved(self._earlier, 1.0)

    @cached_property
    def _later_as_earlier(self) -> Picture:
        return self._moved(self._later, -1.0)

    def at(self, position: float, progress: float) -> Picture:
        """The picture at a position 0..1 in time between the two.

        `progress` is how much of the motion from one to the other is done, about 0..1.
        """
        share = float(np.clip(position, 0, 1))
        if self._is_still:
            return np.asarray(
                cv2.addWeighted(self._earlier, 1 - share, self._later, share, 0), np.uint8
            )
        if progress < 0.5:
            earlier, later, left = self._earlier, self._later_as_earlier, progress
        else:
            earlier, later, left = self._earlier_as_later, self._later, progress - 1
        weight = _weights(share, self._unlike)
        mixed = np.asarray(cv2.blendLinear(earlier, later, 1 - weight, weight), np.uint8)
        return self._moved(mixed, left)

    def _moved(self, picture: Picture, share: float) -> Picture:
        """A picture read at so much of the motion."""
        height, width = picture.shape[:2]
        places = cv2.scaleAdd(self._motion, share, pixel_places(width, height))
        return np.asarray(read_places(picture, np.asarray(places, np.float32)), np.uint8)


def _unlike(moved: Picture, later: Picture) -> Float32Array:
    """How much two pictures disagree that should show the same: 0 for not at all, [H, W]."""
    height, width = later.shape[:2]
    small = (reduced(each, WORKING_SIZE) for each in (moved, later))
    apart = cv2.absdiff(*small).max(axis=2).astype(np.float32)
    levels = cv2.GaussianBlur(apart, (0, 0), WINDOW)
    unlike = np.maximum(levels / np.float32(NOISE_LEVELS) - 1, 0)
    whole = cv2.resize(unlike, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32)


def _weights(share: float, unlike: Float32Array) -> Float32Array:
    """Weights [H, W] of the later picture at a share of time, by how much the two disagree."""
    likely = np.clip(share, LEAST_POSITION, 1 - LEAST_POSITION)
    odds = np.float32(np.log(likely / (1 - likely)))
    weights: Float32Array = 0.5 + 0.5 * np.tanh(
        (0.5 * odds) * (1 + np.float32(SHARPENING) * np.minimum(unlike, 1))
    )
    return weights
