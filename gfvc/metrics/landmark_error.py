"""Landmark error: how far the face's points are from where they are in the source."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.contract import FloatArray, Picture
from models.landmarks.tracking import FaceTracker
from models.metrics.face import FACE_LOST_ERROR, landmark_distance


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
