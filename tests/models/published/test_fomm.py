"""FOMM in a tiny size: goldens, conventions of the published copies, motion, sizes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.published.fomm.configuration import FOMM_CONVENTIONS, FommConventions
from models.published.fomm.network import inverse_2x2
from models.published.layers.motion import DenseMotion
from tests.models.published.golden import check_golden
from tests.models.published.tiny import large_motion, pictures, tiny_fomm


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


def test_pictures_of_other_sizes_are_refused() -> None:
    network = tiny_fomm()
    picture = torch.zeros(1, 3, 96, 128)
    with pytest.raises(ValueError, match=r"multiples of 128"):
        network.kp_detector(picture)
    with pytest.raises(ValueError, match=r"multiples of 128"):
        network.generator.encode_source(picture)
