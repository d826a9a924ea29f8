"""Leading pictures that decoders skip, since a stream starts at their CRA picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.skipped_pictures import SkippedPictures
from gfvc.verification import Severity, verify_stream
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    Codec,
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GfvState,
    NalUnit,
    NetworkUri,
    SeiMessage,
    end_of_sequence,
    make_sei_nal_unit,
)
from tests.gfvc.support import CommandLine, ffmpeg, nal_units, write_units
from tests.golden.files import STREAMS

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
    # Where a stream starts in the middle of a sequence, all up to a random access point.
    assert skipped(TRAIL_R, TRAIL_R, IDR, TRAIL_R) == [0, 1]
    assert skipped(IDR, HEVC_EOS, TRAIL_R, CRA, TRAIL_R) == [2]


def test_slices_of_one_picture_count_once() -> None:
    watch = SkippedPictures()
    further = [bytes([CRA << 1, 1, 0x80]), bytes([RASL_N << 1, 1, 0x80]), bytes([16, 1, 0x40])]
    units = [NalUnit(Codec.HEVC, data) for data in further]
    assert [watch.sees_one(unit) for unit in units] == [False, True, False]


def entered(tmp_path: Path, *, faces: bool) -> Path:
    """A stream without what comes before its CRA picture, each picture with a base message or none.

    Then it is ordinary video.
    """
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
    crop = Rectangle(0, 0, 64, 64)
    stated = StreamInformation(Fraction(25), 64, 64, crop, shown_as_coded=True).to_payload()
    before = SeiMessage(USER_DATA_UNREGISTERED, stated)
    kept: list[NalUnit] = []
    for unit in units[start:]:
        if unit.type_name == "CRA" and not faces:
            kept.append(make_sei_nal_unit([before], Codec.HEVC, suffix=False))
        kept += [unit, after] if unit.is_vcl and faces else [unit]
    if not faces:
        kept.append(NalUnit(Codec.HEVC, bytes([HEVC_EOS << 1, 1])))
    return write_units(tmp_path / "entered.265", kept)


def test_a_stream_that_starts_in_the_middle(tmp_path: Path, command: CommandLine) -> None:
    units = nal_units(STREAMS / "hevc_mesh_sequence.265")
    places = [place for place, unit in enumerate(units) if unit.is_vcl]
    sets = [unit for unit in units if unit.type_name in ("VPS", "SPS", "PPS")]
    path = write_units(tmp_path / "in.265", [*sets, *units[places[1] :], *units])
    outcome = command("decode", path, tmp_path / "out.mkv")
    assert outcome.status == 1
    count = len(places) - 1
    assert f"{count} of them refer to what comes before" in outcome.err.splitlines()[-1]
    found = [found for found in verify_stream(path) if found.check == "skipped pictures"]
    (warning,) = found
    assert f"coded pictures, {count} of them" in warning.text


def test_what_comes_after_a_needless_end_of_sequence_may_be_skipped(
    tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(STREAMS / "vvc_face_fallback.266")
    starts = [place for place, unit in enumerate(units) if unit.is_idr]
    path = tmp_path / "in.266"
    write_units(
        path, [*units[: starts[1] + 1], end_of_sequence(Codec.VVC), *units[starts[1] + 1 :]]
    )
    (warning,) = [found for found in verify_stream(path) if found.severity is Severity.WARNING]
    assert "decoders may skip them, and gfvc decode refuses the stream where" in warning.text
    # The one that comes with gfvc skips none.
    assert command("decode", path, tmp_path / "out.mkv").status == 0


@pytest.mark.parametrize("faces", [True, False])
def test_decode_and_verify_tell_of_them(faces: bool, tmp_path: Path, command: CommandLine) -> None:
    path = entered(tmp_path, faces=faces)
    count = sum(unit.type_name.startswith("RASL") for unit in nal_units(path))
    assert count
    outcome = command("decode", path, tmp_path / "out.mkv", "--fps", "25")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    # With faces, that they come in another order than they are shown in is said before.
    says = f"; {count} of them refer to what comes before the point where decoding starts"
    if faces:
        says = "decoders skip leading pictures (RASL) of the CRA picture at which"
    assert says in last
    (warning,) = [
        found for found in verify_stream(path) if found.severity is Severity.WARNING
        and found.check == "skipped pictures"
    ]  # fmt: skip
    assert f"coded pictures, {count} of them, this being the first" in warning.text
    first = next(unit for unit in nal_units(path) if unit.type_name.startswith("RASL"))
    assert warning.place.offset == first.offset
