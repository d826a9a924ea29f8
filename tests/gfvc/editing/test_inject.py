"""Messages into streams that they were not taken from, and JSON lines that are not right."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gfvc.editing import inject_messages
from gfvc.errors import GfvcError
from sei import Codec, NalUnit, SeiMessage, read_sei
from sei.nal import nal_unit_header
from tests.gfvc.editing.streams import (
    END_OF_SEQUENCE,
    FILLER,
    INFORMATION,
    Faces,
    all_units,
    nal,
    parameter_sets,
    picture,
    sei_unit,
    slice_unit,
    write_stream,
)
from tests.gfvc.support import CommandLine, assert_refused, no_notes
from tests.golden.files import STREAMS

HEADER = {"format": "gfvc-messages", "version": 1}
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/messages_jsonl.md"


def payloads(path: Path) -> list[list[bytes]]:
    """Payloads of the face messages of each picture."""
    result: list[list[bytes]] = []
    for unit in all_units(path):
        if unit.starts_picture:
            result.append([])
        if unit.is_sei:
            result[-1:] = (
                [
                    result[-1]
                    + [m.payload for m in read_sei(unit).messages if m.payload_type in (223, 224)]
                ]
                if result
                else []
            )
    return result


def write_lines(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Two pictures and the end of the sequence, without face messages."""
    return write_stream(
        tmp_path / "base.266",
        picture(FILLER),
        [slice_unit(intra=False, start_code_size=4), nal(Codec.VVC, END_OF_SEQUENCE[Codec.VVC])],
    )


def test_messages_go_to_their_pictures(
    duet_stream: Path, base: Path, tmp_path: Path, command: CommandLine
) -> None:
    result = tmp_path / "result.266"
    outcome = command("inject", base, duet_stream, result)
    assert outcome.status == 0
    assert "at the pictures with their numbers" in outcome.err
    assert payloads(result) == payloads(duet_stream)
    kinds = [unit.type_name for unit in all_units(result)]
    # Behind what was there, before the end of the sequence.
    assert kinds == [
        *("SPS", "PPS", "PREFIX_SEI", "IDR_N_LP", "SUFFIX_SEI", "SUFFIX_SEI", "SUFFIX_SEI"),
        *("TRAIL", "SUFFIX_SEI", "SUFFIX_SEI", "EOS"),
    ]
    assert command("verify", result).status == 0


def test_all_of_the_base_stream_stays(
    duet_stream: Path, base: Path, tmp_path: Path, command: CommandLine
) -> None:
    result, bare = tmp_path / "result.266", tmp_path / "bare.266"
    assert command("inject", base, duet_stream, result).status == 0
    assert command("remove", result, bare).status == 0
    assert bare.read_bytes() == base.read_bytes()


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AVC])
def test_messages_go_to_other_codecs(
    duet_stream: Path, tmp_path: Path, command: CommandLine, codec: Codec
) -> None:
    messages, result = tmp_path / "messages.jsonl", tmp_path / "result"
    base = write_stream(tmp_path / "base", picture(codec=codec), picture(codec=codec, intra=False))
    assert command("extract", duet_stream, messages).status == 0
    assert command("inject", base, messages, result).status == 0
    if codec is Codec.HEVC:
        assert payloads(result) == payloads(duet_stream)
        assert command("verify", result).status == 0
    else:
        # There is no suffix SEI: the messages stand before their picture.
        assert [unit.type_name for unit in all_units(result)] == [
            *("SPS", "PPS", "SEI", "SEI", "SEI", "SLICE_IDR", "SEI", "SEI", "SLICE_NON_IDR"),
        ]


def test_messages_before_their_picture(tmp_path: Path, command: CommandLine) -> None:
    source = write_stream(tmp_path / "source.266", picture(Faces().gfv(0)), picture(intra=False))
    bare = write_stream(
        tmp_path / "bare.266",
        [*parameter_sets(), slice_unit()],
        [slice_unit(intra=False, start_code_size=4)],
    )
    other = write_lines(
        tmp_path / "other.jsonl",
        HEADER,
        {"picture": 0, "payload_type": 5, "payload": INFORMATION.payload.hex()},
        {"picture": 1, "payload_type": 1, "payload": "aa"},
        {"picture": 1, "payload_type": 132, "payload": "bb"},
    )
    first, second = tmp_path / "first.266", tmp_path / "second.266"
    assert command("inject", bare, source, first, "--payload", "5,223").status == 0
    assert [unit.type_name for unit in all_units(first)] == [
        *("SPS", "PPS", "PREFIX_SEI", "IDR_N_LP", "SUFFIX_SEI", "TRAIL"),
    ]
    assert command("inject", bare, other, second).status == 0
    units = all_units(second)
    assert [unit.type_name for unit in units] == [
        *("SPS", "PPS", "PREFIX_SEI", "IDR_N_LP", "PREFIX_SEI", "TRAIL", "SUFFIX_SEI"),
    ]
    # The first NAL unit of an access unit has a start code of four bytes.
    assert [unit.start_code_size for unit in units] == [4, 4, 3, 3, 4, 4, 3]


