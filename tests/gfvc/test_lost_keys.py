"""IDR pictures that were lost from a stream: that is what is said, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc import StreamError
from gfvc.stream.information import find_information
from gfvc.stream.reader import read_face_stream
from gfvc.stream.sequence_places import LACKS_IDR
from gfvc.stream.sequence_starts import COUNTED_TWICE, NOT_ANNOUNCED
from gfvc.verification import Finding, Severity, verify_stream
from sei import NalUnit, access_units
from tests.gfvc.support import CommandLine, assert_refused, nal_units, no_notes, write_units
from tests.golden.files import STREAMS

SEQUENCES = ["vvc_mesh_sequence.266", "hevc_mesh_sequence.265"]
PICTURES = 4
# A key picture and what it drives, ordinary video, and another key picture.
MIXED = ["hevc_mesh_fallback.265", "vvc_face_fallback.266", "vvc_mesh_edited.266"]


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


def without(name: str, path: Path, *, part: int, lost: Callable[[NalUnit], bool]) -> Path:
    """A stream without these NAL units of the access unit at which a part of it starts."""
    groups = list(access_units(nal_units(STREAMS / name)))
    first = [group for group in groups if any(unit.is_idr for unit in group)][part]
    kept = [unit for group in groups for unit in group if group is not first or not lost(unit)]
    return write_units(path, kept)


def is_coded(unit: NalUnit) -> bool:
    return unit.is_vcl


def is_any(unit: NalUnit) -> bool:
    return True


def is_no_message(unit: NalUnit) -> bool:
    return not unit.is_suffix_sei


def second_part(name: str, path: Path) -> int | None:
    """The byte of a picture where the second part of a stream begins that was written to a path."""
    pictures = [unit for unit in nal_units(STREAMS / name) if unit.starts_picture]
    place = [number for number, unit in enumerate(pictures) if unit.is_idr][1]
    return [unit.offset for unit in nal_units(path) if unit.starts_picture][place]


def refusal(path: Path) -> str:
    with pytest.raises(StreamError) as refused:
        read_face_stream(path, lambda _: None)
    return str(refused.value)


def told(path: Path) -> list[Finding]:
    return [found for found in verify_stream(path) if LACKS_IDR in found.text]


@pytest.mark.parametrize("lost", [is_coded, is_any])
@pytest.mark.parametrize("name", MIXED)
def test_that_of_ordinary_video_is_told(
    name: str, lost: Callable[[NalUnit], bool], tmp_path: Path
) -> None:
    path = without(name, tmp_path / name, part=1, lost=lost)
    at = second_part(name, path)
    says = refusal(path)
    assert f"coded picture at byte {at} " in says
    assert LACKS_IDR in says
    (warned,) = told(path)
    assert warned.place.offset == at


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("name", ["hevc_fallback_always.265", "hevc_reordered.265"])
def test_that_of_ordinary_video_after_ordinary_video_is_told(
    name: str, ends: bool, tmp_path: Path
) -> None:
    path = without(name, tmp_path / name, part=1, lost=is_any)
    at = second_part(name, path)
    if not ends:
        write_units(path, [*nal_units(path), *nal_units(STREAMS / name)])
    assert f"the coded picture at byte {at} {COUNTED_TWICE}" in refusal(path)
    (warned,) = told(path)
    assert warned.place.offset == at


@pytest.mark.parametrize("lost", [is_coded, is_no_message])
@pytest.mark.parametrize("name", MIXED)
def test_messages_do_not_drive_the_ordinary_video_before(
    name: str, lost: Callable[[NalUnit], bool], tmp_path: Path
) -> None:
    path = without(name, tmp_path / name, part=2, lost=lost)
    units = nal_units(path)
    ordinary = max(place for place, unit in enumerate(units) if unit.starts_picture and unit.is_idr)
    at = next(unit.offset for unit in units[ordinary:] if unit.is_suffix_sei)
    says = refusal(path)
    assert f"the face message at byte {at} " in says
    assert LACKS_IDR in says
    (error,) = told(path)
    assert (error.severity, error.place.offset) == (Severity.ERROR, at)


@pytest.mark.parametrize("name", SEQUENCES)
def test_messages_do_not_drive_a_picture_that_has_none(name: str, tmp_path: Path) -> None:
    units = [unit for unit in nal_units(STREAMS / name) if not unit.ends_sequence]
    idr, *_ = access_units(units)
    path = write_units(tmp_path / name, [*units, *(unit for unit in idr if unit.is_suffix_sei)])
    at = nal_units(path)[-1].offset
    assert f"the face message at byte {at} {NOT_ANNOUNCED}" in refusal(path)
    assert any(found.severity is Severity.ERROR for found in verify_stream(path))


@pytest.mark.parametrize("name", MIXED)
def test_user_data_that_are_lost_after_ordinary_video_lose_no_picture(
    name: str, tmp_path: Path
) -> None:
    units = nal_units(STREAMS / name)
    stated = [unit for unit in units if find_information(unit) is not None]
    path = write_units(tmp_path / name, [unit for unit in units if unit is not stated[2]])
    notes: list[str] = []
    read = read_face_stream(path, notes.append)
    assert len(read.units) == sum(unit.starts_picture for unit in units)
    assert "user data is missing at key pictures, 1 of them" in notes[0]
    assert told(path) == []


def test_ordinary_video_may_have_further_random_access_pictures(tmp_path: Path) -> None:
    units = nal_units(STREAMS / "hevc_fallback_always.265")
    *_, second = (unit for unit in units if find_information(unit) is not None)
    path = write_units(tmp_path / "in.265", [unit for unit in units if unit is not second])
    assert read_face_stream(path, no_notes).pictures == sum(unit.starts_picture for unit in units)
    assert told(path) == []


@pytest.mark.parametrize("name", [*SEQUENCES, *MIXED])
def test_none_is_lost_from_whole_streams(name: str) -> None:
    assert told(STREAMS / name) == []
