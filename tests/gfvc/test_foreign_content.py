"""What other programs put into streams, and what decoding does not need, stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc.stream.reader import read_face_stream
from sei import NalUnit, join_annex_b, make_sei_nal_unit, read_sei
from sei.nal import add_emulation_prevention, nal_unit_header
from tests.gfvc.support import CommandLine, face_values, nal_units, no_notes, write_units

# payloadType, payloadSize, payload: content light level, without the RBSP's trailing bits.
UNCLOSED = b"\x90\x04\x03\xe8\x01\x90"
# User data that claims to be longer than its NAL unit.
TOO_LONG = b"\x05\x40" + bytes(range(1, 20)) + b"\x80"
ONLY_A_TYPE = b"\xff\xff\x80"
FACE_THAT_LIES = b"\xdf\x40" + bytes(range(1, 20)) + b"\x80"


def sei_unit(like: NalUnit, rbsp: bytes, *, suffix: bool) -> NalUnit:
    """An SEI NAL unit with any RBSP."""
    header = nal_unit_header(like.codec, 40 if suffix else 39)
    return NalUnit(like.codec, header + add_emulation_prevention(rbsp))


def second_layer(units: list[NalUnit]) -> list[NalUnit]:
    """Each coded slice followed by a copy of it in layer 1."""
    result = []
    for unit in units:
        result.append(unit)
        if unit.is_vcl:
            second_byte = unit.data[1] & 7 | 1 << 3
            result.append(
                NalUnit(unit.codec, unit.data[:1] + bytes((second_byte,)) + unit.data[2:])
            )
    return result


def unspecified(units: list[NalUnit]) -> list[NalUnit]:
    """Each coded slice followed by an enhancement layer and metadata as Dolby Vision has them."""
    result = []
    for unit in units:
        result.append(unit)
        if unit.is_vcl:
            result.append(NalUnit(unit.codec, b"\x7e\x01" + unit.data))
            result.append(NalUnit(unit.codec, b"\x7c\x01\x19\x08\x09" + bytes(range(10, 60))))
    return result


def with_foreign(rbsp: bytes, *, suffix: bool) -> Callable[[list[NalUnit]], list[NalUnit]]:
    """A damaged SEI NAL unit before the first coded slice, or after it."""

    def change(units: list[NalUnit]) -> list[NalUnit]:
        place = next(index for index, unit in enumerate(units) if unit.is_vcl) + suffix
        return [*units[:place], sei_unit(units[0], rbsp, suffix=suffix), *units[place:]]

    return change


FOREIGN = {
    "second layer": second_layer,
    "unspecified types": unspecified,
    "unclosed prefix": with_foreign(UNCLOSED, suffix=False),
    "unclosed suffix": with_foreign(UNCLOSED, suffix=True),
    "too long": with_foreign(TOO_LONG, suffix=True),
    "no size": with_foreign(ONLY_A_TYPE, suffix=False),
}
DAMAGED = ["unclosed prefix", "unclosed suffix", "too long", "no size"]


@pytest.fixture(params=list(FOREIGN))
def foreign(request: pytest.FixtureRequest, small_stream: Path, tmp_path: Path) -> Path:
    """A sound stream of faces with something in it that gfvc has no use for."""
    return write_units(tmp_path / "in.265", FOREIGN[request.param](nal_units(small_stream)))


def test_faces_and_base_layer_are_read(foreign: Path, small_stream: Path) -> None:
    stream = read_face_stream(foreign, lambda text: None)
    plain = read_face_stream(small_stream, no_notes)
    assert face_values(stream) == face_values(plain)
    assert stream.base_layer == plain.base_layer


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_told(
    kind: str, small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = write_units(tmp_path / "in.265", FOREIGN[kind](nal_units(small_stream)))
    notes: list[str] = []
    read_face_stream(path, notes.append)
    assert len(notes) == 1
    assert "SEI NAL unit at byte" in notes[0]
    verified = command("verify", path)
    assert verified.status == 1
    errors = [line for line in verified.out.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith("error: damage: ")


@pytest.mark.parametrize("kind", ["second layer", "unspecified types"])
def test_what_is_lawful_is_consistent(
    kind: str, small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = write_units(tmp_path / "in.265", FOREIGN[kind](nal_units(small_stream)))
    verified = command("verify", path)
    assert verified.status == 0
    assert "warning" not in verified.out
    plain = command("inspect", small_stream, "--summary", "--json").out
    changed = command("inspect", path, "--summary", "--json").out
    assert changed.split('"bytes"')[0] == plain.split('"bytes"')[0]  # access units and pictures


def test_editing_goes_round(
    foreign: Path, small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    messages, base, again = (tmp_path / name for name in ("m.jsonl", "base.265", "again.265"))
    assert command("extract", foreign, messages).status == 0
    taken = messages.read_text().count('"generative_face_video"')
    assert taken == sum(
        len(read_sei(u).messages) for u in nal_units(small_stream) if u.is_suffix_sei
    )
    assert command("remove", foreign, base).status == 0
    assert command("inject", base, messages, again).status == 0
    assert again.read_bytes() == foreign.read_bytes()


def test_transcoding_keeps_the_rest(foreign: Path, tmp_path: Path, command: CommandLine) -> None:
    output = tmp_path / "coarse.265"
    assert command("transcode", foreign, output, "--precision", "6").status == 0

    def rest(path: Path) -> bytes:
        return join_annex_b(
            unit
            for unit in nal_units(path)
            if not (unit.is_suffix_sei and unit.data[2:3] == b"\xdf")
        )

    assert rest(output) == rest(foreign)


def test_a_damaged_face_message_is_not_passed_over(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    change = with_foreign(FACE_THAT_LIES, suffix=True)
    path = write_units(tmp_path / "in.265", change(nal_units(small_stream)))
    for arguments in (("decode", path, "o.mkv"), ("transcode", path, tmp_path / "o.265")):
        outcome = command(*arguments)
        assert outcome.status == 1
        assert "payloadSize 64 of payloadType 223" in outcome.err


def test_a_face_that_is_not_drawn_may_be_damaged(small_stream: Path, tmp_path: Path) -> None:
    units = nal_units(small_stream)
    place = next(index for index, unit in enumerate(units) if unit.is_suffix_sei)
    messages = list(read_sei(units[place]).messages)
    # gfv_id 5, gfv_cnt 0, a base message that ends right there.
    other = type(messages[0])(223, b"\x37")
    units[place] = make_sei_nal_unit([messages[0], other, *messages[1:]], units[0].codec)
    notes: list[str] = []
    stream = read_face_stream(write_units(tmp_path / "in.265", units), notes.append)
    assert face_values(stream) == face_values(read_face_stream(small_stream, no_notes))
    assert len(notes) == 1
    assert "several faces" in notes[0]


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("inspect", ()),
        ("verify", ()),
        ("extract", ()),
        ("remove", ("out.265",)),
        ("inject", ("messages.jsonl", "out.265")),
        ("transcode", ("out.265", "--precision", "6")),
        ("decode", ("out.mkv",)),
    ],
)
def test_the_codec_can_be_named(
    verb: str,
    more: tuple[str, ...],
    small_stream: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    # Type 63 alone, more of it than is looked at, hides the parameter sets.
    units = nal_units(small_stream)
    padding = [NalUnit(units[0].codec, b"\x7e\x01\x80")] * 300
    stream = write_units(tmp_path / "in.265", [*padding, *units])
    assert command("extract", small_stream, tmp_path / "messages.jsonl").status == 0
    without = command(verb, stream, *more)
    assert without.status == 1
    assert "--codec" in without.err
    named = command(verb, stream, *more, "--codec", "hevc")
    assert named.status == 0, named.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("decode", "in.265", "out.y4m"),
        ("edit", "in.265", "out.265", "--roll", "1"),
        ("export", "in.265", "out.csv"),
        ("inspect", "in.265"),
        ("verify", "in.265"),
        ("extract", "in.265", "out.jsonl"),
        ("remove", "in.265", "out.265"),
        ("inject", "in.265", "in.265", "out.265"),
        ("transcode", "in.265", "out.265", "--layout", "mesh"),
    ],
)
def test_parameter_sets_tell_the_codec_whatever_is_named(
    arguments: tuple[str, ...],
    small_stream: Path,
    tmp_path: Path,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_units(tmp_path / "in.265", nal_units(small_stream))
    outcome = command(*arguments, "--codec", "vvc")
    assert outcome.status == 1
    assert "in.265: its parameter sets are of hevc, and --codec says vvc; leave it" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["in.265"]
