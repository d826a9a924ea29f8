"""FOMM in a tiny size: goldens, conventions, cache, batches, strict names."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.published.fomm.configuration import FOMM_CONVENTIONS, FommConventions
from models.published.fomm.network import Fomm, FommKeypoints, inverse_2x2
from models.published.layers import DenseMotion
from tests.models.published.golden import check_golden
from tests.models.published.tiny import TINY_FOMM, pictures, tiny_fomm


def large_motion() -> tuple[FommKeypoints, FommKeypoints]:
    """Invented keypoints of two pictures, far apart and with Jacobians far from the identity."""
    generator = torch.Generator().manual_seed(1)
    source, driving = 1.4 * torch.rand(2, 1, 3, 2, generator=generator) - 0.7
    skew = 0.5 * torch.rand(2, 1, 3, 2, 2, generator=generator) + torch.eye(2)
    return FommKeypoints(source, skew[0]), FommKeypoints(driving, skew[1])


def test_outputs_are_the_golden_ones() -> None:
    network, (source, driving, _) = tiny_fomm(), pictures(128)
    of_source, of_driving = network.kp_detector(source), network.kp_detector(driving)
    cache = network.generator.encode_source(source)
    motion: DenseMotion = network.generator.dense_motion_network(cache.reduced, *large_motion())
    prediction = network.generator(source, *large_motion())
    check_golden(
        "tiny_fomm",
        {
            "positions": of_source.positions,
            "jacobians": of_source.jacobians,
            "driving_positions": of_driving.positions,
            "deformation": motion.deformation[:, 1::4, 2::4],
            "occlusion": motion.occlusion[..., 1::4, 2::4],
            "prediction": prediction[..., 1::4, 2::4],
        },
    )


@pytest.mark.parametrize("choice", [field.name for field in fields(FommConventions)])
def test_every_convention_changes_the_picture(choice: str) -> None:
    conventions = FommConventions()
    other = replace(conventions, **{choice: not getattr(conventions, choice)})
    source = pictures(128)[0]
    predictions = [
        tiny_fomm(chosen).generator(source, *large_motion()) for chosen in (conventions, other)
    ]
    assert (predictions[0] - predictions[1]).abs().max() > 1e-3


def test_conventions_of_the_published_copies() -> None:
    table = {
        name: (
            c.sparse_sampling_align_corners,
            c.feature_warp_align_corners,
            c.use_jacobians,
            c.use_heatmaps,
        )
        for name, c in FOMM_CONVENTIONS.items()
    }
    assert table == {
        "jvet_v2": (False, True, True, True),
        "official": (False, False, True, True),
        "official_before_torch_1_3": (True, True, True, True),
        "jvet_v1": (False, False, False, False),
        "goluck": (True, True, False, False),
    }
    assert FOMM_CONVENTIONS["jvet_v2"] == FommConventions()


def test_unmoved_keypoints_move_nothing() -> None:
    network, source = tiny_fomm(), pictures(128)[0]
    keypoints = network.kp_detector(source)
    cache = network.generator.encode_source(source)
    motion: DenseMotion = network.generator.dense_motion_network(
        cache.reduced, keypoints, keypoints
    )
    # Every sparse motion is the identity then, and so is their blend.
    edges = motion.deformation[0, 0, 0], motion.deformation[0, -1, -1]
    torch.testing.assert_close(torch.stack(edges), torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
    torch.testing.assert_close(
        network.generator.warp_picture(source, motion)[..., 8:-8, 8:-8].mean(),
        source[..., 8:-8, 8:-8].mean(),
        rtol=0,
        atol=0.02,
    )


@given(st.lists(st.floats(-2, 2, width=32), min_size=4, max_size=4))
def test_inverse_of_matrices(elements: list[float]) -> None:
    matrix = torch.tensor(elements, dtype=torch.float64).view(1, 2, 2)
    if abs(float(torch.det(matrix))) < 1e-3:
        matrix = matrix + 5 * torch.eye(2)
    product = matrix @ inverse_2x2(matrix)
    torch.testing.assert_close(product[0], torch.eye(2, dtype=torch.float64))


def test_names_are_strict() -> None:
    network = Fomm(TINY_FOMM)
    state = network.generator.state_dict()
    with pytest.raises(RuntimeError, match=r"Unexpected key.*surplus"):
        network.generator.load_state_dict({**state, "surplus": torch.zeros(1)})
    del state["dense_motion_network.occlusion.bias"]
    with pytest.raises(RuntimeError, match=r"Missing key.*dense_motion_network\.occlusion\.bias"):
        network.generator.load_state_dict(state)


def test_pictures_of_other_sizes_are_refused() -> None:
    network = tiny_fomm()
    picture = torch.zeros(1, 3, 96, 128)
    with pytest.raises(ValueError, match=r"multiples of 128"):
        network.kp_detector(picture)
    with pytest.raises(ValueError, match=r"multiples of 128"):
        network.generator.encode_source(picture)
