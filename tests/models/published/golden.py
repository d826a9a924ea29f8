"""Golden tensors of our own: regenerated on purpose only, with GENERATE_EXPECTED=1."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

FOLDER = Path(__file__).resolve().parents[2] / "data" / "parity"


def check_golden(name: str, tensors: dict[str, Tensor]) -> None:
    """Compare with ``tests/data/parity/NAME.npz``, which must hold the same names.

    Not exact: processors add up convolutions in different orders. The tolerance is that of the
    parity packs.
    """
    path = FOLDER / f"{name}.npz"
    arrays = {key: tensor.numpy() for key, tensor in tensors.items()}
    if os.environ.get("GENERATE_EXPECTED") == "1":
        FOLDER.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **arrays)
    if not path.is_file():
        pytest.fail(f"{path} is missing: GENERATE_EXPECTED=1 makes it")
    with np.load(path, allow_pickle=False) as archive:
        golden = {key: archive[key] for key in archive.files}
    assert golden.keys() == arrays.keys()
    for key, expected in golden.items():
        tolerance = 1e-4 * max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(arrays[key], expected, rtol=0, atol=tolerance, err_msg=key)
