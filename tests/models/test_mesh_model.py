"""The mesh model: pose and expression of a real face, and of several."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models import AnimationModel, FaceParameters, default_registry
from models.contract import FloatArray
from models.landmarks.values import STEPS
from tests.models.landmarks.test_tracking import scene


@pytest.fixture(scope="module")
def model() -> AnimationModel:
    return default_registry().find("mesh").load()


def steps(parameters: FaceParameters) -> FloatArray:
    """The 14 values of the message in quantisation steps."""
    [(_, values)] = parameters.matrices
    return np.asarray(values.ravel() * 2**8, np.float64)


def test_a_base_message_carries_the_key_pose_exactly(model: AnimationModel) -> None:
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(demo_still(256))
    assert key is not None
    values = steps(key.parameters)
    np.testing.assert_allclose(values, np.rint(values), atol=1e-6)
    np.testing.assert_array_equal(values[6:], 0)


def test_the_key_picture_itself_is_a_still_face(model: AnimationModel) -> None:
    """Its pose is within a step or two of the base message, its expression nearly none."""
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(demo_still(256))
        assert key is not None
        again = analyser.analyse(demo_still(256), key)
    assert again is not None
    assert np.abs(steps(again.parameters) - steps(key.parameters)).max() < 1.0


def test_translation_and_scale_are_found(model: AnimationModel) -> None:
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(scene([(100, 0, 200)])[:, :256])
        moved = scene([(120, 10, 200)])[:, :256]
        assert key is not None
        driven = analyser.analyse(moved, key)
    assert driven is not None
    difference = (steps(driven.parameters) - steps(key.parameters)) * STEPS
    np.testing.assert_allclose(difference[3:5], (20 / 256, 10 / 256), atol=0.008)
    assert np.abs(difference[:3]).max() < 0.08
    assert abs(difference[5]) < 0.05


def test_driven_pictures_follow_the_face_of_their_key_picture(model: AnimationModel) -> None:
    """The key picture shows its largest face, whoever was followed before."""
    before, at_key = scene([(20, 20, 200), (300, 20, 160)]), scene([(30, 20, 160), (280, 10, 220)])
    with model.open_analyser() as analyser:
        first = analyser.analyse_key(before)
        assert first is not None
        assert analyser.analyse(before, first) is not None
        assert analyser.finds_face(at_key)
        key = analyser.analyse_key(at_key)
        assert key is not None
        driven = analyser.analyse(at_key, key)
    assert driven is not None
    assert np.abs(steps(driven.parameters) - steps(key.parameters)).max() < 2.0


def test_values_beyond_all_sense_are_drawn_all_the_same(model: AnimationModel) -> None:
    still = demo_still(128)
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
    assert key is not None
    reference = model.prepare(still, key.parameters)
    for size in (1e2, 1e6, 1e12):
        for sign in (-1.0, 1.0):
            wild = FaceParameters(matrices=((7, np.full((1, 1, 14), sign * size)),))
            assert reference.animate(wild).shape == still.shape
            assert model.prepare(still, wild).animate(key.parameters).shape == still.shape


def test_pairs_draw_values_beyond_all_sense_all_the_same(model: AnimationModel) -> None:
    still = demo_still(128)
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
    assert key is not None
    for size in (-1e12, -1e2, 1e2, 1e6):
        wild = FaceParameters(matrices=((7, np.full((1, 1, 14), size)),))
        references = [model.prepare(still, parameters) for parameters in (key.parameters, wild)]
        for earlier in references:
            for later in references:
                pair = model.pair(earlier, later)
                assert pair.animate(wild, 0.5).shape == still.shape
                assert pair.animate(key.parameters, 0.5).shape == still.shape
