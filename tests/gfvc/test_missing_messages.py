"""Face messages that user data announce and that are not there: told, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc.stream.information import find_information
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from sei import GENERATIVE_FACE_VIDEO, NalUnit, SeiMessage, make_sei_nal_unit, read_sei
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS

SEQUENCE, KEYS, TWO_FACES = "vvc_mesh_grids.266", "hevc_mesh_full_keys.265", "vvc_mesh_two.266"
SCHEDULED = SEQUENCE, "hevc_mesh_edited.265", "hevc_mesh_marked.265", "vvc_mesh_pool.266"


def messages_by_picture(units: list[NalUnit]) -> list[list[SeiMessage]]:
    """Face messages of each coded picture."""
    pictures: list[list[SeiMessage]] = []
    for unit in units:
        if unit.starts_picture:
            pictures.append([])
        elif unit.is_suffix_sei:
            pictures[-1] += read_sei(unit).messages
    return pictures


def with_messages(units: list[NalUnit], pictures: list[list[SeiMessage]]) -> list[NalUnit]:
    """The NAL units with these face messages after each coded picture, which is one slice."""
    result, left = [], iter(pictures)
    for unit in units:
        if not unit.is_suffix_sei:
            result.append(unit)
        if unit.starts_picture and (messages := next(left)):
            result.append(make_sei_nal_unit(messages, unit.codec))
    return result


def assert_told(path: Path, whole: Path, missing: int, picture: int) -> None:
    notes: list[str] = []
    stream = read_face_stream(path, notes.append)
    assert stream.pictures == read_face_stream(whole, no_notes).pictures
    assert stream.pictures_as_coded == 0
    offset = [unit.offset for unit in nal_units(path) if unit.starts_picture][picture]
    (note,) = notes
    assert (
        f"are missing, {missing} of them, the first of the coded picture at byte {offset};" in note
    )


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("name", SCHEDULED)
def test_they_are_told_and_no_picture_is_lost(name: str, kept: int, tmp_path: Path) -> None:
    whole, units = STREAMS / name, nal_units(STREAMS / name)
    pictures = messages_by_picture(units)
    missing = len(pictures[1]) - kept
    assert missing
    pictures[1] = pictures[1][:kept]
    path = write_units(tmp_path / whole.name, with_messages(units, pictures))
    assert_told(path, whole, missing, 1)
    notes: list[str] = []
    assert len(decode_all(path, notes.append)) == read_face_stream(whole, no_notes).pictures
    assert len(notes) == 1


@pytest.mark.parametrize("key", [0, 1])
@pytest.mark.parametrize("name", ["hevc_mesh_marked.265", "vvc_mesh_pool.266"])
def test_user_data_that_is_missing_at_a_key_picture_is_told(
    name: str, key: int, tmp_path: Path
) -> None:
    units = nal_units(STREAMS / name)
    stated = [unit for unit in units if find_information(unit) is not None]
    kept = [unit for unit in units if unit is not stated[key]]
    path = write_units(tmp_path / name, kept)
    notes: list[str] = []
    read = read_face_stream(path, notes.append)
    assert read.pictures < read_face_stream(STREAMS / name, no_notes).pictures
    offset = [unit.offset for unit in nal_units(path) if unit.starts_picture and unit.is_irap][key]
    assert [f"user data is missing at key pictures, 1 of them, the first at byte {offset};" in note
            for note in notes] == [True]  # fmt: skip
    # Streams of others have none at all.
    path = write_units(tmp_path / name, [unit for unit in units if not unit.is_prefix_sei])
    read_face_stream(path, no_notes)


def test_without_a_schedule_there_may_be_more(tmp_path: Path) -> None:
    units = nal_units(STREAMS / KEYS)
    pictures = messages_by_picture(units)
    pictures[1] = []
    notes: list[str] = []
    path = write_units(tmp_path / KEYS, with_messages(units, pictures))
    assert read_face_stream(path, notes.append).pictures_as_coded == 0
    (note,) = notes
    assert "are missing, at least 1 of them" in note
    at = [unit.offset for unit in nal_units(path) if unit.starts_picture][1]
    (error,) = [found for found in verify_stream(path) if found.severity is Severity.ERROR]
    assert (error.check, error.place.offset) == ("user data", at)
    assert "no face messages where the user data announces one at least" in error.text


def test_verify_tells_of_pictures_of_which_nothing_tells(tmp_path: Path) -> None:
    units = nal_units(STREAMS / SEQUENCE)
    pictures = messages_by_picture(units)
    pictures[1] = []
    bare = [unit for unit in with_messages(units, pictures) if not unit.is_prefix_sei]
    count = sum(not messages for messages in pictures)
    at = [unit.offset for unit in nal_units(write_units(tmp_path / SEQUENCE, bare))
          if unit.starts_picture]  # fmt: skip
    notes: list[str] = []
    read_face_stream(tmp_path / SEQUENCE, notes.append)
    said = f"without face messages of which no user data tells, {count} of them"
    assert [said in note and f"at byte {at[1]}" in note for note in notes] == [True]
    found = [found for found in verify_stream(tmp_path / SEQUENCE) if said in found.text]
    assert [(one.severity, one.place.offset) for one in found] == [(Severity.WARNING, at[1])]
    # What is left out at the end is not shown.
    open_end = write_units(tmp_path / SEQUENCE, bare[:-1])
    said = said.replace(f"{count} of", f"{count - 1} of")
    assert [found for found in verify_stream(open_end) if said in found.text]


@pytest.mark.parametrize("name", [*SCHEDULED, KEYS, TWO_FACES, "hevc_mesh_fallback.265"])
def test_verify_misses_nothing_in_whole_streams(name: str) -> None:
    assert [found for found in verify_stream(STREAMS / name)
            if found.check in ("user data", "untold pictures")] == []  # fmt: skip


@pytest.mark.parametrize("name", [SEQUENCE, KEYS, "hevc_mesh_marked.265", TWO_FACES])
def test_a_stream_without_any_is_refused(name: str, tmp_path: Path, command: CommandLine) -> None:
    path = tmp_path / f"bare{Path(name).suffix}"
    removed = command("remove", STREAMS / name, path, "--payload", str(GENERATIVE_FACE_VIDEO))
    assert removed.status == 0
    assert_refused(
        command, "decode", path, tmp_path / "out.mkv", folder=tmp_path, says="holds no generative"
    )


def without_user_data(units: list[NalUnit]) -> list[NalUnit]:
    return [unit for unit in units if not unit.is_prefix_sei]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_user_data, "without face messages of which no user data tells, 1 of them"),
        (lambda units: units[:-1], "cut off in the coded picture at byte"),
    ],
    ids=["user data", "end of sequence"],
)
def test_a_last_picture_without_any_is_whole_where_the_sequence_ends(
    change: Callable[[list[NalUnit]], list[NalUnit]], says: str, tmp_path: Path
) -> None:
    units = nal_units(STREAMS / SEQUENCE)
    assert units[-1].ends_sequence
    assert not messages_by_picture(units)[-1]
    starts = [unit for unit in units if unit.starts_picture]
    path = write_units(tmp_path / SEQUENCE, change(units))
    notes: list[str] = []
    read = read_face_stream(path, notes.append).units
    (note,) = notes
    offset = [unit.offset for unit in nal_units(path) if unit.starts_picture][-1]
    assert says in note
    assert f"at byte {offset}" in note
    assert len(read) == len(starts) - ("cut off" in note)


def test_a_cut_does_not_hide_that_coded_pictures_are_missing(tmp_path: Path) -> None:
    units = nal_units(STREAMS / SEQUENCE)
    second = [index for index, unit in enumerate(units) if unit.starts_picture][1]
    cut = write_units(tmp_path / SEQUENCE, units[: second + 1])
    notes: list[str] = []
    read_face_stream(cut, notes.append)
    first, other = notes
    assert "cut off in the coded picture" in first
    assert "coded pictures that user data announces are missing" in other


def test_slices_after_the_end_of_a_sequence_are_refused(
    tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(STREAMS / SEQUENCE)
    # An HEVC parameter set is a slice of the middle of a picture in VVC.
    other = NalUnit(units[0].codec, bytes.fromhex("40010c01"))
    path = write_units(tmp_path / SEQUENCE, [*units, other])
    offset = path.stat().st_size - len(other.data)
    assert_refused(
        command, "decode", path, tmp_path / "out.mkv", folder=tmp_path,
        says=f"NAL unit at byte {offset}: a slice that starts no picture",
    )  # fmt: skip
