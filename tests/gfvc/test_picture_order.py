"""Coded pictures that are shown in another order than they are coded in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from gfvc import StreamError
from gfvc.editing import inject_messages
from gfvc.stream.reader import read_face_stream
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from sei import NalUnit, make_sei_nal_unit
from tests.gfvc.editing.streams import Faces
from tests.gfvc.support import CommandLine, assert_refused, nal_units, no_notes, write_units
from tests.golden.files import STREAMS

ORDINARY = STREAMS / "hevc_reordered.265"  # order counts 0 3 2 1 6 5 4, then 0 3 2 1 4


def bare_pictures() -> list[list[NalUnit]]:
    """The coded pictures of ordinary video with their parameter sets, without user data."""
    pictures: list[list[NalUnit]] = [[]]
    for unit in nal_units(ORDINARY):
        if not unit.is_sei and not unit.ends_sequence:
            pictures[-1].append(unit)
            if unit.is_vcl:
                pictures.append([])
    return pictures[:-1]


def with_faces(path: Path, which: Sequence[int]) -> Path:
    """A stream of them with a base message at some, counted in the order of the stream."""
    units = []
    for number, picture in enumerate(bare_pictures()):
        units += picture
        if number in which:
            units.append(make_sei_nal_unit([Faces().gfv(0)], picture[0].codec))
    return write_units(path, units)


def byte_of(path: Path, number: int) -> int | None:
    return [unit.offset for unit in nal_units(path) if unit.starts_picture][number]


def warnings(path: Path) -> list[str]:
    return [
        f"byte {found.place.offset}: {found.text}"
        for found in verify_stream(path)
        if found.severity is Severity.WARNING and "output order" in found.text
    ]


# Which pictures have messages, and the first that is out of place, if one is.
PLACES = {
    (0,): None,
    (0, 7): None,
    (1,): 2,
    (3,): 3,
    (0, 5): 5,
    (0, 6): 6,
    (7, 8): 9,
    (7, 11): None,
}


@pytest.mark.parametrize("which", PLACES)
def test_pictures_that_drive_must_come_in_output_order(
    tmp_path: Path, which: tuple[int, ...]
) -> None:
    path = with_faces(tmp_path / "in.265", which)
    wrong = PLACES[which]
    if wrong is None:
        assert read_face_stream(path, unheard).units
        assert warnings(path) == []
        return
    place = f"byte {byte_of(path, wrong)}"
    with pytest.raises(StreamError, match=f"the coded picture at {place} is shown before one"):
        read_face_stream(path, unheard)
    (warning,) = warnings(path)
    assert warning.startswith(f"{place}: ")


def test_commands_refuse_others_in_a_line(tmp_path: Path, command: CommandLine) -> None:
    path = with_faces(tmp_path / "in.265", range(12))
    for arguments in (
        ("decode", path, tmp_path / "out.mp4"),
        ("export", path, tmp_path / "out.json"),
        ("edit", path, tmp_path / "out.265", "--yaw", "5"),
    ):
        assert_refused(command, *arguments, folder=tmp_path, says="(without B pictures)")


def test_inject_says_where_messages_come_to_others(tmp_path: Path) -> None:
    # With an end of sequence it is another base than that which the messages are from.
    end = nal_units(ORDINARY)[-1]
    assert end.ends_sequence
    base = write_units(tmp_path / "base.265", [*chain.from_iterable(bare_pictures()), end])
    notes: list[str] = []
    for which in ((0, 7), (1,)):
        messages = with_faces(tmp_path / "from.265", which)
        inject_messages(base, messages, tmp_path / "out.265", force=True, notes=notes.append)
    (note,) = notes
    assert note.startswith("picture 2 of the base stream is shown before one")


def test_ordinary_video_may_come_in_any_order() -> None:
    for path in (ORDINARY, STREAMS / "vvc_mesh_reordered.mp4"):
        assert read_face_stream(path, no_notes).pictures_as_coded
    assert warnings(ORDINARY) == []
