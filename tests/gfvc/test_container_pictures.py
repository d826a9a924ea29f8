"""What other programs make of our MP4 files: the coded pictures of the elementary stream, each."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from base_codec_adapters import Codec, EncodeRequest, Picture420, find_encoder
from gfvc import EncodeOptions, encode
from gfvc.colour import to_picture420, to_rgb
from gfvc.demo_clip import RATE
from gfvc.scaling import scale
from gfvc.stream.containers import SampleTimes, sample_times, write_mp4
from gfvc.stream.nal_source import open_nal_units
from gfvc.video_writer import write_video
from models.contract import Picture
from sei import (
    USER_DATA_UNREGISTERED,
    NalUnit,
    SeiMessage,
    access_units,
    join_annex_b,
    make_sei_nal_unit,
    split_annex_b,
)
from sei import Codec as SeiCodec
from tests.gfvc.support import decode_all, ffmpeg, mean_difference, nal_units

pytestmark = [pytest.mark.program, pytest.mark.usefixtures("coded_once")]

SIDE = 160
"""Of what is coded: VVC takes long for pictures with a grain."""

RAW = ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-")


def small(pictures: list[Picture]) -> list[Picture]:
    return [scale(picture, (SIDE, SIDE)) for picture in pictures]


def textured(pictures: list[Picture]) -> list[Picture]:
    """Pictures with a soft grain, for which libvvenc sends adaptive loop filters in an APS."""
    noise = np.random.default_rng(1).integers(0, 256, pictures[0].shape, np.uint8)
    grain = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.int16) - 128
    return [np.clip(p.astype(np.int16) + grain // 2, 0, 255).astype(np.uint8) for p in pictures]


def shown_by_pyav(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="yuv420p10le").tobytes() for frame in frames]


def assert_same_pictures(stream: Path, mp4: Path) -> int:
    """ffmpeg, PyAV and gfvc get the pictures of the elementary stream out of an MP4 file."""
    raw = ffmpeg("-i", stream, *RAW)
    assert ffmpeg("-i", mp4, *RAW) == raw
    expected = shown_by_pyav(stream)
    shown = shown_by_pyav(mp4)
    assert shown == expected
    assert b"".join(shown) == raw
    return len(shown)


def types(units: list[NalUnit]) -> list[str]:
    return [unit.type_name for unit in units]


def coded_both_ways(folder: Path, clip: Path, **options: object) -> tuple[Path, Path]:
    """A clip as an elementary stream, and the same in MP4."""
    chosen: dict[str, Any] = {"key_pictures": "fixed"} | options
    settings = EncodeOptions(**chosen)
    stream = folder / ("out.266" if settings.codec == "vvc" else "out.265")
    encode(clip, stream, settings)
    encode(clip, folder / "out.mp4", settings)
    return stream, folder / "out.mp4"


@pytest.mark.parametrize("keys", [1, 3])
@pytest.mark.parametrize("codec", ["vvc", "hevc"])
def test_faces(tmp_path: Path, demo_pictures: list[Picture], codec: Codec, keys: int) -> None:
    clip = write_video(tmp_path / "clip.mkv", textured(small(demo_pictures[:6])), RATE)
    stream, mp4 = coded_both_ways(
        tmp_path,
        clip,
        codec=codec,
        size=SIDE,
        key_qp=22,
        key_interval=6 // keys,
        symbol_rate="full",
    )
    if codec == "vvc":
        assert types(nal_units(stream)).count("PREFIX_APS") == keys
        with open_nal_units(mp4) as units:
            assert types(list(units)).count("PREFIX_APS") == keys
    assert assert_same_pictures(stream, mp4) == keys
    for ours, expected in zip(decode_all(mp4), decode_all(stream), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("codec", ["vvc", "hevc"])
def test_ordinary_video_between_faces(
    tmp_path: Path, demo_pictures: list[Picture], codec: Codec
) -> None:
    """Predicted pictures, whose adaptive loop filters come in APSs of their own."""
    faces = textured(small(demo_pictures[:4]))
    noise = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE + 24, 3), np.uint8)
    field = cv2.GaussianBlur(noise, (0, 0), 1.5)
    blots = [np.ascontiguousarray(field[:, 2 * time : 2 * time + SIDE]) for time in range(12)]
    clip = write_video(tmp_path / "clip.mkv", [*faces, *blots, *faces], RATE)
    stream, mp4 = coded_both_ways(
        tmp_path, clip, codec=codec, size=SIDE, key_qp=22, fallback_qp=22, symbol_rate="full"
    )
    if codec == "vvc":
        assert types(nal_units(stream)).count("PREFIX_APS") >= 3
    assert assert_same_pictures(stream, mp4) >= 10
    remarks: list[str] = []
    for ours, expected in zip(
        decode_all(mp4, remarks.append), decode_all(stream, remarks.append), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


def shown_by_ffmpeg(path: Path, codec: Codec, side: int) -> list[Picture]:
    """Pictures in RGB as gfvc makes them of the samples that ffmpeg decodes."""
    pixels = ("-pix_fmt", "yuv420p10le" if codec == "vvc" else "yuv420p")
    data = ffmpeg("-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", *pixels, "-")
    if codec == "vvc":
        wide = np.frombuffer(data, np.uint16)
        samples = np.minimum((wide + 2) >> 2, 255).astype(np.uint8)
    else:
        samples = np.frombuffer(data, np.uint8)
    half = side // 2
    pictures = []
    for frame in samples.reshape(-1, 6 * half * half):
        y, u, v = np.split(frame, [side * side, 5 * half * half])
        planes = y.reshape(side, side), u.reshape(half, half), v.reshape(half, half)
        pictures.append(to_rgb(Picture420(*planes)))
    return pictures


@pytest.mark.parametrize("codec", ["vvc", "hevc"])
def test_reordered_pictures_have_their_times(
    tmp_path: Path, demo_pictures: list[Picture], codec: Codec
) -> None:
    """Two sequences in another order than they are shown in, with sound beside them."""
    pictures = textured(small(demo_pictures[:20]))
    silent = write_video(tmp_path / "silent.mkv", pictures, RATE)
    clip = tmp_path / "clip.mkv"
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.8")
    ffmpeg("-i", silent, *tone, "-c:v", "copy", "-c:a", "aac", clip)
    mp4 = tmp_path / "out.mp4"
    options = EncodeOptions(
        codec=codec, size=SIDE, fallback="always", key_interval=12, audio="copy"
    )
    encode(clip, mp4, options)
    with av.open(str(mp4)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    shown = [packet.pts for packet in packets if packet.pts is not None]
    assert shown != sorted(shown)
    assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 12]
    with av.open(str(mp4)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.start_time == 0
        assert video.duration is not None
        assert video.time_base is not None
        assert float(video.duration * video.time_base) == pytest.approx(20 / float(RATE))
        # As in the source, whose sound starts with the encoder's delay.
        assert sound.start_time is not None
        assert sound.time_base is not None
        assert abs(float(sound.start_time * sound.time_base)) < 0.03
    assert times == pytest.approx([number / float(RATE) for number in range(20)], abs=1e-3)
    for number in range(20):
        assert round(time_sought(mp4, number / float(RATE)) * float(RATE)) == number // 12 * 12
    decoded = decode_all(mp4, lambda _: None)
    for ours, theirs in zip(decoded, shown_by_ffmpeg(mp4, codec, SIDE), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, source in zip(decoded, pictures, strict=True):
        assert mean_difference(ours, source) < 12


def time_sought(mp4: Path, time: float) -> float:
    """Where PyAV, as players do, starts to decode for a picture shown at a time, in seconds."""
    with av.open(str(mp4)) as container:
        container.seek(round((time + 0.001) * av.time_base))
        return float(next(container.decode(video=0)).time or 0)


def test_times_of_samples() -> None:
    """Decoded as late as lets none be shown before, and shown in order from 0 on."""
    assert sample_times([0, 1, 2], [4, 3, 1], [True, False, False]) == [
        SampleTimes(0, 0, 4),
        SampleTimes(4, 4, 3),
        SampleTimes(7, 7, 1),
    ]
    first = [True, False, False, False, False]
    times = sample_times([0, 1, 3, 2, 4], [5, 1, 1, 1, 2], first)
    assert [time.shown for time in times] == [0, 5, 7, 6, 8]
    assert [time.decoded for time in times] == [0, 4, 5, 6, 8]
    deep = sample_times([0, 4, 2, 1, 3], [1] * 5, first)
    assert [time.shown for time in deep] == [0, 4, 2, 1, 3]
    assert [time.decoded for time in deep] == [-2, -1, 0, 1, 3]


@pytest.mark.parametrize("entry", [1, 2])
def test_decoding_starts_equally_early_everywhere(entry: int) -> None:
    """Of reordering later in the stream, samples before it are moved only where one can start."""
    entries = [number in (0, entry) for number in range(7)]
    late = sample_times([0, 1, 2, 5, 4, 3, 6], [40, 20, 1, 1, 1, 1, 9], entries)
    assert [time.shown for time in late] == [0, 40, 60, 63, 62, 61, 64]
    if entry == 1:
        assert [time.decoded for time in late] == [0, 40, 58, 59, 60, 61, 64]
    else:
        assert [time.decoded for time in late] == [-2, 40, 58, 59, 60, 61, 64]


@pytest.mark.parametrize("codec", ["vvc", "hevc"])
def test_parameter_sets_that_change(
    tmp_path: Path, demo_pictures: list[Picture], codec: Codec
) -> None:
    """Pictures of two sizes: their parameter sets must stand in the samples."""
    encoder = find_encoder(codec)
    units: list[list[NalUnit]] = []
    for size in (64, 128, 64):
        part = np.ascontiguousarray(textured(demo_pictures[:1])[0][:size, :size])
        coded = encoder.encode(EncodeRequest((to_picture420(part),), qp=22)).stream
        units += map(list, access_units(split_annex_b(coded, SeiCodec(codec))))
    path = tmp_path / "sizes.mp4"
    write_mp4(path, units, [1, 1, 1], Fraction(25))
    with av.open(str(path)) as container:
        sizes = [frame.width for frame in container.decode(video=0)]
    assert sizes == [64, 128, 64]
    stream = tmp_path / "sizes.bin"
    stream.write_bytes(b"".join(map(join_annex_b, units)))
    with av.open(str(stream), format=codec) as container:
        expected = [frame.to_ndarray() for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        for frame, wanted in zip(container.decode(video=0), expected, strict=True):
            np.testing.assert_array_equal(frame.to_ndarray(), wanted)


@pytest.mark.parametrize("codec", ["vvc", "hevc"])
@pytest.mark.parametrize("length", [255, 256, 300, 511, 512])
def test_other_programs_take_the_byte_stream_out(
    tmp_path: Path, demo_pictures: list[Picture], codec: Codec, length: int
) -> None:
    """Also where the size of the first NAL unit looks like a start code, 00 00 01."""
    picture = np.ascontiguousarray(textured(demo_pictures[:1])[0][:64, :64])
    coded = find_encoder(codec).encode(EncodeRequest((to_picture420(picture),), qp=32)).stream
    sets = ("VPS", "SPS", "PPS")
    units = [unit for unit in split_annex_b(coded, SeiCodec(codec)) if not unit.is_sei]
    last = max(place for place, unit in enumerate(units) if unit.type_name in sets)
    others = [unit for unit in units if unit.type_name not in sets]
    head = len(sei_of(0, codec).data)
    told = sei_of(length - head - (length > 256), codec)
    assert len(told.data) == length
    whole = [*units[: last + 1], told, *others]
    path, out = tmp_path / "clip.mp4", tmp_path / f"out.{265 if codec == 'hevc' else 266}"
    write_mp4(path, [whole, whole], [1, 1], Fraction(25))
    ffmpeg("-i", path, "-c", "copy", out)
    found = [unit for unit in nal_units(out) if unit.type_name not in (*sets, "AUD")]
    assert [unit.data for unit in found] == 2 * [unit.data for unit in (told, *others)]
    assert len(ffmpeg("-i", out, "-f", "rawvideo", "-pix_fmt", "gray", "-")) == 2 * 64 * 64


def sei_of(size: int, codec: Codec) -> NalUnit:
    """A prefix SEI NAL unit with a message of so many bytes."""
    return make_sei_nal_unit(
        [SeiMessage(USER_DATA_UNREGISTERED, bytes([7]) * size)], SeiCodec(codec), suffix=False
    )


@pytest.mark.parametrize(
    "name", ["validation/dpe_s_0.mp4", "train/fantasy_biden_0.mp4", "train/styletalk_trump1_0.mp4"]
)
def test_real_clips(shared: Path, tmp_path: Path, name: str) -> None:
    clip = tmp_path / "clip.mkv"
    ffmpeg("-i", shared / "clips" / name, "-frames:v", "12", "-c:v", "ffv1", clip)
    stream, mp4 = coded_both_ways(tmp_path, clip, codec="vvc", size=192, key_qp=27, key_interval=6)
    assert assert_same_pictures(stream, mp4) == 2
