"""Small pictures are coded at half their size where bits are few, and enlarged by a filter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from gfvc import EncodeOptions, encode, limits
from gfvc.base_layer import SequenceQps, decode_base_layer
from gfvc.decoder import decode
from gfvc.demo_clip import RATE, demo_still, make_demo_clip
from gfvc.errors import StreamError
from gfvc.face_square import FaceSquare
from gfvc.halving import FINER, LEAST_KEY_QP, can_be_halved, halved
from gfvc.options.decoding import DecodeOptions
from gfvc.post_filtering import PostFiltering
from gfvc.stream.reader import read_face_stream
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models.metrics.similarity import psnr
from models.post_filter import ENLARGING, FACES, WHOLE
from tests.gfvc.support import CommandLine, decode_all, nal_units, no_notes, stating, write_units

SIDE = 256


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = make_demo_clip(0.4, SIDE)
    return write_video(tmp_path_factory.mktemp("clip") / "demo.mkv", pictures, RATE)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """The demo's face as it is coded by default."""
    path = tmp_path_factory.mktemp("stream") / "halved.266"
    heard: list[str] = []
    summary = encode(clip, path, EncodeOptions(view="face"), notes=heard.append)
    assert summary.size == (SIDE // 2, SIDE // 2)
    assert summary.shown_size == (SIDE, SIDE)
    assert any("is coded as 128x128, which decoders enlarge to 256x256" in line for line in heard)
    return path


def filters_of(path: Path) -> set[int]:
    return {unit.post_filter for unit in read_face_stream(path, no_notes).units}


def test_halves_are_means() -> None:
    picture = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    means = picture.reshape(2, 2, 4, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(halved(picture) - means).max() <= 0.5


@pytest.mark.parametrize(
    ("size", "sides", "can_be"),
    [
        # The face fills the picture; or nobody knows where it is.
        ((256, 256), [], True),
        ((320, 260), [], False),
        ((252, 252), [], False),
        ((258, 258), [], False),
        ((640, 360), [256], True),
        ((360, 640), [300, 256], True),
        ((640, 360), [255], False),
        ((640, 360), [300, 255], False),
        ((640, 480), [300], True),
        ((644, 480), [300], False),
        ((638, 360), [300], False),
        ((512, 252), [252], False),
    ],
)
def test_halves_are_even_and_their_faces_not_tiny(
    size: tuple[int, int], sides: list[int], can_be: bool
) -> None:
    assert can_be_halved(size, [FaceSquare(0, 0, side) for side in sides]) is can_be


def test_qps_are_finer_by_no_more_than_there_is() -> None:
    assert SequenceQps(32, 42).finer(7) == SequenceQps(25, 35)
    assert SequenceQps(3).finer(7) == SequenceQps(0, None)


def test_coded_pictures_have_half_the_size(stream: Path) -> None:
    read = read_face_stream(stream, no_notes)
    assert filters_of(stream) == {ENLARGING}
    # The filter is told as they are coded.
    key, *others = [unit.post_filter_qp for unit in read.units]
    assert (key, *set(others)) in {(32 - FINER, 42 - FINER), (32 - FINER,)}
    coded = list(decode_base_layer(read.codec, read.base_layer_parts()))
    assert {picture.shape for picture in coded} == {(SIDE // 2, SIDE // 2, 3)}
    with av.open(str(stream), format="vvc") as container:
        assert {(frame.width, frame.height) for frame in container.decode(video=0)} == {
            (SIDE // 2, SIDE // 2)
        }


def test_what_comes_out_has_the_whole_size_and_is_like_the_source(
    stream: Path, clip: Path, tmp_path: Path
) -> None:
    shown = decode_all(stream)
    assert {picture.shape for picture in shown} == {(SIDE, SIDE, 3)}
    source = list(make_demo_clip(0.4, SIDE))
    apart = [psnr(mine, theirs) for mine, theirs in zip(shown, source, strict=True)]
    assert min(apart) > 26
    decode(stream, tmp_path / "shown.mp4")
    with av.open(str(tmp_path / "shown.mp4")) as container:
        assert container.streams.video[0].width == SIDE


def test_what_it_makes_of_a_face_is_nearer_than_enlarging_alone() -> None:
    still = demo_still(SIDE)
    half = halved(still)
    enlarged = np.asarray(cv2.resize(half, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert psnr(PostFiltering(ENLARGING)(half, 18), still) > psnr(enlarged, still) + 0.5


def test_its_streams_are_consistent(stream: Path) -> None:
    found = [each for each in verify_stream(stream) if each.severity is not Severity.INFORMATION]
    assert found == []


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"coded_size": "full"}, WHOLE),
        ({"post_filter": True}, WHOLE),
        ({"post_filter": False}, 0),
        ({"key_qp": LEAST_KEY_QP - 1}, WHOLE),
        ({"key_qp": LEAST_KEY_QP}, ENLARGING),
        ({"fallback_qp": LEAST_KEY_QP - 1}, WHOLE),
        ({"size": 264}, ENLARGING),
        ({"size": 128}, WHOLE),
        ({"key_pictures": "fixed"}, 0),
        ({"codec": "hevc"}, WHOLE),
        ({"model": "mesh"}, 0),
    ],
)
def test_others_are_coded_whole(
    clip: Path, tmp_path: Path, options: dict[str, Any], number: int
) -> None:
    """Where pixels are asked for, or where it was not measured; filtered where that is better."""
    path = tmp_path / "coded.bin"
    encode(clip, path, EncodeOptions(view="face", **options))
    assert filters_of(path) <= {number, 0}
    assert (ENLARGING in filters_of(path)) is (number == ENLARGING)


def write_scene(path: Path, side: int) -> Path:
    """A clip of a head in the middle of a plain wall of 352x288."""
    scene = np.full((288, 352, 3), (90, 110, 130), np.uint8)
    top, left = (288 - side) // 2, (352 - side) // 2
    pictures = []
    for face in make_demo_clip(0.4, side):
        picture = scene.copy()
        picture[top : top + side, left : left + side] = face
        pictures.append(picture)
    return write_video(path, pictures, RATE)


def test_small_faces_in_small_pictures_are_coded_whole(tmp_path: Path) -> None:
    """Half of them would be few pixels, and they lose by it."""
    clip = write_scene(tmp_path / "scene.mkv", 160)
    encode(clip, tmp_path / "scene.266", EncodeOptions(view="whole"))
    assert ENLARGING not in filters_of(tmp_path / "scene.266")


def test_whole_pictures_of_large_faces_are_halved(tmp_path: Path) -> None:
    """Faces are drawn, and their squares counted, in the size that comes out."""
    clip = write_scene(tmp_path / "scene.mkv", 288)
    path = tmp_path / "scene.266"
    summary = encode(clip, path, EncodeOptions(key_qp=37))
    assert (summary.halved, summary.size, summary.shown_size) == (True, (176, 144), (352, 288))
    assert summary.tally.coded_pictures < summary.frames
    assert filters_of(path) == {ENLARGING}
    squares = {unit.face_square for unit in read_face_stream(path, no_notes).units}
    assert all(square is not None and square.side >= 256 for square in squares)
    found = [each for each in verify_stream(path) if each.severity is not Severity.INFORMATION]
    assert found == []
    shown = decode_all(path)
    assert {picture.shape for picture in shown} == {(288, 352, 3)}
    source = list(read_pictures(clip, RATE))
    apart = [psnr(mine, theirs) for mine, theirs in zip(shown, source, strict=True)]
    assert min(apart) > 26


def test_whole_pictures_of_a_size_that_is_asked_for_are_not_halved(tmp_path: Path) -> None:
    clip = write_scene(tmp_path / "scene.mkv", 288)
    summary = encode(clip, tmp_path / "scene.266", EncodeOptions(coded_size=260))
    assert not summary.halved
    assert ENLARGING not in filters_of(tmp_path / "scene.266")


def test_settings_that_meet_a_bitrate_make_the_same_file_again(
    command: CommandLine, clip: Path, stream: Path, tmp_path: Path
) -> None:
    """The line names no size: half of it would be asked for, and enlarged otherwise."""
    first, again = tmp_path / "first.266", tmp_path / "again.266"
    bitrate = 8 * stream.stat().st_size * RATE / read_face_stream(stream, no_notes).pictures
    outcome = command("encode", clip, first, "--bitrate", str(round(bitrate)))
    assert outcome.status == 0, outcome.err
    assert filters_of(first) == {ENLARGING}
    line = outcome.err.splitlines()[-1]
    chosen = line[line.index("--key-qp") : line.index(" after ")].split()
    outcome = command("encode", clip, again, *chosen)
    assert outcome.status == 0, outcome.err
    assert again.read_bytes() == first.read_bytes()


def test_pictures_without_a_face_are_halved_alike(tmp_path: Path) -> None:
    """All pictures of a stream have one size."""
    face = list(make_demo_clip(0.3, SIDE))
    rows = np.linspace(0, 255, SIDE, dtype=np.uint8)
    plain = np.broadcast_to(rows[:, None, None], (SIDE, SIDE, 3)).copy()
    clip = write_video(tmp_path / "both.mkv", [*face, *[plain] * 8], RATE)
    path = tmp_path / "both.266"
    summary = encode(clip, path, EncodeOptions(view="face"))
    assert summary.fallback_pictures == 8
    assert filters_of(path) == {ENLARGING}
    shown = decode_all(path, notes=unheard)
    assert len(shown) == len(face) + 8
    assert psnr(shown[-1], plain) > 35


def test_a_stream_that_asks_for_it_half_way_changes_its_size(stream: Path, tmp_path: Path) -> None:
    units = nal_units(stream)
    plain = [stating(unit, post_filter=0, face_square=None) for unit in units]
    path = write_units(tmp_path / "both.266", [*units, *plain])
    with pytest.raises(StreamError, match="change from 256x256 to 128x128"):
        decode(path, tmp_path / "shown.mp4")
    assert not (tmp_path / "shown.mp4").exists()
    errors = [each for each in verify_stream(path) if each.severity is Severity.ERROR]
    assert any("is not enlarged by the post-filter from here on" in str(each) for each in errors)


def test_how_large_pictures_get_is_bounded(stream: Path, tmp_path: Path) -> None:
    options = DecodeOptions(max_area=SIDE * SIDE - 1)
    with pytest.raises(StreamError, match=r"enlarged to 256x256, more than .* --max-area"):
        decode(stream, tmp_path / "shown.mp4", options)


@pytest.mark.parametrize("of", ["coded", "all"])
def test_samples_are_counted_as_they_are_enlarged(
    stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    read = read_face_stream(stream, no_notes)
    pictures = len(read.units) if of == "coded" else read.pictures
    per_byte = "CODED_SAMPLES_PER_BYTE" if of == "coded" else "SAMPLES_PER_BYTE"
    monkeypatch.setattr(limits, per_byte, 0)
    monkeypatch.setattr(limits, "FREE_SAMPLES", pictures * SIDE * SIDE)
    decode(stream, tmp_path / "shown.mp4")
    monkeypatch.setattr(limits, "FREE_SAMPLES", pictures * SIDE * SIDE - 1)
    with pytest.raises(StreamError, match="say with --max-pictures"):
        decode(stream, tmp_path / "more.mp4")


def test_lost_user_data_are_told_where_pictures_get_smaller(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.266"
    encode(clip, path, EncodeOptions(view="face", restarts=(5,)))
    units = nal_units(path)
    idr = [place for place, unit in enumerate(units) if unit.is_irap]
    assert len(idr) == 2
    lost = [
        unit
        for place, unit in enumerate(units)
        if not (idr[0] < place < idr[1] and unit.type_name == "PREFIX_SEI")
    ]
    assert len(lost) == len(units) - 1
    path = write_units(tmp_path / "lost.266", lost)
    with pytest.raises(StreamError, match="change from 256x256 to 128x128"):
        decode(path, tmp_path / "shown.mp4")
    errors = [each for each in verify_stream(path) if each.severity is Severity.ERROR]
    assert any("is not enlarged by the post-filter from here on" in str(each) for each in errors)


def test_squares_lie_within_enlarged_pictures(stream: Path, tmp_path: Path) -> None:
    def with_square(left: int) -> Path:
        square = FaceSquare(left, 60, 160)
        units = [stating(unit, face_square=square) for unit in nal_units(stream)]
        return write_units(tmp_path / f"{left}.266", units)

    inside = [each for each in verify_stream(with_square(96)) if each.severity is Severity.ERROR]
    assert inside == []
    outside = [each for each in verify_stream(with_square(97)) if each.severity is Severity.ERROR]
    assert any("outside of the pictures of 256x256" in str(each) for each in outside)
    with pytest.raises(StreamError, match="outside of its pictures of 256x256"):
        decode(with_square(97), tmp_path / "shown.mp4")


@pytest.mark.parametrize(("number", "size"), [(WHOLE, SIDE), (ENLARGING, 2 * SIDE), (FACES, SIDE)])
def test_only_one_filter_enlarges(number: int, size: int) -> None:
    filtering = PostFiltering(number)
    assert filtering.enlargement == size // SIDE
    assert filtering(demo_still(SIDE), 30).shape == (size, size, 3)
    assert replace(filtering, number=0).enlargement == 1
