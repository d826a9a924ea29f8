"""Streams in containers are rewritten as byte streams are, and put back with times and sound."""

from __future__ import annotations

import json
import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc import EncodeOptions, FaceEdit, decode, edit, encode
from gfvc.contained_streams import as_byte_stream
from gfvc.errors import InputError, StreamError
from gfvc.stream.containers import SampleTimes, write_samples
from gfvc.telling import unheard
from models.contract import Picture
from sei import access_units
from tests.gfvc.conftest import KEYS_ONLY
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    ffmpeg,
    nal_units,
    no_notes,
)
from tests.golden.files import STREAMS

REORDERED, PLAIN, KEYS = "vvc_mesh_reordered.mp4", "vvc_face_sequence.mp4", "hevc_mesh_keys.mp4"


def video_times(path: Path) -> list[tuple[int | None, int | None, int | None, bool]]:
    """When the samples of a file are shown and decoded, and for how long, in ticks."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return [(each.pts, each.dts, each.duration, each.is_keyframe) for each in packets]


def sound(path: Path) -> list[tuple[bytes, int | None]]:
    """The packets of sound of a file, and when they are heard."""
    with av.open(str(path)) as container:
        return [(bytes(packet), packet.pts) for packet in container.demux(audio=0) if packet.size]


def taken_out(path: Path, folder: Path) -> Path:
    """The byte stream of a container, in a folder."""
    with as_byte_stream(path) as stream:
        assert stream.path != path
        return Path(shutil.copy(stream.path, folder))


def shown(path: Path) -> list[Picture]:
    """The pictures of a stream that has ordinary video, as a note says."""
    return decode_all(path, unheard)


@pytest.fixture(scope="module")
def with_sound(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MP4 file of `gfvc encode` with sound."""
    folder = tmp_path_factory.mktemp("contained")
    clip, path = folder / "clip.mkv", folder / "talk.mp4"
    ffmpeg("-i", short_clip, "-f", "lavfi", "-i", "sine=440:d=0.48", "-c:v", "copy", "-c:a", "aac",
           clip)  # fmt: skip
    encode(clip, path, EncodeOptions(codec="hevc", audio="copy", **KEYS_ONLY))
    return path


@pytest.mark.parametrize("name", [REORDERED, PLAIN, KEYS])
def test_an_edited_file_has_the_same_times(name: str, tmp_path: Path) -> None:
    source, output = STREAMS / name, tmp_path / "edited.mp4"
    edit(source, output, FaceEdit(roll=5))
    assert video_times(output) == video_times(source)
    stream = tmp_path / f"edited.{'265' if name == KEYS else '266'}"
    edit(source, stream, FaceEdit(roll=5))
    for one, other in zip(shown(output), shown(stream), strict=True):
        assert np.array_equal(one, other)


def test_sound_stays(with_sound: Path, tmp_path: Path, command: CommandLine) -> None:
    output = tmp_path / "edited.mp4"
    assert "left out" not in command("edit", with_sound, output, "--roll", "5").err
    assert len(sound(output)) > 10
    assert sound(output) == sound(with_sound)
    assert video_times(output) == video_times(with_sound)
    outcome = command("transcode", with_sound, tmp_path / "coarse.mp4", "--precision", "6")
    assert outcome.status == 0
    assert sound(tmp_path / "coarse.mp4") == sound(with_sound)
    summary = decode(output, tmp_path / "shown.mp4")
    assert summary.frames == 12
    assert len(sound(tmp_path / "shown.mp4")) == len(sound(with_sound))


def test_sound_that_a_byte_stream_cannot_hold_is_told(
    with_sound: Path, tmp_path: Path, command: CommandLine
) -> None:
    outcome = command("remove", with_sound, tmp_path / "base.265")
    assert outcome.status == 0
    assert f"{with_sound}: the sound is left out; an .mp4 file would keep it" in outcome.err
    assert "gfvc-stream-" not in outcome.err


@pytest.mark.parametrize("name", [REORDERED, KEYS])
def test_messages_are_taken_out_and_put_back(
    name: str, tmp_path: Path, command: CommandLine
) -> None:
    source, suffix = STREAMS / name, ".265" if name == KEYS else ".266"
    messages, base, again = tmp_path / "m.jsonl", tmp_path / f"b{suffix}", tmp_path / f"a{suffix}"
    assert command("extract", source, messages).status == 0
    assert command("remove", source, base).status == 0
    outcome = command("inject", base, messages, again)
    stream = source.stem + suffix
    assert f"where they were: the same bytes as {stream}" in outcome.err
    assert json.loads(messages.read_text().splitlines()[0])["name"] == stream
    assert again.read_bytes() == taken_out(source, tmp_path).read_bytes()
    # And from container to container.
    without, whole = tmp_path / "without.mp4", tmp_path / "whole.mp4"
    assert command("remove", source, without).status == 0
    assert command("inject", without, source, whole).status == 0
    assert video_times(whole) == video_times(source)
    for one, other in zip(shown(whole), shown(source), strict=True):
        assert np.array_equal(one, other)


def test_payloads_are_those_of_the_byte_stream(tmp_path: Path, command: CommandLine) -> None:
    stream = taken_out(STREAMS / KEYS, tmp_path)
    for source, folder in ((STREAMS / KEYS, "contained"), (stream, "bare")):
        assert command("extract", source, "--payloads", tmp_path / folder).status == 0
    contained, bare = (sorted((tmp_path / name).iterdir()) for name in ("contained", "bare"))
    assert [path.name for path in contained] == [path.name for path in bare]
    assert [path.read_bytes() for path in contained] == [path.read_bytes() for path in bare]


