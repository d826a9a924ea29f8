"""The post-filter kept to face squares, in whole pictures that are too large for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, encode, encoder
from gfvc.base_layer import CodedSequence, decode_base_layer
from gfvc.demo_clip import RATE
from gfvc.encoding import segments
from gfvc.errors import StreamError
from gfvc.face_square import FaceSquare
from gfvc.post_filtering import PostFiltering
from gfvc.stream.reader import read_face_stream
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from models.post_filter import FACES, WHOLE, filtering
from tests.gfvc.support import (
    decode_all,
    nal_units,
    no_notes,
    ordinary_only,
    stating,
    two_heads,
    write_units,
)

SEEN_AROUND = 16
OUTSIDE = FaceSquare(300, 0, 128)


def always(coded: CodedSequence, *given: object) -> CodedSequence:
    return coded


def encode_with_faces_filtered(
    path: Path, pictures: list[Picture], patch: pytest.MonkeyPatch, options: EncodeOptions
) -> None:
    """Encode pictures that are larger than what is filtered as a whole."""
    height, width = pictures[0].shape[:2]
    patch.setattr(encoder, "MOST_FILTERED", height * width - 1)
    patch.setattr(segments, "with_filter_if_better", always)
    clip = write_video(path.with_suffix(".mkv"), pictures, RATE)
    encode(clip, path, options)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory, scenes: list[Picture]) -> Path:
    path = tmp_path_factory.mktemp("filtered") / "scene.266"
    with pytest.MonkeyPatch.context() as patch:
        encode_with_faces_filtered(path, scenes[:12], patch, EncodeOptions(key_qp=37))
    return path


QP = 33


def brighter(picture: Picture) -> Picture:
    return np.asarray(picture + 100, np.uint8)


@pytest.fixture
def sizes_seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Of the pictures that a filter is given, which makes them brighter."""
    seen: list[tuple[int, ...]] = []

    def network(picture: Picture, qp: int) -> Picture:
        assert qp == QP
        seen.append(picture.shape)
        return brighter(picture)

    monkeypatch.setattr(filtering, "load_post_filter", lambda number: network)
    return seen


def coloured(width: int, height: int) -> Picture:
    return np.full((height, width, 3), (50, 60, 70), np.uint8)


def test_what_is_beside_the_square_stays(sizes_seen: list[tuple[int, ...]]) -> None:
    square = FaceSquare(40, 48, 64)
    picture = coloured(200, 160)
    filtered = PostFiltering(FACES, (square,))(picture, QP)
    beside = np.ones((160, 200), bool)
    beside[square.window] = False
    assert np.array_equal(filtered[beside], picture[beside])
    changes = filtered[square.window].astype(int) - picture[square.window]
    assert (changes[4:-4, 4:-4] == 100).all()
    # It begins over four pixels, so that no edge shows.
    row = changes[32, :, 0].tolist()
    assert row[:5] == [12, 38, 62, 88, 100]
    assert row[::-1] == row == changes[:, 32, 0].tolist()
    side = square.side + 2 * SEEN_AROUND
    assert sizes_seen == [(side, side, 3)]


def test_a_square_at_the_edge_of_the_picture_is_filtered_up_to_it(
    sizes_seen: list[tuple[int, ...]],
) -> None:
    picture = coloured(200, 64)
    filtered = PostFiltering(FACES, (FaceSquare(0, 0, 64),))(picture, QP)
    changes = filtered.astype(int) - picture
    assert (changes[:, :60] == 100).all()
    assert (changes[:, 64:] == 0).all()
    assert sizes_seen == [(64, 64 + SEEN_AROUND, 3)]


def test_squares_that_overlap_are_filtered_once(sizes_seen: list[tuple[int, ...]]) -> None:
    picture = coloured(200, 160)
    squares = FaceSquare(20, 20, 64), FaceSquare(52, 40, 64)
    changes = PostFiltering(FACES, squares)(picture, QP).astype(int) - picture
    assert changes.max() == 100
    assert (changes[60, 60] == 100).all()
    assert len(sizes_seen) == 2


@pytest.mark.parametrize("filtering_of", [PostFiltering(), PostFiltering(FACES)])
def test_without_a_square_nothing_is_filtered(
    filtering_of: PostFiltering, sizes_seen: list[tuple[int, ...]]
) -> None:
    picture = coloured(64, 64)
    assert not filtering_of
    assert filtering_of(picture, QP) is picture
    assert sizes_seen == []


