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


def test_a_picture_is_drawn_in_the_size_of_the_key_picture(network: FaceNetwork) -> None:
    picture, key_landmarks, landmarks, flow = inputs(64)
    with torch.inference_mode():
        drawn = network.draw(network.encode_key(picture, key_landmarks), landmarks, flow).picture
    assert drawn.shape == picture.shape
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1


def test_the_picture_follows_the_flow(network: FaceNetwork) -> None:
    """Before training the warp is all but everything: a constant flow moves the picture."""
    picture, landmarks, _, _ = inputs(64)
    smooth = torch.nn.functional.avg_pool2d(picture, 9, stride=1, padding=4)
    step = 8
    flow = torch.zeros(1, 2, 64, 64)
    flow[:, 0] = step / 64  # reads to the right
    with torch.inference_mode():
        drawing = network.draw(network.encode_key(smooth, landmarks), landmarks, flow)
    # Moving is 0.88 before training: the picture moves by 7 of 8 pixels.
    moved = round(step * float(drawing.motion.moving.mean()))
    assert moved == 7
    inner = drawing.warped[..., 16:48, 16:48]
    assert float((inner - smooth[..., 16:48, 16 + moved : 48 + moved]).abs().max()) < 0.02
    assert float((inner - smooth[..., 16:48, 16:48]).abs().max()) > 0.05
    # The mask, 0.88 where nothing was learned, keeps the picture near its warp.
    assert float((drawing.picture - drawing.warped).abs().mean()) < 0.05


def test_the_landmarks_reach_the_picture_where_they_moved(network: FaceNetwork) -> None:
    """Heat maps of the driven landmarks are seen near them, and nowhere far."""
    picture, key_landmarks, _, _ = inputs(128)
    landmarks = key_landmarks * 0.25 + 0.05  # all in the upper left corner
    moved = landmarks.clone()
    moved[..., 0] += 0.03
    flow = torch.zeros(1, 2, 128, 128)
    with torch.inference_mode():
        key = network.encode_key(picture, landmarks)
        change = network.draw(key, moved, flow).picture - network.draw(key, landmarks, flow).picture
    near, far = change[..., :48, :48].abs().mean(), change[..., 96:, 96:].abs().max()
    assert float(near) > 1e-5
    assert float(far) < 0.01 * float(near)


def test_pictures_must_be_square(network: FaceNetwork) -> None:
    with pytest.raises(ValueError, match="square"):
        network.encode_key(torch.zeros(1, 3, 64, 96), torch.zeros(1, 478, 2))
