"""IDR pictures that were lost from a stream: that is what is said, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.stream.reader import read_face_stream
from gfvc.stream.sequence_places import LACKS_IDR
from gfvc.verification import verify_stream
from sei import access_units
from tests.gfvc.support import CommandLine, assert_refused, nal_units, write_units
from tests.golden.files import STREAMS

SEQUENCES = ["vvc_mesh_sequence.266", "hevc_mesh_sequence.265"]
PICTURES = 4


def twice(name: str, path: Path, *, keeps_user_data: bool) -> Path:
    """A sequence, and its pictures once more without the IDR picture: nothing starts anew there."""
    units = [unit for unit in nal_units(STREAMS / name) if not unit.ends_sequence]
    idr, *predicted = access_units(units)
    kept = [unit for unit in idr if keeps_user_data and not (unit.is_vcl or unit.is_suffix_sei)]
    return write_units(path, [*units, *kept, *(unit for one in predicted for unit in one)])


@pytest.mark.parametrize("keeps_user_data", [False, True])
@pytest.mark.parametrize("name", SEQUENCES)
def test_it_is_told_where_and_what_to_do(
    name: str, keeps_user_data: bool, tmp_path: Path, command: CommandLine
) -> None:
    path = twice(name, tmp_path / name, keeps_user_data=keeps_user_data)
    at = [unit.offset for unit in nal_units(path) if unit.starts_picture][PICTURES]
    says = f"coded picture at byte {at}", LACKS_IDR
    output = tmp_path / "out.mp4"
    assert_refused(command, "decode", path, output, folder=tmp_path, says=says)
    (warned,) = [found for found in verify_stream(path) if found.check == "picture order"]
    assert warned.place.offset == at
    assert LACKS_IDR in warned.text


@pytest.mark.parametrize("keeps_user_data", [False, True])
def test_what_comes_before_can_be_read(keeps_user_data: bool, tmp_path: Path) -> None:
    path = twice(SEQUENCES[0], tmp_path / "in.266", keeps_user_data=keeps_user_data)
    at = [unit.offset for unit in nal_units(path) if unit.starts_picture][PICTURES]
    path.write_bytes(path.read_bytes()[:at])
    notes: list[str] = []
    assert read_face_stream(path, notes.append).pictures >= PICTURES
    assert [text for text in notes if "what comes before is used" not in text] == []
