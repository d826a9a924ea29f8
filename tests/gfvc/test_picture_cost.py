"""Parameter sets and slices: how many may come with a coded picture; sets that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.base_colour import ColourWatch
from gfvc.stream.picture_cost import MAX_PARAMETER_SETS, MAX_SLICES, PictureCost
from gfvc.verification import Severity, picture_hash, verify_stream
from sei import Codec, NalUnit
from tests.gfvc.support import CommandLine, assert_refused, nal_units, write_units
from tests.golden.files import STREAMS

STREAM_OF = {
    "vvc": STREAMS / "vvc_mesh_sequence.266",
    "hevc": STREAMS / "hevc_mesh_full_keys.265",
}
REFUSED = f"more than {MAX_PARAMETER_SETS} parameter sets come with one coded picture"
SETS = ("VPS", "SPS", "PPS", "PREFIX_APS")


def with_sets(units: list[NalUnit], count: int) -> list[NalUnit]:
    """So many parameter sets before the first picture, by repeating the PPS."""
    first = next(at for at, unit in enumerate(units) if unit.is_vcl)
    there = sum(unit.type_name in SETS for unit in units[:first])
    at = next(at for at, unit in enumerate(units) if unit.type_name == "PPS")
    return [*units[:at], *[units[at]] * (count - there), *units[at:]]


def problems(path: Path) -> list[tuple[Severity, str]]:
    return [
        (found.severity, found.text)
        for found in verify_stream(path)
        if found.severity is not Severity.INFORMATION
    ]


@pytest.mark.parametrize("codec", STREAM_OF)
def test_as_many_as_are_allowed_are_decoded(
    codec: str, tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(STREAM_OF[codec])
    path = write_units(tmp_path / "most", with_sets(units, MAX_PARAMETER_SETS))
    assert command("decode", path, tmp_path / "out.mkv").status == 0
    assert problems(path) == problems(STREAM_OF[codec])


@pytest.mark.parametrize("codec", STREAM_OF)
def test_more_are_refused_with_their_place(
    codec: str, tmp_path: Path, command: CommandLine
) -> None:
    units = with_sets(nal_units(STREAM_OF[codec]), MAX_PARAMETER_SETS + 1)
    path = write_units(tmp_path / f"more{STREAM_OF[codec].suffix}", units)
    first = next(at for at, unit in enumerate(units) if unit.is_vcl)
    last = [unit for unit in nal_units(path)[:first] if unit.type_name == "PPS"][-1]
    says = [str(path), REFUSED, f"at byte {last.offset}"]
    for name, *arguments in (
        ("decode", path, tmp_path / "out.mkv"),
        ("edit", path, tmp_path / f"out{path.suffix}", "--mouth", "0"),
        ("export", path, tmp_path / "out.json"),
    ):
        assert_refused(command, name, *arguments, folder=tmp_path, says=says)
    assert (Severity.ERROR, f"{REFUSED}: gfvc decode refuses that") in problems(path)
    # Nothing of it is decoded, and it can be looked at and rewritten all the same.
    assert command("inspect", path, "--summary").status == 0
    assert command("remove", path, tmp_path / f"bare{path.suffix}").status == 0


def test_they_are_counted_for_each_access_unit(tmp_path: Path, command: CommandLine) -> None:
    units = nal_units(STREAM_OF["vvc"])
    pps = next(unit for unit in units if unit.type_name == "PPS")
    spread = []
    for unit in units:
        if unit.is_vcl and unit.starts_picture and not unit.is_irap:
            spread += [pps] * 100
        spread.append(unit)
    path = write_units(tmp_path / "spread.266", spread)
    assert sum(unit.type_name == "PPS" for unit in spread) > MAX_PARAMETER_SETS
    assert command("decode", path, tmp_path / "out.mkv").status == 0
    assert problems(path) == problems(STREAM_OF["vvc"])


def test_verify_has_no_more_read_by_a_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for the colours that they state, nor for picture hashes."""

    def fail(*_: object) -> None:
        raise AssertionError("a decoder got them")

    monkeypatch.setattr(ColourWatch, "see", fail)
    monkeypatch.setattr(picture_hash.PictureHashCheck, "_put_in", fail)
    units = with_sets(nal_units(STREAM_OF["vvc"]), MAX_PARAMETER_SETS + 1)
    irap = next(at for at, unit in enumerate(units) if unit.is_irap)
    digest = NalUnit(units[0].codec, b"\0\xc1\x84\x11\0" + bytes(range(1, 17)) + b"\x80")
    path = write_units(tmp_path / "more.266", [*units[: irap + 1], digest])
    texts = [found.text for found in verify_stream(path) if found.check == "picture hash"]
    assert any("not compared from here on: more than 256 parameter sets" in text for text in texts)


