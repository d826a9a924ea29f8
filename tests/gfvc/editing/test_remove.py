from __future__ import annotations

from pathlib import Path

from sei import read_sei
from tests.gfvc.editing.streams import (
    INFORMATION,
    Faces,
    all_units,
    picture,
    sei_unit,
    write_stream,
)
from tests.gfvc.support import CommandLine, assert_refused


def test_one_face_of_two_is_removed(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    solo = tmp_path / "solo.266"
    outcome = command("remove", duet_stream, solo, "--id", "2")
    assert outcome.status == 0
    assert "4 messages, 0 NAL units" in outcome.err
    types = [
        [message.payload_type for message in read_sei(unit).messages]
        for unit in all_units(solo)
        if unit.is_suffix_sei
    ]
    assert types == [[223, 3, 224], [223], [3]] * 2
    assert command("verify", solo).status == 0


def test_a_stream_without_such_messages_stays_as_it_is(
    duet_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    copy = tmp_path / "copy.266"
    assert command("remove", duet_stream, copy, "--payload", "1").status == 0
    assert copy.read_bytes() == duet_stream.read_bytes()


def test_a_stream_of_nothing_else_is_not_emptied(tmp_path: Path, command: CommandLine) -> None:
    source = write_stream(tmp_path / "only.266", [sei_unit(INFORMATION, suffix=False)])
    assert_refused(
        command,
        "remove",
        source,
        tmp_path / "out.266",
        "--payload=5",
        folder=tmp_path,
        says="nothing but these messages",
    )


def test_no_name_of_another_codec(duet_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    says = "out.265: the suffix means hevc and the stream is vvc"
    out = tmp_path / "out.265"
    assert_refused(command, "remove", duet_stream, out, folder=tmp_path, says=says)
    assert_refused(command, "inject", duet_stream, duet_stream, out, folder=tmp_path, says=says)


def test_a_stream_that_breaks_off_leaves_no_output(tmp_path: Path, command: CommandLine) -> None:
    source = write_stream(tmp_path / "in.266", picture(Faces().gfv(0)))
    source.write_bytes(source.read_bytes() + b"\0\0\1")
    assert_refused(command, "remove", source, tmp_path / "out.266", folder=tmp_path, says="shorter")
