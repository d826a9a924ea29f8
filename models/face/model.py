"""The `face` model: the parameters of `mesh`, drawn by a small network.

What is sent is what `mesh` sends; the decoder rebuilds the landmarks and their flow in the same
way, and the network refines the flow and paints what the key picture does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from models.card import ModelCard
from models.contract import (
    Analyser,
    Analysis,
    AnimationModel,
    BegunPicture,
    FaceParameters,
    Float32Array,
    FloatArray,
    ParameterLayout,
    Picture,
    Reference,
    ReferencePair,
    check_position,
    finished,
)
from models.errors import ModelError
from models.face import DRAWN_SIDE, MOTION_SIDE, lead_step
from models.face.bent import with_bent
from models.face.card import STEP_LIMIT
from models.face.detail import detail, restore_detail
from models.face.renderer import Between, Draw, DrawBetween, OpenRenderer, Renderer
from models.face.rendering import open_renderer
from models.landmarks.alignment import Alignment
from models.landmarks.analysis import LandmarkAnalyser, SeenKey
from models.landmarks.closings import with_closings
from models.landmarks.face_space import FaceSpace, check_expressions, shipped_face_space
from models.landmarks.fine_detail import (
    BentDetail,
    FineDetail,
    of_both,
    with_fine_detail,
    with_fine_detail_of_both,
)
from models.landmarks.flow import NEAR, coarse_flow, in_planes, plane, warp
from models.landmarks.fusing import fuse
from models.landmarks.key_texture import changed_alike, with_key_texture
from models.landmarks.layout import FACE_VALUES
from models.landmarks.lids import BentReference, closed_further, with_bent_lids
from models.landmarks.pairs import LandmarkPair, PairPlace, check_sizes
from models.landmarks.tracking import look_at_still
from models.landmarks.values import (
    RestFace,
    find_rest_face,
    to_parameters,
    to_values,
    value_weights,
)
from models.runtime import Runtime

Place = TypeVar("Place")


def check_square(picture: Picture) -> None:
    """Raise `ModelError` for a picture that is not square."""
    height, width = picture.shape[:2]
    if height != width:
        raise ModelError(f"face draws square pictures, not {width}x{height}")


def _scaled(picture: Picture, side: int) -> Picture:
    """A square picture with another side: by pixel areas, or cubic where it grows."""
    if picture.shape[0] == side:
        return picture
    interpolation = cv2.INTER_AREA if side < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=interpolation), np.uint8)


def begin(
    paint: Callable[[Place], Picture], places: Iterable[Place], renderer: Renderer
) -> Iterator[BegunPicture]:
    """Begin the pictures of places; they are painted here if the renderer has threads itself."""
    for place in places:
        yield partial(paint, place) if renderer.concurrent else finished(paint(place))


class FaceAnalyser(LandmarkAnalyser):
    """Pose and expression as of `mesh`, then the first values of the compact feature."""

    def __init__(
        self, space: FaceSpace, open_renderer: OpenRenderer, features: int, *, align: bool
    ) -> None:
        super().__init__(space, align=align)
        self._open_renderer = open_renderer
        self._features = features

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face; raise `ModelError` where it is not square."""
        check_square(picture)
        return super().finds_face(picture)

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Pose of a key picture, which differs from itself in nothing: other values are 0."""
        analysis = super().analyse_key(picture)
        if analysis is None or not self._features:
            return analysis
        values, _ = to_values(analysis.parameters)
        return replace(analysis, parameters=to_parameters(values, np.zeros(self._features)))

    def describe(self, picture: Picture, values: FloatArray, key: SeenKey) -> Analysis:
        """Pose and expression values [14], and the compact feature if one is sent."""
        if not self._features:
            return super().describe(picture, values, key)
        face = key.face
        landmarks = plane(face.landmarks(self._space, values))
        flow = coarse_flow(plane(face.key_landmarks), landmarks, DRAWN_SIDE)
        driven, reference = (_scaled(each, DRAWN_SIDE) for each in (picture, key.picture))
        steps = self._open_renderer().measure(driven, reference, landmarks, flow)
        return Analysis(to_parameters(values, steps[: self._features].astype(np.float64)))


class _Placed(NamedTuple):
    """What a renderer draws: landmarks [478, 2], their coarse flow, compact feature or None."""

    landmarks: Float32Array
    flow: Float32Array
    compact: Float32Array | None


class FaceReference(Reference):
    """A key picture with its rest shape; its features are encoded when it is first drawn from.

    An encoder asks many references for faces alone.

    Attributes:
        side: width and height of the key picture.
        shown_side: width and height of what is drawn.
        seen: the key picture as trackers see it, `DRAWN_SIDE` wide and high.
        picture: the same as the network sees it, with texture if it has taken some.
        face: its face.
        key: its landmarks [478, 2].
        features: how many values of the compact feature are sent.
        renderer: with the network.
        fine: the picture's detail beyond what the network sees, if it was given that.
    """

    def __init__(
        self, space: FaceSpace, renderer: Renderer, picture: Picture, face: RestFace, features: int
    ) -> None:
        self._space = space
        self.side = self.shown_side = picture.shape[0]
        self.seen = self.picture = _scaled(picture, DRAWN_SIDE)
        self.face = face
        self.features = features
        self.key = plane(face.key_landmarks)
        self.renderer = renderer
        self.fine: FineDetail | None = None
        if self.side > DRAWN_SIDE:
            self.refine(picture)

    def refine(self, picture: Picture) -> None:
        """Draw in the size of what shows the key picture in more pixels, with its fine detail."""
        self.fine = FineDetail(picture, self.seen)
        self.shown_side = picture.shape[0]

    def take_texture(self, key: Reference, coded: Picture) -> Picture | None:
        """Be drawn with the key picture's texture, and shown so."""
        if not isinstance(key, FaceReference) or key.side != self.side:
            return None
        self.picture = with_key_texture(self.seen, self.key, key.picture, key.key)
        return changed_alike(coded, self.seen, self.picture)

    @cached_property
    def draw(self) -> Draw:
        """The network, which has encoded the key picture."""
        return self.renderer.prepare(self.picture, self.key)

    @cached_property
    def detail(self) -> float:
        """What its face shows, see `models.face.detail`."""
        return detail(self.picture, self.key)

    def animate(self, parameters: FaceParameters) -> Picture:
        """Draw the face with the landmarks that the parameters describe."""
        return self._paint(self.draw, self._place(parameters))

    def begin(self, parameters: Iterable[FaceParameters]) -> Iterator[BegunPicture]:
        """Begin pictures: flows are made, and painting is left if the renderer likes it so.

        Flows are made in the caller's thread: made in several, they would wait for each other,
        many short steps of Python as they are.
        """
        return begin(partial(self._paint, self.draw), map(self._place, parameters), self.renderer)

    def landmarks(self, parameters: FaceParameters) -> FloatArray:
        """The key picture's rest shape with pose and expression."""
        values, _ = to_values(parameters, self.features)
        return self.face.landmarks(self._space, values)

    def read(self, parameters: FaceParameters) -> tuple[FloatArray, Float32Array | None]:
        """Pose and expression values [14], and the compact feature as the network has it."""
        values, steps = to_values(parameters, self.features)
        if not self.features:
            return values, None
        compact = np.zeros(self.renderer.compact_features, np.float32)
        compact[: self.features] = np.clip(steps, -STEP_LIMIT, STEP_LIMIT)
        return values, compact

    def _place(self, parameters: FaceParameters) -> _Placed:
        values, compact = self.read(parameters)
        driven = plane(self.face.landmarks(self._space, values))
        if self.renderer.fuses:
            driven = closed_further(driven, [self.key])
        return _Placed(driven, coarse_flow(self.key, driven, DRAWN_SIDE), compact)

    def _paint(self, draw: Draw, placed: _Placed) -> Picture:
        drawn = draw(placed.landmarks, placed.flow, placed.compact)
        if self.renderer.fuses:
            reference = BentReference(self.picture, self.key, placed.flow)
            drawn = with_bent_lids(drawn, placed.landmarks, [reference])
            drawn = with_closings(drawn, placed.landmarks, [self.key])
        drawn = restore_detail(drawn, placed.landmarks, self.detail)
        if self.fine is not None:
            flow = np.ascontiguousarray(placed.flow.transpose(1, 2, 0))
            bent = BentDetail(self.fine, warp(self.picture, flow), flow)
            drawn = with_fine_detail(drawn, [bent])
        return _scaled(drawn, self.shown_side)


