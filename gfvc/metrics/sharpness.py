"""How much fine detail a region shows: the variance of its Laplacian."""

from __future__ import annotations

import cv2
import numpy as np

from gfvc.metrics.regions import Region
from gfvc.metrics.similarity import Picture, luma

_KERNEL = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


def laplacian_variance(picture: Picture, region: Region) -> float:
    """Variance of the Laplacian (four neighbours) of luma, 0..255, over a region.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study",
    2000. Pixels at the picture's edge are taken to repeat outside.
    """
    edges = cv2.filter2D(luma(picture), cv2.CV_64F, _KERNEL, borderType=cv2.BORDER_REPLICATE)
    return float(edges[region].var())
