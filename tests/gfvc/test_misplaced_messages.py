"""Face messages in prefix SEI NAL units, where the standard has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.stream.reader import read_face_stream
from gfvc.verification import verify_stream
from sei import NalUnit, make_sei_nal_unit, read_sei
from tests.gfvc.support import CommandLine, assert_refused, nal_units, no_notes, write_units
from tests.golden.files import STREAMS

NAMES = "hevc_mesh_marked.265", "vvc_mesh_grids.266"


def in_prefix(path: Path, *, from_picture: int, repeat: bool = False) -> list[NalUnit]:
    """The stream with face messages before their picture, from one on, or once more there."""
    units: list[NalUnit] = []
    number = -1
    for unit in nal_units(path):
        number += unit.starts_picture
        if unit.is_suffix_sei and number >= from_picture:
            messages = read_sei(unit).messages
            moved = make_sei_nal_unit(
                messages[-1:] if repeat else messages, unit.codec, suffix=False
            )
            picture = units.pop()
            units += [picture, unit, moved] if repeat else [moved, picture]
        else:
            units.append(unit)
    return units


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("first", [0, 1])
def test_all_commands_refuse_them_and_say_where_they_go(
    name: str, first: int, tmp_path: Path, command: CommandLine
) -> None:
    path = write_units(tmp_path / name, in_prefix(STREAMS / name, from_picture=first))
    says = "stands in a prefix SEI NAL unit; face messages go into a suffix SEI NAL unit behind"
    for verb, out, *further in (
        ("decode", "out.mkv"),
        ("export", "out.csv"),
        ("edit", f"out{path.suffix}", "--yaw", "5"),
        ("transcode", f"out{path.suffix}", "--precision", "8"),
    ):
        assert_refused(command, verb, path, tmp_path / out, *further, folder=tmp_path, says=says)
    found = [each.text for each in verify_stream(path) if each.check == "placement"]
    assert found
    assert all("must not stand in a prefix SEI NAL unit" in text for text in found)


def test_repeated_ones_are_passed_over_as_before(tmp_path: Path, command: CommandLine) -> None:
    whole = STREAMS / "hevc_mesh_marked.265"
    units = in_prefix(whole, from_picture=2, repeat=True)
    path = write_units(tmp_path / "in.265", units)
    assert read_face_stream(path, no_notes).pictures == read_face_stream(whole, no_notes).pictures
    assert command("transcode", path, tmp_path / "out.265", "--precision", "8").status == 0
