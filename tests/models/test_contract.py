"""What every model of the registry must do, whatever it is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models import AnimationModel, CheckpointError, FaceParameters, ModelError, default_registry
from models.contract import FloatArray, Picture
from models.weights import WeightsStore

# As on a fresh machine: no weights were imported.
FRESH = default_registry(WeightsStore(Path("/nonexistent")))
READY = [card.name for card in FRESH.cards() if card.has_weights]
WITHOUT_WEIGHTS = [card.name for card in FRESH.cards() if not card.has_weights]


@pytest.fixture(scope="module", params=READY)
def model(request: pytest.FixtureRequest) -> AnimationModel:
    registered = FRESH.find(request.param)
    loaded = registered.load()
    assert loaded.layout == registered.card.layout
    return loaded


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
    layout = model.layout
    if layout.keypoints:
        assert parameters.keypoints is not None
        assert parameters.keypoints.shape == (layout.keypoints, layout.dimensions)
        assert parameters.keypoints.dtype == np.float64
        assert np.isfinite(parameters.keypoints).all()
    else:
        assert parameters.keypoints is None
    assert len(parameters.matrices) == len(layout.matrices)
    for (kind, values), shape in zip(parameters.matrices, layout.matrices, strict=True):
        assert (kind, values.shape) == (shape.matrix_type, shape.shape)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()


def flat(parameters: FaceParameters) -> list[FloatArray]:
    """All arrays, an empty one for keypoints that are not sent."""
    keypoints = np.zeros(0) if parameters.keypoints is None else parameters.keypoints
    return [keypoints, *(values for _, values in parameters.matrices)]


def same(first: FaceParameters, second: FaceParameters) -> bool:
    pairs = zip(flat(first), flat(second), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


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
        assert same(key.parameters, again.parameters), "a key picture depends on what came before"
        results.append((key.parameters, driven.parameters))
    for parameters in results[0]:
        assert_layout(model, parameters)
    assert all(same(*pair) for pair in zip(*results, strict=True))
    assert not same(*results[0]), "the face has moved"


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
