"""Quality measures, each defined once; used by the demo and the benchmarks.

Pictures are uint8 RGB [height, width, 3]. Luma is that of BT.709, full range.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.contract import FloatArray
from models.face_tracking import FaceTracker
from models.landmarks import (
    FACE_POINTS,
    LEFT_EYE_OUTER_CORNER,
    LIPS_OUTER,
    RIGHT_EYE_OUTER_CORNER,
)

Picture = npt.NDArray[np.uint8]

# What a decoded picture counts in which no face is found any more.
FACE_LOST_ERROR = 1.0
_MOUTH_ENLARGEMENT = 1.5


def luma(picture: Picture) -> FloatArray:
    """Luma float64 [height, width], 0..255."""
    weighted: FloatArray = picture @ np.array([0.2126, 0.7152, 0.0722])
    return weighted


def psnr(source: Picture, decoded: Picture) -> float:
    """Peak signal-to-noise ratio over RGB in dB; infinite for equal pictures."""
    from skimage.metrics import peak_signal_noise_ratio

    if np.array_equal(source, decoded):
        return float("inf")
    return float(peak_signal_noise_ratio(source, decoded, data_range=255))


def ssim_map(source: Picture, decoded: Picture) -> FloatArray:
    """Structural similarity of luma at each pixel, [height, width], at most 1.

    Wang et al., "Image quality assessment: from error visibility to structural similarity",
    2004, with its Gaussian window (sigma 1.5).
    """
    from skimage.metrics import structural_similarity

    _, similarity = structural_similarity(
        luma(source),
        luma(decoded),
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return np.asarray(similarity, np.float64)


def ssim(source: Picture, decoded: Picture) -> float:
    """Mean structural similarity of luma over the picture."""
    return float(ssim_map(source, decoded).mean())


def landmark_distance(source: FloatArray, decoded: FloatArray) -> float:
    """Mean 2D distance of the 468 face points over the distance of the outer eye corners.

    Landmarks are [478, 2 or 3] of two square pictures of one size.
    """
    distances = np.linalg.norm((source - decoded)[:FACE_POINTS, :2], axis=1)
    eyes = source[RIGHT_EYE_OUTER_CORNER, :2] - source[LEFT_EYE_OUTER_CORNER, :2]
    return float(distances.mean() / np.linalg.norm(eyes))


def mouth_region(landmarks: FloatArray, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the lips' bounding box, enlarged 1.5 times."""
    lips = landmarks[list(LIPS_OUTER), :2] * (width, height)
    centre = (lips.min(axis=0) + lips.max(axis=0)) / 2
    half = (lips.max(axis=0) - lips.min(axis=0)) / 2 * _MOUTH_ENLARGEMENT
    left, top = np.clip(np.floor(centre - half), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(centre + half), (left + 1, top + 1), (width, height)).astype(
        int
    )
    return slice(top, bottom), slice(left, right)


@dataclass(slots=True)
class LandmarkError:
    """Landmark error of a clip, picture by picture.

    Each picture is looked at on its own by MediaPipe Face Mesh with refined landmarks. A decoded
    picture without a face counts 1.0; a source picture without one is skipped.
    """

    errors: list[float] = field(default_factory=list)
    lost: int = 0
    skipped: int = 0
    _tracker: FaceTracker = field(default_factory=FaceTracker, repr=False)

    def add(self, source: Picture, decoded: Picture) -> FloatArray | None:
        """Count a pair of pictures; return the source's landmarks [478, 3], None without face."""
        expected = self._tracker.look(source)
        if expected is None:
            self.skipped += 1
            return None
        found = self._tracker.look(decoded)
        if found is None:
            self.lost += 1
            self.errors.append(FACE_LOST_ERROR)
        else:
            self.errors.append(landmark_distance(expected, found))
        return expected

    @property
    def mean(self) -> float:
        """Mean over the pictures that count; NaN when there is none."""
        return float(np.mean(self.errors)) if self.errors else float("nan")

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()
