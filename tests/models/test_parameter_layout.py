"""Face parameters as a vector, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import FaceParameters, MatrixShape, ModelError, ParameterLayout

shapes = st.builds(
    MatrixShape, st.integers(0, 63), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)
)
precisions = st.integers(1, 32)
layouts = st.builds(
    ParameterLayout,
    st.integers(1, 4),
    st.sampled_from([2, 3]),
    st.lists(shapes, max_size=3).map(tuple),
    precisions,
    precisions,
) | st.builds(
    ParameterLayout,
    matrices=st.lists(shapes, min_size=1, max_size=3).map(tuple),
    coordinate_precision=precisions,
    matrix_precision=precisions,
)

MIXED = ParameterLayout(
    keypoints=2,
    matrices=(MatrixShape(7, 1, 1, 3), MatrixShape(0, 2, 1, 2)),
    coordinate_precision=6,
    matrix_precision=4,
)


@given(layouts)
def test_a_vector_comes_back(layout: ParameterLayout) -> None:
    vector = np.arange(layout.size) / 8
    parameters = layout.unflatten(vector)
    layout.check(parameters)
    np.testing.assert_array_equal(layout.flatten(parameters), vector)


def test_the_order_is_that_of_the_bitstream() -> None:
    assert (MIXED.coordinates, MIXED.elements, MIXED.size) == (4, 7, 11)
    assert MIXED.precisions.tolist() == [6] * 4 + [4] * 7
    points, matrices = MIXED.split(np.arange(11))
    assert points is not None
    assert points.tolist() == [[0, 1], [2, 3]]
    assert [(kind, values.tolist()) for kind, values in matrices] == [
        (7, [[[4, 5, 6]]]),
        (0, [[[7, 8]], [[9, 10]]]),
    ]


def test_integers_stay_integers() -> None:
    large = 2**62 + 1  # no float64
    layout = ParameterLayout(matrices=(MatrixShape(7, 1, 1, 1),))
    points, ((_, values),) = layout.split(np.array([large]))
    assert points is None
    assert values.tolist() == [[[large]]]


@given(layouts, st.sampled_from([-1, 1]))
def test_a_vector_of_another_size_is_refused(layout: ParameterLayout, more: int) -> None:
    with pytest.raises(ValueError, match=f"is not one of {layout.size} values"):
        layout.unflatten(np.zeros(layout.size + more))


@pytest.mark.parametrize(
    "other",
    [
        FaceParameters(),
        FaceParameters(keypoints=np.zeros((2, 2))),
        FaceParameters(np.zeros((2, 3)), ((7, np.zeros((1, 1, 3))), (0, np.zeros((2, 1, 2))))),
        FaceParameters(np.zeros((2, 2)), ((0, np.zeros((2, 1, 2))), (7, np.zeros((1, 1, 3))))),
        FaceParameters(np.zeros((2, 2)), ((7, np.zeros((1, 3, 1))), (0, np.zeros((2, 1, 2))))),
        FaceParameters(None, ((7, np.zeros((1, 1, 3))), (0, np.zeros((2, 1, 2))))),
    ],
)
def test_parameters_of_another_layout_are_refused(other: FaceParameters) -> None:
    for use in (MIXED.check, MIXED.flatten):
        with pytest.raises(ModelError, match=r"parameters are keypoints \(2, 2\) and matrices"):
            use(other)
