"""Sequences that others are drawn from, and whose pictures are coded in another order."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from base_codec_adapters import StreamInvalidError, picture_order
from base_codec_adapters.byte_stream import Bits
from base_codec_adapters.byte_stream import NalUnit as BaseNalUnit
from gfvc import EncodeOptions, encode
from gfvc.demo_clip import RATE
from gfvc.errors import StreamError
from gfvc.stream.picture_count import PictureCount
from gfvc.stream.picture_order import OrderCount, OrderCounts
from gfvc.stream.reader import read_face_stream
from gfvc.stream.sequence_places import LACKS_IDR, NOT_DUE, SequencePlaces
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from sei import NalUnit, access_units
from sei.inspection import inspect_units
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    ffmpeg,
    mean_difference,
    nal_units,
    no_notes,
    picture_times,
    without_pictures,
    write_units,
)
from tests.golden.files import STREAMS
from tests.golden.streams import RECIPES, source_pictures

NAME = "vvc_mesh_any_order.266"
STREAM, HEVC = STREAMS / NAME, STREAMS / "hevc_mesh_any_order.265"
# Of its seven coded pictures, in the order of the stream.
NUMBERS = [0, 4, 2, 1, 3, 6, 5]


def findings(path: Path) -> list[tuple[int | None, str]]:
    return [
        (found.place.offset, found.text)
        for found in verify_stream(path)
        if found.severity is not Severity.INFORMATION
    ]


def test_units_are_those_of_the_stream_in_output_order() -> None:
    stream = read_face_stream(STREAM, no_notes)

    def numbers(units: object) -> list[int | None]:
        return [unit.part and unit.part.number for unit in units]  # type: ignore[attr-defined]

    assert numbers(stream.coded_units) == NUMBERS
    assert numbers(stream.units) == numbers(stream.units[:]) == sorted(NUMBERS)
    assert [unit.can_be_entered for unit in stream.units] == [True] + [False] * 6
    (part,) = stream.base_layer_parts()
    assert part[0] == stream.base_layer
    shown = ffmpeg("-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-", data=part[0])
    assert len(shown) == part[1] * 128 * 128 == 7 * 128 * 128


@pytest.mark.parametrize("stream", [STREAM, HEVC])
def test_pictures_are_drawn_between_those_that_are_shown_beside_them(stream: Path) -> None:
    decoded, source = decode_all(stream), source_pictures(RECIPES[stream.name])
    assert len(decoded) == len(source) == 12
    # The camera goes from side to side: what is two pictures away differs by 15 at least, but for
    # those where it is in the same place.
    for place, picture in enumerate(decoded):
        of_source = [mean_difference(picture, each) for each in source]
        assert of_source[place] < 10
        assert of_source[place] < min(of_source) + 2


def test_messages_are_counted_where_they_are_shown() -> None:
    stream = read_face_stream(STREAM, no_notes)
    starts = accumulate((unit.pictures for unit in stream.units), initial=0)
    expected = {}
    for start, unit in zip(starts, stream.units, strict=False):
        assert unit.part is not None
        sent = [0, *unit.part.schedule.sent] if unit.messages else []
        expected[unit.part.number] = [start + number for number in sent]
    count = PictureCount()
    seen = [count.see(inspected) for inspected in inspect_units(nal_units(STREAM))]
    found = [picture for picture in seen if picture is not None]
    assert found == [picture for number in NUMBERS for picture in expected[number]]
    assert count.pictures == 12


def test_it_is_consistent_and_can_be_taken_apart_and_put_together(
    command: CommandLine, tmp_path: Path
) -> None:
    assert findings(STREAM) == findings(HEVC) == []
    base, messages, again = (tmp_path / name for name in ("base.266", "m.jsonl", "again.266"))
    assert command("remove", STREAM, base).status == 0
    assert command("extract", STREAM, messages).status == 0
    outcome = command("inject", base, messages, again)
    assert again.read_bytes() == STREAM.read_bytes()
    assert "shown before" not in outcome.err


@pytest.mark.parametrize(("lost", "number"), [(4, 3), (3, 1)])
def test_one_that_is_missing_is_told_by_its_number(lost: int, number: int, tmp_path: Path) -> None:
    path = without_pictures(STREAM, tmp_path / "in.266", (lost,))
    bytes_of = dict(
        zip(
            [each for each in NUMBERS if each != number],
            [unit.offset for unit in nal_units(path) if unit.starts_picture],
            strict=True,
        )
    )
    notes: list[str] = []
    stream = read_face_stream(path, notes.append)
    kept = [unit.part.number for unit in stream.units if unit.part is not None]
    assert kept == [each for each in range(7) if each != number]
    whole = read_face_stream(STREAM, no_notes).units
    time = float(sum(unit.pictures for unit in whole[:number]) / RATE)
    where = f"after that at byte {bytes_of[number - 1]}, number {number} of its sequence from 0 on"
    assert stream.lost == f"{where}, at {time:.2f} s"
    assert f"missing, 1 of them, the first {where}" in notes[0]
    (place, text), (_, counted) = findings(path)
    assert (place, text) == (
        bytes_of[number + 1],
        f"a coded picture is missing before this one, by its order count: number {number} of its "
        f"sequence from 0 on, after that at byte {bytes_of[number - 1]}",
    )
    assert "has 6 coded pictures, of which its user data announces 7" in counted


def test_one_that_comes_twice_is_refused(tmp_path: Path) -> None:
    units = list(access_units(nal_units(STREAM)))
    twice = [unit for group in [*units[:4], *units[3:]] for unit in group]
    path = write_units(tmp_path / "in.266", twice)
    with pytest.raises(StreamError, match=NOT_DUE):
        read_face_stream(path, no_notes)
    assert [text for _, text in findings(path) if NOT_DUE in text] == [
        f"the coded picture {NOT_DUE}; gfvc decode refuses this"
    ]


def test_user_data_amid_a_sequence_lack_their_idr_picture(tmp_path: Path) -> None:
    groups = list(access_units(nal_units(STREAM)))
    stated = [unit for unit in groups[0] if unit.is_prefix_sei]
    # User data once more before the third picture, which is shown before the second.
    units = [*groups[0], *groups[1], *stated, *(unit for group in groups[2:] for unit in group)]
    path = write_units(tmp_path / "in.266", units)
    with pytest.raises(StreamError, match=LACKS_IDR):
        read_face_stream(path, no_notes)
    assert any(LACKS_IDR in text for _, text in findings(path))


def test_an_order_count_of_none_is_told_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = [unit.offset for unit in nal_units(STREAM) if unit.starts_picture][-1]
    read = OrderCounts.read

    def changed(self: OrderCounts, unit: NalUnit) -> OrderCount | None:
        count = read(self, unit)
        return OrderCount(count.starts, 99) if count and unit.offset == last else count

    monkeypatch.setattr(OrderCounts, "read", changed)
    with pytest.raises(StreamError, match=f"picture at byte {last} {NOT_DUE}"):
        read_face_stream(STREAM, no_notes)
    assert any(NOT_DUE in text for _, text in findings(STREAM))


@pytest.mark.parametrize("bits", [17, 1000])
def test_order_counts_of_more_bits_than_there_may_be_are_not_read(bits: int) -> None:
    code = bin(bits - 4 + 1)[2:]
    coded = "0" * (len(code) - 1) + code  # ue(v) of log2_max_pic_order_cnt_lsb_minus4
    sequence = SimpleNamespace(number=0, rest=Bits(int(coded + "0" * 8, 2).to_bytes(400, "big")))
    sequence.rest.u(400 * 8 - len(coded) - 8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture_order, "read_sequence", lambda unit, codec: sequence)
        with pytest.raises(StreamInvalidError, match="a header is malformed"):
            picture_order.OrderReader("hevc").order_count(BaseNalUnit(0, 33, 0, b"B\1", b""))


def test_pictures_that_user_data_announce_are_counted_though_they_are_missing(
    tmp_path: Path,
) -> None:
    path = without_pictures(STREAM, tmp_path / "in.266", (2, 4))
    twice = write_units(tmp_path / "two.266", [*nal_units(path), *nal_units(path)])
    count = PictureCount()
    seen = [count.see(inspected) for inspected in inspect_units(nal_units(twice))]
    found = [picture for picture in seen if picture is not None]
    first, second = found[: len(found) // 2], found[len(found) // 2 :]
    assert [picture - 12 for picture in second] == first
    assert len(set(found)) == len(found)


def test_faces_that_come_to_pictures_nobody_numbers_are_told_of(
    command: CommandLine, tmp_path: Path
) -> None:
    base, messages = tmp_path / "base.266", tmp_path / "m.jsonl"
    assert command("remove", STREAM, base).status == 0
    assert command("extract", STREAM, messages).status == 0
    # The second time without user data.
    bare = [unit for unit in nal_units(base) if not unit.is_sei]
    two = write_units(tmp_path / "two.266", [*nal_units(STREAM), *bare])
    records = [json.loads(line) for line in messages.read_text("utf-8").splitlines()]
    for record in records[1:]:
        record["picture"] += 7
    messages.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    outcome = command("inject", two, messages, tmp_path / "out.266")
    assert outcome.status == 0
    assert "is shown before one that it follows there" in outcome.err


def test_a_stream_that_ends_early_has_what_came(tmp_path: Path) -> None:
    units = list(access_units(nal_units(STREAM)))[:3]
    path = write_units(tmp_path / "in.266", [unit for group in units for unit in group])
    notes: list[str] = []
    pictures = decode_all(path, notes.append)
    whole = decode_all(STREAM)
    assert len(pictures) < 12
    assert np.array_equal(pictures[0], whole[0])
    assert any("coded pictures that user data announces are missing" in note for note in notes)


def test_mp4_has_them_at_their_times(tmp_path: Path) -> None:
    recipe = RECIPES[NAME]
    clip = write_video(tmp_path / "clip.mkv", source_pictures(recipe), RATE)
    options = EncodeOptions(size=recipe.size, crop="none", **recipe.options)
    encode(clip, tmp_path / "out.mp4", options)
    encode(clip, tmp_path / "out.266", options)
    stream = read_face_stream(tmp_path / "out.mp4", no_notes)
    assert stream.coding_order is not None
    starts = list(accumulate((unit.pictures for unit in stream.units), initial=0))
    times = sorted(picture_times(tmp_path / "out.mp4"))
    assert times == pytest.approx([start / float(RATE) for start in starts[:-1]])
    notes: list[str] = []
    assert np.array_equal(
        decode_all(tmp_path / "out.mp4", notes.append), decode_all(tmp_path / "out.266")
    )
    assert notes == []


def test_numbers_go_by_order_counts_in_any_order() -> None:
    places = SequencePlaces()
    places.start(8)
    counts = (40, 44, 42, 41, 46)
    assert [places.number(OrderCount(1, count)) for count in counts] == [0, 4, 2, 1, 6]
    assert list(places.gaps()) == [(3, 4), (5, 6)]
    assert (places.came, places.due) == (5, 7)
    assert places.is_reordered
    # Those of one that came, of one before the first, and of more than are announced.
    for count in (42, 39, 48, 1 << 100):
        assert places.number(OrderCount(1, count)) is None
    places.start(20)
    assert [places.number(OrderCount(2, count)) for count in range(0, 18, 3)] == [
        0,
        3,
        6,
        9,
        12,
        15,
    ]
    assert not places.is_reordered
    places.count_from_here()
    assert list(places.gaps()) == []
    assert places.number(OrderCount(2, 60)) == 6


@pytest.mark.parametrize(
    "options",
    [{"key_pictures": "fixed"}, {"low_delay": True}, {"reference_pool": 2}, {"fallback": "always"}],
)
def test_without_predicted_coded_pictures_nothing_is_reordered(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reorder is about predicted coded pictures"):
        EncodeOptions(reorder=True, **options)
