"""Face landmarks by a second, independent tracker: face-alignment (68 points).

Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", 2017.
The package is the extra `face-alignment`; its weights are fetched by it on first use. The codec
does not need it: it is there to measure with other eyes than those that the codec was made with.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from models.contract import FloatArray, Picture
from models.errors import FaceTrackerError

POINTS = 68
RIGHT_EYE_OUTER_CORNER = 36
LEFT_EYE_OUTER_CORNER = 45


class FaceAlignmentTracker:
    """Landmarks of the largest face of a still, float64 [68, 2] in pixels.

    Raises `FaceTrackerError` when the package or its weights are not there.
    """

    def __init__(self, device: str = "cpu") -> None:
        try:
            package = importlib.import_module("face_alignment")
        except ImportError as error:
            raise FaceTrackerError(
                f"face-alignment is not installed ({error}); pip install 'gfvc[face-alignment]'"
            ) from None
        try:
            self._network: Any = package.FaceAlignment(
                package.LandmarksType.TWO_D, device=device, flip_input=False
            )
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise FaceTrackerError(
                f"face-alignment cannot load its weights ({reason}); it fetches them on first "
                "use, so run it once with a network"
            ) from None

    def look(self, picture: Picture) -> FloatArray | None:
        """Landmarks of the largest face, or None when there is none."""
        faces = self._network.get_landmarks_from_image(picture)
        if not faces:
            return None
        sizes = [float(np.ptp(face[:, 0]) * np.ptp(face[:, 1])) for face in faces]
        landmarks = np.asarray(faces[int(np.argmax(sizes))], np.float64)
        if landmarks.shape != (POINTS, 2):
            raise FaceTrackerError(f"face-alignment returned landmarks of shape {landmarks.shape}")
        return landmarks
