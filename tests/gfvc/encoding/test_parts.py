"""Clips that are coded in parts: where they are cut, and that nothing else changes."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, EncodeSummary, InputError, encode
from gfvc.encoding.clip_part import CodedPart
from gfvc.encoding.part_choice import choose_restarts, restarts_at
from gfvc.part_encoding import PartPlan, encode_part, join_parts, plan_parts
from gfvc.verification import Severity, verify_stream
from gfvc.video.frames import EntryLostError
from gfvc.video_reader import PictureEntry, read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import decode_all, ffmpeg, no_notes


@pytest.mark.parametrize(
    ("cuts", "count", "length", "expected"),
    [
        ([], 100, 30, (30, 60)),
        ([], 44, 30, ()),
        ([], 45, 30, (30,)),
        ([33], 100, 30, (33, 63)),
        ([10, 20, 28, 33], 100, 30, (28, 58)),
        ([50], 100, 30, (30, 50, 80)),
        ([90], 100, 30, (30, 60)),
        ([45, 85], 100, 30, (45, 85)),
        ([], 3, 1, (1, 2)),
        ([], 0, 1, ()),
    ],
)
def test_where_parts_begin(
    cuts: list[int], count: int, length: int, expected: tuple[int, ...]
) -> None:
    assert restarts_at(cuts, count, length) == expected
    edges = [0, *expected, count]
    lengths = np.diff(edges)
    assert len(lengths) == 1 or max(lengths) <= 1.5 * length
    assert len(lengths) == 1 or min(lengths) >= length // 2


def test_parts_begin_at_scene_cuts(demo_pictures: list[Picture]) -> None:
    scenes = [*demo_pictures[:12], *(np.bitwise_not(picture) for picture in demo_pictures[:18])]
    assert choose_restarts(iter(scenes), 10, Fraction(25)) == ((12, 22), 30)


SLOW = Fraction(5)
"""Pictures a second of the clip: long enough for places where reading can begin."""

SECONDS = 2.0
"""Of a part."""


def timeless(summary: EncodeSummary) -> EncodeSummary:
    return dataclasses.replace(summary, seconds=0.0, base_codec_seconds=0.0)


WAYS = {
    "key pictures": {"key_pictures": "fixed", "key_interval": 7},
    "sequences": {"key_pictures": "auto", "model": "mesh"},
    "low delay": {"key_pictures": "fixed", "low_delay": True, "model": "mesh"},
    "ordinary video": {"key_pictures": "fixed", "fallback": "always", "model": "mesh"},
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """The demo pictures, with a while in the middle in which no face is to be seen."""
    pictures = list(demo_pictures)
    for number in range(9, 17):
        pictures[number] = np.full_like(pictures[0], 90)
    folder = tmp_path_factory.mktemp("parts")
    lossless = write_video(folder / "lossless.mkv", pictures, SLOW)
    ffmpeg("-i", lossless, "-c:v", "libx264", "-qp", "5", "-g", "4", folder / "clip.mkv")
    return folder / "clip.mkv"


@pytest.mark.program
@pytest.mark.parametrize(
    ("way", "suffix"), [*((way, ".265") for way in WAYS), ("sequences", ".mp4")]
)
def test_parts_coded_apart_are_what_one_process_makes(
    clip: Path, tmp_path: Path, way: str, suffix: str
) -> None:
    options = EncodeOptions(codec="hevc", **WAYS[way])  # type: ignore[arg-type]
    output = tmp_path / f"joined{suffix}"
    plan = plan_parts(clip, output, options, SECONDS)
    assert plan.parts >= 3
    assert plan.pictures == 30
    assert all(start.entry is not None for start in plan.starts[1:])
    coded: dict[int, tuple[Path, CodedPart]] = {}
    for part in reversed(range(plan.parts)):  # in whatever order
        path = tmp_path / f"part{part}"
        of_part = encode_part(clip, output, plan, part, path)
        coded[part] = path, CodedPart.from_json(of_part.to_json(), path)
    parts = [coded[part] for part in range(plan.parts)]
    notes: list[str] = []
    summary = join_parts(clip, output, plan, parts, notes=notes.append)

    alone = tmp_path / f"alone{suffix}"
    whole_notes: list[str] = []
    whole = encode(clip, alone, plan.options, notes=whole_notes.append)
    assert output.read_bytes() == alone.read_bytes()
    assert notes == whole_notes
    assert timeless(summary) == timeless(whole)
    assert len(decode_all(output, lambda text: None)) == 30
    if suffix != ".mp4":
        found = [f for f in verify_stream(output) if f.severity is not Severity.INFORMATION]
        assert not found


@pytest.mark.program
def test_without_cuts_there_is_one_part(clip: Path, tmp_path: Path) -> None:
    plan = plan_parts(clip, tmp_path / "out.265", EncodeOptions(), 6.0)
    assert (plan.parts, plan.options.restarts, plan.span(0)) == (1, (), (0, 30))


@pytest.mark.program
def test_restarts_beyond_the_end_are_none(clip: Path, tmp_path: Path) -> None:
    options = EncodeOptions(key_pictures="fixed")
    encode(clip, tmp_path / "plain.265", options)
    far = dataclasses.replace(options, restarts=(30, 500))
    notes: list[str] = []
    encode(clip, tmp_path / "far.265", far, notes=notes.append)
    told = f"{clip}: --restart-at 30, 500 does nothing: the last of the 30 pictures is number 29"
    assert told in notes
    assert (tmp_path / "far.265").read_bytes() == (tmp_path / "plain.265").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bitrate": 3000.0}, "cannot be split with --bitrate, which is met by the whole clip"),
        ({"reference_pool": 2, "key_pictures": "fixed"}, "--reference-pool"),
        ({"restarts": (5,)}, "--restart-at"),
    ],
)
def test_what_cannot_be_split(
    clip: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    options = EncodeOptions(**changes)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        plan_parts(clip, tmp_path / "out.265", options, 1.0)


@pytest.mark.parametrize("changes", [{"restarts": (5, 5)}, {"restarts": (0,)}])
def test_restarts_that_cannot_be(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"rising|restarts"):
        EncodeOptions(**changes)  # type: ignore[arg-type]


@pytest.mark.program
def test_a_clip_that_changed_meanwhile_is_refused(
    clip: Path, tmp_path: Path, demo_pictures: list[Picture]
) -> None:
    other = write_video(tmp_path / "other.mkv", demo_pictures[:20], SLOW)
    plan = plan_parts(clip, tmp_path / "out.265", EncodeOptions(key_pictures="fixed"), SECONDS)
    last = plan.parts - 1
    with pytest.raises(InputError, match="was changed while it was coded"):
        encode_part(other, tmp_path / "out.265", plan, last, tmp_path / "part")


def test_pictures_from_any_on(clip: Path) -> None:
    for rate in (SLOW, SLOW / 3, SLOW * 2):
        pictures = list(read_pictures(clip, rate, notes=no_notes))
        for start in (0, 1, len(pictures) // 2, len(pictures) - 1, len(pictures)):
            read = list(read_pictures(clip, rate, notes=no_notes, start=start))
            assert len(read) == len(pictures) - start
            assert all(map(np.array_equal, read, pictures[start:]))


KINDS = {
    "closed groups": ["-g", "8", "-bf", "2"],
    "open groups": ["-g", "8", "-bf", "3", "-x264-params", "open-gop=1"],
    "intra refresh": ["-g", "8", "-bf", "0", "-x264-params", "intra-refresh=1"],
    "one key picture": ["-g", "300", "-sc_threshold", "0"],
}


@pytest.mark.program
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_reading_begins_in_the_middle(clip: Path, tmp_path: Path, kind: str, suffix: str) -> None:
    """What is read from an entry on is what is read of the whole; or its first picture tells."""
    file = tmp_path / f"clip{suffix}"
    ffmpeg("-i", clip, "-c:v", "libx264", "-pix_fmt", "yuv420p", *KINDS[kind], file)
    for rate in (SLOW, Fraction(7)):
        entries: list[PictureEntry] = []
        pictures = list(read_pictures(file, rate, notes=no_notes, entries=entries.append))
        assert entries[0].picture == 0
        assert (len(entries) > 1) == (kind != "one key picture")
        entered = 0
        for entry in entries[1:]:
            start = entry.picture + 1
            found = read_pictures(file, rate, notes=no_notes, start=start, entry=entry)
            try:
                read = list(found)
            except EntryLostError:
                continue
            if np.array_equal(read[0], pictures[start]):
                entered += 1
                assert len(read) == len(pictures) - start
                assert all(map(np.array_equal, read, pictures[start:]))
        if kind.endswith("groups"):
            assert entered == len(entries) - 1


@pytest.mark.program
@pytest.mark.parametrize("lie", ["other picture", "no picture"])
def test_an_entry_that_lies_is_not_used(clip: Path, tmp_path: Path, lie: str) -> None:
    options = EncodeOptions(codec="hevc", fallback="always", model="mesh", key_pictures="fixed")
    plan = plan_parts(clip, tmp_path / "out.265", options, SECONDS)
    right = tmp_path / "right"
    encode_part(clip, tmp_path / "out.265", plan, 1, right)
    start = plan.starts[1]
    assert start.entry is not None
    frame = start.entry.frame
    if lie == "other picture":
        frame = dataclasses.replace(frame, stamp=0)
    else:
        frame = dataclasses.replace(frame, stamp=frame.stamp + 1)
    entry = dataclasses.replace(start.entry, frame=frame)
    starts = (plan.starts[0], dataclasses.replace(start, entry=entry), *plan.starts[2:])
    lying = tmp_path / "lying"
    encode_part(clip, tmp_path / "out.265", dataclasses.replace(plan, starts=starts), 1, lying)
    assert lying.read_bytes() == right.read_bytes()


def test_plans_are_the_same_each_time(clip: Path, tmp_path: Path) -> None:
    """What is kept of parts goes by what a plan looks like."""
    plans = [plan_parts(clip, tmp_path / "a.265", EncodeOptions(), SECONDS) for _ in range(2)]
    assert repr(plans[0]) == repr(plans[1])
    assert " at 0x" not in repr(plans[0])


def test_plans_say_which_pictures_parts_have(clip: Path, tmp_path: Path) -> None:
    plan = plan_parts(clip, tmp_path / "a.265", EncodeOptions(), SECONDS)
    spans = [plan.span(part) for part in range(plan.parts)]
    assert [spans[0][0], *(end for _, end in spans)] == [0, *plan.options.restarts, 30]
    assert isinstance(plan, PartPlan)
