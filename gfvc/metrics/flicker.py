"""Temporal flicker: how much decoded pictures change where the source only moves.

After the warping error of Lai et al., "Learning Blind Video Temporal Consistency", 2018: the
previous decoded picture is carried along by the motion of the *source* and compared with the
present one. Pixels count by how well the source itself is carried along, the paper's
exp(-50 d²) with d the source's difference in units of full range, so that uncovered pixels and
changes of light do not count. Motion is dense inverse search (Kroeger et al., "Fast Optical
Flow using Dense Inverse Search", 2016) on 8-bit luma, OpenCV's preset "medium". The difference
here is absolute, so that it reads in levels of luma.

That counts what the source has of it too, such as noise. So there is the change over the source's
own as well: the decoded change less that of the source, as in Yang et al., US 8755613, 2014. It is
the change of the coding error. Parts where the source stands still, in which an eye sees it most,
are told from those where it moves; there it is taken along the motion, so that an error that goes
with the face, as blur does, is none. A Gaussian takes out what is too fine to be seen flickering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray, Picture
from models.metrics.similarity import luma

_CONFIDENCE = 50.0
_BLUR = 1 / 128
"""Standard deviation of the Gaussian in picture heights."""
_STILL = 2.0
"""Most that the smoothed source may change, in levels of luma, to stand still."""
_LEAST_PART = 0.01
"""Share of the picture from which on a part is large enough to be measured."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """Flicker of a picture against the one before, in levels of luma.

    `change` is the decoded pictures' own. `still` and `moving` are over the source's, where it
    stands still and where it moves; None of a part that is hardly there.
    """

    change: float
    still: float | None
    moving: float | None


class FlickerMeasure:
    """Takes the pairs of pictures of a clip in order."""

    def __init__(self) -> None:
        library: Any = cv2  # whose type stubs lack the class
        self._flow = library.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._previous: tuple[FloatArray, FloatArray] | None = None

    def add(self, source: Picture, decoded: Picture) -> Flicker | None:
        """Flicker of a picture uint8 RGB [height, width, 3]; None for the first."""
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
        of_source, of_decoded = (
            now - cv2.remap(before, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for now, before in zip(present, previous, strict=True)
        )
        weight = np.exp(-_CONFIDENCE * (of_source / 255) ** 2)
        in_place = [now - before for now, before in zip(present, previous, strict=True)]
        is_still = _smooth(np.abs(in_place[0])) <= _STILL
        still = np.abs(_smooth(in_place[1] - in_place[0]))
        moving = np.abs(_smooth(of_decoded - of_source))
        return Flicker(
            change=float((weight * np.abs(of_decoded)).sum() / weight.sum()),
            still=_mean_over(is_still, still, np.ones_like(weight)),
            moving=_mean_over(~is_still, moving, weight),
        )


def _bytes(plane: FloatArray) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(plane), np.uint8)


def _smooth(plane: FloatArray) -> FloatArray:
    deviation = _BLUR * plane.shape[0]
    return np.asarray(
        cv2.GaussianBlur(plane, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE), np.float64
    )


def _mean_over(part: npt.NDArray[np.bool_], change: FloatArray, weight: FloatArray) -> float | None:
    if part.mean() < _LEAST_PART:
        return None
    return float((weight * change)[part].sum() / weight[part].sum())
