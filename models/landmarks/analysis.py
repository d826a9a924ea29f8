"""Finding a face, and its pose and expression against a key picture."""

from __future__ import annotations

from dataclasses import dataclass

from models.contract import Analyser, Analysis, FloatArray, Picture
from models.landmarks.alignment import Alignment
from models.landmarks.face_space import FaceSpace
from models.landmarks.plausibility import MeshJudge
from models.landmarks.tracking import FaceTracker, Memory
from models.landmarks.values import RestFace, rest_face, to_parameters


@dataclass(frozen=True, slots=True)
class SeenKey:
    """A key picture, its face, and what aligns other pictures' faces with it, if anything."""

    picture: Picture
    face: RestFace
    alignment: Alignment | None


class LandmarkAnalyser(Analyser):
    """Tracks landmarks, and expresses them as pose and expression against a key picture.

    With `align`, these are corrected by what the bent key picture shows. Landmarks that cannot be
    those of a face are none, whether they were tracked or corrected.
    """

    def __init__(self, space: FaceSpace, *, align: bool) -> None:
        self._space = space
        self._align = align
        self._judge = MeshJudge(space)
        self._tracker = FaceTracker(self._judge.is_face)
        # One of its own: what it sees is no picture of the clip, and not to be remembered.
        self._alignment_tracker = FaceTracker()
        self._aligned: Memory[FloatArray] | None = None

    def remember(self, pictures: int) -> None:
        """Keep the landmarks of up to so many pictures, and as many aligned faces."""
        self._tracker.remember(pictures)
        if self._align:
            self._aligned = Memory(pictures)

    def rewind(self) -> None:
        """Follow no face any more."""
        self._tracker.rewind()

    def landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] of the followed face; None without one."""
        return self._tracker.track(picture)

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face."""
        return self.landmarks(picture) is not None

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Pose of a key picture against the average face; its expression is zero by definition."""
        # As the decoder will look at it.
        landmarks = self._tracker.look(picture)
        if landmarks is None or not self._judge.is_face(landmarks, _aspect(picture)):
            return None
        face, values = rest_face(self._space, landmarks)
        alignment = None
        if self._align:
            alignment = Alignment(self._space, picture, face, self._alignment_tracker.look)
        return Analysis(to_parameters(values), SeenKey(picture, face, alignment), landmarks)

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Pose and expression of a driven picture against the key picture's rest shape."""
        values = self.values(picture, key.detail)
        return None if values is None else Analysis(to_parameters(values))

    def values(self, picture: Picture, key: SeenKey) -> FloatArray | None:
        """Pose and expression values [14], not quantised; None without a face."""
        landmarks = self.landmarks(picture)
        if landmarks is None:
            return None
        if key.alignment is not None:
            aligned = self._aligned_values(picture, landmarks, key, key.alignment)
            drawn = key.face.landmarks(self._space, aligned)
            if self._judge.is_face(drawn, _aspect(picture)):
                return aligned
        return key.face.values(self._space, landmarks)

    def _aligned_values(
        self, picture: Picture, landmarks: FloatArray, key: SeenKey, alignment: Alignment
    ) -> FloatArray:
        if self._aligned is None:
            return alignment.align(picture, landmarks)
        # The key picture's face is found in it: with the picture, it is the same again.
        return self._aligned.find(
            lambda: alignment.align(picture, landmarks), key.picture, picture, landmarks
        )

    def close(self) -> None:
        """Free the trackers."""
        self._tracker.close()
        self._alignment_tracker.close()


def _aspect(picture: Picture) -> float:
    """Height over width."""
    return picture.shape[0] / picture.shape[1]
