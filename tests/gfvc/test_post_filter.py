"""Coded pictures go by the post-filter in encoder and decoder alike, as the stream says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gfvc import EncodeOptions, encode, encoder
from gfvc.base_layer import BaseLayerCoder, CodedSequence, SequenceQps, decode_base_layer
from gfvc.colour import is_grey, without_colour
from gfvc.decoded_units import decode_units
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.encoding import executor, filter_choice, segments
from gfvc.encoding.filter_choice import with_filter_if_better
from gfvc.errors import StreamError
from gfvc.post_filtering import UNFILTERED, PostFiltering
from gfvc.rectangle import Rectangle
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from models import default_registry
from models.contract import Picture
from models.metrics.similarity import psnr
from models.post_filter import WHOLE, ToldQps, filtering
from models.post_filter.card import CARD
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    nal_units,
    no_notes,
    ordinary_only,
    stating,
    write_units,
)
from tests.golden.files import STREAMS

UNKNOWN = 100

in_whole = PostFiltering(WHOLE)


def coded_pictures(stream: FaceStream) -> list[Picture]:
    """What the base codec alone makes of a stream."""
    return list(decode_base_layer(stream.codec, stream.base_layer_parts()))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = make_demo_clip(0.5, 128)
    return write_video(tmp_path_factory.mktemp("clip") / "demo.mkv", pictures, RATE)


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """The demo's face, whose coded pictures are filtered."""
    path = tmp_path_factory.mktemp("stream") / "filtered.266"
    encode(clip, path, EncodeOptions(model="mesh", post_filter=True, key_qp=37))
    return path


def test_the_filter_makes_it_version_3_and_what_it_is_told_version_5() -> None:
    plain = StreamInformation(Fraction(25), 640, 360, Rectangle(0, 0, 640, 360))
    asked = replace(plain, post_filter=WHOLE)
    payload = asked.to_payload()
    assert payload[16] == 3
    assert payload[17:] == plain.to_payload()[17:] + bytes.fromhex("00 01")
    assert StreamInformation.from_payload(payload) == asked
    with pytest.raises(StreamError, match="shown_size_flag"):
        StreamInformation.from_payload(payload[:-1])
    told = replace(asked, post_filter_qps=ToldQps(25, 35))
    payload = told.to_payload()
    assert payload[16] == 5
    assert payload[17:] == plain.to_payload()[17:] + bytes.fromhex("00 01 00 80 19 23")
    assert StreamInformation.from_payload(payload) == told
    for damaged in (payload[:-1], payload[:-1] + b"\x40"):
        with pytest.raises(StreamError, match="post_filter_qp"):
            StreamInformation.from_payload(damaged)


def test_coded_pictures_are_shown_filtered(filtered: Path) -> None:
    stream = read_face_stream(filtered, no_notes)
    assert {unit.post_filter for unit in stream.units} == {WHOLE}
    assert stream.units[0].post_filter_qp == 37
    first = coded_pictures(stream)[0]
    shown = decode_all(filtered)[0]
    assert np.array_equal(shown, in_whole(first, 37))


def test_what_is_drawn_is_drawn_from_filtered_pictures(filtered: Path, tmp_path: Path) -> None:
    units = [stating(unit, post_filter=0) for unit in nal_units(filtered)]
    without = decode_all(write_units(tmp_path / "without.266", units))
    pairs = list(zip(decode_all(filtered), without, strict=True))
    assert all(not np.array_equal(*pair) for pair in pairs)


def test_the_filter_is_told_how_pictures_are_coded(filtered: Path, tmp_path: Path) -> None:
    """Of the key picture it is told something else than of the others."""
    shown = []
    for number, told in enumerate([ToldQps(37, 45), ToldQps(28, 45), ToldQps(37, 28), None]):
        units = [stating(unit, post_filter_qps=told) for unit in nal_units(filtered)]
        path = write_units(tmp_path / f"{number}.266", units)
        stream = read_face_stream(path, no_notes)
        key, *others = [unit.post_filter_qp for unit in stream.units]
        expected = told or ToldQps(32, 42)  # as of streams of before
        assert key == expected.key
        assert set(others) == {expected.others}
        shown.append(decode_all(path))
        assert [found for found in verify_stream(path) if found.severity is Severity.ERROR] == []
    usual, fine_key, fine_others, _ = shown
    assert not np.array_equal(usual[0], fine_key[0])
    assert np.array_equal(usual[0], fine_others[0])
    assert not np.array_equal(usual[-1], fine_others[-1])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"post_filter": True, "key_qp": 29, "coded_qp": 36}, {29, 36}),
        ({"post_filter": True, "key_qp": 29, "key_pictures": "fixed"}, {29}),
        ({"post_filter": True, "key_qp": 29, "low_delay": True}, {29}),
        ({"post_filter": True, "fallback": "always", "fallback_qp": 33}, {33}),
        ({"post_filter": True, "fallback": "always", "fallback_qp": 33, "codec": "hevc"}, {33}),
    ],
)
def test_what_it_is_told_is_what_was_asked_for(
    clip: Path, tmp_path: Path, options: dict[str, Any], told: set[int]
) -> None:
    path = tmp_path / "told.bin"
    encode(clip, path, EncodeOptions(model="face", **options), notes=unheard)
    units = read_face_stream(path, no_notes).units
    assert {unit.post_filter for unit in units} == {WHOLE}
    assert {unit.post_filter_qp for unit in units} == told


