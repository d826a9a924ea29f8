"""Face messages from their elements."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.editing.element_writing import FaceMessageWriter
from sei import Element, GfveState, GfvState, SeiError, SeiMessage, read_sei, split_annex_b
from tests.gfvc.editing.streams import Faces


def elements_of(trace: list[Element]) -> list[tuple[str, int | str]]:
    return [
        (element.name, element.value.hex() if isinstance(element.value, bytes) else element.value)
        for element in trace
    ]


def test_all_face_messages_of_the_vectors(shared: Path) -> None:
    written = 0
    for path in sorted(shared.glob("vectors/gfv/*.266")):
        readers: dict[int, GfvState | GfveState] = {223: GfvState(), 224: GfveState()}
        writer = FaceMessageWriter()
        for unit in split_annex_b(path.read_bytes()):
            for message in read_sei(unit).messages if unit.is_sei else ():
                trace: list[Element] = []
                readers[message.payload_type].read(message.payload, trace)
                payload = writer.write(message.payload_type, elements_of(trace))
                assert payload == message.payload, path
                written += 1
    assert written > 100


def test_elements_build_on_messages_with_a_payload() -> None:
    faces, reader, writer = Faces(), GfvState(), FaceMessageWriter()
    base, driven = faces.gfv(0), faces.gfv(1)
    trace: list[Element] = []
    reader.read(base.payload)
    reader.read(driven.payload, trace)
    with pytest.raises(SeiError, match="no base message gave their layout"):
        writer.write(223, elements_of(trace))
    writer.follow(223, b"\x00 damaged")
    writer.follow(223, base.payload)
    assert writer.write(223, elements_of(trace)) == driven.payload


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda elements: elements.pop(), "the elements end where gfv_matrix_present_flag"),
        (lambda elements: elements.append(("gfv_id", 1)), "gfv_id comes after the end"),
        (lambda elements: elements.__setitem__(2, ("gfv_base_picture_flag", 2)), "is 2, must be"),
        (lambda elements: elements.__setitem__(9, ("gfv_num_kps_minus1", 10**6)), "must come"),
        (lambda elements: elements.__setitem__(12, ("gfv_coordinate_x_abs[0]", 1)), "stands where"),
    ],
)
def test_wrong_elements_are_refused(change: object, says: str) -> None:
    trace: list[Element] = []
    GfvState().read(Faces().gfv(0).payload, trace)
    elements = elements_of(trace)
    assert callable(change)
    change(elements)
    with pytest.raises(SeiError, match=says):
        FaceMessageWriter().write(223, elements)


@pytest.mark.parametrize(("value", "says"), [(5, "must be a text"), ("0g", "hexadecimal")])
def test_bytes_are_hexadecimal(shared: Path, value: int | str, says: str) -> None:
    units = split_annex_b((shared / "vectors/gfv/nn_payload.266").read_bytes())
    (message,) = (m for unit in units if unit.is_sei for m in read_sei(unit).messages)
    assert isinstance(message, SeiMessage)
    trace: list[Element] = []
    GfvState().read(message.payload, trace)
    elements = [*elements_of(trace)[:-1], ("gfv_nn_payload_byte", value)]
    with pytest.raises(SeiError, match=says):
        FaceMessageWriter().write(223, elements)
