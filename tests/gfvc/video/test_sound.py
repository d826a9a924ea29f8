from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from gfvc import EncodeOptions, InputError, encode
from gfvc.video.sound import check_sound
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, no_notes


def with_sound(clip: Path, path: Path, *coding: str, source: str = "sine=440:d=0.48") -> Path:
    ffmpeg("-i", clip, "-f", "lavfi", "-i", source, "-c:v", "mjpeg", "-q:v", "2", *coding, path)
    return path


@pytest.fixture(scope="module")
def eight_bits(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures with sound that MP4 cannot hold, as old cameras make it."""
    return with_sound(short_clip, tmp_path_factory.mktemp("sound") / "cam.avi",
                      "-ar", "8000", "-c:a", "pcm_u8")  # fmt: skip


def test_sound_that_mp4_cannot_hold_is_refused_before_work(
    eight_bits: Path, tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_work(*_: object) -> None:
        raise AssertionError("work has started")

    monkeypatch.setattr("gfvc.framing.choose_crop", no_work)
    says = "an MP4 file cannot hold its sound (pcm_u8) as it is; --audio aac codes it anew"
    assert_refused(command, "encode", eight_bits, tmp_path / "out.mp4", "--audio", "copy",
                   folder=tmp_path, says=says)  # fmt: skip


@pytest.mark.parametrize("audio", ["copy", "aac"])
def test_only_mp4_holds_sound(
    eight_bits: Path, tmp_path: Path, command: CommandLine, audio: str
) -> None:
    says = f"only an .mp4 file can hold sound (--audio {audio})"
    assert_refused(command, "encode", eight_bits, tmp_path / "out.265", "--audio", audio,
                   folder=tmp_path, says=says)  # fmt: skip


def samples(path: Path) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], int]:
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        return np.concatenate([f.to_ndarray() for f in frames], axis=1), frames[0].rate


@pytest.mark.parametrize(
    ("rate", "layout", "expected"),
    [("8000", "mono", (8000, 1)), ("96000", "stereo", (96000, 2)), ("37800", "5.1", (44100, 2)),
     ("192000", "mono", (96000, 1))],
)  # fmt: skip
def test_sound_is_coded_as_aac(
    short_clip: Path, tmp_path: Path, rate: str, layout: str, expected: tuple[int, int]
) -> None:
    tone = f"sine=440:d=0.48:r={rate},aformat=channel_layouts={layout}"
    clip = with_sound(
        short_clip, tmp_path / "clip.mkv", "-ar", rate, "-c:a", "pcm_s16le", source=tone
    )
    output = tmp_path / "out.mp4"
    summary = encode(clip, output, EncodeOptions(codec="hevc", audio="aac"), notes=no_notes)
    with av.open(str(output)) as container:
        sound = container.streams.audio[0]
        assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", *expected)
        assert sound.duration is not None
        assert sound.time_base is not None
        assert abs(float(sound.duration * sound.time_base) - 0.48) < 0.03
        assert container.streams.video[0].start_time == 0
    heard, at_rate = samples(output)
    # The tone is there, where it was: 440 Hz.
    middle = heard[0, at_rate // 10 : at_rate // 10 + at_rate // 5]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(spectrum.argmax() * at_rate / len(middle) - 440) < 10
    assert np.abs(middle).max() > 0.01
    assert summary.sound_bits > 0


def test_sound_is_counted_apart(short_clip: Path, tmp_path: Path) -> None:
    """The file without sound is as large as the one with it, but for the sound's bits."""
    loud = with_sound(short_clip, tmp_path / "loud.mkv", "-c:a", "flac")
    notes: list[str] = []
    silent = encode(loud, tmp_path / "silent.mp4", notes=notes.append)
    assert len(notes) == 1
    copied = encode(loud, tmp_path / "copied.mp4", EncodeOptions(audio="copy"), notes=no_notes)
    anew = encode(loud, tmp_path / "anew.mp4", EncodeOptions(audio="aac"), notes=no_notes)
    assert silent.sound_bits == 0
    for summary, name in ((silent, "silent"), (copied, "copied"), (anew, "anew")):
        assert (summary.base_bits, summary.sei_bits) == (silent.base_bits, silent.sei_bits)
        assert summary.kilobits_per_second == silent.kilobits_per_second
        assert summary.total_bits == 8 * (tmp_path / f"{name}.mp4").stat().st_size
        assert summary.to_json()["bits"]["sound"] == summary.sound_bits
    with av.open(str(tmp_path / "copied.mp4")) as container:
        payload = sum(packet.size for packet in container.demux(audio=0))
    assert 8 * payload < copied.sound_bits < 8 * payload + 8 * 1500
    again = encode(loud, tmp_path / "again.mp4", EncodeOptions(audio="aac"))
    assert again.total_bits == anew.total_bits
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "anew.mp4").read_bytes()


def test_the_summary_tells_the_rate_of_the_sound(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    loud = with_sound(short_clip, tmp_path / "loud.mkv", "-c:a", "flac")
    outcome = command("encode", loud, tmp_path / "out.mp4", "--audio", "copy", "--codec", "hevc")
    assert outcome.status == 0
    assert ", sound " in outcome.err
    outcome = command("encode", short_clip, tmp_path / "none.mp4", "--codec", "hevc")
    assert "sound" not in outcome.err


def test_the_default_sound_is_taken(short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    ffmpeg("-i", short_clip, "-f", "lavfi", "-i", "sine=440:d=0.48", "-f", "lavfi", "-i",
           "sine=880:d=0.48", "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", "-c:a",
           "flac", "-disposition:a:0", "0", "-disposition:a:1", "default", path)  # fmt: skip
    encode(path, tmp_path / "out.mp4", EncodeOptions(codec="hevc", audio="aac"))
    heard, rate = samples(tmp_path / "out.mp4")
    part = heard[0, 4000:12192]
    assert abs(np.abs(np.fft.rfft(part)).argmax() * rate / len(part) - 880) < 20


def test_sound_that_cannot_be_decoded_is_refused(short_clip: Path, tmp_path: Path) -> None:
    path = with_sound(short_clip, tmp_path / "broken.avi", "-c:a", "mp2")
    data = path.read_bytes()
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                data = data.replace(bytes(packet), bytes(packet.size))
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"broken\.avi: its sound"):
        check_sound(path, "aac")
