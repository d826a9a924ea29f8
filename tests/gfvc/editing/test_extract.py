from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gfvc.editing import MessageSelection
from gfvc.editing.cutting import MOST_NOTES
from gfvc.errors import InputError
from sei import Codec, NalUnit, SeiMessage
from sei.inspection import InspectedMessage, inspect_units, json_object
from tests.gfvc.editing.streams import (
    FILLER,
    Faces,
    all_units,
    nal,
    picture,
    sei_unit,
    slice_unit,
    write_stream,
)
from tests.gfvc.support import CommandLine, assert_refused


def parse(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_hold_what_inspect_says(duet_stream: Path, command: CommandLine) -> None:
    outcome = command("extract", duet_stream)
    assert outcome.status == 0
    lines = parse(outcome.out)[1:]
    inspected = [
        json.loads(json.dumps(json_object(item)))
        for item in inspect_units(all_units(duet_stream), frozenset({223, 224}))
        if isinstance(item, InspectedMessage)
    ]
    assert len(lines) == len(inspected) == 10
    for line, expected in zip(lines, inspected, strict=True):
        assert expected.items() <= line.items()
    # In each picture the first SEI NAL unit holds another message too, which stays.
    assert [line["picture"] for line in lines] == [0] * 5 + [1] * 5
    places = [(line["place"]["base_nal_unit"], line["place"]["kept_before"]) for line in lines[:5]]
    assert places == [(4, 0), (4, 1), (4, 1), (5, None), (5, None)]
    assert lines[3]["place"]["nal_header"] == "00c1"


def test_messages_are_chosen_by_type_and_face(duet_stream: Path, command: CommandLine) -> None:
    def identities(*options: str) -> list[tuple[int, int | None]]:
        lines = parse(command("extract", duet_stream, *options).out)[1:]
        return [(line["payload_type"], dict(line["elements"]).get("gfv_id")) for line in lines]

    assert identities("--payload", "224") == [(224, None)] * 2
    assert identities("--payload", "3,5") == [(5, None), (3, None), (3, None)] + [(3, None)] * 2
    assert identities("--id", "2") == [(223, 2)] * 4
    assert (
        identities("--id", "1", "--payload", "223,224")
        == [
            (223, 1),
            (224, None),
            (223, 1),
        ]
        * 2
    )
    assert identities("--id", "7") == []


def test_a_face_is_asked_for_among_face_messages_only() -> None:
    with pytest.raises(InputError, match="223 and 224"):
        MessageSelection(frozenset({5, 223}), frozenset({1}))


@pytest.mark.parametrize("text", ["", "a", "223;224", "-1", "223,,224"])
def test_types_are_numbers(duet_stream: Path, command: CommandLine, text: str) -> None:
    outcome = command("extract", duet_stream, f"--payload={text}")
    assert outcome.status == 2
    assert "223,224" in outcome.err


def test_payloads_become_files(duet_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    folder, lines = tmp_path / "payloads", tmp_path / "messages.jsonl"
    outcome = command("extract", duet_stream, lines, "--payloads", folder)
    assert outcome.status == 0
    assert outcome.out == ""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(files)[:4] == [
        "picture000000_nal000004_message000_type223.bin",
        "picture000000_nal000004_message001_type224.bin",
        "picture000000_nal000004_message002_type223.bin",
        "picture000000_nal000005_message000_type223.bin",
    ]
    expected = [bytes.fromhex(line["payload"]) for line in parse(lines.read_text())[1:]]
    assert [files[name] for name in sorted(files)] == expected


def test_the_folder_is_replaced_when_asked(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    folder = tmp_path / "payloads"
    assert command("extract", duet_stream, "--payloads", folder).status == 0
    assert_refused(
        command, "extract", duet_stream, "--payloads", folder, folder=tmp_path, says="--force"
    )
    assert command("extract", duet_stream, "--payloads", folder, "--id=2", "--force").status == 0
    assert len(list(folder.iterdir())) == 4


def test_standard_output_is_the_output_without_a_name(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    assert_refused(
        command, "extract", duet_stream, "-", folder=tmp_path, says="-: leave out the name"
    )


def test_nothing_is_overwritten(duet_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    lines = tmp_path / "messages.jsonl"
    lines.write_text("mine")
    assert_refused(command, "extract", duet_stream, lines, folder=tmp_path, says="--force")
    assert command("extract", duet_stream, lines, "--force").status == 0
    assert len(lines.read_text().splitlines()) == 11


def test_a_damaged_message_is_taken_with_what_can_be_read(
    tmp_path: Path, command: CommandLine
) -> None:
    face = Faces().gfv(0)
    cut = SeiMessage(223, face.payload[:3])
    source = write_stream(tmp_path / "cut.266", picture(cut))
    (line,) = parse(command("extract", source).out)[1:]
    assert "cannot fit" in line["error"]
    assert line["payload"] == cut.payload.hex()
    assert line["elements"][0] == ["gfv_id", 1]


def test_a_damaged_nal_unit_stays(tmp_path: Path, command: CommandLine) -> None:
    face = Faces().gfv(0)
    whole = sei_unit(face)
    broken = [
        NalUnit(Codec.VVC, whole.data[:-1]),
        # An emulation prevention byte that the standard does not allow.
        NalUnit(Codec.VVC, bytes.fromhex("00c1 df04 0000 03ff 11 80".replace(" ", ""))),
        # TemporalId -1.
        NalUnit(Codec.VVC, b"\x00\xc0" + whole.data[2:]),
    ]
    source = write_stream(tmp_path / "broken.266", picture(), broken, [whole])
    base = tmp_path / "base.266"
    extracted = command("extract", source)
    removed = command("remove", source, base)
    assert extracted.status == removed.status == 0
    assert len(parse(extracted.out)) == 2
    for outcome, word in ((extracted, "left alone"), (removed, "left as it is")):
        notes = [line for line in outcome.err.splitlines() if word in line]
        assert [note.split("NAL unit ")[1].split()[0] for note in notes] == ["4", "5", "6"]
    assert [unit.data for unit in all_units(base)[4:]] == [unit.data for unit in broken]


def test_notes_on_damaged_nal_units_are_few(tmp_path: Path, command: CommandLine) -> None:
    """A stream of some megabytes can have a million of them."""
    whole = sei_unit(Faces().gfv(0))
    broken = [NalUnit(Codec.VVC, whole.data[:-1])] * 100
    source = write_stream(tmp_path / "broken.266", picture(), broken, [whole])
    for outcome in (command("extract", source), command("remove", source, tmp_path / "b.266")):
        lines = outcome.err.splitlines()
        assert sum("NAL unit " in line for line in lines) == MOST_NOTES
        assert f"so are {100 - MOST_NOTES} further damaged SEI NAL units" in lines[MOST_NOTES]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"no stream at all, but some text", "start code"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "container"),
        (bytes.fromhex("1a45dfa3") + bytes(40), "container"),
        (b"\0\0\1" + b"\x7f" * 40, "neither a VVC, an HEVC nor an H.264 stream"),
        (b"\0\0\1\x00\x79\x80\x11\0\0\1", "shorter than its header"),
    ],
)
@pytest.mark.parametrize("verb", ["extract", "remove", "inject", "verify"])
def test_what_is_no_byte_stream_is_refused(
    tmp_path: Path, command: CommandLine, verb: str, content: bytes, says: str
) -> None:
    source, output = tmp_path / "in.266", tmp_path / "out"
    source.write_bytes(content)
    messages = tmp_path / "messages.jsonl"
    messages.write_text('{"format": "gfvc-messages", "version": 1}\n')
    rest = {"extract": [output], "remove": [output], "inject": [messages, output], "verify": []}
    if verb == "verify" and "shorter" in says:
        assert command("verify", source).status == 1
    else:
        assert_refused(
            command, verb, source, *rest[verb], folder=tmp_path, says=[str(source), says]
        )


@pytest.mark.parametrize("verb", ["extract", "remove", "verify"])
def test_files_that_are_not_there(tmp_path: Path, command: CommandLine, verb: str) -> None:
    rest = [] if verb == "verify" else [tmp_path / "out"]
    for source, says in (
        (tmp_path / "none.266", "no such file"),
        (tmp_path, "is a folder, not a file"),
    ):
        assert_refused(command, verb, source, *rest, folder=tmp_path, says=says)


def test_other_messages_are_told_apart_by_access_unit(tmp_path: Path, command: CommandLine) -> None:
    # Prefix messages belong to the picture after them, suffix messages to the one before.
    source = write_stream(
        tmp_path / "filler.266",
        picture(FILLER),
        [sei_unit(SeiMessage(1, b"x"), suffix=False), slice_unit(intra=False), sei_unit(FILLER)],
        [nal(Codec.VVC, 21)],
    )
    lines = parse(command("extract", source, "--payload", "1,3").out)[1:]
    assert [(line["payload_type"], line["picture"], line["suffix"]) for line in lines] == [
        (3, 0, True),
        (1, 1, False),
        (3, 1, True),
    ]
