from __future__ import annotations

import pytest
import torch

from models.face.network import FaceNetwork


@pytest.fixture(scope="module")
def network() -> FaceNetwork:
    torch.manual_seed(0)
    return FaceNetwork().eval()


def inputs(size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    picture = torch.rand(1, 3, size, size, generator=generator)
    landmarks = torch.rand(2, 1, 478, 2, generator=generator) * 0.5 + 0.25
    flow = 0.05 * torch.randn(1, 2, size, size, generator=generator)
    return picture, landmarks[0], landmarks[1], flow


def test_the_network_is_small(network: FaceNetwork) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) <= 1_500_000


def test_a_key_picture_encoded_once_draws_the_same(network: FaceNetwork) -> None:
    picture, key_landmarks, landmarks, flow = inputs(64)
    with torch.inference_mode():
        whole = network(picture, key_landmarks, landmarks, flow)
        cached = network.draw(network.encode_key(picture, key_landmarks), landmarks, flow).picture
    assert whole.shape == picture.shape
    assert torch.equal(whole, cached)
    assert 0 <= float(whole.min()) <= float(whole.max()) <= 1


def test_the_flow_and_the_landmarks_matter(network: FaceNetwork) -> None:
    picture, key_landmarks, landmarks, flow = inputs(64)
    with torch.inference_mode():
        drawn = network(picture, key_landmarks, landmarks, flow)
        still = network(picture, key_landmarks, landmarks, torch.zeros_like(flow))
        other = network(picture, key_landmarks, key_landmarks, flow)
    assert not torch.equal(drawn, still)
    assert not torch.equal(drawn, other)


def test_pictures_must_be_square(network: FaceNetwork) -> None:
    with pytest.raises(ValueError, match="square"):
        network.encode_key(torch.zeros(1, 3, 64, 96), torch.zeros(1, 478, 2))
