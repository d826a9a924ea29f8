"""Messages written by hand: what the vectors do not cover, or the reference decoder misreads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sei import (
    ChromaKey,
    ChromaKeyThreshold,
    Element,
    ElementRangeError,
    EndOfDataError,
    FaceValues,
    GenerativeFaceVideo,
    GfveState,
    GfvState,
    Matrices,
    MatrixElement,
    MatrixLayout,
    MatrixShape,
    MatrixValues,
    NetworkReserved,
    NetworkUri,
    PayloadError,
    ReferenceMissingError,
    SeiError,
    TrailingBitsError,
)
from tests.sei.messages import bytes_of, hand_made_messages, read_and_rewrite

HAND_MADE = hand_made_messages()


def read(name: str, state: GfvState | GfveState) -> None:
    """Read a message by hand; elements, and the bytes of its rewriting, must be as written."""
    payload, elements = HAND_MADE[name].payload, HAND_MADE[name].elements
    writer = state.copy()
    trace: list[Element] = []
    state.copy().read(payload, trace)
    assert [(element.name, element.value) for element in trace] == elements
    assert sum(element.bits for element in trace) == len(HAND_MADE[name].digits)
    assert read_and_rewrite(state, writer, payload) is None


def test_type_with_a_number_of_matrices_after_one_without() -> None:
    state = GfvState()
    read("type_with_number_after_type_without", state)
    assert state.values == FaceValues(
        ((2, -1), (2, 2)),
        4,
        (
            MatrixValues(7, 1, (((-2, 0),),)),
            MatrixValues(0, 1, (((1, 1), (-1, -1)),)),
            MatrixValues(1, 1, (((0, 0), (0, 0)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))),
        ),
    )


def test_head_pose_after_other_types() -> None:
    state = GfvState()
    read("head_pose_after_other_types", state)
    assert state.values.matrices == (
        MatrixValues(2, 2, (((0, 5, 10),),)),
        MatrixValues(6, 2, (((-3,), (-2,), (-1,)),)),
        MatrixValues(3, 2, (((16,), (16,)),)),
        MatrixValues(4, 2, (((4, 0), (0, 4)),)),
    )


def test_base_values_are_kept_for_later_messages() -> None:
    """After a driven message, one with gfv_cnt 0 is predicted from the base message again."""
    state = GfvState()
    read("base", state)
    base = FaceValues(((2, -1), (2, 2)), 4, (MatrixValues(8, 2, (((9,),),)),))
    assert state.values == base
    read("driven", state)
    # The fraction 6 of a predicted element exceeds its 2 bits: the difference is -(1 + 6/4).
    assert state.values == FaceValues(((1, -1), (2, 2)), 4, (MatrixValues(8, 2, (((-1,),),)),))
    read("driven_from_base", state)
    assert state.values == FaceValues(((2, -1), (2, -3)), 4, (MatrixValues(8, 2, (((10,),),)),))


def test_prediction_from_values_in_coarser_steps() -> None:
    """Differences are in the steps of the base message, whatever the reference's are."""
    state = GfvState()
    read("base", state)
    read("unpredicted", state)
    assert state.values == FaceValues(((-3, 0), (1, 2)), 2)
    read("predicted_from_coarser", state)
    assert state.values == FaceValues(((-11, 0), (4, 7)), 4)
    # Matrices were not sent meanwhile: their reference is still that of the base message.
    assert state.read(HAND_MADE["driven"].payload).matrices is not None
    assert state.values.matrices == (MatrixValues(8, 2, (((-1,),),)),)


def test_chroma_key_and_extreme_values() -> None:
    state = GfvState()
    read("chroma_key_of_the_face", state)
    message = state.copy().read(HAND_MADE["chroma_key_of_the_face"].payload)
    assert message.network == NetworkReserved(2)
    assert message.chroma_key == ChromaKey(2, (None, 200, None), ChromaKeyThreshold(30, 255))
    assert message.coordinates is not None
    assert message.coordinates.layout is not None
    assert message.coordinates.layout.z_max_value == 2**16
    assert state.values == FaceValues(((-(2**32) + 2, 0, 1),), 32)