@pytest.mark.parametrize("codec", STREAM_OF)
def test_so_are_slices(codec: str, tmp_path: Path, command: CommandLine) -> None:
    units = nal_units(STREAM_OF[codec])
    irap = next(at for at, unit in enumerate(units) if unit.is_irap)
    data = units[irap].data
    starts_none = NalUnit(units[irap].codec, data[:2] + bytes([data[2] & 0x7F]) + data[3:10])
    slices = [starts_none] * MAX_SLICES
    path = write_units(tmp_path / "slices", [*units[: irap + 1], *slices, *units[irap + 1 :]])
    refused = f"more than {MAX_SLICES} slices come with one coded picture"
    last = nal_units(path)[irap + MAX_SLICES]
    says = [refused, f"at byte {last.offset}"]
    assert_refused(command, "decode", path, tmp_path / "out.mkv", folder=tmp_path, says=says)
    assert (Severity.ERROR, f"{refused}: gfvc decode refuses that") in problems(path)
    fewer = write_units(path, [*units[: irap + 1], *slices[1:], *units[irap + 1 :]])
    assert problems(fewer) == problems(STREAM_OF[codec])


def test_picture_headers_count_as_slices() -> None:
    cost, header = PictureCost(), NalUnit(Codec.VVC, b"\0\x99\x88\1")
    assert not any(cost.exceeds(header) for _ in range(MAX_SLICES))
    assert cost.exceeds(header)
    assert cost.is_exceeded


@pytest.mark.parametrize("codec", STREAM_OF)
@pytest.mark.parametrize("kind", ["SPS", "PPS"])
def test_verify_warns_where_none_comes_before_the_first_picture(
    codec: str, kind: str, tmp_path: Path, command: CommandLine
) -> None:
    units = [unit for unit in nal_units(STREAM_OF[codec]) if unit.type_name != kind]
    path = write_units(tmp_path / "without", units)
    text = f"no {kind} comes before the first coded picture: gfvc decode refuses that"
    found = list(verify_stream(path))
    (warning,) = [each for each in found if each.text == text]
    first = next(unit for unit in nal_units(path) if unit.is_vcl)
    assert (warning.severity, warning.place.offset) == (Severity.WARNING, first.offset)
    assert command("decode", path, tmp_path / "out.mkv").status == 1


def test_an_access_unit_of_too_many_nal_units_is_told_with_the_file(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sei.access_unit.MAX_NAL_UNITS", 3)
    path = STREAM_OF["vvc"]
    arguments = ("edit", path, tmp_path / "out.266", "--yaw", "3")
    outcome = command(*arguments)
    assert outcome.status == 1
    line = outcome.err.splitlines()[-1]
    assert line.startswith(f"gfvc edit: {path}: an access unit of more than 3 NAL units (at byte ")


def test_verify_warns_of_one_that_cannot_be_read(tmp_path: Path, command: CommandLine) -> None:
    units = nal_units(STREAM_OF["vvc"])
    at = next(n for n, unit in enumerate(units) if unit.type_name == "SPS")
    units[at] = NalUnit(units[at].codec, units[at].data[:6], start_code_size=4)
    path = write_units(tmp_path / "short.266", units)
    text = "sequence parameter set: ends too early: gfvc decode refuses that"
    (found,) = [each for each in verify_stream(path, units[at].codec) if each.text == text]
    assert found.severity is Severity.WARNING
    arguments = ("decode", path, tmp_path / "out.mkv", "--codec", "vvc")
    assert "ends too early" in command(*arguments).err
