"""Taking messages out of a stream to keep them: as records, JSON lines, or files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from gfvc.editing.byte_stream import read_nal_units
from gfvc.editing.cutting import Cut, Cutter
from gfvc.editing.json_lines import header_line, message_line
from gfvc.editing.records import FingerprintTaker, MessageRecord, StreamFacts, record_of
from gfvc.editing.selection import MessageSelection
from gfvc.output import replaced_when_complete
from sei import AccessUnitBoundaries, Codec
from sei.inspection import InspectedUnit, inspect_units

Notes = Callable[[str], None]

PAYLOAD_SUFFIX = ".bin"


def gather_facts(
    path: Path, selection: MessageSelection, codec: Codec | None = None
) -> StreamFacts:
    """What a stream is, and what it would be without the selected messages.

    Raises `InputError` and `StreamError` as `read_nal_units` does.
    """
    cutter = Cutter(selection)
    source, base = FingerprintTaker(), FingerprintTaker()
    boundaries = AccessUnitBoundaries()
    pictures = messages = 0
    for unit in read_nal_units(path, codec):
        codec = unit.codec
        pictures += boundaries.starts_here(unit)
        cut = cutter.cut(unit)
        messages += len(cut.taken)
        source.add(unit.to_annex_b())
        base.add(cut.base_bytes)
    base.add(cutter.tail)
    return StreamFacts(codec, path.name, pictures, messages, source.fingerprint, base.fingerprint)


def stream_records(
    path: Path, selection: MessageSelection, codec: Codec | None = None
) -> Iterator[MessageRecord]:
    """The selected messages of a stream; a damaged SEI NAL unit has none.

    Raises as `gather_facts` does.
    """
    cutter = Cutter(selection)
    boundaries = AccessUnitBoundaries()
    picture = -1
    for nal, unit in enumerate(read_nal_units(path, codec)):
        picture += boundaries.starts_here(unit)
        cut = cutter.cut(unit)
        for taken in cut.taken:
            yield record_of(cut, taken, nal, picture)


def extract_messages(
    path: Path,
    write: Callable[[str], object],
    selection: MessageSelection,
    codec: Codec | None = None,
    *,
    notes: Notes,
) -> int:
    """Hand the selected messages of a stream to `write`, as JSON lines; return their number.

    The format is that of docs/messages_jsonl.md. `notes` is told of SEI NAL units that cannot be
    read. Raises `InputError` when the file is no VVC, HEVC or H.264 byte stream, `StreamError`
    when it breaks off.
    """
    write(header_line(gather_facts(path, selection, codec)))
    cutter = Cutter(selection)
    messages = index = 0
    cut: Cut | None = None
    for inspected in inspect_units(read_nal_units(path, codec)):
        if isinstance(inspected, InspectedUnit):
            cut, index = cutter.cut(inspected.unit), 0
            if cut.damage is not None:
                notes(f"{path}: NAL unit {inspected.nal} is left alone: {cut.damage}")
            continue
        assert cut is not None  # A NAL unit comes before its messages.
        for taken in cut.taken:
            if taken.index == index:
                where = inspected.where
                record = record_of(cut, taken, where.nal, where.access_unit)
                write(message_line(record, inspected))
                messages += 1
        index += 1
    return messages


def extract_payloads(
    path: Path,
    folder: Path,
    selection: MessageSelection,
    codec: Codec | None = None,
    *,
    force: bool,
) -> int:
    """Write the payload of each selected message to a file of its own; return their number.

    The files are named by picture, NAL unit, number among those taken from it, and type. Raises as
    `extract_messages` does, and `OutputError` when the folder exists and may not be replaced.
    """
    count = index = 0
    nal_unit: int | None = None
    with replaced_when_complete(
        folder, force=force, folder_of=frozenset({PAYLOAD_SUFFIX})
    ) as temporary:
        for record in stream_records(path, selection, codec):
            index = index + 1 if record.nal_unit == nal_unit else 0
            nal_unit = record.nal_unit
            name = (
                f"picture{record.picture:06}_nal{nal_unit:06}_message{index:03}"
                f"_type{record.message.payload_type}{PAYLOAD_SUFFIX}"
            )
            (temporary / name).write_bytes(record.message.payload)
            count += 1
    return count
