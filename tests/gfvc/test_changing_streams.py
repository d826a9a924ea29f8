"""Streams put together of others, whose rate, network or colours change, are refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.stream.names import repacked_uri
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from sei import NalUnit
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    ffmpeg,
    nal_units,
    of_network,
    stating,
    with_faces,
    write_units,
)
from tests.golden.files import STREAMS

MESH, FACE = STREAMS / "vvc_mesh_sequence.266", STREAMS / "vvc_face.266"
KEYS = STREAMS / "hevc_mesh_full_keys.265"


def commands(path: Path, folder: Path) -> dict[str, tuple[str | Path, ...]]:
    """Those that refuse a stream, with all that they want."""
    return {
        "decode": (path, folder / "out.mkv"),
        "edit": (path, folder / f"out{path.suffix}", "--mouth", "0"),
        "export": (path, folder / "out.json"),
    }


def warnings(path: Path) -> list[str]:
    return [found.text for found in verify_stream(path) if found.severity is Severity.WARNING]


@pytest.fixture
def two_rates(tmp_path: Path) -> Path:
    """The pictures of a stream at 25 a second, then once more at 30."""
    units = nal_units(MESH)
    faster = [stating(unit, rate=Fraction(30)) for unit in units]
    return write_units(tmp_path / "rates.266", [*units, *faster])


@pytest.mark.parametrize("name", ["decode", "edit", "export"])
def test_another_rate_is_refused_with_its_place(
    name: str, two_rates: Path, tmp_path: Path, command: CommandLine
) -> None:
    pictures = read_face_stream(MESH, lambda _: None).pictures
    size = MESH.stat().st_size
    says = [
        "states 25 pictures per second, and 30 from picture",
        f"from picture {pictures} (byte {size}) on; split it there",
        "--fps",
    ]
    arguments = commands(two_rates, tmp_path)[name]
    assert_refused(command, name, *arguments, folder=tmp_path, says=says)
    # Split where it says, each part decodes.
    data = two_rates.read_bytes()
    for part in (data[:size], data[size:]):
        path = tmp_path / "part.266"
        path.write_bytes(part)
        assert read_face_stream(path, lambda _: None).rate_change is None


def test_one_rate_for_all_can_be_asked_for(
    two_rates: Path, tmp_path: Path, command: CommandLine
) -> None:
    for name, arguments in commands(two_rates, tmp_path).items():
        assert command(name, *arguments, "--fps", "30").status == 0


def test_inspect_tells_of_another_rate_and_keeps_the_first(
    two_rates: Path, command: CommandLine
) -> None:
    outcome = command("inspect", two_rates, "--summary")
    assert outcome.status == 0
    assert "at 25 pictures/s" in outcome.out
    (line,) = outcome.err.splitlines()
    assert "states 25 pictures per second, and 30 from picture" in line
    assert command("inspect", two_rates, "--summary", "--fps", "24").err == ""


@pytest.mark.parametrize("name", ["decode", "edit", "export"])
@pytest.mark.parametrize("uri", ["gfvc:face:1", repacked_uri("gfvc:mesh:1")])
def test_another_network_or_layout_is_refused_with_its_place(
    name: str, uri: str, tmp_path: Path, command: CommandLine
) -> None:
    units = nal_units(KEYS)
    path = write_units(tmp_path / "two.265", units + [of_network(unit, uri) for unit in units])
    offset = KEYS.stat().st_size
    offsets = [unit.offset or 0 for unit in nal_units(path) if unit.is_suffix_sei]
    first = next(each for each in offsets if each > offset)
    says = [
        f"(NAL unit at byte {first}): names the network {uri}, and those before it gfvc:mesh:1;",
        "split",
    ]
    assert_refused(command, name, *commands(path, tmp_path)[name], folder=tmp_path, says=says)
    (warning,) = warnings(path)
    assert f"names the network {uri}, and those before it gfvc:mesh:1" in warning


def test_base_messages_that_name_no_network_say_nothing(tmp_path: Path) -> None:
    units = nal_units(KEYS)
    path = write_units(tmp_path / "two.265", units + [of_network(unit, None) for unit in units])
    stream = read_face_stream(path, lambda _: None)
    assert stream.model_uri == "gfvc:mesh:1"
    assert len(stream.units) == 2 * len(read_face_stream(KEYS, lambda _: None).units)
    assert warnings(path) == []


@pytest.fixture
def two_colours(tmp_path: Path) -> Path:
    """A stream of key pictures, then once more with another base layer's parameter sets."""
    states = "video_full_range_flag=1:colour_primaries=9:transfer_characteristics=16"
    other = tmp_path / "other.265"
    ffmpeg("-i", KEYS, "-c", "copy", "-bsf:v",
           f"hevc_metadata={states}:matrix_coefficients=9", other)  # fmt: skip
    path = tmp_path / "colours.265"
    path.write_bytes(KEYS.read_bytes() + other.read_bytes())
    return path


