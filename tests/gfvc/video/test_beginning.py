"""Files that begin in the middle of a recording, with pictures that cannot be decoded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.video.beginning import first_stamp
from gfvc.video.frames import decoded_frames
from tests.gfvc.support import ffmpeg, no_notes

TWO_TONES = "aevalsrc='0.3*sin(2*PI*t*if(lt(t,0.24),440,880))':s=48000:d=0.48"


def remuxed(source: Path, path: Path, keeps: Callable[[Any], bool]) -> Path:
    """Those packets of a file that are to be kept."""
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        streams: dict[int, Any] = {
            stream.index: written.add_stream_from_template(stream)
            for stream in (*read.streams.video, *read.streams.audio)
        }
        for packet in read.demux():
            if packet.dts is not None and keeps(packet):
                packet.stream = streams[packet.stream.index]
                written.mux(packet)
    return path


def from_the_middle(clip: Path, path: Path, coder: str, *options: str) -> Path:
    """Twelve pictures without the first, 440 Hz with those before the next key picture, then 880.

    That is the seventh.
    """
    whole = path.with_name("whole" + path.suffix)
    ffmpeg("-i", clip, "-f", "lavfi", "-i", TWO_TONES, "-c:v", coder, "-pix_fmt", "yuv420p", "-g",
           "6", *options, "-c:a", "aac", whole)  # fmt: skip
    key = True

    def keeps(packet: Any) -> bool:
        nonlocal key
        first = packet.stream.type == "video" and key
        key &= not first
        return not first

    return remuxed(whole, path, keeps)


@pytest.mark.parametrize("audio", ["copy", "aac"])
@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_sound_begins_with_the_first_picture_that_is_decoded(
    short_clip: Path, tmp_path: Path, suffix: str, audio: Literal["copy", "aac"]
) -> None:
    clip = from_the_middle(short_clip, tmp_path / f"clip.{suffix}", "libx264", "-sc_threshold", "0")
    notes: list[str] = []
    output = tmp_path / "out.mp4"
    options = EncodeOptions(codec="hevc", audio=audio, fallback="always", view="face", size=64)
    encode(clip, output, options, notes=notes.append)
    assert any("s of its sound lie before the first picture" in note for note in notes)
    assert any(
        note.startswith(f"{clip}: 0.20 s of pictures at its start cannot be decoded")
        for note in notes
    )
    with av.open(str(output)) as container:
        frames = list(container.decode(audio=0))
    rate = frames[0].rate
    heard = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[0]
    assert abs(len(heard) / rate - 0.24) < 0.06
    part = heard[round(0.03 * rate) : round(0.1 * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part)))
    assert abs(spectrum.argmax() * rate / (4 * len(part)) - 880) < 15


def test_nothing_is_said_of_whole_files(short_clip: Path, tmp_path: Path) -> None:
    """Whatever order their pictures are coded in, and what an edit list hides of them."""
    for name, *coding in (
        ("b.mkv", "-c:v", "libx264", "-bf", "3"),
        ("b.avi", "-c:v", "libx264", "-bf", "3"),
        ("p.avi", "-c:v", "mpeg4", "-bf", "2"),
        ("b.ts", "-c:v", "libx264", "-bf", "3"),
        ("b.mpg", "-c:v", "mpeg2video", "-bf", "2"),
        ("b.mp4", "-c:v", "libx265", "-x265-params", "log-level=0:keyint=6:open-gop=1"),
    ):
        path = tmp_path / name
        ffmpeg("-i", short_clip, "-pix_fmt", "yuv420p", *coding, path)
        assert len(list(decoded_frames(path, no_notes))) == 12
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.2", "-i", tmp_path / "b.mp4", "-c", "copy", cut)
    stamp = first_stamp(cut)
    assert stamp is not None
    assert float(stamp) == next(decoded_frames(cut, no_notes)).frame.time


def test_a_file_without_stamps_has_no_first_one(short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.h264"
    ffmpeg("-i", short_clip, "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    assert first_stamp(path) is None
    assert first_stamp(short_clip) == Fraction(0)


@pytest.mark.parametrize(("suffix", "coder"), [("webm", "libvpx"), ("ivf", "libvpx-vp9")])
def test_decoders_that_call_a_missing_key_picture_damage_are_not_asked(
    tmp_path: Path, suffix: str, coder: str
) -> None:
    clip = tmp_path / f"whole.{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.48", "-c:v", coder, "-pix_fmt", "yuv420p",
           "-g", "6", "-deadline", "realtime", clip)  # fmt: skip
    first = iter([False])
    path = remuxed(clip, tmp_path / f"clip.{suffix}", lambda _: next(first, True))
    notes: list[str] = []
    assert len(list(decoded_frames(path, notes.append))) == 6
    assert len(notes) == 1
    assert notes[0].startswith(f"{path}: 0.20 s of pictures at its start cannot be decoded")
