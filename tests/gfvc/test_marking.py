"""Marks in streams: where the encoder puts them, what they cost, and marking a stream again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from gfvc import EncodeOptions, encode
from gfvc.stream.marking import EDITED, GENERATED, mark_message, mark_text, marked_again
from sei import (
    Codec,
    NalUnit,
    SeiMessage,
    access_units,
    join_annex_b,
    make_sei_nal_unit,
    read_sei,
    split_annex_b,
)
from sei.content_messages import AI_MARKING, TEXT_DESCRIPTION, TextDescription
from tests.gfvc.conftest import KEYS_ONLY
from tests.gfvc.support import decode_all
from tests.golden.files import STREAMS

UNMARKED = STREAMS / "vvc_mesh_sequence.266"
WITH_ORDINARY_VIDEO = STREAMS / "vvc_mesh_marked.266"


def units_of(path: Path) -> list[NalUnit]:
    with path.open("rb") as file:
        return list(split_annex_b(file))


def marks(units: Iterable[NalUnit]) -> list[list[str]]:
    """The marks of each access unit that starts with an IDR picture."""
    return [
        [
            text
            for unit in access_unit
            if unit.is_sei
            for message in read_sei(unit).messages
            if (text := mark_text(message)) is not None
        ]
        for access_unit in access_units(units)
        if any(unit.is_idr for unit in access_unit)
    ]


def other_text(text: str = "generated elsewhere", purpose: int = AI_MARKING) -> SeiMessage:
    description = TextDescription(purpose, 9, (("en", text),))
    return SeiMessage(TEXT_DESCRIPTION, description.to_payload())


def test_each_key_picture_is_marked(small_stream: Path) -> None:
    assert marks(units_of(small_stream)) == [[GENERATED]] * 3


def test_a_sequence_is_marked_once_and_ordinary_video_is_not() -> None:
    units = units_of(WITH_ORDINARY_VIDEO)
    assert marks(units) == [[GENERATED], [], [GENERATED]]


def test_without_marking(tmp_path: Path, short_clip: Path, small_stream: Path) -> None:
    path = tmp_path / "unmarked.265"
    summary = encode(short_clip, path, EncodeOptions(no_marking=True, **KEYS_ONLY))
    assert marks(units_of(path)) == [[], [], []]
    # All that is missing are three messages of a NAL unit that is there anyway.
    added = small_stream.stat().st_size - path.stat().st_size
    assert added == 3 * mark_message().size
    assert (mark_message().size, mark_message(EDITED).size) == (45, 56)
    assert summary.sei_bits == 8 * sum(unit.size for unit in units_of(path) if unit.is_sei)


def test_marked_again_as_edited() -> None:
    units = units_of(WITH_ORDINARY_VIDEO)
    again = list(marked_again(units))
    assert marks(again) == [[EDITED], [], [EDITED]]
    assert len(again) == len(units)
    changed = [(a, b) for a, b in zip(units, again, strict=True) if a != b]
    assert len(changed) == 2
    for old, new in changed:
        assert mark_text(read_sei(old).messages[0]) == GENERATED
        assert read_sei(old).messages[1:] == read_sei(new).messages[1:]
    assert list(marked_again(again, GENERATED)) == units


def test_marking_with_the_same_text_changes_nothing() -> None:
    units = units_of(WITH_ORDINARY_VIDEO)
    assert list(marked_again(units, GENERATED)) == units


@pytest.mark.parametrize(
    "name", ["vvc_mesh_sequence.266", "hevc_mesh_full_keys.265", "hevc_face.265"]
)
def test_a_stream_of_old_is_marked(name: str, tmp_path: Path) -> None:
    units = units_of(STREAMS / name)
    again = list(marked_again(units))
    assert marks(again) == [[EDITED]] * len(marks(units))
    new = [unit for unit in again if unit not in units]
    assert [unit for unit in again if unit not in new] == units
    assert {unit.is_prefix_sei for unit in new} == {True}
    path = tmp_path / name
    path.write_bytes(join_annex_b(again))
    before, after = decode_all(STREAMS / name), decode_all(path)
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_ordinary_video_of_old_is_not_marked() -> None:
    units = units_of(STREAMS / "hevc_fallback_always.265")
    assert list(marked_again(units)) == units


def test_what_others_say_stays() -> None:
    others = make_sei_nal_unit(
        [other_text(), other_text("a man", purpose=3), mark_message()], Codec.VVC, suffix=False
    )
    damaged = make_sei_nal_unit([SeiMessage(TEXT_DESCRIPTION, b"\2\0\1")], Codec.VVC, suffix=False)
    units = units_of(UNMARKED)
    first = next(number for number, unit in enumerate(units) if unit.is_vcl)
    units[first:first] = [damaged, others]
    again = list(marked_again(units))
    assert again[first] == damaged
    assert read_sei(again[first + 1]).messages == (
        other_text(),
        other_text("a man", purpose=3),
        mark_message(EDITED),
    )
    assert again[first + 2 :] == units[first + 2 :]


def test_a_picture_that_opens_its_access_unit() -> None:
    """Without parameter sets, the new NAL unit is the first, which has a zero byte before it."""
    coded = [unit for unit in units_of(UNMARKED) if unit.is_vcl]
    again = list(marked_again(coded))
    assert (again[0].is_prefix_sei, again[0].start_code_size) == (True, 4)
    assert again[1:] == coded


def test_what_is_no_mark() -> None:
    assert mark_text(SeiMessage(5, bytes(16))) is None
    assert mark_text(SeiMessage(TEXT_DESCRIPTION, b"\2")) is None
    assert mark_text(other_text(purpose=1)) is None
    cancelled = TextDescription(AI_MARKING, cancels_all=True).to_payload()
    assert mark_text(SeiMessage(TEXT_DESCRIPTION, cancelled)) is None
    assert mark_text(other_text()) == "generated elsewhere"
