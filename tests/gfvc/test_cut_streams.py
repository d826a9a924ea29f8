"""A stream that was cut off anywhere decodes up to the cut, or fails with one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gfvc import GfvcError, StreamError
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from models.contract import Picture
from sei import FaceValues, NalUnit
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    face_values,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS


def read_cut(path: Path, length: int, folder: Path) -> tuple[FaceStream | None, list[str]]:
    """What the reader makes of the first bytes of a stream, None when it refuses; its remarks."""
    cut = folder / "cut.bin"
    cut.write_bytes(path.read_bytes()[:length])
    notes: list[str] = []
    refusal = ""
    try:
        return read_face_stream(cut, notes.append), notes
    except GfvcError as error:
        refusal = str(error)
    assert refusal.startswith(f"{cut}: ")
    assert "\n" not in refusal
    assert notes == []
    return None, []


def values(stream: FaceStream) -> list[FaceValues]:
    return [value for of_key in face_values(stream) for value in of_key]


def interesting_cuts(path: Path) -> list[int]:
    """Byte positions in and around every kind of NAL unit, its start code and its header."""
    cuts: set[int] = set()
    units = nal_units(path)
    offset = 0
    for unit in units:
        start = offset
        offset += unit.size
        cuts.update(start + more for more in (1, 2, 3, 4, 5, 6, 7))
        cuts.update((offset - 2, offset - 1, offset))
        if unit.is_sei:
            cuts.update(range(start, offset, 23))
        else:
            cuts.update(range(start, offset, max(unit.size // 4, 1)))
    return sorted(cut for cut in cuts if 0 < cut <= offset)


@pytest.mark.parametrize("encoder", ["ffmpeg-libvvenc", "ffmpeg-libx265"])
def test_every_cut_is_read_up_to_it(
    request: pytest.FixtureRequest, encoder: str, tmp_path: Path
) -> None:
    path: Path = request.getfixturevalue("code_demo")(encoder).path
    whole = values(read_face_stream(path, no_notes))
    size = path.stat().st_size
    boundaries = np.cumsum([unit.size for unit in nal_units(path)]).tolist()
    known = 0
    cuts = interesting_cuts(path)
    assert len(cuts) > 40
    for length in cuts:
        stream, notes = read_cut(path, length, tmp_path)
        if stream is None:
            assert known == 0, f"{length} bytes are refused, fewer were not"
            continue
        got = values(stream)
        assert got == whole[: len(got)]
        assert len(got) >= known, f"{length} bytes hold fewer pictures than fewer bytes"
        known = len(got)
        assert len(notes) <= 1
        # Only between NAL units can a cut go unnoticed: what is there is a whole stream.
        if not notes:
            # Zero bytes at the end of a cut belong to the next start code.
            assert any(length - 3 <= boundary <= length for boundary in boundaries)
            assert len(got) in (len(whole), 15)
        else:
            assert "cut off" in notes[0]
    assert length == size
    assert known == len(whole)


@pytest.mark.parametrize("share", [0.55, 0.75, 0.97])
def test_a_cut_stream_decodes_to_the_same_pictures(
    small_stream: Path, decoded_small: list[Picture], tmp_path: Path, share: float
) -> None:
    data = small_stream.read_bytes()
    cut = tmp_path / "cut.265"
    cut.write_bytes(data[: int(share * len(data))])
    notes: list[str] = []
    decoded = decode_all(cut, notes.append)
    assert 4 <= len(decoded) < 12
    np.testing.assert_array_equal(np.stack(decoded), np.stack(decoded_small[: len(decoded)]))
    assert len(notes) == 1
    assert "cut off in the " in notes[0]


def test_a_stream_cut_in_its_first_picture_cannot_be_decoded(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    cut = tmp_path / "cut.265"
    cut.write_bytes(small_stream.read_bytes()[:1000])
    assert_refused(
        command, "decode", cut, tmp_path / "out.mkv", folder=tmp_path, says="no generative face"
    )


def test_a_stream_cut_in_its_first_message_cannot_be_decoded(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(small_stream)
    first = next(index for index, unit in enumerate(units) if unit.is_suffix_sei)
    cut = write_units(tmp_path / "cut.265", units[: first + 1])
    cut.write_bytes(cut.read_bytes()[: sum(unit.size for unit in units[:first]) + 12])
    assert_refused(command, "decode", cut, tmp_path / "out.mkv", folder=tmp_path, says="cut.265: ")


def test_the_command_remarks_on_a_cut_and_succeeds(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    cut = tmp_path / "cut.265"
    cut.write_bytes(small_stream.read_bytes()[:-5])
    outcome = command("decode", cut, tmp_path / "out.mkv", "--json")
    assert outcome.status == 0
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith(f"gfvc: {cut}: cut off in the NAL unit at byte")
    assert '"frames": 11' in outcome.out


def test_damage_before_the_end_is_no_cut(small_stream: Path, tmp_path: Path) -> None:
    units = nal_units(small_stream)
    first = next(index for index, unit in enumerate(units) if unit.is_suffix_sei)
    offset = sum(unit.size for unit in units[: first + 1])
    data = small_stream.read_bytes()
    # The trailing bits of the first NAL unit of messages are gone.
    damaged = tmp_path / "damaged.265"
    damaged.write_bytes(data[: offset - 1] + data[offset:])
    notes: list[str] = []
    stream = read_face_stream(damaged, notes.append)
    assert len(notes) == 1
    assert "does not end in the byte 80" in notes[0]
    assert face_values(stream) == face_values(read_face_stream(small_stream, no_notes))
    # A message of faces that is longer than what is left of its NAL unit.
    header = offset - units[first].size + units[first].start_code_size + 2
    damaged.write_bytes(data[: header + 1] + b"\xfe" + data[header + 2 :])
    with pytest.raises(StreamError, match=r"SEI NAL unit at byte \d+: payloadSize 254"):
        read_face_stream(damaged, no_notes)
    # A NAL unit in the middle that is only a start code.
    damaged.write_bytes(data[:offset] + b"\0\0\1" + data[offset:])
    with pytest.raises(StreamError, match="shorter than its header"):
        read_face_stream(damaged, no_notes)


def test_missing_coded_pictures_of_a_sequence_are_told(tmp_path: Path) -> None:
    """A cut between NAL units, after which the stream may go on, or be at its end."""
    units = nal_units(STREAMS / "vvc_mesh_sequence.266")
    starts = [index for index, unit in enumerate(units) if unit.starts_picture]
    end = [unit for unit in units if unit.ends_sequence]
    told = {"at the end": [*units[: starts[-1]], *end], "before byte": units[: starts[-2]] + units}
    for where, kept in told.items():
        missing = 1 if where == "at the end" else 2
        cut = write_units(tmp_path / "cut.266", kept)
        notes: list[str] = []
        assert read_face_stream(cut, notes.append).units
        assert len(notes) == 1
        assert f"are missing, {missing} of them, the first {where}" in notes[0]


def test_verify_warns_where_decode_says_cut_off(small_stream: Path, tmp_path: Path) -> None:
    units = nal_units(small_stream)
    sets = [unit for unit in units if unit.type_name in ("VPS", "SPS", "PPS")]
    stated = [unit for unit in units if unit.is_prefix_sei]
    faces = [unit for unit in units if unit.is_suffix_sei]
    foreign = [unit for unit in units if unit not in stated]
    for kept, says in {
        # After the stream information of a further picture, and without any information.
        (*units, *sets, stated[0]): "the stream ends where a further coded picture begins",
        (*foreign, *sets): "the stream ends where a further coded picture begins",
        tuple(unit for unit in units if unit != faces[-1]): "no user data say that it is shown",
        tuple(unit for unit in foreign if unit != faces[-1]): "no user data say that it is shown",
        tuple(units): "",
        tuple(foreign): "",
    }.items():
        path = write_units(tmp_path / "cut.265", kept)
        notes: list[str] = []
        read_face_stream(path, notes.append)
        found = [f.text for f in verify_stream(path) if f.severity is Severity.WARNING]
        assert len(notes) == len(found) == bool(says)
        assert all("cut off" in note for note in notes)
        assert all(says in text for text in found)


def test_a_last_picture_without_messages_that_is_followed_is_not_left_out(
    small_stream: Path, tmp_path: Path
) -> None:
    units = [unit for unit in nal_units(small_stream) if not unit.is_prefix_sei]
    faces = [unit for unit in units if unit.is_suffix_sei]
    end = NalUnit(units[0].codec, b"\x48\x01")
    assert end.ends_sequence
    kept = [*(unit for unit in units if unit is not faces[-1]), end]
    path = write_units(tmp_path / "in.265", kept)
    stream = read_face_stream(path, lambda _: None)
    assert len(stream.units) == sum(unit.starts_picture for unit in units)
    assert not any("leaves it out" in found.text for found in verify_stream(path))


def test_verify_tells_of_an_end_that_decoders_leave_out(tmp_path: Path) -> None:
    units = nal_units(STREAMS / "vvc_mesh_sequence.266")
    whole = write_units(tmp_path / "whole.266", units)
    cut = write_units(tmp_path / "cut.266", [unit for unit in units if not unit.ends_sequence])
    warnings = {
        path: [found.text for found in verify_stream(path) if found.severity is Severity.WARNING]
        for path in (whole, cut)
    }
    assert warnings[whole] == []
    (warning,) = warnings[cut]
    assert "gfvc decode leaves it out" in warning
    notes: list[str] = []
    pictures = [read_face_stream(path, notes.append).pictures for path in (whole, cut)]
    assert pictures[1] < pictures[0]
    assert len(notes) == 1
