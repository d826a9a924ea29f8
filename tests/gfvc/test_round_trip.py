"""From a video to a stream and back, with each base encoder that comes with the installation."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from base_codec_adapters import DecodeRequest, Picture420, find_decoder
from gfvc import EncodeOptions, decode, encode
from gfvc.colour import to_rgb
from gfvc.metrics import LandmarkError
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import probe_video
from gfvc.video_writer import write_video
from models.contract import Picture
from sei import Codec, GenerativeFaceVideo, GfvState
from tests.gfvc.conftest import ENCODERS, CodeClip, CodedClip
from tests.gfvc.support import (
    decode_all,
    face_messages,
    ffmpeg,
    mean_difference,
    nal_units,
    no_notes,
)

RATE = Fraction(25)
KEYS = (0, 15)


@pytest.fixture(params=ENCODERS)
def coded(request: pytest.FixtureRequest, code_demo: CodeClip) -> CodedClip:
    return code_demo(request.param)


def key_planes(coded: CodedClip) -> list[npt.NDArray[np.uint8]]:
    """4:2:0 samples of the key pictures that our decoder draws from, one array a picture."""
    stream = read_face_stream(coded.path, no_notes)
    request = DecodeRequest(stream.base_layer, expected_pictures=len(KEYS))
    pictures = find_decoder("vvc" if coded.codec == "vvc" else "hevc").decode(request).pictures
    return [np.concatenate([plane.ravel() for plane in (p.y, p.u, p.v)]) for p in pictures]


def rounded(samples: npt.NDArray[np.uint16], bits: int) -> npt.NDArray[np.uint8]:
    """8-bit samples of `bits`-bit ones, to nearest."""
    shift = bits - 8
    half = (1 << shift) >> 1
    return np.minimum((samples.astype(np.int64) + half) >> shift, 255).astype(np.uint8)


def test_every_picture_of_the_source_comes_out(
    coded: CodedClip, demo_pictures: list[Picture]
) -> None:
    summary = coded.decoding
    assert summary.frames == coded.summary.frames == len(demo_pictures) == 30
    assert summary.rate == RATE
    assert (summary.width, summary.height) == (256, 256)
    assert probe_video(coded.video).rate == RATE
    assert len(coded.decoded) == len(demo_pictures)


def test_a_face_message_is_parsed_once(
    small_stream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    read = GfvState.read

    def counting(state: GfvState, payload: bytes, *further: Any) -> GenerativeFaceVideo:
        parsed.append(payload)
        return read(state, payload, *further)

    monkeypatch.setattr(GfvState, "read", counting)
    decode(small_stream, tmp_path / "out.mkv", notes=no_notes)
    sent = [m.payload for unit in nal_units(small_stream) for m in face_messages(unit)]
    assert parsed == sent


def test_the_decoded_picture_moves_as_the_source_does(
    coded: CodedClip, demo_pictures: list[Picture]
) -> None:
    still = [mean_difference(coded.decoded[0], picture) for picture in demo_pictures]
    moving = [mean_difference(*pair) for pair in zip(coded.decoded, demo_pictures, strict=True)]
    assert np.mean(moving) < 0.65 * np.mean(still)


def test_the_decoded_face_follows_the_source(
    coded: CodedClip, demo_pictures: list[Picture]
) -> None:
    drawn, still = LandmarkError(), LandmarkError()
    for index in range(0, 15, 2):
        drawn.add(demo_pictures[index], coded.decoded[index])
        still.add(demo_pictures[index], coded.decoded[0])
    for measure in (drawn, still):
        measure.close()
        assert measure.lost == measure.skipped == 0
    assert drawn.mean < 0.025
    assert drawn.mean < 0.5 * still.mean


def test_a_foreign_player_shows_the_key_pictures_bit_by_bit(coded: CodedClip) -> None:
    bits = 10 if coded.codec == "vvc" else 8
    pixels = "yuv420p10le" if bits == 10 else "yuv420p"
    samples = np.frombuffer(
        ffmpeg("-i", coded.path, "-fps_mode", "passthrough", "-pix_fmt", pixels,
               "-f", "rawvideo", "-"),
        "<u2" if bits == 10 else np.uint8,
    )  # fmt: skip
    shown = rounded(samples.astype(np.uint16), bits).reshape(-1, 256 * 256 * 3 // 2)
    drawn_from = key_planes(coded)
    assert len(shown) == len(drawn_from) == len(KEYS)
    for one, other in zip(shown, drawn_from, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pyav_shows_the_key_pictures_too(coded: CodedClip) -> None:
    with av.open(str(coded.path), format=coded.codec) as container:
        shown = [frame.to_ndarray() for frame in container.decode(video=0)]
    drawn_from = key_planes(coded)
    assert len(shown) == len(drawn_from)
    for frame, planes in zip(shown, drawn_from, strict=True):
        bits = 10 if coded.codec == "vvc" else 8
        np.testing.assert_array_equal(rounded(frame.ravel().astype(np.uint16), bits), planes)


def test_key_pictures_are_shown_as_decoded(coded: CodedClip) -> None:
    for index, samples in zip(KEYS, key_planes(coded), strict=True):
        luma, first, second = np.split(samples, [256 * 256, 256 * 256 * 5 // 4])
        planes = Picture420(
            luma.reshape(256, 256), first.reshape(128, 128), second.reshape(128, 128)
        )
        np.testing.assert_array_equal(coded.decoded[index], to_rgb(planes))


def test_coded_pictures_are_key_pictures_in_output_order(coded: CodedClip) -> None:
    units = nal_units(coded.path)
    assert {unit.codec for unit in units} == {Codec(coded.codec)}
    pictures = [unit for unit in units if unit.starts_picture]
    assert len(pictures) == len(KEYS) == coded.summary.key_pictures
    assert all(unit.is_irap for unit in pictures)
    # Each is preceded by parameter sets and the stream information, followed by its messages.
    names = [unit.type_name for unit in units]
    first = names[: names.index("SUFFIX_SEI")]
    assert first[-2:] == ["PREFIX_SEI", pictures[0].type_name]
    assert {"SPS", "PPS"} <= set(first[:-2])
    assert names.count("PREFIX_SEI") == len(KEYS)


def test_bits_are_those_of_the_file(coded: CodedClip) -> None:
    units = nal_units(coded.path)
    sei_bytes = sum(unit.size for unit in units if unit.is_sei)
    summary = coded.summary
    assert summary.sei_bits == 8 * sei_bytes
    assert summary.total_bits == 8 * coded.path.stat().st_size
    assert summary.base_bits == summary.total_bits - summary.sei_bits
    assert summary.kilobits_per_second == pytest.approx(summary.total_bits / 1.2 / 1000)


def test_the_same_clip_gives_the_same_bytes(
    coded: CodedClip, demo_clip: Path, tmp_path: Path
) -> None:
    again = tmp_path / f"again{coded.path.suffix}"
    encode(demo_clip, again, coded.options)
    assert again.read_bytes() == coded.path.read_bytes()


def test_the_same_bytes_give_the_same_pictures(code_demo: CodeClip) -> None:
    coded = code_demo("ffmpeg-libx265")
    np.testing.assert_array_equal(np.stack(decode_all(coded.path)), np.stack(coded.decoded))


def test_sequences_of_two_kinds_in_a_few_bytes(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    """ffmpeg goes astray where it reads two parameter sets and pictures of both at once."""
    black = [np.zeros_like(demo_pictures[0])] * 15
    clip = write_video(tmp_path / "clip.mkv", [*demo_pictures[:25], *black], RATE)
    options = EncodeOptions(codec="vvc", size=(128, 128), model="mesh")
    summary = encode(clip, tmp_path / "out.266", options)
    assert summary.tally.fallback_pictures
    assert decode(tmp_path / "out.266", tmp_path / "out.mkv").frames == 40
