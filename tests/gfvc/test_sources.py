"""What a user may hand in: any size, rate, orientation, number of faces, with and without sound."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gfvc import EncodeOptions, EncodeSummary, InputError, encode
from gfvc.base_layer import BaseLayerCoder, CodedSequence, SequenceQps
from gfvc.colour import to_picture420
from gfvc.crop import choose_crop
from gfvc.demo_clip import RATE, demo_still
from gfvc.options.encoding import View
from gfvc.rectangle import Rectangle
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from sei import GfvState
from tests.gfvc.conftest import KEYS_ONLY
from tests.gfvc.support import (
    decode_all,
    face_messages,
    ffmpeg,
    mean_difference,
    nal_units,
    no_notes,
    read_all,
)

BLANK = np.full((256, 256, 3), 90, np.uint8)


def grey(levels: Iterable[int], size: int = 64) -> list[Picture]:
    return [np.full((size, size, 3), level, np.uint8) for level in levels]


def levels(pictures: Iterable[Picture]) -> list[int]:
    return [int(picture[0, 0, 0]) for picture in pictures]


def low_confidence(stream: Path) -> list[list[bool]]:
    """The low confidence flag of each message, key picture by key picture."""
    state = GfvState()
    flags: list[list[bool]] = []
    for unit in nal_units(stream):
        for message in face_messages(unit):
            face = state.read(message.payload)
            if face.base_picture_flag:
                flags.append([])
            flags[-1].append(face.low_confidence_face_parameter_flag)
    return flags


def encode_pictures(
    pictures: Sequence[Picture], folder: Path, size: int = 256, view: View | None = None
) -> tuple[Path, EncodeSummary, list[str]]:
    """The stream of a made clip, 25 pictures a second; the notes have the clip's name cut off."""
    clip = write_video(folder / "clip.mkv", pictures, RATE)
    notes: list[str] = []
    options = EncodeOptions(
        view=view, size=size, fallback="never", key_pictures="fixed", symbol_rate="full"
    )
    summary = encode(clip, folder / "out.265", options, notes=notes.append)
    return folder / "out.265", summary, [note.removeprefix(f"{clip}: ") for note in notes]


