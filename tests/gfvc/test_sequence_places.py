"""Coded pictures that are missing between others of their sequence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc import FaceEdit, decoded_units, edit
from gfvc.base_layer import decode_base_layer
from gfvc.stream.picture_count import PictureCount
from gfvc.stream.picture_order import OrderCount, OrderCounts
from gfvc.stream.reader import read_face_stream
from gfvc.stream.sequence_places import SequencePlaces
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from sei import NalUnit, split_annex_b
from sei.inspection import inspect_units
from tests.gfvc.support import (
    CommandLine,
    ffmpeg,
    nal_units,
    no_notes,
    without_pictures,
)
from tests.golden.files import STREAMS

# Of one sequence, with coded pictures of different numbers of messages: 4, 3, 2 and none; the
# other of three: 4, 3 and none.
HEVC, VVC = STREAMS / "hevc_mesh_edited.265", STREAMS / "vvc_mesh_grids.266"


def errors(path: Path) -> list[tuple[int | None, str]]:
    return [
        (found.place.offset, found.text)
        for found in verify_stream(path)
        if found.severity is Severity.ERROR
    ]


@pytest.mark.parametrize(
    ("whole", "lost"), [(HEVC, (1,)), (HEVC, (2,)), (HEVC, (1, 2)), (VVC, (1,))]
)
def test_they_are_told_and_the_others_have_what_is_theirs(
    whole: Path, lost: tuple[int, ...], tmp_path: Path
) -> None:
    path = without_pictures(whole, tmp_path / whole.name, lost)
    first = lost[0]
    starts = [unit.offset for unit in nal_units(path) if unit.starts_picture]
    of_whole = read_face_stream(whole, no_notes)
    kept = [unit for number, unit in enumerate(of_whole.units) if number not in lost]
    notes: list[str] = []
    read = read_face_stream(path, notes.append)

    assert [unit.part for unit in read.units] == [unit.part for unit in kept]
    assert [len(unit.messages) for unit in read.units] == [len(unit.messages) for unit in kept]
    time = sum(unit.pictures for unit in of_whole.units[:first]) / (of_whole.rate or 1)
    where = f"after that at byte {starts[first - 1]}, number {first} of its sequence from 0 on"
    assert read.lost == f"{where}, at {float(time):.2f} s"
    (note,) = notes
    assert f"announces are missing, {len(lost)} of them, the first {read.lost}; what is" in note

    (place, gap), (_, fewer) = errors(path)
    assert place == starts[first]
    assert "missing before this one, by its order count" in gap
    assert f"number {first} of its sequence from 0 on" in gap
    assert f"after that at byte {starts[first - 1]}" in gap
    assert "coded pictures, of which its user data announces" in fewer

    count = PictureCount()
    for inspected in inspect_units(split_annex_b(path.read_bytes())):
        count.see(inspected)
    assert count.pictures == read.pictures


def test_those_at_the_end_are_told_as_before(tmp_path: Path) -> None:
    path = without_pictures(HEVC, tmp_path / "in.265", (2, 3))
    notes: list[str] = []
    assert read_face_stream(path, notes.append).lost is None
    assert "announces are missing, 2 of them, the first at the end; what is" in notes[-1]
    ((_, text),) = errors(path)
    assert "the sequence before has 2 coded pictures" in text


@pytest.mark.parametrize("container", [False, True])
@pytest.mark.parametrize("name", [HEVC.name, "hevc_fallback_always.265"])
def test_decode_says_that_others_refer_to_them(
    name: str, container: bool, tmp_path: Path, command: CommandLine
) -> None:
    """Also to those of ordinary video."""
    path = without_pictures(STREAMS / name, tmp_path / "in.265", (1,))
    if container:
        stream, path = path, tmp_path / "in.mp4"
        ffmpeg("-framerate", "25", "-i", stream, "-c", "copy", path)
    notes: list[str] = []
    lost = read_face_stream(path, notes.append).lost
    outcome = command("decode", path, tmp_path / "out.mkv")
    assert outcome.status == 1
    assert f"; coded pictures are missing, the first {lost}: those that come after" in outcome.err
    assert "containers of other settings" not in outcome.err


@pytest.mark.parametrize(("whole", "lost"), [(HEVC, (1,)), (VVC, (1,))])
def test_edits_keep_to_the_numbers(
    whole: Path, lost: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing refers to the missing picture, so that the others can be decoded."""
    stream = read_face_stream(whole, no_notes)
    decoded = list(decode_base_layer(stream.codec, stream.base_layer_parts()))
    kept = [picture for number, picture in enumerate(decoded) if number not in lost]
    monkeypatch.setattr(decoded_units, "decode_base_layer", lambda *_: iter(kept))
    path, output = (
        without_pictures(whole, tmp_path / whole.name, lost),
        tmp_path / f"out{whole.suffix}",
    )
    before = read_face_stream(path, unheard)
    edit(path, output, FaceEdit(yaw=5), notes=unheard)
    after = read_face_stream(output, unheard)
    assert after.pictures == before.pictures
    for old, new in zip(before.units, after.units, strict=True):
        assert old.part is not None
        assert new.part is not None
        assert new.part.number == old.part.number
        assert new.missing_messages == 0
    assert len(errors(output)) == len(errors(path)) == 2


def test_order_counts_of_other_encoders_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [HEVC, VVC, without_pictures(HEVC, tmp_path / "in.265", (3,))]
    expected = []
    for path in paths:
        notes: list[str] = []
        read = read_face_stream(path, notes.append)
        expected.append(([unit.part for unit in read.units], notes, errors(path)))
    read_count = OrderCounts.read

    def by_four(self: OrderCounts, unit: NalUnit) -> OrderCount | None:
        count = read_count(self, unit)
        return None if count is None else count._replace(value=4 * count.value)

    monkeypatch.setattr(OrderCounts, "read", by_four)
    for path, (parts, before, found) in zip(paths, expected, strict=True):
        notes = []
        assert [unit.part for unit in read_face_stream(path, notes.append).units] == parts
        assert notes == before
        assert errors(path) == found


def test_counts_that_cannot_be_told_are_those_of_the_pictures_that_come() -> None:
    places = SequencePlaces()
    places.start(6)
    for order, number in ((OrderCount(1, 7), 0), (None, 1), (OrderCount(1, 10), 3), (None, 4)):
        assert places.number(order) == number
    assert places.number(OrderCount(2, 20)) == 5  # They started anew.
    assert (places.came, places.due) == (5, 6)
    places.start(2)
    assert places.number(None) == 0
    assert places.number(OrderCount(1, 10)) == 1