def test_models_for_speed_have_none_unless_asked(clip: Path, tmp_path: Path) -> None:
    encode(clip, tmp_path / "mesh.266", EncodeOptions(model="mesh"))
    stream = read_face_stream(tmp_path / "mesh.266", no_notes)
    assert {unit.post_filter for unit in stream.units} == {0}


@pytest.mark.parametrize("better", [True, False])
def test_face_has_one_where_that_is_better(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    def choose(coded: CodedSequence, *source: object) -> CodedSequence:
        assert coded.post_filter.number == WHOLE
        return coded if better else replace(coded, post_filter=UNFILTERED)

    monkeypatch.setattr(segments, "with_filter_if_better", choose)
    encode(clip, tmp_path / "face.266", EncodeOptions(model="face"))
    stream = read_face_stream(tmp_path / "face.266", no_notes)
    assert {unit.post_filter for unit in stream.units} == {WHOLE if better else 0}


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"post_filter": False}, 0),
        ({"post_filter": True}, WHOLE),
        ({"key_pictures": "fixed"}, 0),
        ({"key_pictures": "fixed", "post_filter": True}, WHOLE),
        ({"low_delay": True, "post_filter": True}, WHOLE),
    ],
)
def test_users_choose(clip: Path, tmp_path: Path, options: dict[str, Any], number: int) -> None:
    encode(clip, tmp_path / "face.266", EncodeOptions(model="face", **options))
    stream = read_face_stream(tmp_path / "face.266", no_notes)
    assert {unit.post_filter for unit in stream.units} == {number}


def test_large_pictures_have_none_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor have their faces, where those are large, too."""

    def never(*given: object) -> CodedSequence:
        raise AssertionError("was thought of")

    monkeypatch.setattr(encoder, "MOST_FILTERED", 128 * 128 - 1)
    monkeypatch.setattr(filter_choice, "ssim", never)
    clip = write_video(tmp_path / "demo.mkv", make_demo_clip(0.2, 128), RATE)
    for given, number in ((None, 0), (True, WHOLE)):
        path = tmp_path / f"{number}.266"
        encode(clip, path, EncodeOptions(model="face", post_filter=given))
        stream = read_face_stream(path, no_notes)
        assert {unit.post_filter for unit in stream.units} == {number}


def test_the_better_is_chosen_by_what_was_coded() -> None:
    pictures = list(make_demo_clip(0.4, 128))[:6]
    plain = BaseLayerCoder("vvc", RATE).code(pictures, SequenceQps(37, 40))
    coded = replace(plain, post_filter=in_whole)
    for like in (coded, plain):
        assert with_filter_if_better(coded, like.picture) == like
        assert with_filter_if_better(plain, like.picture) == plain


@pytest.mark.parametrize("better", [True, False])
def test_ordinary_video_has_one_where_that_is_better(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    sources: list[Picture] = []

    def choose(coded: CodedSequence, source_of: Callable[[int], Picture]) -> CodedSequence:
        assert coded.post_filter == in_whole
        sources.extend(source_of(number) for number in range(len(coded.decoded)))
        assert psnr(sources[-1], coded.picture(len(sources) - 1)) > 25
        return coded if better else replace(coded, post_filter=UNFILTERED)

    monkeypatch.setattr(executor, "with_filter_if_better", choose)
    path = tmp_path / "ordinary.265"
    encode(clip, path, EncodeOptions(fallback="always"), notes=ordinary_only)
    stream = read_face_stream(path, no_notes)
    assert {unit.post_filter for unit in stream.units} == {WHOLE if better else 0}
    decoded = coded_pictures(stream)
    qp = stream.units[0].post_filter_qp
    expected = [in_whole(picture, qp) if better else picture for picture in decoded]
    assert all(map(np.array_equal, decode_all(path, unheard), expected))
    assert len(sources) == len(decoded)


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"post_filter": True}, WHOLE),
        ({"post_filter": True, "low_delay": True}, WHOLE),
        ({"low_delay": True}, 0),
        ({"post_filter": False}, 0),
        ({"model": "mesh"}, 0),
    ],
)
def test_users_choose_for_ordinary_video(
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    number: int,
) -> None:
    def never(*given: object) -> CodedSequence:
        raise AssertionError("was thought of")

    monkeypatch.setattr(executor, "with_filter_if_better", never)
    path = tmp_path / "ordinary.265"
    encode(clip, path, EncodeOptions(fallback="always", **options), notes=ordinary_only)
    assert {unit.post_filter for unit in read_face_stream(path, no_notes).units} == {number}


def test_the_encoder_has_what_decoders_have(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is drawn is described relative to it."""
    seen: dict[int, Picture] = {}
    picture_of = CodedSequence.picture

    def picture(self: CodedSequence, number: int) -> Picture:
        seen[number] = picture_of(self, number)
        return seen[number]

    monkeypatch.setattr(CodedSequence, "picture", picture)
    path = tmp_path / "face.266"
    encode(clip, path, EncodeOptions(model="mesh", post_filter=True, coded_interval=0.16))
    stream = read_face_stream(path, no_notes)
    model = default_registry().find("mesh").load()
    decoded = [unit.picture for unit in decode_units(path, stream, model)]
    assert len(decoded) == len(seen) > 1
    for number, shown in enumerate(decoded):
        assert np.array_equal(shown, seen[number])


