"""Taking messages out of a stream to be rid of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gfvc.contained_streams import as_byte_stream
from gfvc.editing.cutting import Cutter, DamageNotes, MessageSelection
from gfvc.errors import StreamError
from gfvc.output import check_writable
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.names import units_for
from gfvc.stream.signatures import SignatureWatch
from gfvc.telling import Notes
from sei import Codec
from sei.limits import MAX_MESSAGES


@dataclass(frozen=True, slots=True)
class RemovalSummary:
    """Messages that were removed, NAL units that vanished with them, and bytes that it saved."""

    messages: int
    nal_units: int
    bytes_saved: int


def remove_messages(
    path: Path,
    output: Path,
    selection: MessageSelection,
    codec: Codec | None = None,
    *,
    force: bool,
    notes: Notes,
    max_messages: int = MAX_MESSAGES,
) -> RemovalSummary:
    """Write a stream without the selected messages; every other byte stays as it is.

    SEI NAL units that cannot be read stay too, and `notes` is told, as it is of digital signatures
    that do not hold any more. The stream may be in a container; `output` may be an MP4 file then.

    Raises `InputError` when the file is no VVC, HEVC or H.264 stream, `StreamError` when it breaks
    off or nothing would be left of it, `OutputError` when the output cannot be written; it is then
    as it was.
    """
    cutter, signatures = Cutter(selection), SignatureWatch()
    damaged = DamageNotes(notes, path, "left as it is")
    messages = nal_units = read = written = 0
    check_writable(output, force=force, sources=[path])
    with (
        as_byte_stream(path, codec, notes) as stream,
        stream.rewritten(output, force=force) as temporary,
    ):
        units = signatures.passed(read_nal_units(stream.path, codec, max_messages))
        with temporary.open("wb") as file:
            for nal, unit in enumerate(units_for(output, units)):
                cut = cutter.cut(unit)
                damaged.add(nal, cut.damage)
                messages += len(cut.taken)
                nal_units += cut.kept is None
                read += unit.size
                written += file.write(cut.base_bytes)
            if not written:
                raise StreamError(f"{path}: holds nothing but these messages")
            written += file.write(cutter.tail)
    damaged.finish()
    if messages:
        signatures.tell(notes, path, output)
    return RemovalSummary(messages, nal_units, read - written)
