from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest

from gfvc import EncodeOptions, InputError, encode
from gfvc.video.sound import check_sound, is_heard
from gfvc.video_reader import probe_video
from tests.gfvc.conftest import KEYS_ONLY, ORDINARY
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, no_notes, ordinary_only

SMALL = ("--codec", "hevc", "--fallback", "always", "--view", "face", "--size", "64")
AAC = EncodeOptions(codec="hevc", audio="aac", **ORDINARY)


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
    summary = encode(clip, output, AAC, notes=ordinary_only)
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
    options = EncodeOptions(codec="hevc", **KEYS_ONLY)
    copies, codes = replace(options, audio="copy"), replace(options, audio="aac")
    silent = encode(loud, tmp_path / "silent.mp4", options, notes=notes.append)
    assert len(notes) == 1
    copied = encode(loud, tmp_path / "copied.mp4", copies, notes=no_notes)
    anew = encode(loud, tmp_path / "anew.mp4", codes, notes=no_notes)
    assert silent.sound_bits == 0
    for summary, name in ((silent, "silent"), (copied, "copied"), (anew, "anew")):
        assert (summary.base_bits, summary.sei_bits) == (silent.base_bits, silent.sei_bits)
        assert summary.kilobits_per_second == silent.kilobits_per_second
        assert summary.total_bits == 8 * (tmp_path / f"{name}.mp4").stat().st_size
        assert summary.to_json()["bits"]["sound"] == summary.sound_bits
    with av.open(str(tmp_path / "copied.mp4")) as container:
        payload = sum(packet.size for packet in container.demux(audio=0))
    assert 8 * payload < copied.sound_bits < 8 * payload + 8 * 1500
    again = encode(loud, tmp_path / "again.mp4", codes)
    assert again.total_bits == anew.total_bits
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "anew.mp4").read_bytes()


def test_the_summary_tells_the_rate_of_the_sound(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    loud = with_sound(short_clip, tmp_path / "loud.mkv", "-c:a", "flac")
    outcome = command("encode", loud, tmp_path / "out.mp4", "--audio", "copy", *SMALL)
    assert outcome.status == 0
    assert ", sound " in outcome.err
    outcome = command("encode", short_clip, tmp_path / "none.mp4", *SMALL)
    assert "sound" not in outcome.err


def test_the_default_sound_is_taken(short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    ffmpeg("-i", short_clip, "-f", "lavfi", "-i", "sine=440:d=0.48", "-f", "lavfi", "-i",
           "sine=880:d=0.48", "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", "-c:a",
           "flac", "-disposition:a:0", "0", "-disposition:a:1", "default", path)  # fmt: skip
    encode(path, tmp_path / "out.mp4", AAC)
    heard, rate = samples(tmp_path / "out.mp4")
    part = heard[0, 4000:12192]
    assert abs(np.abs(np.fft.rfft(part)).argmax() * rate / len(part) - 880) < 20


def programmes(path: Path, *sounds: str) -> Path:
    """Two programmes, the larger video second, with the `sounds` that are told.

    Number 2 is 440 Hz, 3 is 880 Hz; 0 and 1 are the videos.
    """
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.4", "-f", "lavfi", "-i",
           "testsrc2=s=96x96:d=0.4", "-f", "lavfi", "-i", "sine=440:d=0.4", "-f", "lavfi", "-i",
           "sine=880:d=0.4", *(part for number in "0123" for part in ("-map", number)),
           "-c:v", "mpeg2video", "-c:a", "mp2", "-program", f"program_num=1:st=0:st={sounds[0]}",
           "-program", f"program_num=2:st=1{sounds[1]}", path)  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("sounds", "expected"),
    [(("2", ":st=3"), 880), (("2", ":st=2"), 440), (("2:st=3", ":st=2"), 440)],
)
def test_sound_is_that_of_the_programme_of_the_video(
    tmp_path: Path, sounds: tuple[str, str], expected: int
) -> None:
    path = programmes(tmp_path / "clip.ts", *sounds)
    output = tmp_path / "out.mp4"
    encode(path, output, AAC)
    heard, rate = samples(output)
    assert abs(tone(heard, rate, 0.1) - expected) < 15


def test_sound_of_another_programme_is_left_out(tmp_path: Path) -> None:
    path = programmes(tmp_path / "clip.ts", "2:st=3", "")
    video = probe_video(path)
    assert not video.has_audio
    assert video.note is not None
    assert "what sound there is belongs to another programme, and is left out" in video.note


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


