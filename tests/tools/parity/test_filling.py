"""The filling rule, against recorded checksums and against the packs' own program."""

from __future__ import annotations

import importlib.util
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tools.parity.filling import filled_array, synthetic_pictures


@pytest.fixture(scope="module")
def reference(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", shared / "parity" / "fill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES: list[tuple[str, tuple[int, ...]]] = [
    ("generator.first.conv.weight", (4, 3, 7, 7)),
    ("generator.first.conv.bias", (4,)),
    ("generator.first.norm.weight", (4,)),
    ("generator.first.norm.running_mean", (4,)),
    ("generator.first.norm.running_var", (4,)),
    ("generator.bottleneck.r0.conv2.weight", (4, 4, 3, 3)),
    ("generator.resblocks_3d.3dr1.conv2.weight", (4, 4, 3, 3, 3)),
    ("generator.dense_motion_network.mask.weight", (3, 4, 7, 7)),
    ("generator.dense_motion_network.occlusion.weight", (1, 4, 7, 7)),
    ("generator.dense_motion_network.flow.weight", (2, 4, 7, 7)),
    ("generator.dense_motion_network.up_blocks.0.conv.weight", (1, 1, 3, 3)),
    ("generator.dense_motion_network.down.weight", (3, 1, 13, 13)),
    ("kp_detector.jacobian.weight", (8, 4, 7, 7)),
    ("kp_detector.jacobian.bias", (8,)),
    ("kp_detector.conv2.weight", (1, 1, 5, 5)),
    ("kp_detector.gdn1.beta", (3,)),
    ("kp_detector.gdn1.gamma", (3, 3)),
    ("he_estimator.conv1.weight", (4, 3, 7, 7)),
    ("he_estimator.block1.b1_0.conv3.weight", (4, 2, 1, 1)),
    ("he_estimator.block2.conv3.weight", (4, 2, 1, 1)),
    ("he_estimator.fc_exp.weight", (6, 4)),
    ("he_estimator.fc_yaw.weight", (6, 4)),
]


@pytest.mark.parametrize("salt", ["", "another"])
@pytest.mark.parametrize(("name", "shape"), NAMES)
def test_tensors_equal_the_packs_own(
    reference: ModuleType, name: str, shape: tuple[int, ...], salt: str
) -> None:
    ours = filled_array(name, shape, "float32", salt)
    assert ours.dtype == np.float32
    assert ours.tobytes() == reference.fill(name, shape, "float32", salt).tobytes()


@pytest.mark.parametrize("salt", ["", "another"])
def test_pictures_equal_the_packs_own(reference: ModuleType, salt: str) -> None:
    ours = synthetic_pictures(salt).astype(np.float32) / np.float32(255)
    assert np.array_equal(ours, np.concatenate(reference.images(salt)))


def test_recorded_checksums() -> None:
    joined = b"".join(filled_array(name, shape, "float32").tobytes() for name, shape in NAMES)
    assert zlib.crc32(joined) == 599025660
    assert zlib.crc32(synthetic_pictures().tobytes()) == 3305565649


def test_salt_changes_everything_but_fixed_kernels() -> None:
    for name, shape in NAMES:
        equal = np.array_equal(
            filled_array(name, shape, "float32"), filled_array(name, shape, "float32", "salt")
        )
        assert equal == name.endswith("down.weight")
    assert not np.array_equal(synthetic_pictures(), synthetic_pictures("salt"))


def test_counters_are_zero_and_other_types_refused() -> None:
    assert filled_array("a.num_batches_tracked", (), "int64") == np.int64(0)
    with pytest.raises(ValueError, match="dtype float16"):
        filled_array("a.weight", (1,), "float16")
