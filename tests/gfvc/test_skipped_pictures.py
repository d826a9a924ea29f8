"""Leading pictures that decoders skip, since a stream starts at their CRA picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.stream.skipped_pictures import SkippedPictures
from gfvc.verification import Severity, verify_stream
from sei import (
    GENERATIVE_FACE_VIDEO,
    Codec,
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GfvState,
    NalUnit,
    NetworkUri,
    SeiMessage,
    make_sei_nal_unit,
)
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, nal_units, write_units

HEVC_EOS, RASL_N, TRAIL_R, BLA, IDR, CRA = 36, 8, 1, 16, 19, 21


def skipped(*types: int) -> list[int]:
    """The places of the pictures that are skipped, of HEVC pictures and ends of these types."""
    watch = SkippedPictures()
    units = [NalUnit(Codec.HEVC, bytes([each << 1, 1, 0x80])) for each in types]
    return [place for place, unit in enumerate(units) if watch.sees_one(unit)]


def test_which_are_skipped() -> None:
    assert skipped(CRA, RASL_N, RASL_N, TRAIL_R) == [1, 2]
    assert skipped(IDR, TRAIL_R, CRA, RASL_N, TRAIL_R) == []
    assert skipped(IDR, HEVC_EOS, CRA, RASL_N, CRA, RASL_N) == [3]
    assert skipped(IDR, BLA, RASL_N) == [2]


def test_slices_of_one_picture_count_once() -> None:
    watch = SkippedPictures()
    further = [bytes([CRA << 1, 1, 0x80]), bytes([RASL_N << 1, 1, 0x80]), bytes([16, 1, 0x40])]
    units = [NalUnit(Codec.HEVC, data) for data in further]
    assert [watch.sees_one(unit) for unit in units] == [False, True, False]


@pytest.fixture
def entered(tmp_path: Path) -> Path:
    """A stream with a base message for each picture, without what comes before its CRA picture."""
    whole = tmp_path / "whole.265"
    params = "log-level=none:keyint=8:min-keyint=8:bframes=2:b-adapt=0:open-gop=1:repeat-headers=1"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.6", "-pix_fmt", "yuv420p",
           "-c:v", "libx265", "-x265-params", params, whole)  # fmt: skip
    units = [unit for unit in nal_units(whole) if not unit.is_sei]
    start = next(place for place, unit in enumerate(units) if unit.type_name == "CRA")
    while not units[start - 1].is_vcl:
        start -= 1
    face = GenerativeFaceVideo(
        0, 0, True, network=NetworkUri("tag:gfvc,2026:model", "gfvc:mesh:1"),
        coordinates=Coordinates(((0, 0),), False, CoordinateLayout(8, 1)),
    )  # fmt: skip
    message = SeiMessage(GENERATIVE_FACE_VIDEO, GfvState().write(face))
    after = make_sei_nal_unit([message], Codec.HEVC)
    kept: list[NalUnit] = []
    for unit in units[start:]:
        kept += [unit, after] if unit.is_vcl else [unit]
    return write_units(tmp_path / "entered.265", kept)


def test_decode_and_verify_tell_of_them(
    entered: Path, tmp_path: Path, command: CommandLine
) -> None:
    count = sum(unit.type_name.startswith("RASL") for unit in nal_units(entered))
    assert count
    assert_refused(
        command, "decode", entered, tmp_path / "out.mkv", "--fps", "25", folder=tmp_path,
        says=f"leading pictures (RASL), {count} of them, refer to what comes before",
    )  # fmt: skip
    (warning,) = [
        found for found in verify_stream(entered) if found.severity is Severity.WARNING
        and found.check == "leading pictures"
    ]  # fmt: skip
    assert f"leading pictures (RASL), {count} of them" in warning.text
    first = next(unit for unit in nal_units(entered) if unit.type_name.startswith("RASL"))
    assert warning.place.offset == first.offset
