"""What every model of the registry must do, whatever it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models import (
    AnimationModel,
    CheckpointError,
    FaceParameters,
    ModelError,
    Reference,
    ReferencePair,
    Runtime,
    default_registry,
)
from models.contract import Picture
from models.landmarks.tracking import FaceTracker
from models.metrics.face import landmark_distance
from models.published.model import PICTURE_SIZE, NetworkModel
from models.weights.store import WeightsStore
from tests.models.published.tiny import tiny_model

# As on a fresh machine: no weights were imported.
FRESH = default_registry(WeightsStore(Path("/nonexistent")))
READY = [card.name for card in FRESH.cards() if card.has_weights]
WITHOUT_WEIGHTS = [card.name for card in FRESH.cards() if not card.has_weights]


@pytest.fixture(scope="module", params=[*READY, *WITHOUT_WEIGHTS])
def model(request: pytest.FixtureRequest) -> AnimationModel:
    """Each model; those without weights with few channels and made-up ones."""
    registered = FRESH.find(request.param)
    if registered.card.has_weights:
        loaded = registered.load(Runtime(device="cpu"))
    else:
        loaded = tiny_model(registered.card, Runtime(device="cpu"))
    assert loaded.layout == registered.card.layout
    return loaded


class MadePair(NamedTuple):
    """Two references ready together, the earlier alone, and what describes both pictures."""

    pair: ReferencePair
    earlier: Reference
    at_earlier: FaceParameters
    at_later: FaceParameters


class _Foreign(Reference):
    """A reference that no model prepared."""

    def animate(self, parameters: FaceParameters) -> Picture:
        raise NotImplementedError


def learned(model: AnimationModel) -> bool:
    """Whether what a model draws looks like a face."""
    return not isinstance(model, NetworkModel)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_network_without_weights_says_how_to_get_them(name: str) -> None:
    with pytest.raises(
        CheckpointError, match=rf"{name} has no weights.*gfvc models import \w+ FILE"
    ):
        FRESH.find(name).load()


@pytest.fixture(scope="module")
def still() -> Picture:
    return demo_still(256)


@pytest.fixture(scope="module")
def moved(still: Picture) -> Picture:
    """The still, a little to the right and below, its right border repeated."""
    return np.pad(still, ((6, 0), (10, 0), (0, 0)), mode="edge")[:256, :256]


def assert_layout(model: AnimationModel, parameters: FaceParameters) -> None:
    model.layout.check(parameters)
    values = model.layout.flatten(parameters)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()


def same(model: AnimationModel, first: FaceParameters, second: FaceParameters) -> bool:
    return np.array_equal(model.layout.flatten(first), model.layout.flatten(second))


def test_analysis_has_the_layout_and_is_repeatable(
    model: AnimationModel, still: Picture, moved: Picture
) -> None:
    results = []
    for _ in range(2):
        with model.open_analyser() as analyser:
            assert analyser.finds_face(still)
            key = analyser.analyse_key(still)
            assert key is not None
            driven = analyser.analyse(moved, key)
            assert driven is not None
            again = analyser.analyse_key(still)
            assert again is not None
        assert same(model, key.parameters, again.parameters), (
            "a key picture depends on what came before"
        )
        results.append((key.parameters, driven.parameters))
    for parameters in results[0]:
        assert_layout(model, parameters)
    assert all(same(model, *pair) for pair in zip(*results, strict=True))
    assert not same(model, *results[0]), "the face has moved"


def test_a_picture_without_a_face_has_no_parameters(model: AnimationModel, still: Picture) -> None:
    blank = np.full((256, 256, 3), 90, np.uint8)
    with model.open_analyser() as analyser:
        assert not analyser.finds_face(blank)
        assert analyser.analyse_key(blank) is None
        key = analyser.analyse_key(still)
        assert key is not None
        assert analyser.analyse(blank, key) is None


@pytest.mark.parametrize("size", [64, 256, 384])
def test_pictures_are_drawn_in_the_size_of_the_key_picture(
    model: AnimationModel, size: int
) -> None:
    picture = demo_still(size)
    before = picture.copy()
    if isinstance(model, NetworkModel) and size != PICTURE_SIZE:
        wanted = f"on pictures of {PICTURE_SIZE}x{PICTURE_SIZE} only, not {size}x{size}"
        with model.open_analyser() as analyser, pytest.raises(ModelError, match=wanted):
            analyser.analyse_key(picture)
        return
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(picture)
    assert key is not None
    drawn = model.prepare(picture, key.parameters).animate(key.parameters)
    assert drawn.shape == (size, size, 3)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(picture, before)


def test_drawing_is_repeatable_and_follows_the_parameters(
    model: AnimationModel, still: Picture, moved: Picture
) -> None:
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
        assert key is not None
        driven = analyser.analyse(moved, key)
        assert driven is not None
    pictures = []
    for _ in range(2):
        reference = model.prepare(still, key.parameters)
        pictures.append((reference.animate(driven.parameters), reference.animate(key.parameters)))
        # A reference keeps nothing of what it drew before.
        np.testing.assert_array_equal(reference.animate(driven.parameters), pictures[-1][0])
    for one, other in zip(*pictures, strict=True):
        np.testing.assert_array_equal(one, other)
    if not learned(model):
        # Nobody knows what made-up weights draw, but it depends on what was sent.
        assert np.abs(pictures[0][0].astype(int) - pictures[0][1]).max() > 0
        return
    towards_driven, towards_key = pictures[0]
    face = np.s_[40:200, 60:200]
    wanted = np.abs(towards_driven[face].astype(int) - moved[face]).mean()
    unwanted = np.abs(towards_driven[face].astype(int) - still[face]).mean()
    assert wanted < 0.6 * unwanted
    assert np.abs(towards_key[face].astype(int) - still[face]).mean() < 0.5 * unwanted


def test_parameters_of_another_layout_are_refused(model: AnimationModel, still: Picture) -> None:
    for wrong in (
        FaceParameters(keypoints=np.zeros((3, 2))),
        FaceParameters(matrices=((63, np.zeros((1, 1, 1))),)),
        FaceParameters(),
    ):
        with pytest.raises(ModelError):
            model.prepare(still, wrong)


def test_faces_are_aligned_or_the_model_says_that_it_cannot(model: AnimationModel) -> None:
    if isinstance(model, NetworkModel):
        with pytest.raises(ModelError, match=f"{model.name} tracks no landmarks"):
            model.open_analyser(align=True)
    else:
        model.open_analyser(align=True).close()


def test_a_reference_can_be_made_where_the_face_cannot_be_seen(
    model: AnimationModel, still: Picture
) -> None:
    """A damaged key picture must not stop the decoder."""
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
    assert key is not None
    blank = np.full((256, 256, 3), 90, np.uint8)
    drawn = model.prepare(blank, key.parameters).animate(key.parameters)
    assert drawn.shape == blank.shape


@pytest.fixture(scope="module")
def pair(model: AnimationModel, still: Picture, moved: Picture) -> MadePair:
    """The still and its moved self as two references, and what describes the latter."""
    with model.open_analyser() as analyser:
        keys = [analyser.analyse_key(picture) for picture in (still, moved)]
        assert keys[0] is not None
        assert keys[1] is not None
        driven = analyser.analyse(moved, keys[0])
    assert driven is not None
    earlier = model.prepare(still, keys[0].parameters)
    later = model.prepare(moved, keys[1].parameters)
    return MadePair(model.pair(earlier, later), earlier, keys[0].parameters, driven.parameters)


def test_a_pair_arrives_at_both_references_or_draws_from_the_earlier(
    model: AnimationModel, pair: MadePair, still: Picture, moved: Picture
) -> None:
    at_start = pair.pair.animate(pair.at_earlier, 0.0)
    at_end = pair.pair.animate(pair.at_later, 1.0)
    alone = pair.earlier.animate(pair.at_earlier), pair.earlier.animate(pair.at_later)
    if not model.draws_from_both:
        np.testing.assert_array_equal(at_start, alone[0])
        np.testing.assert_array_equal(at_end, alone[1])
        return

    def miss(drawn: Picture, wanted: Picture) -> float:
        return float(np.abs(drawn.astype(int) - wanted).mean())

    assert miss(at_start, still) <= 1.1 * miss(alone[0], still)
    assert miss(at_end, moved) < 0.75 * miss(alone[1], moved)


def test_pairs_draw_in_order_and_repeatably(model: AnimationModel, pair: MadePair) -> None:
    placed = [(pair.at_earlier, 0.25), (pair.at_later, 0.5), (pair.at_later, 0.75)]
    drawn = [rest() for rest in pair.pair.begin(iter(placed))]
    for picture, (parameters, position) in zip(drawn, placed, strict=True):
        np.testing.assert_array_equal(picture, pair.pair.animate(parameters, position))
    assert np.abs(drawn[0].astype(int) - drawn[1]).max() > 0
    assert np.array_equal(drawn[1], drawn[2]) != model.draws_from_both


def test_landmarks_are_those_of_the_face_that_is_drawn(
    model: AnimationModel, pair: MadePair, still: Picture, moved: Picture
) -> None:
    told = [
        pair.earlier.landmarks(pair.at_earlier),
        pair.earlier.landmarks(pair.at_later),
        pair.pair.landmarks(pair.at_earlier, 0.0),
        pair.pair.landmarks(pair.at_later, 1.0),
    ]
    if not learned(model):
        assert told == [None] * 4
        return
    with FaceTracker() as tracker:
        seen = [tracker.look(picture) for picture in (still, moved, still, moved)]
    for landmarks, wanted in zip(told, seen, strict=True):
        assert landmarks is not None
        assert wanted is not None
        assert landmarks.shape == (478, 3)
        assert landmark_distance(wanted, landmarks) < 0.02
    # Where both references are known, the end is the later one's own face.
    assert told[3] is not None
    assert seen[1] is not None
    assert landmark_distance(seen[1], told[3]) < 0.01


@pytest.mark.parametrize("position", [-0.01, 1.01, float("nan")])
def test_positions_outside_of_a_pair_are_refused(pair: MadePair, position: float) -> None:
    with pytest.raises(ModelError, match=r"position .* is outside 0\.\.1"):
        pair.pair.landmarks(pair.at_earlier, position)
    with pytest.raises(ModelError, match=r"position .* is outside 0\.\.1"):
        pair.pair.animate(pair.at_earlier, position)
    with pytest.raises(ModelError, match=r"position .* is outside 0\.\.1"):
        list(pair.pair.begin([(pair.at_earlier, position)]))


def test_pairs_refuse_parameters_of_another_layout(pair: MadePair) -> None:
    with pytest.raises(ModelError):
        pair.pair.animate(FaceParameters(keypoints=np.zeros((3, 2))), 0.5)


def test_references_of_others_or_of_another_size_make_no_pair(
    model: AnimationModel, pair: MadePair
) -> None:
    if not model.draws_from_both:
        return
    with pytest.raises(ModelError, match="pairs references that"):
        model.pair(pair.earlier, _Foreign())
    small = demo_still(64)
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(small)
    assert key is not None
    with pytest.raises(ModelError, match="different sizes: 256x256 and 64x64"):
        model.pair(pair.earlier, model.prepare(small, key.parameters))
