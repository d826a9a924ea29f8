"""Landmarks to measure with."""

from __future__ import annotations

import numpy as np
import pytest

from models.contract import FloatArray


@pytest.fixture
def landmarks() -> FloatArray:
    """Random points, the outer eye corners a fifth of the picture apart."""
    points = np.random.default_rng(0).uniform(0.3, 0.7, (478, 3))
    points[33], points[263] = (0.4, 0.4, 0.0), (0.6, 0.4, 0.0)
    return points
