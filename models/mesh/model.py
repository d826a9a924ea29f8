"""The `mesh` model: Face Mesh landmarks described by pose and expression, drawn by a warp.

No network is trained for it. The encoder tracks landmarks and sends 14 numbers a picture as one
compact feature (matrix type 7): 6 of head pose, 8 of expression. The decoder rebuilds the
landmarks and bends the key picture so that its landmarks come to lie there.
"""

from __future__ import annotations

from models.card import ModelCard
from models.contract import (
    Analyser,
    AnimationModel,
    FaceParameters,
    Float32Array,
    FloatArray,
    ParameterLayout,
    Picture,
    Reference,
    ReferencePair,
    check_position,
)
from models.errors import ModelError
from models.landmarks.analysis import LandmarkAnalyser
from models.landmarks.closings import with_closings
from models.landmarks.face_space import FaceSpace, check_expressions, shipped_face_space
from models.landmarks.fine_detail import (
    BentDetail,
    FineDetail,
    of_both,
    with_fine_detail,
    with_fine_detail_of_both,
)
from models.landmarks.flow import plane, warp
from models.landmarks.fusing import fuse
from models.landmarks.key_texture import changed_alike, with_key_texture
from models.landmarks.pairs import LandmarkPair
from models.landmarks.values import (
    RestFace,
    find_rest_face,
    to_values,
    value_weights,
)
from models.landmarks.warp import LandmarkWarp
from models.mesh.card import CARD
from models.runtime import Runtime


class MeshReference(Reference):
    """A key picture, its face with landmarks and rest shape, and how it is bent."""

    def __init__(self, space: FaceSpace, picture: Picture, face: RestFace) -> None:
        self._space = space
        self.picture = picture
        self.face = face
        self.warp = LandmarkWarp(picture, face.key_landmarks)
        self.fine: FineDetail | None = None

    def refine(self, picture: Picture) -> None:
        """Draw in the size of what shows the key picture in more pixels, with its fine detail."""
        self.fine = FineDetail(picture, self.picture)

    def take_texture(self, key: Reference, coded: Picture) -> Picture | None:
        """Be drawn with the key picture's texture, and shown so."""
        if not isinstance(key, MeshReference) or key.picture.shape != self.picture.shape:
            return None
        before, own = self.picture, self.face.key_landmarks
        self.picture = with_key_texture(
            before, plane(own), key.picture, plane(key.face.key_landmarks)
        )
        self.warp = LandmarkWarp(self.picture, own)
        return changed_alike(coded, before, self.picture)

    def animate(self, parameters: FaceParameters) -> Picture:
        """Warp the key picture to the landmarks that the parameters describe."""
        driven = plane(self.landmarks(parameters))
        flow = self.warp.flow(driven)
        drawn = self.warp.draw_along(flow, driven)
        drawn = with_closings(drawn, driven, [plane(self.face.key_landmarks)])
        if self.fine is None:
            return drawn
        return with_fine_detail(drawn, [BentDetail(self.fine, warp(self.picture, flow), flow)])

    def landmarks(self, parameters: FaceParameters) -> FloatArray:
        """The key picture's rest shape with pose and expression."""
        values, _ = to_values(parameters)
        return self.face.landmarks(self._space, values)


class MeshPair(LandmarkPair):
    """Two references, and the flows between them."""

    def __init__(self, space: FaceSpace, earlier: MeshReference, later: MeshReference) -> None:
        later_values = earlier.face.values(space, later.face.key_landmarks)
        faces, pictures = (earlier.face, later.face), (earlier.picture, later.picture)
        super().__init__(space, faces, pictures, later_values)
        self._earlier = earlier
        self._later = later

    def _bent(self, landmarks: Float32Array, flow: Float32Array) -> Picture:
        return self._earlier.warp.draw_along(flow, landmarks)

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """Warp both references to the same landmarks, and fuse the two."""
        check_position(position)
        values, _ = to_values(parameters)
        place = self._flow.place(values, position, closes_further=True)
        flows = place.whole_flows()
        references = self._earlier, self._later
        earlier, later = (
            reference.warp.draw_along(flow, place.landmarks)
            for reference, flow in zip(references, flows, strict=True)
        )
        keys = [plane(reference.face.key_landmarks) for reference in references]
        drawn = with_closings(fuse(earlier, later, place.lead), place.landmarks, keys)
        details = of_both(self._earlier.fine, self._later.fine)
        if details is None:
            return drawn
        return with_fine_detail_of_both(drawn, details, (earlier, later), flows, position)


class MeshModel(AnimationModel):
    """Pose and expression of 478 tracked landmarks, drawn by bending the key picture."""

    def __init__(self, space: FaceSpace) -> None:
        check_expressions(space)
        self._space = space

    @property
    def layout(self) -> ParameterLayout:
        """One compact feature of 14 values."""
        return CARD.layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start tracking a clip; faces are not aligned unless asked for."""
        return LandmarkAnalyser(self._space, align=bool(align))

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray:
        """How far landmarks move when a value is off."""
        return value_weights(self._space, key_parameters)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        """Find the landmarks of the decoded key picture, as the encoder did."""
        values = None if key_parameters is None else to_values(key_parameters)[0]
        face = find_rest_face(self._space, key_picture, values)
        return MeshReference(self._space, key_picture, face)

    @property
    def draws_from_both(self) -> bool:
        """Both references are warped, and fused."""
        return True

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        """Find what moves from one reference to the other."""
        if not isinstance(earlier, MeshReference) or not isinstance(later, MeshReference):
            raise ModelError("mesh pairs references that mesh prepared, and these are others")
        return MeshPair(self._space, earlier, later)


def load(card: ModelCard, runtime: Runtime) -> MeshModel:
    """The model with the face space that ships; no network, so `runtime` does not matter."""
    return MeshModel(shipped_face_space())
