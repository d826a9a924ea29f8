"""CFTE in a tiny size: goldens, conventions of the published copies, motion, sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.published.cfte.configuration import CFTE_CONVENTIONS, CfteConventions
from models.published.layers.motion import warp_by_pixels
from tests.models.published.golden import check_golden
from tests.models.published.tiny import pictures, tiny_cfte


def test_outputs_are_the_golden_ones() -> None:
    network, (source, driving, _) = tiny_cfte(), pictures(256)
    of_source, of_driving = network.kp_detector(source), network.kp_detector(driving)
    cache = network.generator.encode_source(source)
    motion = network.generator.dense_motion_network(cache.motion_picture, of_source, of_driving)
    prediction = network.generator.animate(cache, of_source, of_driving)
    check_golden(
        "tiny_cfte",
        {
            "feature": of_source,
            "driving_feature": of_driving,
            "flow": motion.flow[:, 1::4, 2::4],
            "prediction": prediction[..., 3::8, 5::8],
        },
    )


def test_conventions_of_the_published_copies() -> None:
    table = {
        name: (c.sparse_warp_align_corners, c.dense_warp_align_corners)
        for name, c in CFTE_CONVENTIONS.items()
    }
    assert table == {"jvet_v2": (False, False), "jvet_v1": (False, False), "goluck": (True, True)}
    assert CFTE_CONVENTIONS["jvet_v2"] == CfteConventions()


def test_feature_difference_is_driving_less_source_after_enlargement() -> None:
    network = tiny_cfte().generator.dense_motion_network
    source, driving = torch.randn(2, 1, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    expected = network.up_blocks(driving) - network.up_blocks(source)
    difference = network.feature_difference(source, driving)
    assert difference.shape == (1, 1, 64, 64)
    assert torch.equal(difference, expected)
    enlarged_later = network.up_blocks(driving - source)
    assert (difference - enlarged_later).abs().max() > 1e-2, "the blocks are not linear"


def test_sparse_warp_resamples_although_its_flow_is_zero() -> None:
    network = tiny_cfte().generator.dense_motion_network
    features = torch.ones(1, 2, 4, 4)
    flow = network.sparse_flow(features)
    assert flow.shape == (1, 4, 4, 2)
    assert not flow.any()
    warped = warp_by_pixels(
        features, flow, align_corners=network.conventions.sparse_warp_align_corners
    )
    assert warped[0, 0, 0].tolist() == pytest.approx([0.25, 0.5, 0.5, 0.25])


def test_zero_flow_shows_the_picture_for_display() -> None:
    network, source = tiny_cfte(CFTE_CONVENTIONS["goluck"]), pictures(256)[0]
    feature = network.kp_detector(source)
    cache = network.generator.encode_source(source)
    motion = network.generator.dense_motion_network(cache.motion_picture, feature, feature)
    still = replace(motion, flow=torch.zeros_like(motion.flow))
    shown = network.generator.warp_picture(source, still)
    torch.testing.assert_close(shown, source, rtol=0, atol=1e-4)


def test_pictures_of_other_sizes_are_refused() -> None:
    network = tiny_cfte()
    for picture in (torch.zeros(1, 3, 512, 512), torch.zeros(3, 256, 256)):
        with pytest.raises(ValueError, match=r"want \[B, 3, 256, 256\]"):
            network.kp_detector(picture)
        with pytest.raises(ValueError, match=r"want \[B, 3, 256, 256\]"):
            network.generator.encode_source(picture)
