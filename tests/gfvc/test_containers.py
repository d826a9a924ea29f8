from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc.stream.containers import write_mp4
from gfvc.stream.nal_source import open_nal_units
from models.contract import Picture
from sei import NalUnit, access_units, split_annex_b
from tests.gfvc.conftest import CodeClip
from tests.gfvc.support import CommandLine, assert_refused, decode_all, ffmpeg, picture_times


def test_decodes_to_the_pictures_of_the_raw_stream(
    in_mp4: Path, decoded_small: list[Picture]
) -> None:
    for ours, raw in zip(decode_all(in_mp4), decoded_small, strict=True):
        np.testing.assert_array_equal(ours, raw)


def test_each_key_picture_is_shown_until_the_next(in_mp4: Path) -> None:
    assert picture_times(in_mp4) == pytest.approx([0.0, 4 / 25, 8 / 25])
    with av.open(str(in_mp4)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec_tag == "hvc1"
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(12 / 25)


@pytest.mark.program
def test_vvc_is_vvc1_and_a_foreign_player_shows_it(tmp_path: Path, code_demo: CodeClip) -> None:
    coded = code_demo("ffmpeg-libvvenc")
    units = list(access_units(split_annex_b(coded.path.read_bytes())))
    path = tmp_path / "demo.mp4"
    write_mp4(path, units, [15, 15], Fraction(30000, 1001))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "vvc1"
    assert picture_times(path) == pytest.approx([0.0, 15 * 1001 / 30000], abs=1e-4)
    raw = ffmpeg("-i", coded.path, "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-")
    passthrough = ("-fps_mode", "passthrough")
    shown = ffmpeg("-i", path, *passthrough, "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-")
    assert shown == raw
    for ours, expected in zip(decode_all(path), coded.decoded, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_parameter_sets_are_in_the_sample_entry_only(in_mp4: Path) -> None:
    with av.open(str(in_mp4)) as container:
        packets = [bytes(p) for p in container.demux(video=0) if p.size]
    kinds = set()
    for data in packets:
        while data:
            size = int.from_bytes(data[:4], "big")
            kinds.add(data[4] >> 1 & 63)
            data = data[4 + size :]
    assert kinds.isdisjoint({32, 33, 34})
    assert {39, 40} <= kinds


def test_messages_come_out_as_they_went_in(in_mp4: Path, small_stream: Path) -> None:
    def sei(units: list[NalUnit]) -> list[bytes]:
        return [unit.data for unit in units if unit.is_sei]

    raw = list(split_annex_b(small_stream.read_bytes()))
    with open_nal_units(in_mp4) as units:
        assert sei(list(units)) == sei(raw)


def test_matroska_is_read_too(in_mp4: Path, tmp_path: Path, decoded_small: list[Picture]) -> None:
    path = tmp_path / "small.mkv"
    ffmpeg("-i", in_mp4, "-c", "copy", path)
    assert len(decode_all(path)) == len(decoded_small)


def test_inspect_reads_mp4(in_mp4: Path, command: CommandLine) -> None:
    outcome = command("inspect", in_mp4, "--json", "--payload", "223")
    assert outcome.status == 0
    assert len(outcome.out.splitlines()) == 12


def test_sound_is_copied_when_asked(tmp_path: Path, short_clip: Path, command: CommandLine) -> None:
    source, output = tmp_path / "sound.mkv", tmp_path / "out.mp4"
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.48")
    ffmpeg("-i", short_clip, *tone, "-c:v", "copy", "-c:a", "aac", source)
    outcome = command("encode", source, output, "--codec", "hevc", "--audio", "copy")
    assert outcome.status == 0
    with av.open(str(output)) as copied, av.open(str(source)) as original:
        packets = [bytes(p) for p in copied.demux(audio=0) if p.size]
        assert packets == [bytes(p) for p in original.demux(audio=0) if p.size]
    notes: list[str] = []
    assert len(decode_all(output, notes.append)) == 12
    assert "the sound is left out" in notes[0]


def test_sound_needs_a_container(tmp_path: Path, short_clip: Path, command: CommandLine) -> None:
    outcome = command("encode", short_clip, tmp_path / "out.265", "--audio", "copy")
    assert outcome.status == 1
    assert "sound" in outcome.err


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_container_is_refused_or_warned_of(
    in_mp4: Path, tmp_path: Path, command: CommandLine, keep: float
) -> None:
    data = in_mp4.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: int(len(data) * keep)])
    outcome = command("decode", cut, tmp_path / "out.mp4")
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "out.mp4").exists()


def test_a_container_without_our_codecs_is_refused(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "out.mp4"
    assert_refused(command, "decode", short_clip, output, folder=tmp_path, says="VVC, HEVC")