def test_a_face_lost_and_found_gets_a_new_key_picture(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = [*demo_pictures[:6], *[BLANK] * 7, *demo_pictures[20:25]]
    stream, summary, notes = encode_pictures(clip, tmp_path)
    assert (summary.frames, summary.key_pictures) == (18, 2)
    assert summary.low_confidence_pictures == 7
    assert notes == ["7 of 18 pictures show no face; the face stands still there"]
    assert low_confidence(stream) == [[False] * 6 + [True] * 7, [False] * 5]
    decoded = decode_all(stream)
    assert len(decoded) == 18
    for standing in decoded[6:13]:
        np.testing.assert_array_equal(standing, decoded[5])
    assert mean_difference(decoded[13], demo_pictures[20]) < 9.0


def test_a_face_missed_for_a_moment_keeps_its_key_picture(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = [*demo_pictures[:4], BLANK, BLANK, *demo_pictures[6:9]]
    stream, summary, _ = encode_pictures(clip, tmp_path)
    assert (summary.frames, summary.key_pictures) == (9, 1)
    assert low_confidence(stream) == [[False] * 4 + [True] * 2 + [False] * 3]


def test_a_clip_that_starts_without_a_face(demo_pictures: list[Picture], tmp_path: Path) -> None:
    clip = [*[BLANK] * 6, *demo_pictures[:6]]
    stream, summary, notes = encode_pictures(clip, tmp_path)
    assert (summary.frames, summary.key_pictures) == (12, 1)
    assert notes == ["6 of 12 pictures show no face; the face stands still there"]
    assert low_confidence(stream) == [[False] + [True] * 6 + [False] * 5]
    decoded = decode_all(stream)
    assert len(decoded) == 12
    # All stand alike; a network draws even the key picture's own face anew.
    for standing in decoded[1:7]:
        assert np.array_equal(standing, decoded[1])
        assert mean_difference(standing, decoded[0]) < 3.0
    assert mean_difference(decoded[11], demo_pictures[5]) < 9.0


def test_a_key_picture_that_fails_is_a_driven_picture(
    demo_pictures: list[Picture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the key pictures due at 0, 4 and 8, coding blots out the face of the second."""
    coded: list[CodedSequence] = []

    def code(self: BaseLayerCoder, pictures: list[Picture], qps: SequenceQps) -> CodedSequence:
        one = real_code(self, pictures, qps)
        blank = replace(one, decoded=[to_picture420(BLANK)])
        coded.append(one if len(coded) != 1 else blank)
        return coded[-1]

    real_code = BaseLayerCoder.code
    monkeypatch.setattr(BaseLayerCoder, "code", code)
    clip = write_video(tmp_path / "clip.mkv", demo_pictures, RATE)
    stream = tmp_path / "out.265"
    summary = encode(
        clip,
        stream,
        EncodeOptions(**KEYS_ONLY),
        notes=no_notes,
    )
    # Another key picture is tried after half a second: 13 pictures.
    flags = low_confidence(stream)
    assert [len(of_key) for of_key in flags] == [4 + 13, 4, 4, 4, 1]
    assert not any(flag for of_key in flags for flag in of_key)
    assert summary.low_confidence_pictures == 0
    assert len(coded) == 6


def test_sound_is_left_out_with_a_note(short_clip: Path, tmp_path: Path) -> None:
    loud = tmp_path / "loud.mkv"
    ffmpeg("-i", short_clip, "-f", "lavfi", "-i", "sine=frequency=440:duration=0.48",
           "-c:v", "copy", "-c:a", "flac", loud)  # fmt: skip
    notes: list[str] = []
    options = EncodeOptions(**KEYS_ONLY)
    encode(loud, tmp_path / "loud.265", options, notes=notes.append)
    assert notes == [f"{loud}: the sound is left out"]
    encode(short_clip, tmp_path / "silent.265", options, notes=no_notes)
    assert (tmp_path / "loud.265").read_bytes() == (tmp_path / "silent.265").read_bytes()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_undone(demo_pictures: list[Picture], tmp_path: Path, degrees: int) -> None:
    stored = [np.ascontiguousarray(np.rot90(p[:, :192], -degrees // 90)) for p in demo_pictures[:3]]
    upright = write_video(tmp_path / "stored.mkv", stored, RATE)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", upright, "-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p",
           tmp_path / "plain.mp4")  # fmt: skip
    ffmpeg("-display_rotation", str(degrees), "-i", tmp_path / "plain.mp4", "-c", "copy", turned)
    video = probe_video(turned)
    assert (video.width, video.height) == (192, 256)
    shown = read_all(turned, RATE)
    assert len(shown) == 3
    for picture, original in zip(shown, demo_pictures, strict=False):
        assert mean_difference(picture, original[:, :192]) < 5.0
    part = next(iter(read_pictures(turned, RATE, Rectangle(20, 40, 100, 120))))
    np.testing.assert_array_equal(part, shown[0][40:160, 20:120])
    assert encode(turned, tmp_path / "out.265").frames == 3


@pytest.mark.parametrize(
    ("ratio", "width"), [("2", 192), ("1/2", 48), ("16/15", 102), ("1", 96), ("100", 96)]
)
def test_pixels_are_made_square(
    demo_pictures: list[Picture], tmp_path: Path, ratio: str, width: int
) -> None:
    """A pixel of 100 times its height cannot be meant."""
    squeezed = [np.asarray(cv2.resize(p, (96, 128)), np.uint8) for p in demo_pictures[:2]]
    plain = write_video(tmp_path / "plain.mkv", squeezed, RATE)
    video = tmp_path / "video.mp4"
    ffmpeg("-i", plain, "-vf", f"setsar={ratio}", "-c:v", "libx264", "-crf", "5",
           "-pix_fmt", "yuv420p", video)  # fmt: skip
    assert (probe_video(video).width, probe_video(video).height) == (width, 128)
    shown = read_all(video, RATE)
    assert [picture.shape for picture in shown] == [(128, width, 3)] * 2
    expected = np.asarray(cv2.resize(squeezed[1], (width, 128)), np.uint8)
    assert mean_difference(shown[1], expected) < 5.0
    part = next(iter(read_pictures(video, RATE, Rectangle(8, 4, 32, 40))))
    np.testing.assert_array_equal(part, shown[0][4:44, 8:40])


def variable_rate_clip(path: Path, milliseconds: Sequence[int]) -> Path:
    """A lossless video whose picture number i is grey of level 10 i and comes at a given time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for picture, time in zip(
            grey(range(0, 10 * len(milliseconds), 10)), milliseconds, strict=True
        ):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="bgr0")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("milliseconds", "rate", "shown"),
    [
        # A picture stands until the next one's time, give or take half a period.
        ((0, 40, 210, 240), 25, [0, 10, 10, 10, 10, 20, 30]),
        ((0, 100, 200), 20, [0, 0, 10, 10, 20]),
        # As screen recorders write where nothing moves.
        ((0, 2000, 2200), 1, [0, 0, 10]),
        ((0, 40, 4000, 4040), 5, [0] + 19 * [10] + [20]),
        # A picture is left out, and stamps tremble.
        ((0, 40, 120, 160), 25, [0, 10, 10, 20, 30]),
        ((0, 51, 71, 138, 150, 200), 25, [0, 10, 20, 30, 40, 50]),
        # The nearest, where pictures are closer than a period.
        ((0, 33, 67, 100, 133, 167, 200), 25, [0, 10, 20, 40, 50, 60]),
        ((0, 40, 80, 120, 160, 200, 240, 280), Fraction(25, 2), [0, 20, 40, 60]),
        # Nothing is shown of two pictures between two output times.
        ((0, 5, 10, 40, 80), 25, [0, 30, 40]),
        ((3000, 3040, 3080), 25, [0, 10, 20]),
    ],
)
def test_a_variable_rate_becomes_constant(
    tmp_path: Path, milliseconds: Sequence[int], rate: Fraction, shown: list[int]
) -> None:
    clip = variable_rate_clip(tmp_path / "clip.mkv", milliseconds)
    assert levels(read_pictures(clip, Fraction(rate)))[: len(shown)] == shown


def test_pictures_that_are_left_out_are_told(tmp_path: Path) -> None:
    """As a few that come much faster than all others."""
    times = [*(n / 60 for n in range(6)), *(0.1 + n / 25 for n in range(20))]
    clip = variable_rate_clip(tmp_path / "clip.mkv", [round(1000 * time) for time in times])
    rate = probe_video(clip).rate
    notes: list[str] = []
    shown = set(levels(read_pictures(clip, rate, notes=notes.append)))
    lost = 26 - len(shown)
    assert lost > 1
    assert notes == [
        f"{clip}: {lost} of its 26 pictures come closer together than at {float(rate):.4g} a "
        "second and are left out; --fps takes more"
    ]
    # Nobody is told who asks for fewer, or takes all.
    assert len(set(levels(read_pictures(clip, Fraction(5), notes=no_notes)))) < 8
    assert len(set(levels(read_pictures(clip, Fraction(60), notes=no_notes)))) == 26


def test_a_variable_rate_clip_is_coded_at_a_constant_rate(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mkv"
    times = (0, 40, 80, 280, 300, 320, 360)
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width = stream.height = 256
        stream.pix_fmt = "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame.from_ndarray(demo_pictures[time // 40], format="rgb24")
            frame = frame.reformat(format="bgr0")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    summary = encode(
        clip,
        tmp_path / "out.265",
        EncodeOptions(rate=RATE, key_pictures="fixed", symbol_rate="full"),
    )
    assert (summary.rate, summary.frames) == (RATE, 10)
    decoded = decode_all(tmp_path / "out.265")
    assert len(decoded) == 10
    assert mean_difference(decoded[3], decoded[2]) < 1.0
    assert mean_difference(decoded[6], decoded[2]) < 1.0


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_a_file_that_has_the_rate_passes_unchanged(tmp_path: Path, rate: Fraction) -> None:
    clip = write_video(tmp_path / "clip.mkv", grey(range(100, 131)), rate)
    assert probe_video(clip).rate == rate
    assert levels(read_pictures(clip, rate)) == list(range(100, 131))


def canvas(
    faces: Iterable[tuple[Picture, int, int, int]], width: int = 640, height: int = 360
) -> Picture:
    """A grey picture with faces pasted into it: (picture, left, top, side) each."""
    picture = np.full((height, width, 3), 110, np.uint8)
    for face, left, top, side in faces:
        scaled = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = scaled
    return picture


def test_a_square_around_the_moving_face_is_coded(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = [
        canvas([(face, 200 + 4 * index, 60, 256)]) for index, face in enumerate(demo_pictures[:15])
    ]
    stream, summary, _ = encode_pictures(clip, tmp_path, view="face", size=128)
    assert (summary.frames, summary.width, summary.height) == (15, 128, 128)
    crop = choose_crop(tmp_path / "clip.mkv", 640, 360, 128)
    assert crop.width == crop.height
    # The face itself lies about 60..200 of the 256 columns and 20..190 of its rows.
    assert crop.left < 200 + 60
    assert crop.left + crop.width > 200 + 4 * 14 + 200
    assert crop.top < 60 + 20
    assert crop.top + crop.height > 60 + 190
    assert crop.width < 360
    assert len(decode_all(stream)) == 15
    assert read_face_stream(stream, no_notes).rate == RATE


def test_the_largest_of_several_faces_is_followed(tmp_path: Path) -> None:
    still = demo_still(256)
    clip = [canvas([(still, 20 + i, 40, 130), (still, 330 - i, 60, 256)]) for i in range(4)]
    stream, summary, _ = encode_pictures(clip, tmp_path)
    assert summary.key_pictures == 1
    crop = choose_crop(tmp_path / "clip.mkv", 640, 360, 256)
    assert crop.left > 200
    assert crop.left + crop.width > 330 + 200
    unit = read_face_stream(stream, no_notes).units[0]
    assert len(unit.messages) == 4


def test_a_square_source_that_the_face_fills_is_not_cropped(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    large = [cv2.resize(picture, (320, 320)) for picture in demo_pictures[:2]]
    clip = write_video(tmp_path / "large.mkv", [np.asarray(p, np.uint8) for p in large], RATE)
    assert choose_crop(clip, 320, 320, 256) == Rectangle(0, 0, 320, 320)


@pytest.mark.parametrize("name", ["10:30.mkv", "a b.mkv", "50%03d.mkv", "-.mkv", "caf\udce9.mkv"])
def test_any_file_name_is_read_and_written(
    demo_pictures: list[Picture], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = write_video(tmp_path / "plain.mkv", demo_pictures[:2], RATE)
    os.link(plain, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    stream = Path(name).with_suffix(".265")
    assert encode(Path(name), stream).frames == 2
    video = Path("out" + name).with_suffix(".mkv")
    from gfvc import decode

    assert decode(stream, video).frames == 2
    assert probe_video(video).width == 256


def joined_clip(folder: Path, sizes: Sequence[int], offsets: Sequence[str]) -> Path:
    """MPEG transport streams of ten grey pictures each, of these sizes, joined byte by byte."""
    parts = []
    for number, (size, offset) in enumerate(zip(sizes, offsets, strict=True)):
        parts.append(folder / f"{number}.ts")
        video = write_video(folder / f"{number}.mkv", grey(range(10), size), RATE)
        ffmpeg("-i", video, "-c:v", "libx264", "-pix_fmt", "yuv420p",
               "-output_ts_offset", offset, parts[-1])  # fmt: skip
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_picture_size_that_changes_is_refused(tmp_path: Path) -> None:
    clip = joined_clip(tmp_path, (64, 96), ("0", "0.4"))
    with pytest.raises(InputError, match="changes from 64x64 to 96x96"):
        list(read_pictures(clip, RATE))


def test_a_clock_that_goes_back_is_refused(tmp_path: Path) -> None:
    clip = joined_clip(tmp_path, (64, 64), ("0", "0"))
    with pytest.raises(InputError, match=r"clock goes back from 0\.36 s to 0\.00 s"):
        list(read_pictures(clip, RATE))
