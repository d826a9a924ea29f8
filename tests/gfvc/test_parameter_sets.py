"""Parameter sets of HEVC in an order that ffmpeg does not take, and without a VPS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gfvc.stream.face_stream import PART_PICTURES
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from sei import NalUnit
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    ffmpeg,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS

KEYS = STREAMS / "hevc_mesh_full_keys.265"


def reordered(units: list[NalUnit], *order: str) -> list[NalUnit]:
    """The NAL units with the parameter sets before each picture in this order of types."""
    result: list[NalUnit] = []
    sets: list[NalUnit] = []
    for unit in units:
        if unit.type_name in order:
            sets.append(unit)
            continue
        result += sorted(sets, key=lambda each: order.index(each.type_name))
        sets.clear()
        result.append(unit)
    return result


def problems(path: Path) -> list[tuple[str, str]]:
    return [
        (each.check, each.text)
        for each in verify_stream(path)
        if each.severity is not Severity.INFORMATION
    ]


@pytest.mark.parametrize("order", [("SPS", "VPS", "PPS"), ("SPS", "PPS", "VPS")])
def test_a_vps_may_come_after_the_sps_that_refers_to_it(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    units = nal_units(KEYS)
    path = write_units(tmp_path / "in.265", reordered(units, *order))
    assert path.read_bytes() != KEYS.read_bytes()
    assert (
        read_face_stream(path, no_notes).base_layer == read_face_stream(KEYS, no_notes).base_layer
    )
    np.testing.assert_array_equal(np.stack(decode_all(path)), np.stack(decode_all(KEYS)))
    assert problems(path) == problems(KEYS) == []


def test_verify_follows_such_colours_and_hashes(tmp_path: Path) -> None:
    """Decoders are asked for both."""
    parts = []
    for colours in ("-color_range", "tv"), ("-color_range", "pc"):
        source = ("-f", "lavfi", "-i", "color=gray:s=64x64:r=25", "-frames:v", "2", *colours)
        options = ("-pix_fmt", "yuv420p", "-c:v", "libx265", "-x265-params")
        settings = "log-level=error:keyint=1:hash=1:repeat-headers=1"
        parts.append(ffmpeg(*source, *options, settings, "-f", "hevc", "-"))
    path = tmp_path / "in.265"
    path.write_bytes(b"".join(parts))
    units = nal_units(path)
    expected = [(each.check, each.text) for each in verify_stream(path)]
    assert any("colours change" in text for _, text in expected)
    assert ("picture hash", "4 of 4 decoded pictures match their hash") in expected
    write_units(path, reordered(units, "SPS", "VPS", "PPS"))
    assert [(each.check, each.text) for each in verify_stream(path)] == expected


def test_a_vps_that_is_missing_is_told(tmp_path: Path, command: CommandLine) -> None:
    kept = [unit for unit in nal_units(KEYS) if unit.type_name != "VPS"]
    path = write_units(tmp_path / "in.265", kept)
    at = next(unit.offset for unit in nal_units(path) if unit.type_name == "SPS")
    text = "refers to VPS 0, which the stream does not have"
    says = [str(path), f"the SPS at byte {at} {text}; put it before the SPS"]
    arguments = ("decode", path, tmp_path / "out.mkv")
    assert_refused(command, *arguments, folder=tmp_path, says=says)
    (warning,) = [each for each in verify_stream(path) if each.severity is Severity.WARNING]
    assert warning.text == f"the SPS {text}: gfvc decode refuses that"
    assert warning.place.offset == at


@pytest.mark.parametrize("has_video", [lambda picture: picture > 70, lambda picture: picture < 5])
def test_a_vps_that_comes_with_other_pictures_only(
    has_video: Callable[[int], bool], tmp_path: Path
) -> None:
    """Streams are decoded in parts, and decoders want one in each. It may come once, but first."""
    units: list[NalUnit] = []
    picture = 0
    for unit in nal_units(KEYS) * 25:
        if unit.type_name != "VPS" or has_video(picture):
            units.append(unit)
        picture += unit.starts_picture
    path = write_units(tmp_path / "in.265", units)
    assert picture > PART_PICTURES
    got, expected = decode_all(path), decode_all(KEYS)
    assert len(got) == 25 * len(expected)
    for number in (0, -1):
        np.testing.assert_array_equal(got[number], expected[number])
    written = nal_units(path)
    places = {unit.type_name: unit.offset for unit in reversed(written)}
    text = (
        f"the SPS refers to VPS 0, which comes after a picture, at byte {places['VPS']}: "
        "gfvc decode puts it first, other decoders may refuse that"
    )
    assert problems(path) == ([] if has_video(0) else [("picture format", text)])


def test_so_is_a_pps(tmp_path: Path, command: CommandLine) -> None:
    kept = [unit for unit in nal_units(KEYS) if unit.type_name != "PPS"]
    path = write_units(tmp_path / "in.265", kept)
    at = next(unit.offset for unit in nal_units(path) if unit.starts_picture)
    says = [str(path), f"no PPS comes before the first of them, at byte {at}; start the stream"]
    arguments = ("decode", path, tmp_path / "out.mkv")
    assert_refused(command, *arguments, folder=tmp_path, says=says)


def test_a_damaged_sps_is_told_with_its_place_in_the_stream(
    tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(KEYS)
    last = [unit for unit in units if unit.type_name == "SPS"][-1]
    cut = NalUnit(last.codec, last.data[:12].rstrip(b"\0"), start_code_size=last.start_code_size)
    path = write_units(tmp_path / "in.265", [cut if unit is last else unit for unit in units])
    at = [unit.offset for unit in nal_units(path) if unit.type_name == "SPS"][-1]
    says = [str(path), f"byte {at}: sequence parameter set: ends too early"]
    for name, out in (("decode", "out.mkv"), ("export", "out.bvh")):
        arguments = (name, path, tmp_path / out)
        assert_refused(command, *arguments, folder=tmp_path, says=says)
