"""Streams of face messages: prediction, its inverse, and what a writer refuses."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from bitstring import Bits, pack
from hypothesis import given
from hypothesis import strategies as st

from sei import (
    ChromaKey,
    CoordinateLayout,
    Coordinates,
    ElementRangeError,
    FaceValues,
    FieldMissingError,
    FieldUnusedError,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    GfveState,
    GfvState,
    Matrices,
    MatrixElement,
    MatrixLayout,
    MatrixShape,
    MatrixValues,
    MessageError,
    NetworkPayload,
    NetworkReserved,
    NetworkUri,
    Pupils,
    ReferenceMissingError,
)
from tests.sei.messages import NUMBERS, read_and_rewrite, value_sequences


@given(value_sequences(), st.booleans(), st.booleans(), st.integers(0, 300))
def test_receiver_gets_what_the_sender_wants(
    pictures: list[FaceValues], predict_keypoints: bool, predict_matrices: bool, gfv_id: int
) -> None:
    gfv_id += 512  # not reserved
    sender, receiver = GfvState(), GfvState()
    for gfv_cnt, wanted in enumerate(pictures):
        message = sender.predict(
            wanted,
            gfv_id=gfv_id,
            gfv_cnt=gfv_cnt,
            base_picture_flag=gfv_cnt == 0,
            predict_keypoints=predict_keypoints,
            predict_matrices=predict_matrices,
        )
        payload = sender.write(message)
        assert sender.values == wanted
        assert receiver.read(payload) == message
        assert receiver.values == wanted


@given(value_sequences(), st.data())
def test_any_message_of_a_picture_can_follow_its_base(
    pictures: list[FaceValues], data: st.DataObject
) -> None:
    """Messages with gfv_cnt 0 after a base message are predicted from it, in any order."""
    sender, receiver = GfvState(), GfvState()
    payload = sender.write(sender.predict(pictures[0], gfv_id=3, gfv_cnt=0, base_picture_flag=True))
    receiver.read(payload)
    for wanted in pictures[1:]:
        gfv_cnt = data.draw(st.integers(0, 2))
        message = sender.predict(
            wanted, gfv_id=3, gfv_cnt=gfv_cnt, drive_picture_fusion_flag=gfv_cnt == 0
        )
        receiver.read(sender.write(message))
        assert receiver.values == wanted


@given(value_sequences())
def test_a_message_that_is_repeated_changes_nothing(pictures: list[FaceValues]) -> None:
    """Also where messages of another face stand between."""
    senders, receiver = [GfvState(), GfvState()], GfvState()
    for gfv_cnt, wanted in enumerate(pictures):
        payloads = [
            sender.write(
                sender.predict(
                    wanted, gfv_id=gfv_id, gfv_cnt=gfv_cnt, base_picture_flag=gfv_cnt == 0
                )
            )
            for gfv_id, sender in enumerate(senders)
        ]
        for repeated in (False, True):
            for payload in payloads:
                receiver.read(payload)
                assert receiver.values == wanted
                assert receiver.repeated == (repeated and gfv_cnt > 0)


def test_pupils_that_are_repeated_change_nothing() -> None:
    sender, receiver = GfveState(), GfveState()
    for gfv_cnt, x in enumerate((1, 4, 9)):
        wanted = FaceValues(pupils=((x, 0), (x, 2)), pupil_precision_factor=4)
        message = sender.predict(
            wanted, gfve_id=0, gfv_id=0, gfv_cnt=gfv_cnt, base_picture_flag=gfv_cnt == 0
        )
        for _ in range(2):
            receiver.read(sender.write(message))
            assert sender.values == receiver.values == wanted


# Any difference of two of these is within the range of the coded one at precision factor 1.
PUPIL = st.tuples(st.integers(-2, 2), st.integers(-2, 2))


@given(
    st.lists(st.tuples(PUPIL, PUPIL, st.lists(NUMBERS, min_size=5, max_size=5)), min_size=1),
    st.integers(1, 32),
    st.integers(1, 32),
    st.booleans(),
)
def test_enhancement_receiver_gets_what_the_sender_wants(
    pictures: list[tuple[tuple[int, int], tuple[int, int], list[int]]],
    pupil_p: int,
    matrix_p: int,
    predict: bool,
) -> None:
    sender, receiver = GfveState(), GfveState()
    for gfv_cnt, (left, right, (a, b, c, d, e)) in enumerate(pictures):
        wanted = FaceValues(
            matrices=(MatrixValues(None, matrix_p, (((a, b, c),), ((d,), (e,)))),),
            pupils=(left, right),
            pupil_precision_factor=pupil_p,
        )
        message = sender.predict(
            wanted,
            gfve_id=7,
            gfv_id=1,
            gfv_cnt=gfv_cnt,
            base_picture_flag=gfv_cnt == 0,
            predict_matrices=predict,
        )
        assert receiver.read(sender.write(message)) == message
        assert receiver.values == sender.values == wanted


def test_pupils_that_rest_are_not_sent() -> None:
    state = GfveState()
    still = FaceValues(pupils=((4, 5), (6, 7)), pupil_precision_factor=6)
    state.write(state.predict(still, gfve_id=0, gfv_id=0, gfv_cnt=0, base_picture_flag=True))
    message = state.predict(still, gfve_id=0, gfv_id=0, gfv_cnt=1)
    assert message.pupils is None
    state.write(message)
    assert state.values == still
    moved = replace(still, pupils=((4, 5), (6, 9)))
    message = state.predict(moved, gfve_id=0, gfv_id=0, gfv_cnt=2)
    assert message.pupils == Pupils(None, (0, 2))


ELEMENTS = st.builds(
    lambda integer, fraction, negative: MatrixElement(
        integer, fraction, negative and bool(integer or fraction)
    ),
    st.integers(0, 2**32 - 2),
    st.integers(0, 2**32 - 2),
    st.booleans(),
)


@given(st.lists(ELEMENTS, min_size=2, max_size=2))
def test_predicted_fractions_survive_whatever_they_are(elements: list[MatrixElement]) -> None:
    """A predicted fraction is ue(v) and may exceed the precision: coded as it was read."""
    sender, receiver = GfvState(), GfvState()
    base = FaceValues(matrices=(MatrixValues(7, 4, (((1, 2),),)),))
    receiver.read(sender.write(sender.predict(base, gfv_id=0, gfv_cnt=0, base_picture_flag=True)))
    message = GenerativeFaceVideo(0, 1, matrices=Matrices(tuple(elements), True, None))
    assert receiver.read(sender.write(message)) == message
    expected = [
        start + (-1 if e.negative else 1) * (16 * e.integer + e.fraction)
        for start, e in zip((1, 2), elements, strict=True)
    ]
    assert receiver.values.matrices[0].matrices == ((tuple(expected),),)


@pytest.mark.parametrize(
    "network",
    [
        None,
        NetworkUri("tag:example.org,2026:face", "https://example.org/ä.onnx"),
        NetworkUri("", ""),
        NetworkPayload(b""),
        NetworkPayload(bytes(range(256))),
        NetworkReserved(2),
        NetworkReserved(2**32 - 2),
    ],
)
def test_networks_survive(network: NetworkUri | NetworkPayload | NetworkReserved | None) -> None:
    values = FaceValues(matrices=(MatrixValues(9, 3, (((5,),),)),))
    sender, receiver = GfvState(), GfvState()
    message = sender.predict(values, gfv_id=0, gfv_cnt=0, base_picture_flag=True, network=network)
    assert message.network == network
    assert receiver.read(sender.write(message)) == message
    enhancer, enhanced = GfveState(), GfveState()
    enhancement = enhancer.predict(
        replace(values, matrices=(MatrixValues(None, 3, (((5,),),)),)),
        gfve_id=0,
        gfv_id=0,
        gfv_cnt=0,
        base_picture_flag=True,
        network=network,
    )
    assert enhanced.read(enhancer.write(enhancement)) == enhancement


LAYOUT = MatrixLayout(4, (MatrixShape(7, 1, 1, 2),))
TWO = (MatrixElement(0, 1), MatrixElement(1, 0, True))
BASE = GenerativeFaceVideo(
    0,
    0,
    True,
    coordinates=Coordinates(((1, 2), (3, 4)), True, CoordinateLayout(5, 2)),
    matrices=Matrices(TWO, False, LAYOUT),
)
DIFFERENCES = Coordinates(((1, 2), (3, 4)), True, None)
DRIVEN = GenerativeFaceVideo(0, 1, coordinates=DIFFERENCES, matrices=Matrices(TWO, True, None))


@pytest.mark.parametrize(
    ("message", "error", "text"),
    [
        # Fields that such a message does not code.
        (replace(DRIVEN, base_picture_flag=True), FieldUnusedError, "base_picture_flag is set"),
        (replace(DRIVEN, network=NetworkUri("a", "b")), FieldUnusedError, "network is set"),
        (replace(DRIVEN, chroma_key=ChromaKey()), FieldUnusedError, "chroma_key is set"),
        (replace(BASE, drive_picture_fusion_flag=True), FieldUnusedError, "fusion_flag is set"),
        (
            replace(DRIVEN, coordinates=replace(DIFFERENCES, layout=CoordinateLayout(5, 2))),
            FieldUnusedError,
            "coordinates can be coded as",
        ),
        (
            replace(DRIVEN, matrices=Matrices(TWO, True, LAYOUT)),
            FieldUnusedError,
            "matrices can be coded as",
        ),
        (replace(BASE, matrices=Matrices(TWO, True, LAYOUT)), FieldUnusedError, "matrices can be"),
        (
            replace(BASE, matrices=Matrices((TWO[0], MatrixElement(0, 0, True)), False, LAYOUT)),
            FieldUnusedError,
            "matrices can be coded as",
        ),
        (
            replace(
                BASE,
                coordinates=None,
                matrices=Matrices(TWO, False, MatrixLayout(4, (MatrixShape(5, 1, 2, 7),))),
            ),
            FieldUnusedError,
            "matrices can be coded as",
        ),
        (replace(BASE, extension=Bits("0b1000")), MessageError, "last byte"),
        (replace(BASE, extension=Bits("0b0000000")), MessageError, "must end in trailing bits"),
        (
            replace(BASE, network=NetworkPayload(b"x"), extension=Bits("0b1")),
            FieldUnusedError,
            "extension is set",
        ),
        # Values that must be there.
        (
            replace(BASE, coordinates=DIFFERENCES),
            FieldMissingError,
            "the layout of the coordinates must be coded",
        ),
        (
            replace(BASE, matrices=Matrices(TWO, False, None)),
            FieldMissingError,
            "the layout of the matrices must be coded",
        ),
        (
            replace(DRIVEN, coordinates=None, matrices=None),
            ElementRangeError,
            "gfv_matrix_present_flag is 0, must be 1",
        ),
        # Values that contradict each other or their range.
        (
            replace(DRIVEN, matrices=Matrices(TWO[:1], True, None)),
            MessageError,
            "matrix elements: 2 of them must be given, not 1",
        ),
        (
            replace(DRIVEN, coordinates=Coordinates(((1, 2),), True, None)),
            MessageError,
            "keypoints: 2 of them must be given, not 1",
        ),
        (
            replace(DRIVEN, coordinates=Coordinates(((1, 2), (3,)), True, None)),
            MessageError,
            "coordinates of a keypoint: 2 of them must be given, not 1",
        ),
        (
            replace(BASE, matrices=Matrices((TWO[0], MatrixElement(0, 16)), False, LAYOUT)),
            ElementRangeError,
            r"gfv_matrix_element_dec\[0\]\[0\]\[0\]\[1\] is 16, must be within 0..15",
        ),
        (replace(BASE, gfv_id=-1), ElementRangeError, "gfv_id is -1, must be within 0.."),
        (replace(BASE, gfv_id=cast(int, None)), FieldMissingError, "gfv_id must be coded"),
        (replace(BASE, gfv_id=cast(int, 1.5)), MessageError, "gfv_id must be an integer, not 1.5"),
        (
            replace(BASE, network=NetworkUri("a\0b", "")),
            MessageError,
            "gfv_nn_tag_uri must not contain a zero character",
        ),
        (replace(BASE, network=NetworkUri("", "\ud800")), MessageError, "gfv_nn_uri: no UTF-8"),
        (
            replace(BASE, network=NetworkUri("", "u" * 70000)),
            MessageError,
            "gfv_nn_uri has 70000 bytes, at most 65536",
        ),
        (
            replace(
                BASE, matrices=Matrices(TWO, False, MatrixLayout(4, (MatrixShape(7, 1, 2, 1025),)))
            ),
            ElementRangeError,
            r"gfv_matrix_width_minus1\[0\] is 1024",
        ),
    ],
)
def test_writer_refuses(message: GenerativeFaceVideo, error: type[Exception], text: str) -> None:
    state = GfvState()
    state.write(BASE)
    before = state.values
    with pytest.raises(error, match=text):
        state.write(message)
    assert state.values == before
    state.write(DRIVEN)


def test_writer_takes_numbers_of_other_integer_types() -> None:
    class Index:
        def __index__(self) -> int:
            return 3

        def __eq__(self, other: object) -> bool:
            return other == 3

        __hash__ = None  # type: ignore[assignment]

    state = GfvState()
    message = replace(BASE, gfv_id=Index())  # type: ignore[arg-type]
    assert GfvState().read(state.write(message)).gfv_id == 3


def test_reserved_network_modes_are_the_reserved_ones() -> None:
    with pytest.raises(MessageError, match="NetworkPayload and NetworkUri"):
        NetworkReserved(1)


@pytest.mark.parametrize(
    ("values", "gfv_id", "error", "text"),
    [
        (FaceValues(((1, 2),), 5), 0, MessageError, "differ in number or dimensions"),
        (FaceValues(((1, 2, 3), (4, 5, 6)), 5), 0, MessageError, "differ in number or dimensions"),
        (FaceValues(((1, 2), (3,)), 5), 0, MessageError, "all have 2, or all have 3"),
        (FaceValues((), 5), 0, MessageError, "must not be empty"),
        (FaceValues(((1, 2), (3, 4))), 0, MessageError, "need a precision factor"),
        (FaceValues(((1, 2), (3, 4)), 6), 0, MessageError, "no multiple of 2\\^-5"),
        (
            FaceValues(matrices=(MatrixValues(7, 4, (((1,),),)),)),
            0,
            MessageError,
            "differ in shape",
        ),
        (
            FaceValues(matrices=(MatrixValues(7, 4, (((1, 2), (3,)),)),)),
            0,
            MessageError,
            "ragged",
        ),
        (
            FaceValues(matrices=(MatrixValues(7, 4, (((1, 2),), ((1,),))),)),
            0,
            MessageError,
            "must be of one size",
        ),
        (FaceValues(matrices=(MatrixValues(7, 4, ()),)), 0, MessageError, "must be of one size"),
        (FaceValues(matrices=(MatrixValues(7, 4, ((),)),)), 0, MessageError, "empty or ragged"),
        (
            FaceValues(
                matrices=(MatrixValues(7, 4, (((1, 2),),)), MatrixValues(8, 3, (((1, 2),),)))
            ),
            0,
            MessageError,
            "one precision factor",
        ),
        (
            FaceValues(((1, 2), (3, 4)), 5),
            1,
            ReferenceMissingError,
            "no base message gave their layout",
        ),
    ],
)
def test_values_that_cannot_be_predicted(
    values: FaceValues, gfv_id: int, error: type[Exception], text: str
) -> None:
    state = GfvState()
    state.write(BASE)
    with pytest.raises(error, match=text):
        state.predict(values, gfv_id=gfv_id, gfv_cnt=1)


def test_reference_of_another_layout_is_refused() -> None:
    state = GfvState()
    state.write(BASE)
    other = FaceValues(((9, 9),), 5)
    state.write(state.predict(other, gfv_id=0, gfv_cnt=1, predict_keypoints=False))
    with pytest.raises(ReferenceMissingError, match="has another layout"):
        state.write(replace(DRIVEN, gfv_cnt=2))
    # Against the base message it can still be predicted.
    state.write(replace(DRIVEN, gfv_cnt=0))


def test_enhancement_has_no_keypoints_and_needs_its_pupils() -> None:
    state = GfveState()
    with pytest.raises(MessageError, match="has no keypoints"):
        state.predict(FaceValues(((1, 2),), 5), gfve_id=0, gfv_id=0, gfv_cnt=0)
    pupils = FaceValues(pupils=((1, 2), (3, 4)), pupil_precision_factor=5)
    with pytest.raises(ReferenceMissingError, match="pupils: the base message sent none"):
        state.predict(pupils, gfve_id=0, gfv_id=0, gfv_cnt=1)
    with pytest.raises(MessageError, match="pupils need a precision factor"):
        state.predict(
            FaceValues(pupils=((1, 2), (3, 4))), gfve_id=0, gfv_id=0, gfv_cnt=0,
            base_picture_flag=True,
        )  # fmt: skip
    message = GenerativeFaceVideoEnhancement(0, 0, 0, True, pupils=Pupils((1, 2), None))
    with pytest.raises(FieldMissingError, match="the precision factor of the pupils"):
        state.write(message)


def test_copies_are_independent() -> None:
    state = GfvState()
    state.write(BASE)
    twin = state.copy()
    twin.write(DRIVEN)
    assert twin.values != state.values
    again = GfvState()
    again.write(BASE)
    assert again.write(DRIVEN) == state.write(DRIVEN)
    assert state.values == twin.values


def test_memory_is_bounded_over_any_number_of_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sei.state.MAX_NUMBERS", 2000)
    state = GfvState()
    tracemalloc.start()
    for gfv_id in range(1000, 2000):
        state.write(replace(BASE, gfv_id=gfv_id))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 300_000  # of some 4 MB
    state.write(replace(DRIVEN, gfv_id=1999))
    with pytest.raises(ReferenceMissingError):
        state.write(replace(DRIVEN, gfv_id=1000))


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_no_payload_raises_anything_but_its_own_errors(payloads: list[bytes]) -> None:
    """And one that is read is rewritten byte for byte."""
    for state in (GfvState(), GfveState()):
        writer = state.copy()
        for payload in payloads:
            error = read_and_rewrite(state, writer, payload)
            assert error is None or "\n" not in str(error)


@pytest.mark.parametrize("precision_factor", [1, 5, 30])
@pytest.mark.parametrize("eye", ["left", "right"])
def test_pupils_have_a_range(precision_factor: int, eye: str) -> None:
    greatest = 2 ** (precision_factor + 1)  # H.274: precision_factor_minus1 + 2

    def message(gfv_cnt: int, number: int) -> GenerativeFaceVideoEnhancement:
        pupils = Pupils(
            (0, number) if eye == "left" else None,
            (number, 0) if eye == "right" else None,
            precision_factor if gfv_cnt == 0 else None,
        )
        return GenerativeFaceVideoEnhancement(0, 0, gfv_cnt, gfv_cnt == 0, pupils=pupils)

    sender, receiver = GfveState(), GfveState()
    for gfv_cnt in range(3):
        for sign in (1, -1):
            with pytest.raises(ElementRangeError, match=f"within 0..{greatest}"):
                sender.write(message(gfv_cnt, sign * (greatest + 1)))
        wanted = message(gfv_cnt, greatest if gfv_cnt % 2 else -greatest)
        assert receiver.read(sender.write(wanted)) == wanted


def test_pupils_out_of_range_are_not_read() -> None:
    # Ids and count 0; base; no network, no matrices; left eye; precision factor 1; 5 is too much.
    base = pack("ue=0, ue=0, ue=0, 0b1, 0b0, 0b0, uint:2=1, ue=0, ue=5, 0b0, ue=0, 0b1")
    with pytest.raises(ElementRangeError, match="left_eye_dx_coordinate_abs is 5, must be"):
        GfveState().read(base.tobytes())
    state = GfveState()
    state.read(pack("ue=0, ue=0, ue=0, 0b1, 0b0, 0b0, uint:2=1, ue=0, ue=4, 0b0, ue=0").tobytes())
    driven = pack("ue=0, ue=0, ue=1, 0b0, uint:2=1, ue=0, ue=5, 0b0, 0b1")
    with pytest.raises(ElementRangeError, match="left_eye_dy_coordinate_abs is 5, must be"):
        state.read(driven.tobytes())


@pytest.mark.parametrize("base", [True, False])
@pytest.mark.parametrize(
    ("values", "says"),
    [
        (FaceValues(((1.5, 2),), 8), "coordinates are integers"),  # type: ignore[arg-type]
        (FaceValues(matrices=(MatrixValues(7, 8, (((0.5,),),)),)), "matrix elements are integers"),  # type: ignore[arg-type]
        (FaceValues((("1", 2),), 8), "not '1'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_integer_is_refused(base: bool, values: FaceValues, says: str) -> None:
    state = GfvState()
    sound = FaceValues(((1, 2),), 8, (MatrixValues(7, 8, (((1,),),)),))
    state.write(state.predict(sound, gfv_id=0, gfv_cnt=0, base_picture_flag=True))
    with pytest.raises(MessageError, match=says):
        state.predict(values, gfv_id=0, gfv_cnt=0 if base else 1, base_picture_flag=base)


def test_pupils_that_are_no_integers_are_refused() -> None:
    values = FaceValues(pupils=((1, 2), (3, 4.0)), pupil_precision_factor=5)  # type: ignore[arg-type]
    with pytest.raises(MessageError, match=r"pupils are integers, .* not 4\.0"):
        GfveState().predict(values, gfve_id=0, gfv_id=0, gfv_cnt=0, base_picture_flag=True)


def test_integers_of_numpy_are_integers() -> None:
    numbers = np.array([[3, -5]], np.int16)
    values = FaceValues(keypoints=tuple(map(tuple, numbers)), keypoint_precision_factor=8)
    message = GfvState().predict(values, gfv_id=0, gfv_cnt=0, base_picture_flag=True)
    assert message.coordinates is not None
    assert {type(number) for number in message.coordinates.values[0]} == {int}