def test_faces_of_whole_pictures_are_filtered(stream: Path) -> None:
    read = read_face_stream(stream, no_notes)
    assert {unit.post_filter for unit in read.units} == {FACES}
    [square] = {unit.face_square for unit in read.units}
    assert square is not None
    key = next(decode_base_layer(read.codec, read.base_layer_parts()))
    expected = PostFiltering(FACES, (square,))(key, read.units[0].post_filter_qp)
    shown = decode_all(stream)
    place = read.units[0].leading
    assert np.array_equal(shown[place], expected)
    assert not np.array_equal(shown[place], key)
    # What is drawn is drawn from these.
    plain = [stating(unit, post_filter=0) for unit in nal_units(stream)]
    without = decode_all(write_units(stream.with_name("plain.266"), plain))
    assert not any(map(np.array_equal, shown, without))
    assert [f for f in verify_stream(stream) if f.severity is not Severity.INFORMATION] == []


@pytest.mark.parametrize(
    ("most", "number"), [(1 << 20, WHOLE), (320 * 192 - 1, FACES), (100 * 100, 0)]
)
def test_what_is_filtered_goes_by_its_size(
    most: int,
    number: int,
    tmp_path: Path,
    scenes: list[Picture],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoder, "MOST_FILTERED", most)
    monkeypatch.setattr(segments, "with_filter_if_better", always)
    clip = write_video(tmp_path / "scene.mkv", scenes[:2], RATE)
    path = tmp_path / "scene.265"
    encode(clip, path, EncodeOptions())
    assert {unit.post_filter for unit in read_face_stream(path, no_notes).units} == {number}


def test_all_faces_are_filtered(
    tmp_path: Path, demo_pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "two.265"
    clip = write_video(tmp_path / "two.mkv", two_heads(demo_pictures[:16]), RATE)
    monkeypatch.setattr(encoder, "MOST_FILTERED", 2 * 224 * 224 - 1)
    monkeypatch.setattr(segments, "with_filter_if_better", always)
    encode(clip, path, EncodeOptions(coded_interval=0.2), notes=unheard)
    read = read_face_stream(path, no_notes)
    first = read.units[0]
    assert len(first.face_squares) == 2
    key = next(decode_base_layer(read.codec, read.base_layer_parts()))
    expected = PostFiltering(FACES, first.face_squares)(key, first.post_filter_qp)
    assert np.array_equal(decode_all(path)[first.leading], expected)


@pytest.mark.program
def test_where_all_pictures_are_coded_faces_are_filtered_too(
    tmp_path: Path, scenes: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 400, 3), np.uint8)
    shaken = []
    for number, scene in enumerate(scenes[:12]):
        mixed = scene.copy()
        mixed[:, :100] = noise[37 * number % 200 :, 91 * number % 200 :][:192, :100]
        shaken.append(mixed)
    monkeypatch.setattr(segments, "LEAST_PICTURES", 12)
    monkeypatch.setattr(segments, "DENSE_SHARE", 0.0)
    path = tmp_path / "all.266"
    height, width = shaken[0].shape[:2]
    monkeypatch.setattr(encoder, "MOST_FILTERED", height * width - 1)
    monkeypatch.setattr(segments, "with_filter_if_better", always)
    clip = write_video(tmp_path / "all.mkv", shaken, RATE)
    summary = encode(clip, path, EncodeOptions(key_qp=22, effort="fast"), notes=unheard)
    assert summary.fallback_pictures == 12
    read = read_face_stream(path, no_notes)
    assert {unit.post_filter for unit in read.units} == {FACES}
    [square] = {unit.face_square for unit in read.units}
    assert square is not None
    decoded = decode_base_layer(read.codec, read.base_layer_parts())
    filtering = PostFiltering(FACES, (square,))
    expected = [
        filtering(picture, unit.post_filter_qp)
        for picture, unit in zip(decoded, read.units, strict=True)
    ]
    assert all(map(np.array_equal, decode_all(path, unheard), expected))


def test_a_square_outside_of_what_is_shown_as_coded_is_refused(
    tmp_path: Path, scenes: list[Picture]
) -> None:
    clip = write_video(tmp_path / "scene.mkv", scenes[:2], RATE)
    path = tmp_path / "ordinary.265"
    encode(clip, path, EncodeOptions(fallback="always"), notes=ordinary_only)
    units = [stating(u, post_filter=FACES, face_square=OUTSIDE) for u in nal_units(path)]
    changed = write_units(tmp_path / "outside.265", units)
    with pytest.raises(StreamError, match="its face square, 128x128 at 300, 0, lies outside of"):
        decode_all(changed, unheard)
    assert any("lies outside" in found.text for found in verify_stream(changed))
