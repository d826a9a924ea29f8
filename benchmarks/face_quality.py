"""How good a drawn face is, in one number, while encoding."""

from __future__ import annotations

from gfvc.metrics import FACE_LOST_ERROR, face_region, landmark_distance, ssim_map
from models.contract import Closable, Picture
from models.landmarks.tracking import FaceTracker


class FaceQuality(Closable):
    """Structural similarity of luma over the face, less the landmark error; at most 1.

    Similarity sees blur and holes, to which landmarks are blind; landmarks see an expression that
    is a little off, to which similarity is nearly blind.
    """

    def __init__(self) -> None:
        self._tracker = FaceTracker()

    def measure(self, source: Picture, drawn: Picture) -> float | None:
        """The quality of a drawn picture; None when the source shows no face."""
        expected = self._tracker.look(source)
        if expected is None:
            return None
        height, width = source.shape[:2]
        similarity = float(ssim_map(source, drawn)[face_region(expected, width, height)].mean())
        found = self._tracker.look(drawn)
        error = FACE_LOST_ERROR if found is None else landmark_distance(expected, found)
        return similarity - error

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()
