"""The face model around a network with random weights: what does not depend on training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gfvc.demo_clip import demo_still
from models.contract import Picture
from models.errors import ModelError
from models.face.card import with_features
from models.face.model import FaceModel
from models.face.torch_rendering import TorchRenderer, fold
from models.landmarks.face_space import shipped_face_space
from tests.models.face.networks import trained_alike


def test_folding_keeps_what_is_computed() -> None:
    network = trained_alike()
    generator = torch.Generator().manual_seed(1)
    picture = torch.rand(1, 3, 64, 64, generator=generator)
    landmarks = torch.rand(2, 1, 478, 2, generator=generator) * 0.5 + 0.25
    flow = 0.05 * torch.randn(1, 2, 64, 64, generator=generator)
    with torch.inference_mode():
        before = network(picture, landmarks[0], landmarks[1], flow)
        after = fold(network)(picture, landmarks[0], landmarks[1], flow)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert float((before - after).abs().max()) < 1e-4


@pytest.fixture(scope="module")
def model() -> FaceModel:
    renderer = TorchRenderer(trained_alike(), torch.device("cpu"))
    return FaceModel(shipped_face_space(), lambda _: renderer, with_features(0).layout)


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


@pytest.mark.parametrize(("height", "width"), [(72, 72), (64, 96)])
def test_sizes_the_network_cannot_have_are_refused(
    model: FaceModel, height: int, width: int
) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    with model.open_analyser() as analyser, pytest.raises(ModelError, match="multiple of 32"):
        analyser.finds_face(picture)
