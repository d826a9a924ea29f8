"""What each option of the encoder does to the stream."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc import EncodeOptions, InputError, encode
from gfvc.demo_clip import RATE
from gfvc.rectangle import Rectangle
from gfvc.stream.information import find_information
from gfvc.stream.reader import read_face_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from sei import Codec
from tests.gfvc.support import decode_all, face_messages, mean_difference, nal_units, no_notes


@pytest.mark.parametrize(("interval", "keys"), [(1, 12), (4, 3), (5, 3), (12, 1), (None, 1)])
def test_key_interval(short_clip: Path, tmp_path: Path, interval: int | None, keys: int) -> None:
    stream = tmp_path / "out.265"
    options = EncodeOptions(
        model="mesh", key_interval=interval, key_pictures="fixed", symbol_rate="full"
    )
    summary = encode(short_clip, stream, options)
    assert (summary.frames, summary.key_pictures) == (12, keys)
    units = read_face_stream(stream, no_notes).units
    assert len(units) == keys
    assert all(len(unit.messages) == (interval or 12) for unit in units[:-1])
    assert sum(len(unit.messages) for unit in units) == 12


def test_low_delay_gives_each_picture_a_nal_unit(
    short_clip: Path, small_stream: Path, decoded_small: list[Picture], tmp_path: Path
) -> None:
    stream = tmp_path / "out.265"
    summary = encode(
        short_clip, stream, EncodeOptions(model="mesh", key_interval=4, low_delay=True)
    )
    counts = [len(face_messages(unit)) for unit in nal_units(stream) if unit.is_suffix_sei]
    assert counts == [1] * 12
    packed = [len(face_messages(unit)) for unit in nal_units(small_stream) if unit.is_suffix_sei]
    assert packed == [4] * 3
    assert summary.total_bits == 8 * stream.stat().st_size
    # Nothing is decided without delay, so the faces differ by parts of a step.
    for drawn, picture in zip(decode_all(stream), decoded_small, strict=True):
        assert mean_difference(drawn, picture) < 8.0


@pytest.mark.parametrize("size", [64, 128, 512])
def test_size_of_the_coded_picture(
    short_clip: Path, demo_pictures: list[Picture], tmp_path: Path, size: int
) -> None:
    stream = tmp_path / "out.265"
    summary = encode(short_clip, stream, EncodeOptions(size=size))
    assert (summary.width, summary.height, summary.frames) == (size, size, 12)
    decoded = decode_all(stream)
    assert {picture.shape for picture in decoded} == {(size, size, 3)}
    interpolation = cv2.INTER_AREA if size < 256 else cv2.INTER_CUBIC
    for drawn, picture in zip(decoded, demo_pictures, strict=False):
        scaled = cv2.resize(picture, (size, size), interpolation=interpolation)
        assert mean_difference(drawn, np.asarray(scaled, np.uint8)) < 13.0


@pytest.mark.parametrize("suffix", [".265", ".hevc", ".266", ".vvc", ".bin"])
def test_the_suffix_chooses_the_base_codec(
    demo_pictures: list[Picture], tmp_path: Path, suffix: str
) -> None:
    clip = write_video(tmp_path / "one.mkv", demo_pictures[:1], RATE)
    stream = tmp_path / f"out{suffix}"
    summary = encode(clip, stream, EncodeOptions(size=64))
    expected = Codec.HEVC if suffix in (".265", ".hevc") else Codec.VVC
    assert summary.codec == expected.value
    assert nal_units(stream)[0].codec is expected


def test_codec_decides_where_the_suffix_is_silent(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "one.mkv", demo_pictures[:1], RATE)
    encode(clip, tmp_path / "out.bin", EncodeOptions(codec="hevc", size=64))
    assert nal_units(tmp_path / "out.bin")[0].codec is Codec.HEVC


def test_a_higher_key_qp_makes_the_base_layer_smaller(short_clip: Path, tmp_path: Path) -> None:
    sizes = [
        encode(short_clip, tmp_path / f"{qp}.265", EncodeOptions(model="mesh", key_qp=qp)).base_bits
        for qp in (22, 32, 42)
    ]
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * sizes[2]


@pytest.mark.parametrize(
    ("rate", "frames"),
    [(Fraction(25), 12), (Fraction(50), 24), (Fraction(25, 2), 6), (Fraction(30000, 1001), 14)],
)
def test_pictures_per_second(short_clip: Path, tmp_path: Path, rate: Fraction, frames: int) -> None:
    stream = tmp_path / "out.265"
    summary = encode(short_clip, stream, EncodeOptions(model="mesh", rate=rate))
    assert (summary.rate, summary.frames) == (rate, frames)
    read = read_face_stream(stream, no_notes)
    assert (read.rate, read.pictures) == (rate, frames)
    assert summary.kilobits_per_second == pytest.approx(
        stream.stat().st_size * 8 * float(rate) / frames / 1000
    )


def test_crop_none_takes_the_whole_square(demo_pictures: list[Picture], tmp_path: Path) -> None:
    large = [np.pad(p, ((0, 128), (0, 128), (0, 0)), "edge") for p in demo_pictures[:2]]
    clip, stream = write_video(tmp_path / "large.mkv", large, RATE), tmp_path / "out.265"
    crops: list[Rectangle] = []
    for options in (EncodeOptions(crop="none"), EncodeOptions(crop="auto")):
        encode(clip, stream, options, force=True)
        crops += [stated.crop for unit in nal_units(stream) if (stated := find_information(unit))]
    assert crops[0] == Rectangle(0, 0, 384, 384)
    assert crops[1].width < 384
    wide = write_video(tmp_path / "wide.mkv", [p[:192] for p in demo_pictures[:2]], RATE)
    with pytest.raises(InputError, match=r"256x192.*--crop none.*--crop auto"):
        encode(wide, tmp_path / "wide.265", EncodeOptions(crop="none"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"codec": "av1"},
        {"crop": "face"},
        {"view": "face", "size": 100},
        {"size": 32},
        {"size": 4096},
        {"key_interval": 0},
        {"key_interval": -5},
        {"rate": Fraction(0)},
        {"rate": Fraction(500)},
        {"audio": "mp3"},
        {"timeout": 0.0},
    ],
)
def test_options_that_cannot_be_are_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EncodeOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "model"),
    [
        (EncodeOptions(), "face"),
        (EncodeOptions(size=264), "face"),
        (EncodeOptions(view="face"), "face"),
        (EncodeOptions(view="face", size=288), "face"),
        (EncodeOptions(view="face", size=264), "face"),
        (EncodeOptions(view="face", size=264, features=2), "face-1+2"),
        (EncodeOptions(view="face", size=264, model="face"), "face"),
        (EncodeOptions(features=4), "face-1+4"),
        (EncodeOptions(model="face", features=1), "face-1+1"),
        (EncodeOptions(model="fomm"), "fomm"),
    ],
)
def test_the_model_without_a_name(options: EncodeOptions, model: str) -> None:
    assert options.registered_model == model