def with_late_video(clip: Path, path: Path, late: float, *coding: str) -> Path:
    """0.48 s of pictures that begin so many seconds after 1.2 s of sound: 440, then 880 Hz."""
    ffmpeg("-itsoffset", str(late), "-i", clip, "-f", "lavfi", "-i",
           "aevalsrc='0.3*sin(2*PI*t*if(lt(t,0.8),440,880))':s=48000:d=1.2",
           "-map", "0:v", "-map", "1:a", "-c:v", "copy", *coding, path)  # fmt: skip
    return path


CODINGS = [
    ("clip.mkv", "-c:a", "pcm_s16le"),
    ("clip.mkv", "-c:a", "libopus"),
    ("clip.mov", "-c:a", "aac"),
    ("clip.mkv", "-c:a", "libmp3lame"),
]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("audio", ["copy", "aac"])
def test_sound_before_the_first_picture_is_left_out_and_said(
    short_clip: Path, tmp_path: Path, coding: tuple[str, ...], audio: Literal["copy", "aac"]
) -> None:
    clip = with_late_video(short_clip, tmp_path / coding[0], 0.7, *coding[1:])
    notes: list[str] = []
    output = tmp_path / "out.mp4"
    options = EncodeOptions(codec="hevc", audio=audio, **ORDINARY)
    summary = encode(clip, output, options, notes=notes.append)
    assert notes == [
        f"{clip}: 0.70 s of its sound lie before the first picture and are left out",
        f"{clip}: 12 of 12 pictures are sent as ordinary video",
    ]
    heard, rate = samples(output)
    assert abs(heard.shape[1] / rate - 0.5) < 0.06
    # 440 Hz is heard for a tenth of a second, then 880 Hz.
    for seconds, tone in ((0.02, 440), (0.15, 880), (0.35, 880)):
        part = heard[0, round(seconds * rate) : round((seconds + 0.07) * rate)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part)))
        assert abs(spectrum.argmax() * rate / (4 * len(part)) - tone) < 15
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        payload = sum(packet.size for packet in packets)
        # What a decoder needs is kept, too.
        assert all(packet.pts * packet.time_base > -0.15 for packet in packets)  # type: ignore[operator]
        assert container.streams.video[0].start_time == 0
    assert 8 * payload < summary.sound_bits < 8 * payload + 8 * 1500
    assert is_heard(output, no_notes)


@pytest.mark.parametrize("audio", ["copy", "aac"])
def test_a_file_has_no_track_of_sound_that_nobody_hears(
    short_clip: Path, tmp_path: Path, audio: Literal["copy", "aac"]
) -> None:
    clip = with_late_video(short_clip, tmp_path / "clip.mov", 2.0, "-c:a", "aac")
    notes: list[str] = []
    output, silent = tmp_path / "out.mp4", tmp_path / "silent.mp4"
    options = EncodeOptions(codec="hevc", audio=audio, **ORDINARY)
    summary = encode(clip, output, options, notes=notes.append)
    ordinary_only(notes.pop())
    assert len(notes) == 1
    assert notes[0].startswith(f"{clip}: its sound is left out, for all of it (1.2")
    assert notes[0].endswith(" s) lies before the first picture")
    assert summary.sound_bits == 0
    encode(clip, silent, replace(options, audio="none"))
    assert output.read_bytes() == silent.read_bytes()


def test_not_even_a_moment_makes_a_track(short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    ffmpeg("-itsoffset", "0.04", "-i", short_clip, "-f", "lavfi", "-i", "sine=440:d=0.03",
           "-c:v", "copy", "-c:a", "pcm_s16le", path)  # fmt: skip
    notes: list[str] = []
    assert not is_heard(path, notes.append)
    assert len(notes) == 1


@pytest.mark.parametrize("coding", CODINGS)
def test_what_encoders_put_before_the_sound_is_not_told(
    short_clip: Path, tmp_path: Path, coding: tuple[str, ...]
) -> None:
    clip = with_sound(short_clip, tmp_path / coding[0], *coding[1:])
    assert is_heard(clip, no_notes)


def announced_only(clip: Path, path: Path) -> Path:
    """A transport stream whose table names AAC, and that has none: cut off before it came."""
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=440:d=0.48", "-c:v", "mpeg2video", "-c:a", "aac",
           "-streamid", "0:256", "-streamid", "1:257", "-f", "mpegts", path)  # fmt: skip
    data = path.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    path.write_bytes(b"".join(p for p in packets if int.from_bytes(p[1:3]) & 0x1FFF != 257))
    return path


