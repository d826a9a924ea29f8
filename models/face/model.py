"""The `face` model: the parameters of `mesh`, drawn by a small network.

What is sent is what `mesh` sends; the decoder rebuilds the landmarks and their flow in the same
way, and the network refines the flow and paints what the key picture does not show.
"""

from __future__ import annotations

from models.contract import (
    Analyser,
    AnimationModel,
    FaceParameters,
    FloatArray,
    ParameterLayout,
    Picture,
    Reference,
)
from models.errors import ModelError
from models.face.rendering import Renderer
from models.mesh.analysis import MeshAnalyser, RestFace, find_rest_face
from models.mesh.card import CARD as MESH_CARD
from models.mesh.displacement import value_weights
from models.mesh.face_space import FaceSpace
from models.mesh.flow import BackwardFlow
from models.mesh.model import check_expressions
from models.mesh.parameters import to_values

PICTURE_MULTIPLE = 32


def check_size(picture: Picture) -> None:
    """Raise `ModelError` for a picture whose size the network cannot have."""
    height, width = picture.shape[:2]
    if height != width or width % PICTURE_MULTIPLE:
        raise ModelError(
            f"face draws square pictures whose side is a multiple of {PICTURE_MULTIPLE}, not "
            f"{width}x{height}; encode with --size {max(64, width // 32 * 32)}, or with --model "
            "mesh"
        )


class FaceAnalyser(MeshAnalyser):
    """Pose and expression as of `mesh`, of pictures that the network can draw."""

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face; raise `ModelError` for a size that cannot be."""
        check_size(picture)
        return super().finds_face(picture)


class FaceReference(Reference):
    """A key picture with its rest shape and encoded features."""

    def __init__(
        self, space: FaceSpace, renderer: Renderer, picture: Picture, face: RestFace
    ) -> None:
        self._space = space
        self._face = face
        self._size = picture.shape[0]
        self._key = face.key_landmarks[:, :2].astype("float32")
        self._draw = renderer.prepare(picture, self._key)

    def animate(self, parameters: FaceParameters) -> Picture:
        """Draw the face with the landmarks that the parameters describe."""
        values, _ = to_values(parameters)
        driven = self._face.landmarks(self._space, values)[:, :2].astype("float32")
        flow = BackwardFlow(self._key, driven).dense(self._size, self._size)
        return self._draw(driven, flow.transpose(2, 0, 1))


class FaceModel(AnimationModel):
    """Pose and expression of tracked landmarks, drawn by a network."""

    def __init__(self, space: FaceSpace, renderer: Renderer) -> None:
        check_expressions(space)
        self._space = space
        self._renderer = renderer

    @property
    def layout(self) -> ParameterLayout:
        """One compact feature of 14 values, as of `mesh`."""
        return MESH_CARD.layout

    def open_analyser(self) -> Analyser:
        """Start tracking a clip."""
        return FaceAnalyser(self._space)

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray:
        """How far landmarks move when a value is off, as of `mesh`."""
        return value_weights(self._space, key_parameters)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters) -> Reference:
        """Find the landmarks of the decoded key picture and encode its features."""
        check_size(key_picture)
        values, _ = to_values(key_parameters)
        face = find_rest_face(self._space, key_picture, values)
        return FaceReference(self._space, self._renderer, key_picture, face)
