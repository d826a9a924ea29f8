"""Finding a face, and its pose and expression against a key picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models.contract import Analyser, Analysis, FloatArray, Picture
from models.landmarks.alignment import Alignment
from models.landmarks.corrections import Tracked, Valued, spread, with_some_due
from models.landmarks.face_space import FaceSpace
from models.landmarks.plausibility import MeshJudge
from models.landmarks.tracking import FaceTracker, Memory, look_at_still
from models.landmarks.values import RestFace, rest_face, to_parameters
from models.parallel import map_in_order


@dataclass(frozen=True, slots=True)
class SeenKey:
    """A key picture, its face, and what aligns other pictures' faces with it, if anything."""

    picture: Picture
    face: RestFace
    alignment: Alignment | None


class TrackingAnalyser(Analyser):
    """Tracks landmarks. Those that cannot be of a face are none."""

    def __init__(self, space: FaceSpace) -> None:
        self._judge = MeshJudge(space)
        self._tracker = FaceTracker(self._judge.is_face)

    def remember(self, pictures: int) -> None:
        """Keep the landmarks of up to so many pictures."""
        self._tracker.remember(pictures)

    def expect(self, picture: Picture) -> None:
        """Look for faces in a picture that is asked about soon."""
        self._tracker.expect(picture)

    def rewind(self) -> None:
        """Follow no face any more."""
        self._tracker.rewind()

    def look_again(self, picture: Picture) -> None:
        """Follow the face of a picture looked at before."""
        self._tracker.rewind()
        self._tracker.track(picture)

    def landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] of the followed face; None without one."""
        return self._tracker.track(picture)

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face."""
        return self.landmarks(picture) is not None

    def key_landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] of a key picture, looked at as the decoder will; None without any."""
        landmarks = self._tracker.look(picture)
        if landmarks is None or not self._judge.is_face(landmarks, _aspect(picture)):
            return None
        return landmarks

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()


class LandmarkAnalyser(TrackingAnalyser):
    """Expresses tracked landmarks as pose and expression against a key picture.

    With `align`, these are corrected by what the bent key picture shows. Landmarks that cannot be
    those of a face are none, corrected ones neither.
    """

    def __init__(self, space: FaceSpace, *, align: bool) -> None:
        super().__init__(space)
        self._space = space
        self._align = align
        self._aligned: Memory[FloatArray] | None = None

    def remember(self, pictures: int) -> None:
        """Keep the landmarks of up to so many pictures, and as many aligned faces."""
        super().remember(pictures)
        if self._align:
            self._aligned = Memory(pictures)

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Pose of a key picture against the average face; its expression is zero by definition."""
        landmarks = self.key_landmarks(picture)
        if landmarks is None:
            return None
        face, values = rest_face(self._space, landmarks)
        alignment = None
        if self._align:
            alignment = Alignment(self._space, picture, face, look_at_still)
        return Analysis(to_parameters(values), SeenKey(picture, face, alignment), landmarks)

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Pose and expression of a driven picture against the key picture's rest shape."""
        return self._analysis(picture, self.landmarks(picture), key.detail)

    def analyse_many(self, pictures: Iterable[Picture], key: Analysis) -> Iterator[Analysis | None]:
        """Analyse driven pictures: tracked one after the other, the rest at the same time.

        Some are aligned; the others are corrected as those around them are.
        """
        tracked = ((picture, self.landmarks(picture)) for picture in pictures)
        seen: SeenKey = key.detail
        if seen.alignment is None:
            return map_in_order(lambda each: self._analysis(*each, seen), tracked)
        valued = map_in_order(lambda each: self._valued(each, seen), with_some_due(tracked))
        return map_in_order(lambda each: self._described(each, seen), spread(valued))

    def _analysis(
        self, picture: Picture, landmarks: FloatArray | None, key: SeenKey
    ) -> Analysis | None:
        """Analyse a picture with landmarks [478, 3]; several threads may do so."""
        valued = self._valued(Tracked(picture, landmarks, due=True), key)
        return self._described(valued, key)

    def _valued(self, tracked: Tracked, key: SeenKey) -> Valued:
        """Pose and expression values [14] of a picture, with their correction if it is due."""
        picture, landmarks = tracked.picture, tracked.landmarks
        if landmarks is None:
            return Valued(picture, None)
        values = key.face.values(self._space, landmarks)
        if key.alignment is None or not tracked.due:
            return Valued(picture, values)
        aligned = self._aligned_values(picture, landmarks, key, key.alignment)
        return Valued(picture, values, aligned - values)

    def _described(self, valued: Valued, key: SeenKey) -> Analysis | None:
        """What a stream carries of a picture; None without a face."""
        values = valued.values
        if values is None:
            return None
        if valued.correction is not None:
            corrected = values + valued.correction
            drawn = key.face.landmarks(self._space, corrected)
            if self._judge.is_face(drawn, _aspect(valued.picture)):
                values = corrected
        return self.describe(valued.picture, values, key)

    def describe(self, picture: Picture, values: FloatArray, key: SeenKey) -> Analysis:
        """What a stream carries of a picture with pose and expression values [14]."""
        return Analysis(to_parameters(values))

    def _aligned_values(
        self, picture: Picture, landmarks: FloatArray, key: SeenKey, alignment: Alignment
    ) -> FloatArray:
        if self._aligned is None:
            return alignment.align(picture, landmarks)
        # The key picture's face is found in it: with the picture, it is the same again.
        return self._aligned.find(
            lambda: alignment.align(picture, landmarks), key.picture, picture, landmarks
        )


def _aspect(picture: Picture) -> float:
    """Height over width."""
    return picture.shape[0] / picture.shape[1]