def test_grey_pictures_stay_grey() -> None:
    grey = without_colour(next(iter(make_demo_clip(0.1, 128))))
    assert is_grey(in_whole(grey, 37))


def test_a_filter_that_is_not_known_is_told_and_left_out(
    filtered: Path, tmp_path: Path, command: CommandLine
) -> None:
    units = [stating(unit, post_filter=UNKNOWN) for unit in nal_units(filtered)]
    path = write_units(tmp_path / "later.266", units)
    notes: list[str] = []
    pictures = decode_all(path, notes.append)
    assert notes == [
        f"{path}: asks for post-filter {UNKNOWN}, which this version of gfvc does not have; its "
        "coded pictures are used as they are"
    ]
    plain = [stating(unit, post_filter=0) for unit in nal_units(filtered)]
    without = decode_all(write_units(tmp_path / "plain.266", plain))
    assert all(map(np.array_equal, pictures, without))
    found = list(verify_stream(path))
    assert [one.severity for one in found if "post-filter" in one.text] == [Severity.WARNING]
    assert not [one for one in verify_stream(filtered) if "post-filter" in one.text]


def test_filters_that_change_within_a_stream_are_used_as_they_come(
    filtered: Path, tmp_path: Path
) -> None:
    units = nal_units(filtered)
    plain = [stating(unit, post_filter=0) for unit in units]
    both = decode_all(write_units(tmp_path / "both.266", [*units, *plain]))
    one, other = decode_all(filtered), decode_all(write_units(tmp_path / "plain.266", plain))
    assert all(map(np.array_equal, both, [*one, *other]))


def test_streams_of_before_have_none() -> None:
    path = STREAMS / "vvc_mesh_sequence.266"
    stream = read_face_stream(path, no_notes)
    assert {unit.post_filter for unit in stream.units} == {0}
    assert np.array_equal(decode_all(path)[0], coded_pictures(stream)[0])


def test_an_altered_file_of_the_filter_is_told(
    filtered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: CommandLine
) -> None:
    altered = replace(CARD, graphs=(("filter.onnx", "0" * 64),))
    monkeypatch.setattr(filtering, "CARD", altered)
    filtering._loaded.cache_clear()
    try:
        outcome = command("decode", filtered, tmp_path / "out.mp4")
    finally:
        filtering._loaded.cache_clear()
    assert outcome.status == 1
    assert "filter.onnx" in outcome.err
    assert "install gfvc again" in outcome.err
    assert not (tmp_path / "out.mp4").exists()


def test_none_is_loaded_where_none_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(filtering, "load_post_filter")
    picture = np.zeros((16, 16, 3), np.uint8)
    assert PostFiltering(0)(picture, 37) is picture
