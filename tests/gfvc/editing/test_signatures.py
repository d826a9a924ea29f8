"""Digital signatures in streams that are edited: kept byte for byte, and told when they break."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.editing import (
    MessageSelection,
    extract_messages,
    inject_messages,
    remove_messages,
)
from gfvc.face_edits import edit
from gfvc.options.editing import FaceEdit
from gfvc.stream.marking import marked_again
from gfvc.stream.signatures import SignatureWatch
from gfvc.transcoding import transcode
from sei import Codec, NalUnit, SeiMessage, split_annex_b
from tests.gfvc.editing.streams import (
    SELECTED,
    SIGNATURE,
    SIGNED,
    SIGNED_WITH_SEI,
    all_units,
    sei_unit,
    write_stream,
)
from tests.gfvc.support import no_notes
from tests.golden.files import STREAMS

STREAM = STREAMS / "hevc_mesh_marked.265"


def signed(path: Path, initialization: SeiMessage) -> tuple[Path, list[NalUnit]]:
    """The golden stream with signatures around each picture, and their NAL units."""
    units: list[NalUnit] = []
    signatures: list[NalUnit] = []
    for unit in all_units(STREAM):
        if unit.is_vcl:
            before = sei_unit(initialization, SELECTED, codec=unit.codec, suffix=False)
            after = sei_unit(SIGNATURE, codec=unit.codec)
            units += [before, unit, after]
            signatures += [before, after]
        else:
            units.append(unit)
    return write_stream(path, units), signatures


def kept(path: Path) -> list[bytes]:
    """The NAL units with messages of signed content."""
    with path.open("rb") as file:
        return [
            unit.data
            for unit in split_annex_b(file)
            if unit.is_sei and unit.data[unit.header_size] in range(220, 223)
        ]


@pytest.mark.parametrize(("initialization", "breaks"), [(SIGNED, False), (SIGNED_WITH_SEI, True)])
def test_each_verb(tmp_path: Path, initialization: SeiMessage, breaks: bool) -> None:
    source, signatures = signed(tmp_path / "in.265", initialization)
    expected = [unit.data for unit in signatures]
    assert kept(source) == expected
    bare, lines, back, new = (
        tmp_path / name for name in ("bare.265", "faces.jsonl", "back.265", "new.265")
    )
    told: list[str] = []

    def note(text: str) -> None:
        told.append(text)

    def check(output: Path) -> None:
        assert kept(output) == expected
        message = f"in.265: its digital signatures cover SEI messages, and do not hold for {output}"
        assert [message in text for text in told] == [True] * breaks
        told.clear()

    remove_messages(source, bare, MessageSelection(), force=False, notes=note)
    check(bare)
    transcode(source, new, precision=6, notes=note)
    check(new)
    edit(source, tmp_path / "edited.265", FaceEdit(mouth=1.2), notes=note)
    check(tmp_path / "edited.265")
    inject_messages(source, STREAM, tmp_path / "more.265", force=False, notes=note)
    told.remove("the base stream has face messages of its own, which stay; see gfvc remove")
    check(tmp_path / "more.265")

    with lines.open("w") as file:
        extract_messages(source, file.write, MessageSelection(), notes=no_notes)
    inject_messages(bare, lines, back, force=False, notes=no_notes)
    assert back.read_bytes() == source.read_bytes()

    again = write_stream(tmp_path / "marked.265", marked_again(all_units(source)))
    assert kept(again) == expected


def test_nothing_that_is_signed_changes(tmp_path: Path) -> None:
    source, signatures = signed(tmp_path / "in.265", SIGNED_WITH_SEI)
    none = MessageSelection(frozenset({4}))
    output = tmp_path / "out.265"
    remove_messages(source, output, none, force=False, notes=no_notes)
    assert output.read_bytes() == source.read_bytes()
    assert len(signatures) > 2


def test_those_before_a_damaged_message_count(tmp_path: Path) -> None:
    unit = sei_unit(SIGNED_WITH_SEI, codec=Codec.HEVC, suffix=False)
    damaged = NalUnit(Codec.HEVC, unit.data[:-1] + b"\x05\xfe\1\2\3\x80")
    watch = SignatureWatch()
    assert list(watch.passed([damaged])) == [damaged]
    notes: list[str] = []
    watch.tell(notes.append, tmp_path / "in.265", tmp_path / "out.265")
    assert "digital signatures cover SEI messages" in notes[0]
