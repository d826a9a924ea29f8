"""Streams with parameter sets that no coded picture uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from sei import Codec, NalUnit, split_annex_b
from sei.nal import add_emulation_prevention
from tests.gfvc.support import CommandLine, decode_all, ffmpeg, nal_units, no_notes, write_units
from tests.golden.files import STREAMS

HEVC, VVC = STREAMS / "hevc_mesh_full_keys.265", STREAMS / "vvc_face.266"


def changed(unit: NalUnit, start: int, end: int, bits: str) -> NalUnit:
    """A NAL unit with other bits in a place of its RBSP."""
    text = "".join(f"{byte:08b}" for byte in unit.rbsp)
    text = text[:start] + bits + text[end:]
    text += "0" * (-len(text) % 8)
    rbsp = int(text, 2).to_bytes(len(text) // 8, "big")
    data = unit.data[: unit.header_size] + add_emulation_prevention(rbsp)
    return NalUnit(unit.codec, data, start_code_size=unit.start_code_size)


def second_sets(codec: Codec) -> tuple[NalUnit, NalUnit]:
    """An SPS of other size, depth and colours, and a PPS that refers to it, both of number 1."""
    coder = {Codec.HEVC: ("libx265", "-x265-params", "log-level=error"), Codec.VVC: ("libvvenc",)}
    source = ("-f", "lavfi", "-i", "color=gray:r=25:s=192x128", "-frames:v", "1")
    depth = ("-pix_fmt", "yuv420p10", "-colorspace", "bt2020nc")
    made = ffmpeg(*source, *depth, "-c:v", *coder[codec], "-f", codec.value, "-")
    sps, pps = (unit for unit in split_annex_b(made) if unit.type_name in ("SPS", "PPS"))
    if codec is Codec.VVC:
        return changed(sps, 0, 4, "0001"), changed(pps, 0, 10, "0000010001")
    # Behind the profile; a bit is number 0.
    return changed(sps, 104, 105, "010"), changed(pps, 0, 2, "010010")


def problems(path: Path) -> list[str]:
    return [each.text for each in verify_stream(path) if each.severity is not Severity.INFORMATION]


@pytest.mark.parametrize("source", [HEVC, VVC])
def test_they_change_nothing(source: Path, tmp_path: Path, command: CommandLine) -> None:
    units, expected = nal_units(source), np.stack(decode_all(source))
    sets = second_sets(units[0].codec)
    types = [unit.type_name for unit in units]
    starts = [number for number, unit in enumerate(units) if unit.starts_picture]
    # Before those that are used, after them, and with a later picture.
    for number in (types.index("SPS"), starts[0], starts[-1]):
        path = write_units(
            tmp_path / f"in{source.suffix}", [*units[:number], *sets, *units[number:]]
        )
        np.testing.assert_array_equal(np.stack(decode_all(path)), expected)
        assert problems(path) == []
        assert command("export", path, tmp_path / "out.json", "--force").status == 0


def test_a_picture_that_uses_one_changes_its_format(tmp_path: Path, command: CommandLine) -> None:
    units = nal_units(HEVC)
    starts = [number for number, unit in enumerate(units) if unit.starts_picture]
    # The picture parameter set of a slice of an IDR picture stands behind two flags.
    units[starts[1]] = changed(units[starts[1]], 2, 3, "010")
    path = write_units(tmp_path / "in.265", [*second_sets(Codec.HEVC), *units])
    text = "they change from 64x64 at 8 bits to 192x128 at 10 bits with the access unit at byte"
    outcome = command("decode", path, tmp_path / "out.mkv")
    assert outcome.status == 1
    assert text in outcome.err
    (found,) = [each for each in verify_stream(path) if each.check == "picture format"]
    assert found.place.offset == nal_units(path)[starts[1] + 2].offset


def test_decoding_starts_only_where_the_sets_that_are_used_come(tmp_path: Path) -> None:
    """Long streams are decoded in parts."""
    units = nal_units(HEVC)
    assert all(unit.can_be_entered for unit in read_face_stream(HEVC, no_notes).units)
    sets = second_sets(Codec.HEVC)
    first = next(number for number, unit in enumerate(units) if unit.starts_picture)
    bare = units[:first]
    for unit in units[first:]:
        if unit.type_name == "SPS":
            bare += sets
        elif unit.type_name != "PPS":
            bare.append(unit)
    path = write_units(tmp_path / "in.265", bare)
    stream = read_face_stream(path, no_notes)
    assert [unit.can_be_entered for unit in stream.units] == [True] + [False] * (
        len(stream.units) - 1
    )
    np.testing.assert_array_equal(np.stack(decode_all(path)), np.stack(decode_all(HEVC)))
