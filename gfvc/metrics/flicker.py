"""Temporal flicker: how much decoded pictures change where the source only moves.

After the warping error of Lai et al., "Learning Blind Video Temporal Consistency", 2018: the
previous decoded picture is carried along by the motion of the *source* and compared with the
present one. Pixels count by how well the source itself is carried along, the paper's
exp(-50 d²) with d the source's difference in units of full range, so that uncovered pixels and
changes of light do not count. Motion is dense inverse search (Kroeger et al., "Fast Optical
Flow using Dense Inverse Search", 2016) on 8-bit luma, OpenCV's preset "medium". The difference
here is absolute, so that it reads in levels of luma.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray, Picture
from models.metrics.similarity import luma

_CONFIDENCE = 50.0


class FlickerMeasure:
    """Takes the pairs of pictures of a clip in order."""

    def __init__(self) -> None:
        library: Any = cv2  # whose type stubs lack the class
        self._flow = library.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._previous: tuple[FloatArray, FloatArray] | None = None

    def add(self, source: Picture, decoded: Picture) -> float | None:
        """Flicker of a picture against the one before, levels of luma; None for the first."""
        present = luma(source), luma(decoded)
        previous, self._previous = self._previous, present
        if previous is None:
            return None
        flow = self._flow.calc(_bytes(present[0]), _bytes(previous[0]), None)
        height, width = flow.shape[:2]
        columns, rows = np.meshgrid(
            np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        )
        place = columns + flow[..., 0], rows + flow[..., 1]
        moved = [
            cv2.remap(plane, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for plane in previous
        ]
        weight = np.exp(-_CONFIDENCE * ((present[0] - moved[0]) / 255) ** 2)
        change = np.abs(present[1] - moved[1])
        return float((weight * change).sum() / weight.sum())


def _bytes(plane: FloatArray) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(plane), np.uint8)