def test_new_nal_units_are_of_their_pictures_sub_layer(
    tmp_path: Path, command: CommandLine
) -> None:
    high = slice_unit(intra=False)
    high = type(high)(high.codec, b"\x00\x03" + high.data[2:])
    base = write_stream(tmp_path / "base.266", picture(), [high])
    messages = write_lines(
        tmp_path / "messages.jsonl", HEADER, {"picture": 1, "payload_type": 132, "payload": "00"}
    )
    result = tmp_path / "result.266"
    assert command("inject", base, messages, result).status == 0
    assert all_units(result)[-1].temporal_id == 2


def test_messages_with_one_nal_unit_share_it(
    base: Path, tmp_path: Path, command: CommandLine
) -> None:
    message = {"picture": 0, "payload_type": 132, "payload": "00"}
    numbers = [7, 7, 8, None, None]
    messages = write_lines(
        tmp_path / "m.jsonl", HEADER, *({**message, "nal": number} for number in numbers)
    )
    result = tmp_path / "result.266"
    outcome = command("inject", base, messages, result)
    assert "5 messages in 4 NAL units" in outcome.err
    counts = [len(read_sei(unit).messages) for unit in all_units(result) if unit.is_suffix_sei]
    assert counts == [1, 2, 1, 1, 1]


