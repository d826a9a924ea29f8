"""Our user data count where they go before the coded picture that they tell of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gfvc.stream.information import find_information
from gfvc.stream.reader import read_face_stream
from sei import USER_DATA_UNREGISTERED, NalUnit, SeiMessage, make_sei_nal_unit
from tests.gfvc.support import face_values, nal_units, no_notes, write_units
from tests.golden.files import STREAMS


@pytest.mark.parametrize("name", ["vvc_mesh_sequence.266", "hevc_mesh_marked.265"])
def test_in_suffix_sei_they_count_for_nothing(name: str, tmp_path: Path) -> None:
    plain, units = STREAMS / name, nal_units(STREAMS / name)
    stated = next(filter(None, map(find_information, units)))
    other = replace(stated, rate=stated.rate + 1, sequence=None, shown_as_coded=True)
    message = SeiMessage(USER_DATA_UNREGISTERED, other.to_payload())
    late = make_sei_nal_unit([message], units[0].codec)
    assert late.is_suffix_sei
    assert find_information(late) is None
    mixed: list[NalUnit] = []
    for unit in units:
        mixed += [unit, late] if unit.is_vcl else [unit]
    notes: list[str] = []
    read = read_face_stream(write_units(tmp_path / f"late{plain.suffix}", mixed), notes.append)
    (note,) = notes
    assert "user data of gfvc in the SEI NAL unit at byte" in note
    expected = read_face_stream(plain, no_notes)
    assert face_values(read) == face_values(expected)
    assert (read.rate, read.pictures) == (expected.rate, expected.pictures)
    assert read.pictures_as_coded == expected.pictures_as_coded
