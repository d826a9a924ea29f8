"""Streams of faces where a video is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc import InputError
from gfvc.stream.information import find_information
from gfvc.video_reader import probe_video
from sei import NalUnit, join_annex_b, make_sei_nal_unit, read_sei
from sei.nal import add_emulation_prevention
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, nal_units, write_units


def test_a_stream_of_gfvc_is_not_encoded(
    command: CommandLine, small_stream: Path, tmp_path: Path
) -> None:
    """Players see its key pictures alone."""
    line = assert_refused(
        command, "encode", small_stream, tmp_path / "out.266", folder=tmp_path, says="small.265: "
    )
    assert line.endswith("small.265: is a stream of gfvc; gfvc decode it first")


def test_nor_is_one_in_a_container(in_mp4: Path) -> None:
    with pytest.raises(InputError, match=r"small\.mp4: is a stream of gfvc; gfvc decode it first"):
        probe_video(in_mp4)


def test_nor_is_one_measured(command: CommandLine, small_stream: Path, tmp_path: Path) -> None:
    outcome = command("bench", small_stream, "--out", tmp_path / "bench", "--preset", "quick")
    assert outcome.status == 1
    assert "small.265: is a stream of gfvc; gfvc decode it first" in outcome.err


def test_nor_are_face_messages_of_others(small_stream: Path, tmp_path: Path) -> None:
    units = [unit for unit in nal_units(small_stream) if find_information(unit) is None]
    path = write_units(tmp_path / "others.265", units)
    with pytest.raises(InputError, match="holds generative face video; gfvc decode it first"):
        probe_video(path)


def test_advice_on_what_is_left_does_not_go_in_a_circle(
    command: CommandLine, small_stream: Path, tmp_path: Path
) -> None:
    """gfvc decode has no face to draw there: user data stay where messages are removed."""
    base, bare = tmp_path / "base.265", tmp_path / "bare.265"
    assert command("remove", small_stream, base).status == 0
    with pytest.raises(InputError, match=r"ffmpeg, or .*\(gfvc remove --payload 5\)$") as caught:
        probe_video(base)
    assert "gfvc decode" not in str(caught.value)
    assert command("remove", base, bare, "--payload", "5").status == 0
    assert probe_video(bare).width == 256


def test_ordinary_video_of_gfvc_is_decoded_first(
    command: CommandLine, short_clip: Path, tmp_path: Path
) -> None:
    """gfvc decode takes such a stream, and keeps its rate."""
    stream = tmp_path / "ordinary.265"
    assert command("encode", short_clip, stream, "--fallback", "always").status == 0
    with pytest.raises(InputError, match=r"is a stream of gfvc; gfvc decode it first$"):
        probe_video(stream)


def test_coded_pictures_alone_are_video(small_stream: Path, tmp_path: Path) -> None:
    units = [unit for unit in nal_units(small_stream) if not unit.is_sei]
    assert probe_video(write_units(tmp_path / "bare.265", units)).width == 256


@pytest.mark.parametrize("name", ["video.265", "video.mp4", "video.mkv"])
def test_other_hevc_is_video(short_clip: Path, tmp_path: Path, name: str) -> None:
    """The encoder puts user data of its own into it."""
    path = tmp_path / name
    ffmpeg("-i", short_clip, "-c:v", "libx265", "-x265-params", "log-level=none", path)
    assert probe_video(path).width == 256


def test_damage_is_told_by_who_reads_on(small_stream: Path, tmp_path: Path) -> None:
    units = [unit for unit in nal_units(small_stream) if not unit.is_sei]
    path = tmp_path / "cut.265"
    path.write_bytes(join_annex_b(units)[:60] + b"\0\0\1\x4e\1" + bytes(range(1, 40)))
    with pytest.raises(InputError) as caught:
        probe_video(path)
    assert "gfvc decode" not in str(caught.value)


# A message of 9 bytes whose header states 255.
_CUT = b"\x05\xfe" + bytes(range(1, 10)) + b"\x80"


def before_damage(unit: NalUnit) -> NalUnit:
    """The messages of an SEI NAL unit, and a damaged one of others behind them."""
    if not unit.is_sei:
        return unit
    sound = b"".join(message.to_bytes() for message in read_sei(unit).messages)
    data = unit.data[: unit.header_size] + add_emulation_prevention(sound + _CUT)
    return NalUnit(unit.codec, data, start_code_size=unit.start_code_size)


def test_messages_before_a_damaged_one_count_as_in_decode(
    command: CommandLine, small_stream: Path, tmp_path: Path
) -> None:
    path = write_units(tmp_path / "in.265", map(before_damage, nal_units(small_stream)))
    assert command("decode", path, tmp_path / "out.mkv").status == 0
    with pytest.raises(InputError, match=r"in\.265: is a stream of gfvc; gfvc decode it first$"):
        probe_video(path)


def test_what_decode_passes_over_makes_no_stream_of_faces(
    small_stream: Path, tmp_path: Path
) -> None:
    """Messages of other layers, which gfvc decode could do nothing with."""
    units = [
        make_sei_nal_unit(read_sei(unit).messages, unit.codec, layer_id=1) if unit.is_sei else unit
        for unit in nal_units(small_stream)
    ]
    path = write_units(tmp_path / "in.265", units)
    # Raw streams with layers are not recognised as video.
    ffmpeg("-f", "hevc", "-i", path, "-c", "copy", tmp_path / "in.mp4")
    assert probe_video(tmp_path / "in.mp4").width == 256