class _PlacedBetween(NamedTuple):
    """What two references draw: where, the earlier one's compact feature, and the position."""

    place: PairPlace
    compact: Float32Array | None
    position: float


class _BentPair:
    """Both references [H, W, 3] bent to a place, each part of it found once, if it is wanted."""

    def __init__(self, place: PairPlace, references: tuple[Picture, Picture]) -> None:
        self._place = place
        self._references = references

    @cached_property
    def moved(self) -> tuple[Float32Array, Float32Array]:
        """As of `PairPlace.moved_flows`."""
        return self._place.moved_flows()

    @cached_property
    def flows(self) -> tuple[Float32Array, Float32Array]:
        """As of `PairPlace.whole_flows`."""
        earlier, later = map(np.add, self._place.shifts, self.moved)
        return earlier, later

    @cached_property
    def pictures(self) -> tuple[Picture, Picture]:
        """What is read along the whole flows."""
        earlier, later = map(warp, self._references, self.flows)
        return earlier, later


DrawPlaced = Callable[[_PlacedBetween, _BentPair], Picture]


class FacePair(LandmarkPair):
    """Two references, and the flows between them."""

    def __init__(self, space: FaceSpace, earlier: FaceReference, later: FaceReference) -> None:
        check_sizes((earlier.side, earlier.side), (later.side, later.side))
        # As the encoder aligns the pictures between, unless it is told not to.
        alignment = Alignment(space, earlier.seen, earlier.face, look_at_still)
        later_values = alignment.align(later.seen, later.face.key_landmarks)
        faces, pictures = (earlier.face, later.face), (earlier.picture, later.picture)
        renderer = earlier.renderer
        step = lead_step(DRAWN_SIDE) if renderer.fuses else 1
        super().__init__(space, faces, pictures, later_values, earlier.features, NEAR, step)
        self._earlier = earlier
        self._later = later

    @property
    def _draw(self) -> DrawPlaced:
        """Draws a place; both references are encoded for that, when the first picture is drawn.

        Not kept here, for it keeps what it is of: that would stay in memory with its networks.
        """
        if not self._earlier.renderer.fuses:
            return partial(_fused, self._earlier.draw, self._later.draw)
        return partial(self._drawn_once, self._drawn_from_both)

    @cached_property
    def _drawn_from_both(self) -> DrawBetween:
        return self._earlier.renderer.pair(self._earlier.draw, self._later.draw)

    def _bent(self, landmarks: Float32Array, flow: Float32Array) -> Picture:
        if self._earlier.renderer.fuses:
            # As in training.
            return warp(self._earlier.picture, flow)
        return self._earlier.draw(landmarks, in_planes(flow))

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """Draw the face from both references with the same landmarks, and fuse the two."""
        return self._paint(self._draw, self._place((parameters, position)))

    def begin(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[BegunPicture]:
        """Begin pictures, as one reference does."""
        paint = partial(self._paint, self._draw)
        return begin(paint, map(self._place, placed), self._earlier.renderer)

    def _place(self, placed: tuple[FaceParameters, float]) -> _PlacedBetween:
        parameters, position = placed
        check_position(position)
        values, compact = self._earlier.read(parameters)
        fuses = self._earlier.renderer.fuses
        place = self._flow.place(values, position, closes_further=fuses)
        return _PlacedBetween(place, compact, position)

    def _paint(self, draw: DrawPlaced, placed: _PlacedBetween) -> Picture:
        bent = _BentPair(placed.place, (self._earlier.picture, self._later.picture))
        share = placed.position
        wanted = (1 - share) * self._earlier.detail + share * self._later.detail
        drawn = restore_detail(draw(placed, bent), placed.place.landmarks, wanted)
        details = of_both(self._earlier.fine, self._later.fine)
        if details is None:
            return _scaled(drawn, self._earlier.side)
        both, flows = bent.pictures, bent.flows
        fine = with_fine_detail_of_both(drawn, details, both, flows, placed.position)
        return _scaled(fine, self._earlier.shown_side)

    def _drawn_once(self, draw: DrawBetween, placed: _PlacedBetween, bent: _BentPair) -> Picture:
        """What a network draws that knows both references, and what is bent better than drawn."""
        place = placed.place
        between = _between(place, bent.moved)
        drawn = with_bent(draw(between), bent.pictures, place.lead)
        drawn = with_bent_lids(drawn, place.landmarks, self._bent_by(between), place.lead)
        return with_closings(drawn, place.landmarks, (self._earlier.key, self._later.key))

    def _bent_by(self, between: Between) -> list[BentReference]:
        """Both references along their whole flows."""
        shares = between.progress, between.progress - 1
        return [
            BentReference(reference.picture, reference.key, flow, between.rest, share)
            for reference, share, flow in zip(
                (self._earlier, self._later), shares, between.flows, strict=True
            )
        ]


def _fused(earlier: Draw, later: Draw, placed: _PlacedBetween, bent: _BentPair) -> Picture:
    """What a network draws that knows one reference; it needs nothing `bent`."""
    place = placed.place
    first = earlier(place.landmarks, in_planes(place.flows[0]), placed.compact)
    # The compact feature was measured against the earlier reference.
    second = later(place.landmarks, in_planes(place.flows[1]))
    # The network trusts flow around the head little: what it drew is moved.
    return fuse(warp(first, place.shifts[0]), warp(second, place.shifts[1]), place.lead)


def _between(place: PairPlace, moved: tuple[Float32Array, Float32Array]) -> Between:
    """A place as a network has it that draws from both references, and its `moved_flows`."""
    earlier, later = moved
    lead = cv2.resize(place.lead, (MOTION_SIDE, MOTION_SIDE), interpolation=cv2.INTER_AREA)
    return Between(
        place.landmarks,
        (in_planes(earlier), in_planes(later)),
        in_planes(place.shifts[0] - place.shifts[1]),
        place.progress,
        np.asarray(lead, np.float32),
    )


class FaceModel(AnimationModel):
    """Pose and expression of tracked landmarks, drawn by a network.

    `features` values of the compact feature are sent beside them, 0 for none.
    """

    def __init__(
        self,
        space: FaceSpace,
        open_renderer: OpenRenderer,
        layout: ParameterLayout,
        features: int = 0,
    ) -> None:
        check_expressions(space)
        self._space = space
        self._open_renderer = open_renderer
        self._layout = layout
        self._features = features

    @property
    def layout(self) -> ParameterLayout:
        """One compact feature: the 14 values of `mesh`, then those that the network measured."""
        return self._layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start tracking a clip; faces are aligned unless forbidden."""
        aligned = align is None or align
        return FaceAnalyser(self._space, self._open_renderer, self._features, align=aligned)

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray:
        """How far landmarks move when a value is off, as of `mesh`."""
        return value_weights(self._space, key_parameters, self._features)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        """Find the landmarks of the decoded key picture and encode its features."""
        check_square(key_picture)
        values = None
        if key_parameters is not None:
            values, _ = to_values(key_parameters, self._features)
        face = find_rest_face(self._space, key_picture, values)
        renderer = self._open_renderer()
        return FaceReference(self._space, renderer, key_picture, face, self._features)

    @property
    def wants_post_filter(self) -> bool:
        """Yes: quality counts more than time."""
        return True

    @property
    def draws_from_both(self) -> bool:
        """Features of both are fused, or of a network that knows one reference what it drew."""
        return True

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        """Find what moves from one reference to the other; both stay encoded as they are."""
        if not isinstance(earlier, FaceReference) or not isinstance(later, FaceReference):
            raise ModelError("face pairs references that face prepared, and these are others")
        return FacePair(self._space, earlier, later)


def load(card: ModelCard, runtime: Runtime) -> FaceModel:
    """The model of a card; its weights are checked when the first picture is drawn."""
    features = card.layout.size - FACE_VALUES
    return FaceModel(shipped_face_space(), open_renderer(card, runtime), card.layout, features)