def test_enhancement_with_matrices_that_are_not_square() -> None:
    state = GfveState()
    read("gfve_base", state)
    matrices = (((0, 1, 2),), ((-8,), (-9,)))
    assert state.values == FaceValues(
        matrices=(MatrixValues(None, 3, matrices),),
        # Only the right eye is sent: the left one stays where its prediction starts.
        pupils=((0, 0), (3, 0)),
        pupil_precision_factor=5,
    )
    read("gfve_driven", state)
    assert state.values == FaceValues(
        matrices=(MatrixValues(None, 3, (((0, 1, 2),), ((-1,), (-17,)))),),
        pupils=((0, -2), (3, 0)),
        pupil_precision_factor=5,
    )


def test_no_pupils_after_a_base_message_without() -> None:
    state = GfveState()
    read("gfve_base", state)
    read("gfve_without_pupils", state)
    assert state.values == FaceValues()
    with pytest.raises(ReferenceMissingError, match="pupils"):
        state.read(HAND_MADE["gfve_driven"].payload)


def test_a_message_that_raises_leaves_the_state() -> None:
    state = GfvState()
    read("base", state)
    values = state.values
    with pytest.raises(SeiError):
        state.read(HAND_MADE["driven"].payload[:-1])
    assert state.values == values
    read("driven", state)


