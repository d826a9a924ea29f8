"""Streams put together of others, whose rate, network or colours change, are refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.rectangle import Rectangle
from gfvc.stream.codec_change import CodecChange
from gfvc.stream.face_stream import PART_PICTURES
from gfvc.stream.information import StreamInformation
from gfvc.stream.names import repacked_uri
from gfvc.stream.reader import read_face_stream
from gfvc.stream.writer import StreamWriter
from gfvc.verification import Severity, verify_stream
from sei import Codec, NalUnit
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    commands,
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


def two_formats(folder: Path, other: tuple[str, ...], first: int, second: int) -> Path:
    """So many grey pictures of 64x64 as ordinary video, then so many by other settings."""
    parts = []
    for settings in (("-s", "64x64", "-pix_fmt", "yuv420p"), other):
        source = ("-f", "lavfi", "-i", "color=gray:r=25", "-frames:v", "1", *settings)
        options = ("-c:v", "libx265", "-x265-params", "log-level=error", "-f", "hevc", "-")
        parts.append(ffmpeg(*source, *options))
    information = StreamInformation(Fraction(25), 64, 64, Rectangle(0, 0, 64, 64))
    path = folder / "formats.265"
    with path.open("wb") as file:
        writer = StreamWriter(file, "hevc", information)
        for coded in (*[parts[0]] * first, *[parts[1]] * second):
            writer.write_as_coded(coded)
        writer.close()
    return path


@pytest.mark.parametrize("at", [2, PART_PICTURES + 3])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-s", "128x128", "-pix_fmt", "yuv420p"), "64x64 at 8 bits to 128x128 at 8 bits"),
        (("-s", "64x64", "-pix_fmt", "yuv420p10"), "64x64 at 8 bits to 64x64 at 10 bits"),
    ],
)
def test_another_size_or_depth_is_told_where_decoding_refuses_it(
    arguments: tuple[str, ...], says: str, at: int, tmp_path: Path, command: CommandLine
) -> None:
    """In the part of a stream that is decoded first and beyond."""
    path = two_formats(tmp_path, arguments, at, 3)
    sets = [unit for unit in nal_units(path) if unit.type_name == "VPS"]
    start = (sets[at].offset or 0) - sets[at].start_code_size
    text = f"they change from {says} with the access unit at byte {start}; split it there"
    outcome = command("decode", path, tmp_path / "out.mkv")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].endswith(
        f"{path}: its coded pictures cannot be decoded: {text}"
    )
    assert not (tmp_path / "out.mkv").exists()
    data, part = path.read_bytes(), tmp_path / "part.265"
    for half in (data[:start], data[start:]):
        part.write_bytes(half)
        assert command("decode", part, tmp_path / "out.mkv", "--force").status == 0
    (found,) = [each for each in verify_stream(path) if each.check == "picture format"]
    assert found.severity is Severity.WARNING
    assert found.text == f"the coded pictures change from {says}: gfvc decode refuses that"
    starts = [unit for unit in nal_units(path) if unit.starts_picture]
    assert found.place.offset == starts[at].offset
    # The sets before it change nothing.
    units = nal_units(path)
    first = next(n for n, unit in enumerate(units) if unit.offset == found.place.offset)
    path = write_units(tmp_path / "set.265", units[:first])
    assert not [each for each in verify_stream(path) if each.check == "picture format"]


@pytest.mark.parametrize(
    ("settings", "check"),
    [
        (("-s", "128x128", "-pix_fmt", "yuv420p"), "picture format"),
        (("-s", "64x64", "-pix_fmt", "yuv420p", "-color_range", "pc"), "colours"),
    ],
)
def test_a_change_in_a_last_picture_that_is_left_out_is_none(
    settings: tuple[str, ...], check: str, tmp_path: Path, command: CommandLine
) -> None:
    path = two_formats(tmp_path, settings, 2, 1)
    units = nal_units(path)
    assert units[-1].ends_sequence
    for kept, is_refused in ((units, True), (units[:-1], False), (units[:-1] + units, True)):
        write_units(path, kept)
        outcome = command("decode", path, tmp_path / "out.mkv", "--force")
        assert outcome.status == is_refused
        assert [each.check for each in verify_stream(path) if "refuses" in each.text] == [
            check
        ] * is_refused
    assert "leaves it out" in "".join(warnings(write_units(path, units[:-1])))


@pytest.mark.parametrize(
    ("first", "second", "other"), [(KEYS, MESH, "VVC"), (FACE, KEYS, "HEVC"), (KEYS, FACE, "VVC")]
)
def test_another_codec_is_refused_with_its_place(
    first: Path, second: Path, other: str, tmp_path: Path, command: CommandLine
) -> None:
    path = tmp_path / f"both{first.suffix}"
    # Nor does an end of sequence tell.
    units = [unit for unit in nal_units(first) if not unit.ends_sequence]
    size = len(write_units(path, units).read_bytes())
    path.write_bytes(path.read_bytes() + second.read_bytes())
    at = size + next(unit.offset or 0 for unit in nal_units(second) if unit.type_name == "SPS")
    assert_goes_on(command, path, other, at)


def assert_goes_on(command: CommandLine, path: Path, other: str, at: int) -> None:
    """All commands say that a stream goes on in another codec at a byte."""
    text = f"goes on in {other} with the sequence parameter set at byte {at}"
    for name, arguments in commands(path, path.parent).items():
        says = [str(path), f"{text}; split it there"]
        assert_refused(command, name, *arguments, folder=path.parent, says=says)
    (found,) = [each for each in verify_stream(path) if each.check == "codec"]
    assert found.text == f"the stream {text}: gfvc decode refuses that"


@pytest.mark.parametrize("first", [KEYS, MESH, FACE])
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_h264_is_refused_with_its_place(
    first: Path, profile: str, tmp_path: Path, command: CommandLine
) -> None:
    source = ("-f", "lavfi", "-i", "testsrc=s=64x64:r=25", "-frames:v", "3", "-pix_fmt", "yuv420p")
    coder = ("-c:v", "libx264", "-profile:v", profile, "-x264-params", "aud=1")
    path = tmp_path / f"both{first.suffix}"
    for bits in ("", "filter_units=remove_types=9"):  # with delimiters and without
        filters = ("-bsf:v", bits) if bits else ()
        second = ffmpeg(*source, *coder, *filters, "-f", "h264", "-")
        path.write_bytes(first.read_bytes() + second)
        at = path.read_bytes().index(b"\0\0\1\x67", first.stat().st_size) + 3
        assert_goes_on(command, path, "AVC", at)


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.VVC])
def test_parameter_sets_of_h264_stand_together(codec: Codec) -> None:
    sps, pps = (NalUnit(codec, bytes.fromhex(text)) for text in ("6742001e80", "68c080"))
    other, between = NalUnit(codec, b"\x67\x02\x03\x80"), NalUnit(codec, b"\x02\x09\x80\x01")

    def sees(*units: NalUnit) -> bool:
        change = CodecChange(codec)
        return any(change.sees_one(unit) for unit in units)

    assert sees(between, sps, pps)
    assert not sees(sps, between, pps)
    assert not sees(other, pps)
    assert not sees(pps, sps)


def test_hevc_with_other_layers_does_not_go_on_in_vvc() -> None:
    """However much their slices look like parameter sets of VVC, where the base layer goes on."""
    head = [unit for unit in nal_units(MESH) if unit.type_name in ("SPS", "PPS")][:2]
    sps, pps = (NalUnit(Codec.HEVC, unit.data) for unit in head)
    above = NalUnit(Codec.HEVC, b"\0\x41\x80\0")
    base = NalUnit(Codec.HEVC, b"\x02\x01\x80\0")
    other_size = NalUnit(Codec.HEVC, pps.data[:3] + b"\x11" + pps.data[4:])

    def sees(*units: NalUnit) -> bool:
        change = CodecChange(Codec.HEVC)
        return any(change.sees_one(unit) for unit in units)

    assert sees(base, sps, pps, above)
    assert not sees(base, sps, pps, base, above)
    assert not sees(base, sps, base, pps, above)
    assert not sees(base, sps, other_size, above)
    assert not sees(base, pps, above)


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
