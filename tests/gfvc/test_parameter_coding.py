"""Quantisation and prediction: what the encoder means is what the decoder gets, to the integer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc import EncodeOptions, StreamError, encode, parameter_coding
from gfvc.parameter_coding import (
    DEAD_ZONE,
    ParameterCoder,
    quantise,
    to_face_values,
    to_integers,
    to_parameters,
    to_values,
)
from gfvc.stream.reader import read_face_stream
from models import FaceParameters, MatrixShape, ParameterLayout
from sei import FaceValues, GfvState, MatrixValues, NetworkUri, SeiMessage
from tests.gfvc.support import no_notes
from tests.gfvc.symbols.made_card import made_card

LAYOUTS = (
    ParameterLayout(matrices=(MatrixShape(7, 1, 1, 5),), matrix_precision=8),
    ParameterLayout(keypoints=3, coordinate_precision=6),
    ParameterLayout(keypoints=2, dimensions=3, coordinate_precision=10),
    ParameterLayout(
        keypoints=4,
        matrices=(MatrixShape(0, 4, 2, 2), MatrixShape(9, 2, 3, 1)),
        coordinate_precision=9,
        matrix_precision=5,
    ),
)

numbers = st.floats(-4.0, 4.0)


@given(st.data(), st.sampled_from(LAYOUTS))
def test_the_decoder_has_the_encoders_values_and_errors_do_not_add_up(
    data: st.DataObject, layout: ParameterLayout
) -> None:
    size = layout.size
    clip = data.draw(st.lists(st.lists(numbers, min_size=size, max_size=size), min_size=1))
    coder, receiver = ParameterCoder(layout, made_card(layout)), GfvState()
    for index, values in enumerate(clip):
        parameters = layout.unflatten(np.array(values))
        code = coder.driven if index else coder.base
        read = receiver.read(code(parameters).payload)
        assert (read.gfv_cnt, read.base_picture_flag) == (index, index == 0)
        decoded = to_parameters(receiver.values, layout, Path("made"))
        error = np.abs(layout.flatten(decoded) - values)
        assert (error <= (0.5 + DEAD_ZONE + 1e-9) * 2.0**-layout.precisions).all()
    repeated = receiver.copy().read(coder.repeated().payload)
    assert repeated.low_confidence_face_parameter_flag


@given(st.lists(st.tuples(numbers, st.integers(-1000, 1000)), min_size=1))
def test_small_changes_are_left_out_and_large_ones_rounded(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs])
    previous = np.array([before for _, before in pairs])
    quantised = quantise(values, 8, previous)
    change = values * 256 - previous
    still = np.abs(change) < 0.5 + DEAD_ZONE - 1e-9
    np.testing.assert_array_equal(quantised[still], previous[still])
    large = np.abs(change) >= 1.5
    assert (np.abs(quantised - values * 256)[large] <= 0.5 + 1e-9).all()


def test_a_face_that_stays_costs_nothing_but_the_header() -> None:
    layout = LAYOUTS[0]
    coder = ParameterCoder(layout, made_card(layout))
    parameters = FaceParameters(matrices=((7, np.full((1, 1, 5), 0.3)),))
    coder.base(parameters)
    # id 1, cnt 3, fusion absent, confidence 1, coordinates 1, matrices 1, predicted 1; 2 a value.
    assert len(coder.driven(parameters).payload) == -(-(1 + 3 + 1 + 1 + 1 + 1 + 5 * 2) // 8)


def test_the_base_message_names_the_model_and_a_repeated_one_says_so() -> None:
    layout = LAYOUTS[0]
    coder, receiver = ParameterCoder(layout, made_card(layout)), GfvState()
    parameters = FaceParameters(matrices=((7, np.arange(5.0).reshape(1, 1, 5)),))
    base = receiver.read(coder.base(parameters).payload)
    assert base.network == NetworkUri("tag:made", "made:1")
    assert not base.low_confidence_face_parameter_flag
    before = receiver.values
    repeated = receiver.read(coder.repeated().payload)
    assert repeated.low_confidence_face_parameter_flag
    assert repeated.network is None
    assert receiver.values == before


def test_counting_starts_anew_at_each_key_picture() -> None:
    layout = LAYOUTS[0]
    coder, receiver = ParameterCoder(layout, made_card(layout)), GfvState()
    parameters = FaceParameters(matrices=((7, np.zeros((1, 1, 5))),))
    codes = (coder.base, coder.driven, coder.driven, coder.base, coder.driven)
    read = [receiver.read(code(parameters).payload) for code in codes]
    assert [message.gfv_cnt for message in read] == [0, 1, 2, 0, 1]
    assert [message.base_picture_flag for message in read] == [True, False, False, True, False]


@pytest.mark.parametrize(
    "values",
    [
        FaceValues(),
        FaceValues(keypoints=((1, 2),), keypoint_precision_factor=8),
        FaceValues(matrices=(MatrixValues(7, 8, (((1, 2, 3, 4),),)),)),
        FaceValues(matrices=(MatrixValues(8, 8, (((1, 2, 3, 4, 5),),)),)),
        FaceValues(matrices=(MatrixValues(7, 8, (((1,), (2,), (3,), (4,), (5,)),)),)),
        FaceValues(matrices=(MatrixValues(7, 8, (((1, 2, 3, 4, 5),),)),) * 2),
    ],
)
def test_values_of_another_layout_are_refused(values: FaceValues) -> None:
    with pytest.raises(StreamError, match=r"made\.266: a message carries .* its model wants"):
        to_parameters(values, LAYOUTS[0], Path("made.266"))


def test_any_precision_that_a_stream_states_is_understood() -> None:
    values = FaceValues(matrices=(MatrixValues(7, 2, (((1, -2, 3, -4, 5),),)),))
    parameters = to_parameters(values, LAYOUTS[0], Path("made"))
    assert parameters.matrices[0][1].tolist() == [[[0.25, -0.5, 0.75, -1.0, 1.25]]]


def test_the_stream_carries_what_the_encoder_quantised(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    def record(
        parameters: FaceParameters, layout: ParameterLayout, previous: FaceValues | None = None
    ) -> FaceValues:
        sent.append(to_values(parameters, layout, previous))
        return sent[-1]

    monkeypatch.setattr(parameter_coding, "to_values", record)
    stream = tmp_path / "out.265"
    encode(short_clip, stream, EncodeOptions(key_interval=5, low_delay=True))
    units = read_face_stream(stream, no_notes).units
    received = [values for unit in units for values in unit.values()]
    assert len(sent) == 12
    assert received == sent


@pytest.mark.parametrize("key_pictures", ["fixed", "auto"])
def test_the_stream_carries_what_was_decided(
    key_pictures: Literal["fixed", "auto"],
    short_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Picture by picture, and by segments; all values go together in the messages of the model."""
    sent = []
    decided = ParameterCoder.decided

    def record(
        coder: ParameterCoder, values: FaceValues, *, low_confidence: bool = False
    ) -> SeiMessage:
        sent.append(values)
        return decided(coder, values, low_confidence=low_confidence)

    monkeypatch.setattr(ParameterCoder, "decided", record)
    stream = tmp_path / "out.265"
    options = EncodeOptions(key_pictures=key_pictures, key_interval=5, symbol_rate="full")
    encode(short_clip, stream, options)
    units = read_face_stream(stream, no_notes).units
    assert any(unit.part is not None for unit in units) == (key_pictures == "auto")
    assert len(sent) > len(units)
    assert [values for unit in units for values in unit.values()] == sent


@given(st.data(), st.sampled_from(LAYOUTS))
def test_vectors_and_nested_values_are_the_same_integers(
    data: st.DataObject, layout: ParameterLayout
) -> None:
    integers = st.integers(-(2**62), 2**62)  # beyond what a float64 holds
    vector = np.array(data.draw(st.lists(integers, min_size=layout.size, max_size=layout.size)))
    values = to_face_values(vector, layout)
    assert to_integers(values).tolist() == vector.tolist()
    left = to_face_values(vector, layout, keypoints=False)
    assert left.keypoints is None
    assert left.keypoint_precision_factor is None
    assert left.matrices == values.matrices
    assert to_face_values(vector, layout, matrices=False).matrices == ()
