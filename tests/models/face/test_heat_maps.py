"""Heat maps against their definition, point by point."""

from __future__ import annotations

import torch

from models.face.motion import DETAIL_PARTS, PARTS, heat_maps

SIZE = 16
WIDTH = 0.05


def test_heat_maps_are_gaussians_of_the_distance_to_the_nearest_point() -> None:
    landmarks = torch.rand(2, 478, 2, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1
    centres = (torch.arange(SIZE) + 0.5) / SIZE
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    places = torch.stack([x, y], dim=-1).reshape(-1, 2)
    wanted = []
    for part in PARTS:
        distance = (places[None, :, None] - landmarks[:, None, list(part)]).norm(dim=3).amin(dim=2)
        wanted.append(torch.exp(-0.5 * (distance / WIDTH) ** 2).reshape(2, SIZE, SIZE))
    found = heat_maps(landmarks, SIZE, WIDTH)
    torch.testing.assert_close(found, torch.stack(wanted, dim=1), rtol=0, atol=1e-5)
    assert torch.equal(heat_maps(landmarks, SIZE, WIDTH, DETAIL_PARTS), found[:, :DETAIL_PARTS])
