"""Messages into streams that no end of sequence ends: inject says where decode leaves one out."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.editing import inject_messages
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.verification import verify_stream
from sei import GENERATIVE_FACE_VIDEO, USER_DATA_UNREGISTERED, Codec, NalUnit, SeiMessage
from tests.gfvc.editing.streams import (
    END_OF_SEQUENCE,
    INFORMATION,
    Faces,
    nal,
    picture,
    sei_unit,
    slice_unit,
    write_stream,
)
from tests.gfvc.support import CommandLine

SHOWN = SeiMessage(
    USER_DATA_UNREGISTERED,
    StreamInformation(
        Fraction(25), 64, 64, Rectangle(0, 0, 64, 64), shown_as_coded=True
    ).to_payload(),
)
LEFT_OUT = "its last coded picture has no face messages, and nothing says that it is whole"


def lines(path: Path, *messages: tuple[int, SeiMessage]) -> Path:
    """JSON lines of messages at the pictures of these numbers."""
    header = {"format": "gfvc-messages", "version": 1}
    made = [
        {"picture": number, "payload_type": each.payload_type, "payload": each.payload.hex()}
        for number, each in messages
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in [header, *made]))
    return path


def bare(path: Path, codec: Codec, *more: int) -> Path:
    """Two pictures without messages and user data, and NAL units of some types."""
    first = [unit for unit in picture(codec=codec) if not unit.is_sei]
    units = [slice_unit(codec, intra=False), *(nal(codec, kind, b"") for kind in more)]
    return write_stream(path, first, units)


def warnings(path: Path) -> list[str]:
    return [each.text for each in verify_stream(path) if "leaves it out" in each.text]


@pytest.mark.parametrize("codec", [Codec.VVC, Codec.HEVC])
def test_a_last_picture_that_counts_as_cut_off_is_told(codec: Codec, tmp_path: Path) -> None:
    faces = Faces()
    first, last = (0, faces.gfv(0)), (1, faces.gfv(0))
    for number, (ends, messages) in enumerate(
        [((), [first]), ((END_OF_SEQUENCE[codec],), [first]), ((), [first, last])]
    ):
        base, result = bare(tmp_path / f"base{number}", codec, *ends), tmp_path / f"out{number}"
        notes: list[str] = []
        given = lines(tmp_path / "in.jsonl", *messages)
        inject_messages(base, given, result, force=False, notes=notes.append)
        assert [LEFT_OUT in note for note in notes] == [True] * (number == 0)
        assert len(read_face_stream(result, lambda _: None).units) == 2 - (number == 0)
        assert len(warnings(result)) == (number == 0)
        if notes:
            # What it says to do.
            assert notes[0].startswith(f"{result}: ")
            end = bytes.fromhex(notes[0].partition("(")[2].partition(")")[0])
            result.write_bytes(result.read_bytes() + end)
            assert len(read_face_stream(result, lambda _: None).units) == 2
            assert warnings(result) == []


def test_other_messages_and_streams_that_are_not_decoded(tmp_path: Path) -> None:
    """User data alone make a stream that is decoded, of pictures shown as coded."""
    for number, (codec, message, is_told) in enumerate(
        [
            (Codec.HEVC, SHOWN, True),
            (Codec.HEVC, INFORMATION, False),
            (Codec.HEVC, SeiMessage(132, b"\0"), False),
            (Codec.AVC, Faces().gfv(0), False),
        ]
    ):
        base = bare(tmp_path / f"base{number}", codec)
        notes: list[str] = []
        inject_messages(
            base,
            lines(tmp_path / "in.jsonl", (0, message)),
            tmp_path / f"out{number}",
            force=False,
            notes=notes.append,
        )
        assert [LEFT_OUT in note for note in notes] == [True] * is_told


def test_messages_that_go_where_they_were(tmp_path: Path, command: CommandLine) -> None:
    """The same bytes come back without a word; without the last message it is told."""
    faces = Faces()
    whole = write_stream(
        tmp_path / "whole.266",
        picture(faces.gfv(0)),
        [slice_unit(intra=False, start_code_size=4), sei_unit(faces.gfv(1))],
    )
    cut = write_stream(
        tmp_path / "cut.266", picture(faces.gfv(0)), [slice_unit(intra=False, start_code_size=4)]
    )
    for source in (whole, cut):
        base, messages = tmp_path / f"base_{source.name}", tmp_path / f"{source.stem}.jsonl"
        assert command("remove", source, base).status == 0
        assert command("extract", source, messages).status == 0
        again = tmp_path / f"again_{source.name}"
        outcome = command("inject", base, messages, again)
        assert again.read_bytes() == source.read_bytes()
        assert LEFT_OUT not in outcome.err
        kept = messages.read_text().splitlines(keepends=True)
        if source is whole:
            assert json.loads(kept.pop())["payload_type"] == GENERATIVE_FACE_VIDEO
            messages.write_text("".join(kept))
            outcome = command("inject", base, messages, tmp_path / "less.266")
            assert LEFT_OUT in outcome.err


def test_user_data_before_a_damaged_message_count(tmp_path: Path) -> None:
    """As gfvc decode takes them."""
    head = sei_unit(SHOWN, codec=Codec.HEVC, suffix=False)
    damaged = NalUnit(Codec.HEVC, head.data[:-1] + b"\x05\xfe\1\2\3\x80")
    first, second = (slice_unit(Codec.HEVC, intra=each) for each in (True, False))
    base = write_stream(
        tmp_path / "in.265", picture(codec=Codec.HEVC)[:3], [damaged, first, second]
    )
    notes: list[str] = []
    given = lines(tmp_path / "in.jsonl", (0, SeiMessage(132, b"\0")))
    inject_messages(base, given, tmp_path / "out.265", force=False, notes=notes.append)
    assert [each for each in notes if LEFT_OUT in each]
