"""The reference encoder's streams, against the reference decoder's print-outs of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from sei import (
    GENERATIVE_FACE_VIDEO,
    Codec,
    Element,
    FaceValues,
    GfveState,
    GfvState,
    join_annex_b,
    make_sei_nal_unit,
    read_sei,
    split_annex_b,
)
from tests.sei.messages import VECTORS, face_messages, read_and_rewrite

# What the print-outs call elements.
PRINTED_NAMES = {
    "gfv_mode_idc": "gfv_nn_mode_idc",
    "gfv_uri_tag": "gfv_nn_tag_uri",
    "gfv_uri": "gfv_nn_uri",
    "gfv_fusion_pic_flag": "gfv_drive_picture_fusion_flag",
    "gfv_Matrix3DSpaceFlag": "gfv_matrix_3d_space_flag",
}
# Lines that are derived, not read, and alignment bits.
DERIVED = re.compile(r"tensor$|MatrixElement$|^gfveMatrix|PupilCoordinate$|alignment_zero_bit")


class Printed(NamedTuple):
    """A message in a print-out: its elements, and its derived lines."""

    size: int
    elements: list[tuple[str, str]]
    derived: dict[str, list[float]]


def read_print_out(path: Path) -> list[Printed]:
    printed = []
    for block in re.split(r"^-{20,}\n", path.read_text(), flags=re.MULTILINE)[1:]:
        title, *lines = block.splitlines()
        size = re.search(r"\((\d+) bytes\)", title)
        assert size is not None
        elements: list[tuple[str, str]] = []
        derived = {}
        chroma_key_values = False
        for line in lines:
            name, value = (part.strip() for part in line.split(":", 1))
            chroma_key_values |= name == "gfv_chroma_key_value"
            if name == "gfv_chroma_key_value" or (
                # After the effective colours, thresholds that were not read may follow.
                chroma_key_values
                and name.startswith("gfv_chroma_key_thr_")
                and (
                    ("gfv_chroma_key_thr_present_flag", "0") in elements
                    or (name, value) in elements
                )
            ):
                continue
            if DERIVED.search(name):
                if "alignment" not in name:
                    derived[name] = [float(x) for x in re.sub(r"\d+x\d+", "0", value).split()]
                continue
            name = re.sub(r" *\[.*", "", name)
            elements.append((PRINTED_NAMES.get(name, name), value))
        printed.append(Printed(int(size[1]), elements, derived))
    return printed


def as_printed(elements: Iterable[Element]) -> list[tuple[str, str]]:
    result = []
    for element in elements:
        if isinstance(element.value, bytes):
            result += [(element.base_name, str(byte)) for byte in element.value]
        else:
            result.append((element.base_name, str(element.value)))
    return result


def printed_values(values: FaceValues, prefix: str) -> dict[str, list[float]]:
    """Values under the names and in the six digits of the print-outs."""
    result = {}
    if values.keypoints is not None and values.keypoint_precision_factor is not None:
        p = values.keypoint_precision_factor
        for axis, numbers in zip("XYZ", zip(*values.keypoints, strict=True), strict=False):
            result[f"gfv_coordinate_{axis}tensor"] = [n / 2**p for n in numbers]
    if values.matrices:
        name = "gfv_MatrixElement" if prefix == "gfv" else "gfveMatrixElement"
        result[name] = [
            n / 2**typed.precision_factor
            for typed in values.matrices
            for matrix in typed.matrices
            for row in matrix
            for n in row
        ]
    if values.pupils is not None and values.pupil_precision_factor is not None:
        left, right = values.pupils
        result["gfve_PupilCoordinate"] = [
            n / 2**values.pupil_precision_factor for n in left + right
        ]
    return {name: [float(f"{x:.6g}") for x in numbers] for name, numbers in result.items()}


def test_all_vectors_are_listed(shared: Path) -> None:
    assert sorted(path.stem for path in (shared / "vectors/gfv").glob("*.266")) == VECTORS


@pytest.mark.parametrize("name", VECTORS)
def test_streams_split_and_join_byte_for_byte(shared: Path, name: str) -> None:
    stream = (shared / f"vectors/gfv/{name}.266").read_bytes()
    units = list(split_annex_b(stream))
    assert {unit.codec for unit in units} == {Codec.VVC}
    assert join_annex_b(units) == stream
    for unit in units:
        if unit.is_sei:
            again = make_sei_nal_unit(read_sei(unit), Codec.VVC)
            assert again.data == unit.data


@pytest.mark.parametrize("name", VECTORS)
def test_elements_and_values_are_those_of_the_print_out(shared: Path, name: str) -> None:
    printed = read_print_out(shared / f"vectors/gfv/{name}.txt")
    messages = list(face_messages(shared / f"vectors/gfv/{name}.266"))
    assert len(messages) == len(printed) > 0
    gfv, gfve = GfvState(), GfveState()
    for sei_message, expected in zip(messages, printed, strict=True):
        is_gfv = sei_message.payload_type == GENERATIVE_FACE_VIDEO
        state = gfv if is_gfv else gfve
        trace: list[Element] = []
        state.read(sei_message.payload, trace)
        assert len(sei_message.payload) == expected.size
        assert as_printed(trace) == expected.elements
        found = printed_values(state.values, "gfv" if is_gfv else "gfve")
        compared = {key: value for key, value in expected.derived.items() if key in found}
        assert found == compared
        derived_only = set(expected.derived) - set(compared)
        assert derived_only <= {"gfveMatrixNumber", "gfveMatrixWidthXHeight"}


@pytest.mark.parametrize("name", VECTORS)
def test_messages_are_rewritten_byte_for_byte(shared: Path, name: str) -> None:
    gfv, gfve = (GfvState(), GfvState()), (GfveState(), GfveState())
    for sei_message in face_messages(shared / f"vectors/gfv/{name}.266"):
        reader, writer = gfv if sei_message.payload_type == GENERATIVE_FACE_VIDEO else gfve
        assert read_and_rewrite(reader, writer, sei_message.payload) is None
