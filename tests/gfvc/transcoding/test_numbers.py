"""Rows of numbers and the layouts they fit into."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.errors import InputError, StreamError
from gfvc.parameter_rows import from_numbers, layout_of, repacked, to_numbers
from gfvc.transcoding import LAYOUTS, IdentityTranslator, target_layout
from models import MatrixShape, ParameterLayout, Registry, UnknownModelError
from sei import FaceValues, MatrixValues

SHAPES = st.builds(
    MatrixShape,
    st.sampled_from([2, 7, 9]),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(1, 3),
)
LAYOUT = st.builds(
    ParameterLayout,
    keypoints=st.integers(1, 4),
    dimensions=st.sampled_from([2, 3]),
    matrices=st.lists(SHAPES, max_size=2).map(tuple),
    coordinate_precision=st.integers(1, 20),
    matrix_precision=st.integers(1, 20),
)


@st.composite
def received(draw: st.DrawFn) -> FaceValues:
    """Parameters of any layout, as a receiver has them."""
    layout = draw(LAYOUT)
    numbers = layout.keypoints * layout.dimensions
    numbers += sum(m.count * m.height * m.width for m in layout.matrices)
    integers = draw(st.lists(st.integers(-(2**30), 2**30), min_size=numbers, max_size=numbers))
    split = layout.keypoints * layout.dimensions
    row = np.array(integers, np.float64)
    row[:split] *= 2.0**-layout.coordinate_precision
    row[split:] *= 2.0**-layout.matrix_precision
    return from_numbers(row, layout)


@given(received())
def test_rows_of_numbers_hold_everything(values: FaceValues) -> None:
    layout = layout_of(values)
    assert from_numbers(to_numbers(values), layout) == values


@given(received(), st.sampled_from(LAYOUTS))
def test_repacking_changes_no_number_and_can_be_undone(values: FaceValues, name: str) -> None:
    source = layout_of(values)
    try:
        target = target_layout(name, source, Registry())
    except InputError:
        assert len(to_numbers(values)) % (3 if name == "keypoints3d" else 2)
        return
    there = repacked(values, target)
    assert layout_of(there).keypoints == target.keypoints
    assert [m.type_idx for m in there.matrices] == [m.matrix_type for m in target.matrices]
    assert np.array_equal(to_numbers(there), to_numbers(values))
    back = repacked(there, source)
    assert np.array_equal(to_numbers(back), to_numbers(values))


@given(received(), st.integers(1, 22))
def test_rounding_moves_a_number_by_half_a_step_at_most(values: FaceValues, precision: int) -> None:
    layout = ParameterLayout(
        matrices=(MatrixShape(7, 1, 1, len(to_numbers(values))),), matrix_precision=precision
    )
    rounded = to_numbers(from_numbers(to_numbers(values), layout))
    assert np.abs(rounded - to_numbers(values)).max() <= 2.0**-precision / 2


def test_what_does_not_fit_is_said() -> None:
    seven = ParameterLayout(matrices=(MatrixShape(7, 1, 1, 7),))
    with pytest.raises(InputError, match="7 numbers a picture do not make 2-D keypoints"):
        target_layout("keypoints", seven, Registry())
    with pytest.raises(InputError, match="7 numbers a picture do not make 3-D keypoints"):
        target_layout("keypoints3d", seven, Registry())
    with pytest.raises(UnknownModelError, match="no model is named 'x'"):
        target_layout("x", seven, Registry())
    large = ParameterLayout(matrices=(MatrixShape(7, 2, 600, 1),))
    with pytest.raises(InputError, match="1200 numbers a picture are more"):
        target_layout("compact", large, Registry())
    with pytest.raises(InputError, match=r"carries 7 numbers a picture and .* holds 1200"):
        IdentityTranslator(seven, large)


def test_numbers_that_cannot_be_exact_are_refused() -> None:
    huge = FaceValues(keypoints=((2**53, 0),), keypoint_precision_factor=8)
    with pytest.raises(StreamError, match="too large to be translated exactly"):
        to_numbers(huge)
    layout = ParameterLayout(keypoints=1, coordinate_precision=32)
    with pytest.raises(StreamError, match="too large for steps of 2\\^-32"):
        from_numbers(np.array([1e9, 0]), layout)
    with pytest.raises(StreamError, match="carries no face parameters"):
        layout_of(FaceValues())


def test_matrices_larger_than_a_layout_can_have_are_refused() -> None:
    values = FaceValues(matrices=(MatrixValues(7, 8, (((0,) * 1025,),)),))
    with pytest.raises(StreamError, match=r"matrices that no layout here has: .*1025"):
        layout_of(values)