def test_a_stream_with_faces_is_remarked_on(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    result = tmp_path / "result.266"
    outcome = command("inject", duet_stream, duet_stream, result)
    assert outcome.status == 0
    assert "face messages of its own" in outcome.err
    assert command("verify", result).status == 1


def test_what_is_no_face_comes_to_faces_without_a_remark(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    message = {"picture": 0, "payload_type": 132, "payload": "00"}
    outcome = command(
        "inject", duet_stream, write_lines(tmp_path / "m.jsonl", HEADER, message), tmp_path / "out"
    )
    assert outcome.status == 0
    assert "of its own" not in outcome.err


def test_more_pictures_than_the_base_stream_has(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    base = write_stream(tmp_path / "base.266", picture())
    assert_refused(
        command,
        *("inject", base, duet_stream, tmp_path / "out.266"),
        folder=tmp_path,
        says=[
            f"{duet_stream}, message 0 of the NAL unit",
            "belongs to picture 1",
            "has 1 pictures",
        ],
    )


def test_messages_are_not_chosen_from_json(
    base: Path, tmp_path: Path, command: CommandLine
) -> None:
    messages = write_lines(tmp_path / "messages.jsonl", HEADER)
    assert_refused(
        command,
        *("inject", base, messages, tmp_path / "out.266", "--payload", "223"),
        folder=tmp_path,
        says="all messages are taken",
    )


def test_a_changed_message_goes_where_it_was(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    messages, base, result = (tmp_path / name for name in ("m.jsonl", "base.266", "result.266"))
    assert command("extract", duet_stream, messages).status == 0
    assert command("remove", duet_stream, base).status == 0
    header, *lines = map(json.loads, messages.read_text().splitlines())
    # The last message of all: nothing is predicted from it.
    elements = dict(lines[-1]["elements"])
    assert elements["gfv_cnt"] == 1
    del lines[-1]["payload"]
    for element in lines[-1]["elements"]:
        if element[0] == "gfv_coordinate_dx_abs[0]":
            element[1] = 77
    outcome = command("inject", base, write_lines(messages, header, *lines), result)
    assert outcome.status == 0
    assert outcome.err.rstrip().endswith("where they were")
    before, after = all_units(duet_stream), all_units(result)
    assert [unit.data for unit in after[:-2]] == [unit.data for unit in before[:-2]]
    assert after[-1].data == before[-1].data
    (line,) = command("extract", result, "--id=1").out.splitlines()[-1:]
    assert dict(json.loads(line)["elements"])["gfv_coordinate_dx_abs[0]"] == 77


@pytest.mark.parametrize("codec", [Codec.VVC, Codec.HEVC, Codec.AVC])
@pytest.mark.parametrize("written", ["vvc", "hevc", "avc"])
def test_another_codec_in_the_header_is_blamed_on_the_header(
    codec: Codec, written: str, tmp_path: Path, command: CommandLine
) -> None:
    """Also where the NAL units of the stream are too short for that codec."""
    source = STREAMS / ("vvc_face.266" if codec is Codec.VVC else "hevc_mesh_marked.265")
    if codec is Codec.AVC:
        sets = nal(codec, 7, bytes.fromhex("42001e80")), nal(codec, 8, bytes.fromhex("c080"))
        end = nal(codec, END_OF_SEQUENCE[codec], b"")
        coded = picture(Faces().gfv(0), codec=codec)
        source = write_stream(tmp_path / "in", sets, coded, [end])
    messages, base, result = (tmp_path / name for name in ("m.jsonl", "base", "result"))
    assert command("extract", source, messages).status == 0
    assert command("remove", source, base).status == 0
    header, *lines = map(json.loads, messages.read_text().splitlines())
    write_lines(messages, {**header, "codec": written}, *lines)
    if written == codec.value:
        assert command("inject", base, messages, result).status == 0
        assert result.read_bytes() == source.read_bytes()
        return
    says = f"{messages}: line 1: 'codec' is {written}, and the base stream of these messages"
    arguments = ("inject", base, messages, result)
    assert_refused(command, *arguments, folder=tmp_path, says=[says, f"is of {codec.value};"])


def test_messages_go_to_nal_units_too_short_for_their_codec(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    """The end of a sequence in H.264 is a byte."""
    end = nal(Codec.AVC, END_OF_SEQUENCE[Codec.AVC], b"")
    pictures = picture(codec=Codec.AVC), picture(codec=Codec.AVC, intra=False)
    base = write_stream(tmp_path / "base", *pictures, [end])
    messages, result = tmp_path / "messages.jsonl", tmp_path / "result"
    assert command("extract", duet_stream, messages).status == 0
    assert command("inject", base, messages, result).status == 0
    assert all_units(result)[-1].data == end.data


def test_the_examples_of_the_document(shared: Path, tmp_path: Path, command: CommandLine) -> None:
    """What the page shows is what the commands write and read."""
    blocks = DOCUMENT.read_text().split("```json\n")[1:]
    extracted, by_hand = (block.partition("```")[0] for block in blocks)
    base, hand = tmp_path / "base.266", tmp_path / "hand.266"
    lines = tmp_path / "lines.jsonl"
    assert command("remove", shared / "vectors/gfv/kps2d_pred.266", base).status == 0
    lines.write_text(by_hand)
    assert command("inject", base, lines, hand).status == 0
    assert command("verify", hand).status == 0
    assert command("extract", hand).out == extracted


def line(**changes: Any) -> dict[str, Any]:
    """A good line, with changes; a change to `...` leaves the key out."""
    good: dict[str, Any] = {
        "picture": 0,
        "nal": 4,
        "payload_type": 223,
        "payload": Faces().gfv(0).payload.hex(),
        "suffix": True,
        "place": {
            "base_nal_unit": 4,
            "kept_before": None,
            "nal_header": "00c1",
            "zero_bytes": 0,
            "rbsp_trailing": "80",
        },
    }
    changed = {**good, **changes}
    return {name: value for name, value in changed.items() if value is not ...}


def place(**changes: Any) -> dict[str, Any]:
    return line(place={**line()["place"], **changes})


def elements(*changed: Any) -> dict[str, Any]:
    return line(payload=..., elements=list(changed))


BAD_LINES: list[tuple[object, str]] = [
    ([], "is not an object"),
    (7, "is not an object"),
    (line(payload_type=...), "payload_type is not a whole number in 0..16777216"),
    (line(payload_type="223"), "payload_type is not a whole number in 0..16777216"),
    (line(payload_type=True), "payload_type is not a whole number in 0..16777216"),
    (line(payload_type=10**30), "in 0..16777216"),
    (line(payload_type=-1), "in 0..16777216"),
    (line(picture=...), "picture is not a whole number"),
    (line(picture=1.0), "picture is not a whole number"),
    (line(picture=9, nal=9), "belongs to picture 9"),
    (line(nal=[1]), "nal is not a whole number"),
    (line(suffix="yes"), "suffix is not true or false"),
    (line(payload="0g"), "hexadecimal"),
    (line(payload=17), "payload is not a text"),
    (line(payload=..., payload_type=5), "'payload' is missing"),
    (line(payload=...), "elements is not a list of [name, integer or text]"),
    (line(place=[]), "place is not an object"),
    (place(base_nal_unit=None), "place.base_nal_unit is not a whole number"),
    (place(zero_bytes=2**40), "place.zero_bytes is not a whole number in 0..67108864"),
    (place(nal_header="zz"), "place.nal_header is not bytes"),
    (place(rbsp_trailing="81"), "place.rbsp_trailing is not 80"),
    (place(rbsp_trailing="8000"), "place.rbsp_trailing is not 80 and pairs of zero bytes"),
    (place(rbsp_trailing=""), "place.rbsp_trailing is not 80"),
    (elements(["gfv_id", 1, 2]), "elements is not a list of [name, integer or text]"),
    (elements(["gfv_id", 1.5]), "elements is not a list of [name, integer or text]"),
    (elements(["gfv_id", True]), "elements is not a list of [name, integer or text]"),
    (elements(), "the elements end where gfv_id must come"),
    (elements(["gfv_cnt", 1]), "element gfv_cnt stands where gfv_id must come"),
    (elements(["a" * 3000, 1]), "a... (3000 characters) stands where gfv_id must come"),
    (elements(["gfv_id", 10**900]), "0... (902 characters) must be within"),
    (elements(["gfv_id", "one"]), "gfv_id must be an integer"),
    (elements(["gfv_id", 2**32]), "gfv_id is 4294967296"),
    (elements(["gfv_id", 300]), "reserved gfv_id"),
]


@pytest.mark.parametrize(("bad", "says"), BAD_LINES)
def test_bad_lines_are_named(
    base: Path, tmp_path: Path, command: CommandLine, bad: object, says: str
) -> None:
    messages = write_lines(tmp_path / "messages.jsonl", HEADER, line(), bad)
    assert_refused(
        command,
        *("inject", base, messages, tmp_path / "out.266"),
        folder=tmp_path,
        says=[f"{messages}: line 3", says],
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "line 1: the first line must be a header"),
        ('{"format": "other", "version": 1}', "the first line must be a header"),
        ('{"format": "gfvc-messages", "version": 2}', "version 2 of the format"),
        ('{"format": "gfvc-messages"}', "version is not a whole number"),
        (
            '{"format": "gfvc-messages", "version": 1, "codec": "av1"}',
            "codec is not one of vvc, hevc",
        ),
        (
            '{"format": "gfvc-messages", "version": 1, "base": {}, "codec": "vvc"}',
            "base.size is not a whole number",
        ),
        ('{"format": "gfvc-messages", "version": 1', "line 1: no JSON"),
        ('{"format": "gfvc-messages", "version": 1}\n\n{"picture": 1,}', "line 3: no JSON"),
        ('{"format": "gfvc-messages", "version": 1}\n\udcff', "line 2: no JSON"),
        ('{"format": "gfvc-messages", "version": 1}\n{"picture": ' + "1" * 5000, "line 2: no JSON"),
        ('{"format": "gfvc-messages", "version": 1}\n' + "[" * 10**5, "line 2: no JSON"),
        (
            '{"format": "gfvc-messages", "version": 1}\n{"picture": 0, "picture": 3}',
            "line 2: no JSON: member 'picture' stands twice",
        ),
        ("\n \r\n\n", "messages.jsonl: holds no messages, only blank lines"),
        ("\ufeff\n", "messages.jsonl: holds no messages, only blank lines"),
        (
            json.dumps([HEADER, line()], indent=1),
            "messages.jsonl: a JSON array; one object a line is read (jq -c '.[]' writes so)",
        ),
        (f"\n[{json.dumps(HEADER)}]", "a JSON array; one object a line"),
        ("[]", "a JSON array; one object a line"),
        (
            "\n".join(map(json.dumps, [HEADER, line(), HEADER, line()])),
            "line 3: a second header, as of files that were joined; inject one file after the",
        ),
    ],
)
def test_bad_files_are_refused(
    base: Path, tmp_path: Path, command: CommandLine, text: str, says: str
) -> None:
    messages = tmp_path / "messages.jsonl"
    messages.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert_refused(
        command, "inject", base, messages, tmp_path / "out.266", folder=tmp_path, says=says
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", ["", "\r\n"])
def test_json_in_utf_16_is_told(
    base: Path, tmp_path: Path, command: CommandLine, encoding: str, before: str
) -> None:
    messages = tmp_path / "messages.jsonl"
    messages.write_bytes((before + json.dumps(HEADER)).encode(encoding))
    assert_refused(
        *(command, "inject", base, messages, tmp_path / "out.266"),
        folder=tmp_path,
        says=f"{messages}: JSON in UTF-16; save it as UTF-8",
    )


def test_blank_lines_and_a_byte_order_mark_do_not_matter(
    base: Path, tmp_path: Path, command: CommandLine
) -> None:
    messages, result = tmp_path / "messages.jsonl", tmp_path / "out.266"
    text = f"\ufeff{json.dumps(HEADER)}\r\n\r\n{json.dumps(line())}\r\n\n"
    messages.write_text(text, encoding="utf-8", newline="")
    assert command("inject", base, messages, result).status == 0
    assert payloads(result)[0] == [Faces().gfv(0).payload]


Change = Callable[[list[dict[str, Any]]], object]


def shift(lines: list[dict[str, Any]]) -> None:
    for changed in lines:
        changed["place"]["base_nal_unit"] += 100


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[2].pop("place"), "line 4: states another place or picture"),
        (lambda lines: lines[0].pop("place"), "line 3: states another place or picture"),
        (lambda lines: [one.pop("place") for one in lines], "line 2: has no 'place'"),
        (lambda lines: lines[1].update(picture=1), "line 3: states another place or picture"),
        (lambda lines: lines[1].update(suffix=False), "line 3: states another place or picture"),
        (lambda lines: lines.reverse(), "its place is out of order"),
        (shift, "line 2: its place is out of order, or beyond"),
        (
            lambda lines: lines[0]["place"].update(kept_before=9),
            "must be within 0..1",
        ),
        (lambda lines: lines[2]["place"].update(kept_before=0), "must be within 1..1"),
        (
            lambda lines: [one["place"].update(nal_header="0081") for one in lines[3:5]],
            "line 5: 'nal_header' is no header of an SEI NAL unit in vvc",
        ),
        (
            lambda lines: [one["place"].update(nal_header="00c0") for one in lines[3:5]],
            "line 5: 'nal_header' must not be so: nuh_temporal_id_plus1 is 0",
        ),
        (
            lambda lines: [one["place"].update(nal_header="80c1") for one in lines[3:5]],
            "line 5: 'nal_header' must not be so: forbidden_zero_bit is 1",
        ),
        (
            lambda lines: [one["place"].update(nal_header="40c1") for one in lines[8:10]],
            "line 10: 'nal_header' must not be so: nuh_reserved_zero_bit is 1",
        ),
        (
            lambda lines: [one["place"].update(nal_header="00c3") for one in lines[8:10]],
            "line 10: 'nal_header' does not fit its picture: TemporalId 2, and its picture has 0",
        ),
        (
            lambda lines: [one["place"].update(nal_header="01c1") for one in lines[3:5]],
            "line 5: 'nal_header' does not fit its picture: nuh_layer_id 1, and its access unit "
            "has pictures of 0",
        ),
        (
            lambda lines: [one["place"].update(nal_header="00c100") for one in lines[3:5]],
            "line 5: 'nal_header' is no header",
        ),
        (
            lambda lines: [one["place"].update(nal_header="") for one in lines[3:5]],
            "line 5: 'nal_header' is no header",
        ),
        (
            lambda lines: [one["place"].update(base_nal_unit=1) for one in lines[:3]],
            "line 2: cannot go into its NAL unit",
        ),
    ],
)
def test_places_that_cannot_be_are_refused(
    duet_stream: Path, tmp_path: Path, command: CommandLine, change: Change, says: str
) -> None:
    messages, base = tmp_path / "messages.jsonl", tmp_path / "base.266"
    assert command("extract", duet_stream, messages).status == 0
    assert command("remove", duet_stream, base).status == 0
    header, *lines = map(json.loads, messages.read_text().splitlines())
    change(lines)
    write_lines(messages, header, *lines)
    assert_refused(
        command, "inject", base, messages, tmp_path / "out.266", folder=tmp_path, says=says
    )


def test_messages_of_earlier_pictures_come_first(
    base: Path, tmp_path: Path, command: CommandLine
) -> None:
    messages = write_lines(
        tmp_path / "messages.jsonl", HEADER, line(picture=1, nal=4), line(picture=0, nal=5)
    )
    assert_refused(
        command,
        *("inject", base, messages, tmp_path / "out.266"),
        folder=tmp_path,
        says=["line 3", "out of order"],
    )


def test_a_nal_unit_does_not_grow_without_bound(
    base: Path, tmp_path: Path, command: CommandLine
) -> None:
    big = line(payload_type=5, payload="ff" * (9 * 2**20), suffix=True)
    messages = write_lines(tmp_path / "messages.jsonl", HEADER, big, big)
    assert_refused(
        command,
        *("inject", base, messages, tmp_path / "out.266"),
        folder=tmp_path,
        says=["line 3", "pass 16777216 bytes"],
    )
    # Emulation prevention makes half as much again of zero bytes.
    zeros = line(payload_type=5, payload="00" * (14 * 2**20), suffix=True)
    write_lines(messages, HEADER, zeros)
    assert_refused(
        command,
        *("inject", base, messages, tmp_path / "out.266"),
        folder=tmp_path,
        says=["line 2", "at most 16777216"],
    )


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3)
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(line())), values, st.sampled_from(sorted(line()["place"])), values)
def test_any_value_is_read_or_refused(
    base: Path, name: str, value: object, place_name: str, place_value: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for bad in (line(**{name: value}), place(**{place_name: place_value})):
            messages = write_lines(Path(folder, "messages.jsonl"), HEADER, bad)
            output = Path(folder, "out.266")
            refusal = None
            try:
                inject_messages(base, messages, output, force=True, notes=no_notes)
            except GfvcError as error:
                refusal = str(error)
            if refusal is None:
                assert output.stat().st_size > base.stat().st_size
            else:
                assert "line 2" in refusal
                assert "\n" not in refusal


def test_a_message_of_any_type_can_be_injected(base: Path, tmp_path: Path) -> None:
    messages = write_lines(
        tmp_path / "messages.jsonl", HEADER, line(payload_type=70000, payload="", suffix=...)
    )
    result = tmp_path / "out.266"
    inject_messages(base, messages, result, force=False, notes=no_notes)
    assert read_sei(all_units(result)[3]).messages == (SeiMessage(70000, b""),)


def upper(unit: NalUnit, *, layer_id: int, temporal_id: int) -> NalUnit:
    """A NAL unit of VVC with another layer and sub-layer in its header."""
    header = nal_unit_header(
        Codec.VVC, unit.nal_unit_type, layer_id=layer_id, temporal_id=temporal_id
    )
    return replace(unit, data=header + unit.data[2:])


def test_headers_that_do_not_fit_come_back_as_they_were(
    tmp_path: Path, command: CommandLine
) -> None:
    """The stream had them; where another stream is made of it, they are refused."""
    head, message = picture(), Faces().gfv(0)
    stream = write_stream(tmp_path / "odd.266", head, [sei_unit(message, temporal_id=2)])
    messages, base, again = (tmp_path / name for name in ("m.jsonl", "base.266", "again.266"))
    assert command("extract", stream, messages).status == 0
    assert command("remove", stream, base).status == 0
    assert command("inject", base, messages, again).status == 0
    assert again.read_bytes() == stream.read_bytes()
    header, line = map(json.loads, messages.read_text().splitlines())
    changed = write_lines(
        tmp_path / "changed.jsonl", header, line | {"payload": line["payload"] * 2}
    )
    says = "line 2: 'nal_header' does not fit its picture: TemporalId 2, and its picture has 0"
    assert_refused(
        command, "inject", base, changed, tmp_path / "out.266", folder=tmp_path, says=says
    )


def test_headers_may_be_those_of_any_picture_of_the_access_unit(
    tmp_path: Path, command: CommandLine
) -> None:
    head, faces = picture(), Faces()
    above = upper(slice_unit(), layer_id=1, temporal_id=1)
    messages = [sei_unit(faces.gfv(0)), sei_unit(faces.gfv(1), layer_id=1, temporal_id=1)]
    stream = write_stream(tmp_path / "layers.266", head, [messages[0], above, messages[1]])
    lines, base = tmp_path / "m.jsonl", tmp_path / "base.266"
    assert command("extract", stream, lines).status == 0
    assert command("remove", stream, base).status == 0
    header, *rest = map(json.loads, lines.read_text().splitlines())
    fewer = write_lines(tmp_path / "fewer.jsonl", header, *rest[1:])
    assert command("inject", base, fewer, tmp_path / "out.266").status == 0
