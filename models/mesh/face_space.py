"""The space of faces that the `mesh` model describes: a mean shape and a basis of expressions.

The data file `models/data/mesh.safetensors` holds, for 478 points in a frame where the mean
shape has its weighted centre at the origin and a weighted mean square radius of 1:

    mean     float32 [478, 3]      the average face, looking straight ahead
    basis    float32 [K, 478, 3]   expressions, most common first, orthonormal under `weights`
    weights  float32 [478]         how much each point counts, sum 1
    spread   float32 [K]           standard deviation of each coefficient in the learning data
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.card import read_tensors
from models.contract import FloatArray
from models.errors import CheckpointError
from models.landmarks import ALL_POINTS


@dataclass(frozen=True, slots=True)
class FaceSpace:
    """Mean shape [478, 3], expression basis [K, 478, 3], point weights [478], spread [K]."""

    mean: FloatArray
    basis: FloatArray
    weights: FloatArray
    spread: FloatArray

    def expression(self, shape: FloatArray, rest: FloatArray) -> FloatArray:
        """Coefficients [K] of the difference between a shape [478, 3] and its rest shape."""
        difference = (shape - rest) * self.weights[:, None]
        coefficients: FloatArray = np.einsum("knd,nd->k", self.basis, difference)
        return coefficients

    def deform(self, rest: FloatArray, coefficients: FloatArray) -> FloatArray:
        """The rest shape [478, 3] with an expression of up to K coefficients."""
        count = len(coefficients)
        shape: FloatArray = rest + np.einsum("k,knd->nd", coefficients, self.basis[:count])
        return shape


def load_face_space(path: Path, sha256: str) -> FaceSpace:
    """Read the data file; raise `CheckpointError` when it is damaged or of another shape."""
    tensors = read_tensors(path, sha256)
    missing = {"mean", "basis", "weights", "spread"} - tensors.keys()
    if missing:
        raise CheckpointError(f"{path}: no tensor {', '.join(sorted(missing))}")
    arrays = {name: value.astype(np.float64) for name, value in tensors.items()}
    count = len(arrays["spread"])
    expected = {
        "mean": (ALL_POINTS, 3),
        "basis": (count, ALL_POINTS, 3),
        "weights": (ALL_POINTS,),
        "spread": (count,),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise CheckpointError(
                f"{path}: tensor {name} has shape {arrays[name].shape}, expected {shape}"
            )
        if not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{path}: tensor {name} holds values that are not finite")
    return FaceSpace(arrays["mean"], arrays["basis"], arrays["weights"], arrays["spread"])