@pytest.mark.parametrize("audio", ["copy", "aac"])
def test_sound_that_is_announced_only_is_refused_before_work(
    short_clip: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    audio: str,
) -> None:
    def no_work(*_: object) -> None:
        raise AssertionError("work has started")

    monkeypatch.setattr("gfvc.encoder.frame", no_work)
    clip = announced_only(short_clip, tmp_path / "cut.ts")
    says = f"{clip}: its sound (aac) cannot be decoded"
    assert_refused(command, "encode", clip, tmp_path / "out.mp4", "--audio", audio,
                   folder=tmp_path, says=says)  # fmt: skip


def test_sound_of_all_around_is_copied_only(
    short_clip: Path, tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ambisonic Opus (RFC 8486), as 360 degree cameras record it, is not made stereo here."""
    clip = with_sound(short_clip, tmp_path / "clip.mkv", "-c:a", "libopus", "-mapping_family", "2",
                      source="sine=d=0.48,aformat=channel_layouts=4.0")  # fmt: skip
    (tmp_path / "out").mkdir()
    copied = tmp_path / "copied.mp4"
    options = EncodeOptions(codec="hevc", audio="copy", **ORDINARY)
    encode(clip, copied, options)

    def no_work(*_: object) -> None:
        raise AssertionError("work has started")

    monkeypatch.setattr("gfvc.encoder.frame", no_work)
    monkeypatch.setattr("gfvc.decoder.add_sound", no_work)
    for name, given in (("encode", clip), ("decode", copied)):
        says = (
            f"{given}: its sound (opus) has channels (ambisonic 1) that cannot be made stereo; "
            "--audio copy keeps it as it is, --audio none leaves it out"
        )
        outcome = command(name, given, tmp_path / "out" / "out.mp4", "--audio", "aac")
        assert outcome.status == 1
        assert says in outcome.err.splitlines()[-1]
        assert not list((tmp_path / "out").iterdir())


def test_sound_that_is_damaged_in_places_is_copied(short_clip: Path, tmp_path: Path) -> None:
    """As where a recording of a broadcast begins."""
    path = with_sound(short_clip, tmp_path / "broken.avi", "-c:a", "mp2")
    data = path.read_bytes()
    with av.open(str(path)) as container:
        first = next(packet for packet in container.demux(audio=0) if packet.size)
    path.write_bytes(data.replace(bytes(first), bytes(first.size)))
    check_sound(path, "copy")


def tone(heard: np.ndarray[tuple[int, ...], np.dtype[np.float32]], rate: int, at: float) -> float:
    """The loudest frequency in the 0.07 s from a time on."""
    part = heard[0, round(at * rate) : round((at + 0.07) * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part)))
    return float(spectrum.argmax() * rate / (4 * len(part)))


TWO_TONES = "aevalsrc='0.3*sin(2*PI*t*if(lt(t,0.24),440,880))':s=48000:d=0.48"


@pytest.mark.parametrize("coding", ["libmp3lame", "ac3"])
def test_sound_whose_times_count_packets_is_coded_anew(
    short_clip: Path, tmp_path: Path, coding: str
) -> None:
    """AVI tells times of MP3 and AC-3 in packets, which are longer than those of AAC."""
    clip = with_sound(short_clip, tmp_path / "clip.avi", "-c:a", coding, source=TWO_TONES)
    output = tmp_path / "out.mp4"
    encode(clip, output, AAC, notes=ordinary_only)
    heard, rate = samples(output)
    assert abs(heard.shape[1] / rate - 0.5) < 0.06
    for at, expected in ((0.08, 440), (0.16, 440), (0.29, 880), (0.38, 880)):
        assert abs(tone(heard, rate, at) - expected) < 15
    with av.open(str(output)) as container:
        stamps = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert set(np.diff(stamps)) == {1024}  # type: ignore[arg-type]


def test_a_gap_in_the_sound_stays(short_clip: Path, tmp_path: Path) -> None:
    clip = with_sound(short_clip, tmp_path / "clip.mkv", "-af", "aselect='not(between(t,.1,.3))'",
                      "-c:a", "pcm_s16le", source=TWO_TONES)  # fmt: skip
    output = tmp_path / "out.mp4"
    encode(clip, output, AAC, notes=ordinary_only)
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        last = packets[-1]
        assert last.pts is not None
        assert last.time_base is not None
        assert abs(float((last.pts + (last.duration or 0)) * last.time_base) - 0.48) < 0.03
    assert len(packets) * 1024 / 48000 < 0.36


def test_sound_of_files_that_were_put_together_is_copied(short_clip: Path, tmp_path: Path) -> None:
    """At the join two packets may have one time, in whole milliseconds."""
    part, clip, parts = (tmp_path / name for name in ("part.mp4", "clip.mkv", "parts.txt"))
    ffmpeg("-i", short_clip, "-f", "lavfi", "-i", "sine=frequency=500:duration=0.6",
           "-c:v", "mjpeg", "-q:v", "2", "-c:a", "aac", part)  # fmt: skip
    parts.write_text(f"file '{part}'\n" * 2)
    ffmpeg("-f", "concat", "-safe", "0", "-i", parts, "-c", "copy", clip)
    with av.open(str(clip)) as container:
        stamps = [packet.dts for packet in container.demux(audio=0) if packet.dts is not None]
    assert len(set(stamps)) < len(stamps)
    output = tmp_path / "out.mp4"
    options = EncodeOptions(codec="hevc", audio="copy", **ORDINARY)
    encode(clip, output, options)
    with av.open(str(output)) as container:
        copied = [packet.dts for packet in container.demux(audio=0) if packet.size]
    assert len(copied) == len(stamps)


def changing(clip: Path, path: Path) -> Path:
    """A transport stream with AAC of 440 Hz, 48 kHz, mono, then of 880 Hz, 24 kHz, stereo."""
    both = b""
    for hertz, rate, layout in ((440, 48000, "mono"), (880, 24000, "stereo")):
        source = f"sine={hertz}:d=0.24:r={rate},aformat=channel_layouts={layout}"
        part = path.with_suffix(".aac")
        ffmpeg("-f", "lavfi", "-i", source, "-c:a", "aac", part)
        both += part.read_bytes()
        part.write_bytes(both)
    ffmpeg("-i", clip, "-i", part, "-c:v", "mpeg2video", "-q:v", "2", "-c:a", "copy", path)
    part.unlink()
    return path


def test_sound_that_changes_rate_and_channels_is_coded_anew(
    short_clip: Path, tmp_path: Path
) -> None:
    clip = changing(short_clip, tmp_path / "clip.ts")
    output = tmp_path / "out.mp4"
    encode(clip, output, AAC, notes=ordinary_only)
    with av.open(str(output)) as container:
        sound = container.streams.audio[0]
        assert (sound.rate, sound.channels) == (48000, 1)
    heard, rate = samples(output)
    # Each part comes with what its encoder put before and after it.
    assert abs(heard.shape[1] / rate - 0.62) < 0.06
    for at, expected in ((0.08, 440), (0.16, 440), (0.36, 880), (0.46, 880)):
        assert abs(tone(heard, rate, at) - expected) < 15


def test_sound_that_changes_rate_and_channels_is_not_copied(
    short_clip: Path, tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_work(*_: object) -> None:
        raise AssertionError("work has started")

    monkeypatch.setattr("gfvc.encoder.frame", no_work)
    clip = changing(short_clip, tmp_path / "clip.ts")
    says = (
        f"{clip}: its sound (aac) changes its rate or channels in the middle, which a copy cannot "
        "hold; --audio aac codes it anew"
    )
    assert_refused(command, "encode", clip, tmp_path / "out.mp4", "--audio", "copy",
                   folder=tmp_path, says=says)  # fmt: skip


def test_a_header_amid_damage_does_not_keep_sound_from_being_copied(
    short_clip: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clip.ts"
    ffmpeg("-i", short_clip, "-f", "lavfi", "-i", "sine=440:d=0.48", "-c:v", "mpeg2video",
           "-c:a", "aac", path)  # fmt: skip
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packet = bytes([packet for packet in container.demux(audio=0) if packet.size][12])
    assert data.count(packet[:7]) == 1
    # As if it had another rate.
    path.write_bytes(data.replace(packet[:7], bytes([*packet[:2], packet[2] ^ 4, *packet[3:7]])))
    check_sound(path, "copy")


def test_the_rate_of_sound_is_told_over_its_own_length(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    """Of pictures that end after half a second, with eight seconds of it."""
    clip = with_sound(short_clip, tmp_path / "clip.mp4", "-c:a", "aac", "-b:a", "64k",
                      source="anoisesrc=d=8")  # fmt: skip
    outcome = command("encode", clip, tmp_path / "out.mp4", "--audio", "copy", *SMALL)
    found = re.search(r"sound ([\d.]+) kbit/s", outcome.err)
    assert found is not None
    assert 40 < float(found[1]) < 90