@pytest.mark.program
def test_matroska_is_rewritten_too(tmp_path: Path) -> None:
    path, output = tmp_path / "in.mkv", tmp_path / "out.mp4"
    ffmpeg("-i", STREAMS / KEYS, "-c", "copy", path)
    edit(path, output, FaceEdit(roll=5), notes=no_notes)
    assert len(decode_all(output)) == 12
    # It tells in milliseconds when pictures are shown, and not when they are decoded.
    with av.open(str(output)) as container:
        unit = container.streams.video[0].time_base
        assert unit is not None
        shown = [time * unit for time, *_ in video_times(output) if time is not None]
    assert [float(time) for time in shown] == pytest.approx([0, 0.2, 0.4])


@pytest.mark.parametrize("name", [PLAIN, KEYS])
def test_files_do_not_grow_by_being_rewritten(
    name: str, tmp_path: Path, command: CommandLine
) -> None:
    """Parameter sets took a zero byte more each time."""
    sizes, path = [], STREAMS / name
    for number in range(3):
        output = tmp_path / f"{number}.mp4"
        assert command("remove", path, output, "--payload", "99").status == 0
        sizes.append(output.stat().st_size)
        path = output
    assert len(set(sizes)) == 1
    messages, base, again = (tmp_path / each for each in ("m.jsonl", "base.mp4", "again.mp4"))
    assert command("extract", path, messages).status == 0
    assert command("remove", path, base).status == 0
    assert "where they were" in command("inject", base, messages, again).err
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["n" * 240 + ".mp4", "ñ" * 100 + ".mp4"])
def test_names_may_be_long(name: str, tmp_path: Path, command: CommandLine) -> None:
    path = Path(shutil.copy(STREAMS / KEYS, tmp_path / name))
    assert command("transcode", path, tmp_path / "out.265", "--precision", "6").status == 0
    assert command("verify", path).status == 0


@pytest.mark.program
def test_of_a_video_that_is_not_coded_yet_that_is_told(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = tmp_path / "camera.mp4"
    ffmpeg("-i", short_clip, "-c:v", "libx264", path)
    says = "camera.mp4: its video is H.264; only VVC and HEVC, as gfvc encode writes"
    assert_refused(
        command, "edit", path, tmp_path / "x.mp4", "--roll", "5", folder=tmp_path, says=says
    )


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".ts"])
def test_other_containers_are_not_written(
    suffix: str, tmp_path: Path, command: CommandLine
) -> None:
    says = "of those only .mp4 is written"
    output = tmp_path / f"out{suffix}"
    assert_refused(command, "remove", STREAMS / KEYS, output, folder=tmp_path, says=says)


@pytest.mark.program
def test_advice_is_not_of_options_that_are_not_there(
    with_sound: Path, tmp_path: Path, command: CommandLine
) -> None:
    path, output = tmp_path / "in.mov", tmp_path / "out.mp4"
    ffmpeg("-i", with_sound, "-c:v", "copy", "-c:a", "pcm_mulaw", path)
    outcome = command("edit", path, output, "--roll", "5")
    assert outcome.status == 0
    assert "cannot hold its sound" in outcome.err
    assert "; it is left out" in outcome.err
    assert "--audio" not in outcome.err


@pytest.mark.parametrize("verb", ["edit", "transcode", "remove"])
def test_of_a_byte_stream_no_mp4_file_is_made(
    verb: str, tmp_path: Path, command: CommandLine
) -> None:
    source = STREAMS / "hevc_mesh_keypoints.265"
    says = "of a byte stream a byte stream is made (.266 or .265)"
    options = ("--roll", "5") if verb == "edit" else ()
    assert_refused(command, verb, source, tmp_path / "x.mp4", *options, folder=tmp_path, says=says)


def test_what_cannot_be_read_twice_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, says in ((pipe, "pipe: "), (Path("-"), "cannot be read twice; name a file")):
        with pytest.raises(InputError, match=says), as_byte_stream(path):
            raise AssertionError("was read")


@pytest.mark.program
def test_what_is_left_out_is_told(with_sound: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "in.mp4", tmp_path / "out.mp4"
    ffmpeg("-i", with_sound, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", path)
    notes: list[str] = []
    edit(path, output, FaceEdit(roll=5), notes=notes.append)
    [note] = notes
    assert note.startswith(f"{path}: holds 2 sound tracks; number 1 ")
    assert sound(output) == sound(with_sound)


def test_what_fails_names_the_container(tmp_path: Path) -> None:
    path = STREAMS / KEYS
    with (
        pytest.raises(StreamError, match=r"hevc_mesh_keys\.mp4: breaks off$"),
        as_byte_stream(path) as stream,
    ):
        raise StreamError(f"{stream.path}: breaks off")
    told: list[str] = []
    with as_byte_stream(path, notes=told.append) as stream:
        stream.notes(f"{stream.path}: is told")
    assert told == [f"{path}: is told"]
    assert not stream.path.exists()


def test_other_pictures_than_samples_are_refused(tmp_path: Path) -> None:
    """Files of which a sample holds two pictures have no times for both."""
    path = tmp_path / "joined.mp4"
    units = list(access_units(nal_units(taken_out(STREAMS / KEYS, tmp_path))))
    joined = [(*units[0], *units[1]), units[2]]
    write_samples(path, joined, [SampleTimes(0, 0, 10), SampleTimes(10, 10, 2)], Fraction(1, 25))
    with pytest.raises(InputError, match="has 2 samples for 3 coded pictures"):
        edit(path, tmp_path / "out.mp4", FaceEdit(roll=5), notes=no_notes)
    assert not (tmp_path / "out.mp4").exists()
    edit(path, tmp_path / "out.265", FaceEdit(roll=5), notes=no_notes)
