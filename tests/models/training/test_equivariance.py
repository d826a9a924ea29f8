from __future__ import annotations

import pytest
import torch

from models.published.layers.motion import coordinate_grid
from models.published.training import (
    Deformation,
    jacobian_loss,
    position_loss,
    random_deformation,
)


def deformation(batch: int = 2) -> Deformation:
    torch.manual_seed(0)
    return random_deformation(batch, torch.zeros(1, dtype=torch.float64))


def test_deformations_are_near_the_identity_and_differ() -> None:
    points = coordinate_grid((5, 5), like=torch.zeros(1, dtype=torch.float64)).reshape(1, -1, 2)
    moved = deformation().positions(points.expand(2, -1, -1))
    assert 0.005 < float((moved - points).abs().mean()) < 0.3
    assert not torch.allclose(moved[0], moved[1])


def test_jacobians_are_the_derivative() -> None:
    bent = deformation()
    points = torch.rand(2, 4, 2, dtype=torch.float64) * 2 - 1
    full = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
        bent.positions, points
    )
    assert isinstance(full, torch.Tensor)
    for picture in range(2):
        for point in range(4):
            expected = full[picture, point, :, picture, point]
            assert torch.allclose(bent.jacobians(points)[picture, point], expected, atol=1e-5)


def test_what_a_deformed_picture_shows_lies_where_positions_say() -> None:
    grid = coordinate_grid((129, 129), like=torch.zeros(1, dtype=torch.float64))
    spot = torch.tensor([0.3, -0.2], dtype=torch.float64)
    picture = torch.exp(-((grid - spot) ** 2).sum(dim=-1) / 0.01).expand(2, 3, -1, -1)
    bent = deformation()
    shown = bent.picture(picture)[:, 0]
    centres = (shown[..., None] * grid).sum(dim=(1, 2)) / shown.sum(dim=(1, 2))[:, None]
    assert torch.allclose(bent.positions(centres[:, None])[:, 0], spot.expand(2, -1), atol=0.01)
    # The spot has moved in the deformed picture.
    assert float((centres - spot).abs().max()) > 0.02


def test_losses_vanish_for_keypoints_that_follow() -> None:
    found = torch.rand(2, 3, 2)
    assert float(position_loss(found, found)) == 0.0
    assert float(position_loss(found, found + 0.5)) == pytest.approx(0.5)
    matrices = torch.eye(2) + 0.1 * torch.rand(2, 3, 2, 2)
    assert float(jacobian_loss(matrices.inverse(), matrices)) == pytest.approx(0.0, abs=1e-6)
    assert float(jacobian_loss(matrices.inverse(), 2 * matrices)) == pytest.approx(0.5, abs=1e-6)
