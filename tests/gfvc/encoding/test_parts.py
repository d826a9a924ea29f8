"""Clips that are coded in parts: where they are cut, and that nothing else changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, EncodeSummary, InputError, encode
from gfvc.demo_clip import RATE
from gfvc.encoding.clip_part import CodedPart
from gfvc.encoding.part_choice import choose_restarts, restarts_at
from gfvc.part_encoding import PartPlan, encode_part, join_parts, plan_parts
from gfvc.verification import Severity, verify_stream
from gfvc.video_reader import Picture, read_pictures
from tests.gfvc.support import decode_all, no_notes, write_video


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
    assert choose_restarts(iter(scenes), 10) == ((12, 22), 30)


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
    return write_video(tmp_path_factory.mktemp("parts") / "clip.mkv", pictures, RATE)


@pytest.mark.program
@pytest.mark.parametrize(
    ("way", "suffix"), [*((way, ".265") for way in WAYS), ("sequences", ".mp4")]
)
def test_parts_coded_apart_are_what_one_process_makes(
    clip: Path, tmp_path: Path, way: str, suffix: str
) -> None:
    options = EncodeOptions(codec="hevc", **WAYS[way])  # type: ignore[arg-type]
    output = tmp_path / f"joined{suffix}"
    plan = plan_parts(clip, output, options, 0.4)
    assert plan.parts >= 3
    assert plan.pictures == 30
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
    plan = plan_parts(clip, tmp_path / "out.265", EncodeOptions(), 1.0)
    assert (plan.parts, plan.options.restarts, plan.span(0)) == (1, (), (0, 30))


@pytest.mark.program
def test_restarts_beyond_the_end_are_none(clip: Path, tmp_path: Path) -> None:
    options = EncodeOptions(key_pictures="fixed")
    encode(clip, tmp_path / "plain.265", options)
    far = dataclasses.replace(options, restarts=(30, 500))
    encode(clip, tmp_path / "far.265", far)
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
    other = write_video(tmp_path / "other.mkv", demo_pictures[:20], RATE)
    plan = plan_parts(clip, tmp_path / "out.265", EncodeOptions(key_pictures="fixed"), 0.4)
    last = plan.parts - 1
    with pytest.raises(InputError, match="was changed while it was coded"):
        encode_part(other, tmp_path / "out.265", plan, last, tmp_path / "part")


def test_pictures_from_any_on(clip: Path) -> None:
    for rate in (RATE, RATE / 3, RATE * 2):
        pictures = list(read_pictures(clip, rate, notes=no_notes))
        for start in (0, 1, len(pictures) // 2, len(pictures) - 1, len(pictures)):
            read = list(read_pictures(clip, rate, notes=no_notes, start=start))
            assert len(read) == len(pictures) - start
            assert all(map(np.array_equal, read, pictures[start:]))


def test_plans_say_which_pictures_parts_have(clip: Path, tmp_path: Path) -> None:
    plan = plan_parts(clip, tmp_path / "a.265", EncodeOptions(), 0.4)
    spans = [plan.span(part) for part in range(plan.parts)]
    assert [spans[0][0], *(end for _, end in spans)] == [0, *plan.options.restarts, 30]
    assert isinstance(plan, PartPlan)