def exp_golomb(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


@pytest.mark.parametrize("gfv_id", [256, 511, 2**31, 2**32 - 2])
def test_reserved_identifiers_are_ignored_and_kept(gfv_id: int) -> None:
    state = GfvState()
    read("base", state)
    payload = bytes_of(exp_golomb(gfv_id) + "0110010") + b"\0\1\0"
    writer = state.copy()
    trace: list[Element] = []
    message = state.read(payload, trace)
    assert message.is_reserved
    assert [(element.name, element.value) for element in trace] == [("gfv_id", gfv_id)]
    assert state.values == FaceValues()
    assert writer.write(message) == payload
    read("driven", state)


@pytest.mark.parametrize("gfv_id", [0, 255, 512, 2**31 - 1])
def test_identifiers_that_are_not_reserved(gfv_id: int) -> None:
    assert not GenerativeFaceVideo(gfv_id).is_reserved


@pytest.mark.parametrize("extension", ["0", "1", "0110101", "1" * 30, "10000000"])
def test_extension_data_are_kept(extension: str) -> None:
    base, driven = HAND_MADE["base"], HAND_MADE["driven"]
    payload = bytes_of(driven.digits + extension + "1")
    state, writer = GfvState(), GfvState()
    for each in (base.payload, payload):
        message = state.read(each)
        assert writer.write(message) == each
    assert message.extension is not None
    assert message.extension.bin.startswith(extension + "1")
    plain = GfvState()
    plain.read(base.payload)
    assert replace(message, extension=None) == plain.read(driven.payload)
    assert state.values == plain.values


def test_a_payload_must_not_go_on_without_trailing_bits() -> None:
    state = GfvState()
    state.read(HAND_MADE["base"].payload)
    with pytest.raises(TrailingBitsError, match="goes on after its last element"):
        state.read(bytes_of(HAND_MADE["driven"].digits) + b"\0")


@pytest.mark.parametrize("name", sorted(HAND_MADE))
def test_truncation_at_every_bit(name: str) -> None:
    """A payload that ends too early is an error; if by chance it is a message, an exact one."""
    state = GfveState() if name.startswith("gfve") else GfvState()
    state.read(HAND_MADE["gfve_base" if name.startswith("gfve") else "base"].payload)
    digits = HAND_MADE[name].digits
    errors = [
        read_and_rewrite(state.copy(), state.copy(), bytes_of(digits[:size]))
        for size in range(len(digits))
    ]
    assert len(errors) - errors.count(None) > len(digits) / 2


def test_truncated_payloads_name_the_element_and_the_place() -> None:
    with pytest.raises(
        EndOfDataError,
        match=r"^gfv_coordinate_dy_sign_flag\[0\]: 1 bits wanted, 0 left \(at bit 24\)$",
    ):
        GfvState().read(HAND_MADE["base"].payload[:3])


@pytest.mark.parametrize(
    ("name", "element", "bits", "message"),
    [
        ("chroma_key_of_the_face", "gfv_chroma_key_purpose_idc", exp_golomb(3),
         "gfv_chroma_key_purpose_idc is 3, must be within 0..2 (at bit 8)"),
        ("chroma_key_of_the_face", "gfv_chroma_key_thr_upper_delta_minus1", exp_golomb(256),
         "gfv_chroma_key_thr_upper_delta_minus1 is 256, must be within 0..255 (at bit 31)"),
        ("chroma_key_of_the_face", "gfv_coordinate_z_max_value_minus1", exp_golomb(2**16),
         "gfv_coordinate_z_max_value_minus1 is 65536, must be within 0..65535 (at bit 64)"),
        ("chroma_key_of_the_face", "gfv_coordinate_x_abs[0]", "0" * 32 + "1" * 33,
         "gfv_coordinate_x_abs[0]: an Exp-Golomb code longer than 63 bits (at bit 97)"),
        ("base", "gfv_coordinate_precision_factor_minus1", exp_golomb(32),
         "gfv_coordinate_precision_factor_minus1 is 32, must be within 0..31 (at bit 8)"),
        ("base", "gfv_num_kps_minus1", exp_golomb(100),
         "keypoints: 101 of them cannot fit into the 45 bits left (at bit 27)"),
        ("base", "gfv_num_kps_minus1", exp_golomb(2**20),
         "keypoints: 1048577 of them, at most 65536 are read (at bit 55)"),
        ("base", "gfv_num_matrices_minus1[0]", exp_golomb(1024),
         "gfv_num_matrices_minus1[0] is 1024, must be within 0..1023 (at bit 43)"),
        ("base", "gfv_matrix_width_minus1[0]", exp_golomb(1023),
         "matrix elements: 1024 of them cannot fit into the 14 bits left (at bit 66)"),
        ("head_pose_after_other_types", "gfv_matrix_present_flag", "0",
         "gfv_matrix_present_flag is 0, must be 1 (at bit 7)"),
        ("head_pose_after_other_types", "gfv_matrix_type_idx[1]", "000001",
         "gfv_matrix_type_idx[1] is 1, must be within 2..63 (at bit 26)"),
    ],
)  # fmt: skip
def test_values_out_of_range(name: str, element: str, bits: str, message: str) -> None:
    with pytest.raises(PayloadError, match=f"^{re.escape(message)}$"):
        GfvState().read(HAND_MADE[name].changed(element, bits))


def test_alignment_bits_must_be_zero() -> None:
    state = GfvState()
    message = GenerativeFaceVideo(
        0,
        0,
        True,
        NetworkUri("tag", "uri"),
        matrices=Matrices(
            (MatrixElement(0, 0),), False, MatrixLayout(1, (MatrixShape(7, 1, 1, 1),))
        ),
    )
    payload = state.write(message)
    # 1 1 1 1 010 0 | "tag" 0
    assert payload[:5] == b"\xf4tag\0"
    with pytest.raises(
        ElementRangeError, match=r"gfv_nn_alignment_zero_bit_a is 1, must be 0 \(at bit 7\)"
    ):
        GfvState().read(b"\xf5" + payload[1:])
    with pytest.raises(PayloadError, match=r"gfv_nn_tag_uri: no UTF-8 text.*\(at bit 16\)"):
        GfvState().read(b"\xf4t\xff" + payload[3:])
    with pytest.raises(EndOfDataError, match="gfv_nn_uri: a string without its closing zero byte"):
        GfvState().read(payload[:6])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("driven", "coordinates: no base message gave their layout"),
        ("gfve_driven", "matrices: no base message gave their layout"),
    ],
)
def test_messages_need_their_base_message(name: str, message: str) -> None:
    state = GfveState() if name.startswith("gfve") else GfvState()
    with pytest.raises(ReferenceMissingError, match=message):
        state.read(HAND_MADE[name].payload)


def test_faces_are_apart() -> None:
    """A base message of one gfv_id is of no use to another."""
    state = GfvState()
    read("base", state)
    digits = HAND_MADE["driven"].digits
    assert digits[0] == "1"
    with pytest.raises(ReferenceMissingError):
        state.read(bytes_of("010" + digits[1:] + "1"))
    state.read(bytes_of("010" + HAND_MADE["base"].digits[1:] + "1"))
    state.read(bytes_of("010" + digits[1:] + "1"))
    read("driven", state)
