"""Pictures of ordinary video that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from tests.gfvc.support import nal_units, no_notes, without_pictures, write_units
from tests.golden.files import STREAMS

REORDERED = (
    STREAMS / "hevc_reordered.265"
)  # order counts 0 3 2 1 6 5 4, then 0 3 2 1 4, 25 a second


def warnings(path: Path) -> list[tuple[int | None, str]]:
    return [
        (found.place.offset, found.text)
        for found in verify_stream(path)
        if found.severity is Severity.WARNING
    ]


def byte_of(path: Path, number: int) -> int | None:
    return [unit.offset for unit in nal_units(path) if unit.starts_picture][number]


# Pictures that are left out: how many of the others stand right behind the first gap, and the note.
GAPS = {
    (3,): (2, "are missing, 1 of them", "0.04 s shorter"),
    (3, 5, 8, 9, 10): (2, "are missing, 5 of them", "0.20 s shorter"),
    (1, 3, 5, *range(8, 12)): (
        1,
        "count by 2, as where those between them were taken out, 3",
        "0.12 s",
    ),
}


@pytest.mark.parametrize("pictures", GAPS)
def test_they_are_told_once(tmp_path: Path, pictures: tuple[int, ...]) -> None:
    path = without_pictures(REORDERED, tmp_path / "in.265", pictures)
    after, says, shorter = GAPS[pictures]
    notes: list[str] = []
    read_face_stream(path, notes.append)
    (note,), ((place, warning),) = notes, warnings(path)
    assert place == byte_of(path, after)
    assert note == f"{path}: {warning}"
    assert says in note
    assert f"right before that at byte {place} in output order; the video is {shorter}" in note


def test_whole_streams_have_none() -> None:
    for path in sorted(STREAMS.glob("*.26?")):
        read_face_stream(path, no_notes)
        assert warnings(path) == []
    for path in sorted(STREAMS.glob("*.mp4")):
        read_face_stream(path, no_notes)


def test_counts_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    """Without parameter sets; a decoder says that they are missing."""
    kept = [unit for unit in nal_units(REORDERED) if unit.type_name != "PPS"]
    read_face_stream(write_units(tmp_path / "in.265", kept), no_notes)
