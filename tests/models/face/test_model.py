"""The face model around a network with random weights: what does not depend on training."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from gfvc.demo_clip import demo_still
from gfvc.face_edits.landmark_controls import LandmarkControls
from gfvc.options.editing import FaceEdit
from models.contract import Float32Array, Picture
from models.errors import ModelError
from models.face.blocks import FaceConfiguration
from models.face.card import with_features
from models.face.model import FaceModel, FaceReference
from models.face.torch_rendering import TorchDraw, TorchRenderer, fold
from models.landmarks import points as groups
from models.landmarks.closings import with_closings
from models.landmarks.face_space import shipped_face_space
from models.landmarks.fine_detail import MOST_SIDE
from models.landmarks.flow import plane
from models.landmarks.lids import closed_further
from models.landmarks.warp import LandmarkWarp
from tests.models.face.networks import trained_alike


def test_folding_keeps_what_is_computed() -> None:
    network = trained_alike()
    generator = torch.Generator().manual_seed(1)
    picture = torch.rand(1, 3, 64, 64, generator=generator)
    landmarks = torch.rand(2, 1, 478, 2, generator=generator) * 0.5 + 0.25
    flow = 0.05 * torch.randn(1, 2, 64, 64, generator=generator)
    with torch.inference_mode():
        before, after = (
            each.draw(each.encode_key(picture, landmarks[0]), landmarks[1], flow).picture
            for each in (copy.deepcopy(network), fold(network))
        )
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert float((before - after).abs().max()) < 1e-4


@pytest.fixture(scope="module")
def model() -> FaceModel:
    renderer = TorchRenderer(trained_alike(), torch.device("cpu"))
    return FaceModel(shipped_face_space(), lambda: renderer, with_features(0).layout)


@pytest.fixture(scope="module")
def still() -> Picture:
    return demo_still(256)


def test_parameters_move_the_face(model: FaceModel, still: Picture) -> None:
    moved = np.pad(still, ((0, 0), (12, 0), (0, 0)), mode="edge")[:, :256]
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
        assert key is not None
        driven = analyser.analyse(moved, key)
        assert driven is not None
    reference = model.prepare(still, key.parameters)
    at_rest, drawn = reference.animate(key.parameters), reference.animate(driven.parameters)
    assert at_rest.shape == drawn.shape == still.shape
    assert at_rest.dtype == np.uint8
    # Its weights are random, so the picture is not good; but what there is moves as the face did.
    face = np.s_[60:180, 80:180]
    at_rest, drawn = at_rest.astype(float), drawn.astype(float)
    shifted = np.roll(at_rest, 12, axis=1)
    assert np.abs(drawn[face] - shifted[face]).mean() < 0.5 * np.abs(drawn - at_rest)[face].mean()
    np.testing.assert_array_equal(drawn, reference.animate(driven.parameters))


@pytest.mark.parametrize("side", [72, 200, 448])
def test_pictures_of_any_side_are_drawn_as_networks_learned(side: int) -> None:
    seen: set[tuple[int, ...]] = set()

    class Watched(TorchRenderer):
        def prepare(self, picture: Picture, landmarks: Float32Array) -> TorchDraw:
            seen.add(picture.shape)
            return super().prepare(picture, landmarks)

    renderer = Watched(trained_alike(), torch.device("cpu"))
    model = FaceModel(shipped_face_space(), lambda: renderer, with_features(0).layout)
    still = demo_still(side)
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
    assert key is not None
    reference = model.prepare(still, key.parameters)
    pair = model.pair(reference, model.prepare(still, key.parameters))
    drawn = [reference.animate(key.parameters), pair.animate(key.parameters, 0.5)]
    assert {picture.shape for picture in drawn} == {still.shape}
    assert seen == {(256, 256, 3)}


def test_the_largest_pictures_have_detail_of_fewer_pixels(model: FaceModel) -> None:
    still = demo_still(1100)
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
    assert key is not None
    reference = model.prepare(still, key.parameters)
    assert isinstance(reference, FaceReference)
    assert reference.fine is not None
    assert reference.fine.size == (MOST_SIDE, MOST_SIDE)
    pair = model.pair(reference, model.prepare(still, key.parameters))
    drawn = [reference.animate(key.parameters), pair.animate(key.parameters, 0.5)]
    assert [picture.shape for picture in drawn] == [still.shape] * 2


def test_pictures_that_are_not_square_are_refused(model: FaceModel) -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    with model.open_analyser() as analyser, pytest.raises(ModelError, match="not 96x64"):
        analyser.finds_face(picture)
    with pytest.raises(ModelError, match="not 96x64"):
        model.prepare(picture, None)


def test_eyes_that_close_are_bent_whatever_is_painted(still: Picture) -> None:
    """From one reference and from two; what networks of one reference draw stays theirs."""
    space = shipped_face_space()

    def lids_apart(configuration: FaceConfiguration) -> list[float]:
        """How far lids drawn closed are from bent ones: from one reference, and from two."""
        renderer = TorchRenderer(trained_alike(configuration), torch.device("cpu"))
        model = FaceModel(space, lambda: renderer, with_features(0).layout)
        with model.open_analyser() as analyser:
            key = analyser.analyse_key(still)
        assert key is not None
        numbers = model.layout.flatten(key.parameters)
        reference = model.prepare(still, key.parameters)
        assert isinstance(reference, FaceReference)
        controls = LandmarkControls(space, numbers, reference.face.rest)
        (row,) = controls.with_expression(numbers[None], FaceEdit(blink=0.7))
        closed = model.layout.unflatten(row)
        landmarks = reference.landmarks(closed)
        lower = closed_further(plane(landmarks), [reference.key])
        bent = LandmarkWarp(still, reference.face.key_landmarks).draw(lower.astype(np.float64))
        bent = with_closings(bent, lower, [reference.key])
        (x, y) = (landmarks[list(groups.LEFT_EYE), :2].mean(axis=0) * 256).astype(int)
        eye = np.s_[y - 3 : y + 4, x - 8 : x + 9]
        drawn = reference.animate(closed), model.pair(reference, reference).animate(closed, 0.5)
        return [float(np.abs(each.astype(float) - bent)[eye].mean()) for each in drawn]

    small = FaceConfiguration(channels=(6, 8, 10), motion_channels=4, bottleneck_blocks=1)
    # Skin and lashes are taken from around, which is painted.
    assert max(lids_apart(replace(small, fusing_channels=4))) < 5
    assert min(lids_apart(small)) > 10