@pytest.mark.parametrize("name", ["decode", "edit", "export"])
def test_other_colours_are_refused_with_their_place(
    name: str, two_colours: Path, tmp_path: Path, command: CommandLine
) -> None:
    keys = len(read_face_stream(KEYS, lambda _: None).units)
    changes = "matrix 1 to 9, primaries 1 to 9, transfer 1 to 16, limited to full range"
    says = [f"its colours change at coded picture {keys} ({changes})", "split it there"]
    arguments = commands(two_colours, tmp_path)[name]
    assert_refused(command, name, *arguments, folder=tmp_path, says=says)
    (warning,) = warnings(two_colours)
    assert f"colours change ({changes})" in warning


def test_colours_that_are_stated_in_other_codes_are_no_change(tmp_path: Path) -> None:
    """The curves of BT.601 and BT.709 are one; what is not stated is gfvc's own."""
    other = tmp_path / "other.265"
    ffmpeg("-i", KEYS, "-c", "copy", "-bsf:v",
           "hevc_metadata=colour_primaries=2:transfer_characteristics=6:matrix_coefficients=2",
           other)  # fmt: skip
    path = tmp_path / "colours.265"
    path.write_bytes(KEYS.read_bytes() + other.read_bytes())
    assert warnings(path) == []


def test_no_more_parameter_sets_are_read_than_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gfvc.verification.whole_stream.MAX_COLOUR_LOOKS", 3)
    units: list[NalUnit] = []
    for number in range(5):
        for unit in nal_units(KEYS):
            other = replace(unit, data=unit.data + bytes([number + 1]))
            units.append(other if unit.type_name == "SPS" else unit)
    path = write_units(tmp_path / "many.265", units)
    (warning,) = warnings(path)
    assert "after 3 parameter sets the colours that they state are not compared" in warning
    kinds = [found.check for found in verify_stream(path) if found.severity is Severity.WARNING]
    assert kinds == ["colours"]


@pytest.fixture
def two_ids(tmp_path: Path) -> Path:
    """A stream, then once more with messages of another gfv_id."""
    units = nal_units(MESH)
    others = [with_faces(unit, lambda face: replace(face, gfv_id=5)) for unit in units]
    return write_units(tmp_path / "ids.266", [*units, *others])


def test_verify_counts_the_messages_that_decode_counts(two_ids: Path) -> None:
    notes: list[str] = []
    missing = sum(len(unit.messages) for unit in read_face_stream(MESH, lambda _: None).units)
    read_face_stream(two_ids, notes.append)
    assert "only gfv_id 0 is drawn" in notes[0]
    assert f"are missing, {missing} of them" in notes[1]
    errors = [found for found in verify_stream(two_ids) if found.severity is Severity.ERROR]
    assert errors
    assert all("0 face messages of gfv_id 0, that of the first face" in e.text for e in errors)


def test_an_edit_writes_no_messages_beside_those_of_another_face(
    two_ids: Path, tmp_path: Path, command: CommandLine
) -> None:
    pictures = read_face_stream(MESH, lambda _: None).pictures
    arguments = ("edit", two_ids, tmp_path / "out.266", "--yaw", "3")
    before = set(tmp_path.iterdir())
    outcome = command(*arguments)
    assert outcome.status == 1
    assert f"access unit of picture {pictures}: its face has gfv_id 5" in outcome.err
    assert set(tmp_path.iterdir()) == before
    # What is edited before that place stands in nobody's way.
    end = str((pictures - 1) / 25)
    assert command(*arguments, "--to", end, "--soft", "0").status == 0
