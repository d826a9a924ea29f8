"""What `gfvc decode` does with the sound of a stream's container."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest

from gfvc import DecodeOptions, EncodeOptions, decode, encode
from gfvc.stream.containers import coded_track, open_file_as_container
from gfvc.stream.edit_lists import tell_of_edits
from gfvc.stream.marking import GENERATED
from models.contract import Picture
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    ffmpeg,
    no_notes,
    picture_times,
    read_all,
)

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.48")


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory, in_mp4: Path) -> Path:
    """The stream of twelve pictures with sound."""
    path = tmp_path_factory.mktemp("speaking") / "speaking.mp4"
    ffmpeg("-i", in_mp4, *TONE, "-c:v", "copy", "-c:a", "aac", path)
    return path


def sound(path: Path) -> list[tuple[float, bytes]]:
    """Times in seconds and bytes of the packets of sound; none without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        packets = [p for p in container.demux(audio=0) if p.size]
        return [(float((p.pts or 0) * p.time_base), bytes(p)) for p in packets]


def test_from_mp4_to_mp4_it_is_kept(
    speaking: Path, in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    output, silent = tmp_path / "out.mp4", tmp_path / "silent.mp4"
    outcome = command("decode", speaking, output)
    assert outcome.status == 0
    assert "sound" not in outcome.err
    assert sound(output) == sound(speaking) != []
    decode(in_mp4, silent, notes=no_notes)
    assert sound(silent) == []
    assert picture_times(output) == pytest.approx(picture_times(silent))
    rate = Fraction(25)
    for ours, expected in zip(read_all(output, rate), read_all(silent, rate), strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "silent.mp4"]


def test_the_same_file_each_time(speaking: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        decode(speaking, tmp_path / name, notes=no_notes)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize("name", ["out.mkv", "out.y4m", "out"])
def test_where_it_cannot_be_kept_it_is_said(
    speaking: Path, tmp_path: Path, command: CommandLine, name: str
) -> None:
    outcome = command("decode", speaking, tmp_path / name)
    assert outcome.status == 0
    said = f"gfvc: {speaking}: the sound is left out; an .mp4 file would keep it"
    assert said in outcome.err.splitlines()
    says = "only an .mp4 file can hold sound (--audio copy)"
    output = tmp_path / f"asked_{name}"
    assert_refused(
        command, "decode", speaking, output, "--audio", "copy", folder=tmp_path, says=says
    )


def test_it_is_left_out_when_asked(speaking: Path, tmp_path: Path, command: CommandLine) -> None:
    for name in ("out.mp4", "out.mkv"):
        outcome = command("decode", speaking, tmp_path / name, "--audio", "none")
        assert outcome.status == 0
        assert "sound" not in outcome.err
        assert sound(tmp_path / name) == []


def test_it_is_coded_anew_when_asked(speaking: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    decode(speaking, output, DecodeOptions(audio="aac"), notes=no_notes)
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.metadata["comment"].startswith(GENERATED)
    assert len(sound(output)) >= 20


def test_a_stream_without_sound(small_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    outcome = command("decode", small_stream, tmp_path / "out.mp4", "--audio", "copy")
    assert outcome.status == 0
    assert f"gfvc: {small_stream}: has no sound to keep" in outcome.err.splitlines()


def test_another_speed_leaves_it_out_unless_asked(
    speaking: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "out.mp4"
    outcome = command("decode", speaking, output, "--fps", "50")
    assert outcome.status == 0
    assert "the sound is left out, for --fps changes the speed" in outcome.err
    assert sound(output) == []
    outcome = command("decode", speaking, output, "--fps", "50", "--audio", "copy", "--force")
    assert outcome.status == 0
    assert sound(output) == sound(speaking)


def test_sound_that_mp4_cannot_hold(
    in_mp4: Path, tmp_path: Path, command: CommandLine, decoded_small: list[Picture]
) -> None:
    source, output = tmp_path / "odd.mkv", tmp_path / "out.mp4"
    ffmpeg("-i", in_mp4, *TONE, "-c:v", "copy", "-c:a", "wmav2", source)
    outcome = command("decode", source, output)
    assert outcome.status == 0
    assert "--audio aac codes it anew; it is left out" in outcome.err
    assert sound(output) == []
    output.unlink()
    says = "--audio aac codes it anew"
    assert_refused(command, "decode", source, output, "--audio", "copy", folder=tmp_path, says=says)
    assert command("decode", source, output, "--audio", "aac").status == 0
    assert len(sound(output)) >= 20


def test_sound_is_no_part_of_the_base_layer(
    speaking: Path, in_mp4: Path, command: CommandLine
) -> None:
    assert sound(speaking)
    with_it = command("inspect", speaking, "--summary")
    without = command("inspect", in_mp4, "--summary")
    assert with_it.status == 0
    assert with_it.out == without.out


def test_pictures_are_those_without_sound(
    speaking: Path, tmp_path: Path, decoded_small: list[Picture]
) -> None:
    remarks: list[str] = []
    for ours, expected in zip(decode_all(speaking, remarks.append), decoded_small, strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert [remark.split(": ")[1] for remark in remarks] == [
        "the sound is left out; an .mp4 file would keep it"
    ]


def test_an_output_too_large_with_its_sound(
    speaking: Path, in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    silent = tmp_path / "silent.mp4"
    decode(in_mp4, silent, notes=no_notes)
    size = str(silent.stat().st_size + 100)
    output = tmp_path / "out.mp4"
    assert_refused(
        command, "decode", speaking, output, "--max-size", size, folder=tmp_path, says="--max-size"
    )


@pytest.fixture
def cut_open(speaking: Path, tmp_path: Path) -> Path:
    """The same, cut at 0.3 s without coding anew, so from the key picture at 0.16 s on.

    An edit list hides what comes before 0.3 s.
    """
    path = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.3", "-i", speaking, "-c", "copy", path)
    with av.open(str(path)) as container:
        assert next(container.demux(video=0)).is_discard
    return path


CUT = (
    "0.14 s of its 0.32 s lie outside of the part that its edit list shows, as of a cut between "
    "key pictures, and are shown, too"
)


def test_sound_stays_with_pictures_that_an_edit_list_hides(
    speaking: Path, cut_open: Path, tmp_path: Path
) -> None:
    notes: list[str] = []
    output = tmp_path / "out.mp4"
    decode(cut_open, output, notes=notes.append)
    assert notes == [f"{cut_open}: {CUT}"]
    assert picture_times(output) == pytest.approx([number / 25 for number in range(8)])
    whole, kept = sound(speaking), sound(output)
    assert kept[0][0] <= 0
    assert kept[-1][0] + 0.16 == pytest.approx(whole[-1][0], abs=0.03)
    for time, data in kept:
        was, same = min(whole, key=lambda packet: abs(packet[0] - time - 0.16))
        assert was == pytest.approx(time + 0.16, abs=0.001)
        assert data == same


def test_sound_coded_anew_stays_with_them_too(cut_open: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    decode(cut_open, output, DecodeOptions(audio="aac"))
    with av.open(str(output)) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert heard / 44100 == pytest.approx(0.32, abs=0.06)


def test_hidden_pictures_are_told_without_sound(
    in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.3", "-i", in_mp4, "-c", "copy", path)
    outcome = command("decode", path, tmp_path / "out.mkv")
    assert outcome.status == 0
    assert f"gfvc: {path}: {CUT}" in outcome.err.splitlines()


@pytest.mark.parametrize(
    ("late", "says"),
    [
        (0.3, "0.30 s of its sound lie before the first picture and are left out"),
        (2.0, "its sound is left out, for all of it (0.48 s) lies before the first picture"),
    ],
)
@pytest.mark.parametrize("asked", [None, "copy", "aac"])
def test_sound_before_the_first_picture_is_left_out_and_said(
    in_mp4: Path, tmp_path: Path, late: float, says: str, asked: Literal["copy", "aac"] | None
) -> None:
    clip, output = tmp_path / "late.mp4", tmp_path / "out.mp4"
    ffmpeg("-itsoffset", str(late), "-i", in_mp4, *TONE, "-map", "0", "-map", "1",
           "-c:v", "copy", "-c:a", "aac", clip)  # fmt: skip
    notes: list[str] = []
    decode(clip, output, DecodeOptions(audio=asked), notes=notes.append)
    assert notes == [f"{clip}: {says}"]
    with av.open(str(output)) as container:
        assert container.streams.video[0].start_time == 0
        assert bool(container.streams.audio) == (late < 0.48)
        if container.streams.audio:
            heard = sum(frame.samples for frame in container.decode(audio=0))
            assert abs(heard / 44100 - 0.18) < 0.06


def test_a_delay_to_put_pictures_in_order_is_no_edit(tmp_path: Path) -> None:
    """What a track states counts it, too, and its edit list takes it out."""
    clip, path = tmp_path / "clip.mkv", tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1.28", clip)
    encode(clip, path, EncodeOptions(codec="vvc", fallback="always", view="face", size=64))
    container = open_file_as_container(path)
    assert container is not None
    with container:
        track = coded_track(path, container)
        assert track.duration is not None
        assert track.time_base is not None
        assert track.duration * track.time_base > 1.33
        tell_of_edits(path, container, no_notes)


@pytest.mark.parametrize(("suffix", "parts"), [("mkv", 2), ("ts", 3)])
def test_sound_of_joined_files_goes_on_with_the_pictures(
    speaking: Path, tmp_path: Path, suffix: str, parts: int
) -> None:
    """Which go on one after the other, while the clock of the file goes back."""
    path, once, joined = (tmp_path / name for name in (f"in.{suffix}", "once.mp4", "joined.mp4"))
    ffmpeg("-i", speaking, "-c", "copy", path)
    decode(path, once)
    path.write_bytes(path.read_bytes() * parts)
    decode(path, joined, notes=no_notes)
    count = 12 * parts
    assert picture_times(joined) == pytest.approx([number / 25 for number in range(count)])
    packets, times = sound(once), [time for time, _ in sound(joined)]
    assert (np.diff(times) > 0.01).all()
    assert (np.diff(times) < 0.04).all()
    assert times[-1] + 0.0232 == pytest.approx(parts * 0.48, abs=0.04)
    for time, data in sound(joined):
        was = next(at for at, same in packets if same == data)
        assert min(abs(time - was - part * 0.48) for part in range(parts)) < 0.002


def test_sound_that_does_not_go_back_with_the_pictures_is_not_copied(
    speaking: Path, in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    """As where the first of two joined files has none: it would come too early."""
    path, silent, output = (tmp_path / name for name in ("in.ts", "silent.ts", "out.mp4"))
    ffmpeg("-i", in_mp4, "-c", "copy", "-streamid", "0:256", silent)
    ffmpeg("-i", speaking, "-c", "copy", "-streamid", "0:256", "-streamid", "1:257", path)
    path.write_bytes(silent.read_bytes() + path.read_bytes())
    silent.unlink()
    says = (
        "the clock of its pictures goes back, as in files joined byte by byte, and that of its "
        "sound does not; --audio aac codes it anew, --audio none leaves it out"
    )
    assert_refused(command, "decode", path, output, "--audio", "copy", folder=tmp_path, says=says)
    outcome = command("decode", path, output)
    assert outcome.status == 0
    assert f"{says}; it is left out" in outcome.err
