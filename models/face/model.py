"""The `face` model: the parameters of `mesh`, drawn by a small network.

What is sent is what `mesh` sends; the decoder rebuilds the landmarks and their flow in the same
way, and the network refines the flow and paints what the key picture does not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from models.card import ModelCard
from models.contract import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    FloatArray,
    ParameterLayout,
    Picture,
    Reference,
)
from models.errors import ModelError
from models.face.card import STEP_LIMIT
from models.face.detail import detail, restore_detail
from models.face.rendering import Renderer, RendererOf, open_renderers
from models.landmarks.analysis import LandmarkAnalyser, SeenKey
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.flow import Float32Array, coarse_flow
from models.landmarks.layout import FACE_VALUES
from models.landmarks.values import (
    RestFace,
    find_rest_face,
    to_parameters,
    to_values,
    value_weights,
)
from models.mesh.model import check_expressions
from models.parallel import map_in_order
from models.runtime import Runtime

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


def _plane(landmarks: FloatArray) -> Float32Array:
    return landmarks[:, :2].astype(np.float32)


class FaceAnalyser(LandmarkAnalyser):
    """Pose and expression as of `mesh`, then the first values of the compact feature."""

    def __init__(
        self, space: FaceSpace, renderer_of: RendererOf, features: int, *, align: bool
    ) -> None:
        super().__init__(space, align=align)
        self._face_space = space
        self._renderer_of = renderer_of
        self._features = features

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face; raise `ModelError` for a size that cannot be."""
        check_size(picture)
        return super().finds_face(picture)

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Pose of a key picture, which differs from itself in nothing: other values are 0."""
        analysis = super().analyse_key(picture)
        if analysis is None or not self._features:
            return analysis
        values, _ = to_values(analysis.parameters)
        return Analysis(to_parameters(values, np.zeros(self._features)), analysis.detail)

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Values of a driven picture against its key picture."""
        if not self._features:
            return super().analyse(picture, key)
        seen: SeenKey = key.detail
        face = seen.face
        values = self.values(picture, seen)
        if values is None:
            return None
        size = picture.shape[0]
        landmarks = _plane(face.landmarks(self._face_space, values))
        flow = coarse_flow(_plane(face.key_landmarks), landmarks, size)
        steps = self._renderer_of(size).measure(picture, seen.picture, landmarks, flow)
        return Analysis(to_parameters(values, steps[: self._features].astype(np.float64)))


class _Placed(NamedTuple):
    """What a renderer draws: landmarks [478, 2], their coarse flow, compact feature or None."""

    landmarks: Float32Array
    flow: Float32Array
    compact: Float32Array | None


class FaceReference(Reference):
    """A key picture with its rest shape and encoded features."""

    def __init__(
        self, space: FaceSpace, renderer: Renderer, picture: Picture, face: RestFace, features: int
    ) -> None:
        self._space = space
        self._face = face
        self._features = features
        self._size = picture.shape[0]
        self._key = _plane(face.key_landmarks)
        self._measured = renderer.compact_features
        self._at_once = renderer.at_once
        self._draw = renderer.prepare(picture, self._key)
        self._detail = detail(picture, self._key)

    def animate(self, parameters: FaceParameters) -> Picture:
        """Draw the face with the landmarks that the parameters describe."""
        return self._paint(self._place(parameters))

    def animate_many(self, parameters: Iterable[FaceParameters]) -> Iterator[Picture]:
        """Draw pictures in order, as many at the same time as the renderer likes.

        Flows are made in the caller's thread: made in several, they would wait for each other,
        many short steps of Python as they are.
        """
        return map_in_order(self._paint, map(self._place, parameters), self._at_once)

    def _place(self, parameters: FaceParameters) -> _Placed:
        values, steps = to_values(parameters, self._features)
        driven = _plane(self._face.landmarks(self._space, values))
        compact = None
        if self._features:
            compact = np.zeros(self._measured, np.float32)
            compact[: self._features] = np.clip(steps, -STEP_LIMIT, STEP_LIMIT)
        return _Placed(driven, coarse_flow(self._key, driven, self._size), compact)

    def _paint(self, placed: _Placed) -> Picture:
        drawn = self._draw(placed.landmarks, placed.flow, placed.compact)
        return restore_detail(drawn, placed.landmarks, self._detail)


class FaceModel(AnimationModel):
    """Pose and expression of tracked landmarks, drawn by a network.

    `features` values of the compact feature are sent beside them, 0 for none.
    """

    def __init__(
        self, space: FaceSpace, renderer_of: RendererOf, layout: ParameterLayout, features: int = 0
    ) -> None:
        check_expressions(space)
        self._space = space
        self._renderer_of = renderer_of
        self._layout = layout
        self._features = features

    @property
    def layout(self) -> ParameterLayout:
        """One compact feature: the 14 values of `mesh`, then those that the network measured."""
        return self._layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start tracking a clip; faces are aligned unless forbidden."""
        aligned = align is None or align
        return FaceAnalyser(self._space, self._renderer_of, self._features, align=aligned)

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray:
        """How far landmarks move when a value is off, as of `mesh`."""
        return value_weights(self._space, key_parameters, self._features)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters) -> Reference:
        """Find the landmarks of the decoded key picture and encode its features."""
        check_size(key_picture)
        values, _ = to_values(key_parameters, self._features)
        face = find_rest_face(self._space, key_picture, values)
        renderer = self._renderer_of(key_picture.shape[0])
        return FaceReference(self._space, renderer, key_picture, face, self._features)


def load(card: ModelCard, runtime: Runtime) -> FaceModel:
    """The model of a card; its weights are checked when the first picture is drawn."""
    features = card.layout.size - FACE_VALUES
    return FaceModel(shipped_face_space(), open_renderers(runtime), card.layout, features)
