"""Taking messages out of a stream to keep them: as records, JSON lines, or files."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gfvc.contained_streams import as_byte_stream
from gfvc.editing.cutting import Cut, Cutter, DamageNotes, MessageSelection, TakenMessage
from gfvc.editing.json_lines import header_line, message_line
from gfvc.editing.records import FingerprintTaker, MessageRecord, StreamFacts, record_of
from gfvc.errors import StreamError
from gfvc.output import replaced_when_complete
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.kept import KeptLines
from gfvc.telling import Notes, unheard
from sei import FACE_PAYLOADS, AccessUnitBoundaries, Codec, NalUnit
from sei.inspection import InspectedUnit, inspect_units
from sei.limits import MAX_MESSAGES, LimitError, ReadingLimit

_PAYLOAD_NAMES = re.compile(r"picture\d+_nal\d+_message\d+_type\d+\.bin")
_NO_MESSAGES = b"\x80"  # an SEI RBSP of trailing bits alone


class FactsGatherer:
    """Gathers what a stream is, and what it would be without the selected messages."""

    def __init__(self, selection: MessageSelection) -> None:
        self._cutter = Cutter(selection)
        self._source, self._base = FingerprintTaker(), FingerprintTaker()
        self._boundaries = AccessUnitBoundaries()
        self._codec: Codec | None = None
        self._pictures = self._messages = 0

    def add(self, unit: NalUnit) -> Cut:
        """Take the next NAL unit; what is left of it without the messages."""
        self._codec = unit.codec
        self._pictures += self._boundaries.starts_here(unit)
        cut = self._cutter.cut(unit)
        self._messages += len(cut.taken)
        self._source.add(unit.to_annex_b())
        self._base.add(cut.base_bytes)
        return cut

    def finish(self, name: str) -> StreamFacts:
        """The facts of the stream of this name; no more NAL units can be added."""
        self._base.add(self._cutter.tail)
        return StreamFacts(
            self._codec,
            name,
            self._pictures,
            self._messages,
            self._source.fingerprint,
            self._base.fingerprint,
        )


def gather_facts(
    path: Path,
    selection: MessageSelection,
    codec: Codec | None = None,
    max_messages: int = MAX_MESSAGES,
) -> StreamFacts:
    """What a stream is, and what it would be without the selected messages.

    Raises `InputError` and `StreamError` as `read_nal_units` does.
    """
    gatherer = FactsGatherer(selection)
    for unit in read_nal_units(path, codec, max_messages):
        gatherer.add(unit)
    return gatherer.finish(path.name)


def stream_records(
    path: Path,
    selection: MessageSelection,
    codec: Codec | None = None,
    max_messages: int = MAX_MESSAGES,
) -> Iterator[MessageRecord]:
    """The selected messages of a stream; a damaged SEI NAL unit has none.

    Raises as `gather_facts` does.
    """
    cutter = Cutter(selection)
    boundaries = AccessUnitBoundaries()
    picture = -1
    for nal, unit in enumerate(read_nal_units(path, codec, max_messages)):
        picture += boundaries.starts_here(unit)
        cut = cutter.cut(unit)
        for taken in cut.taken:
            yield record_of(path, cut, taken, nal, picture)


def extract_messages(
    path: Path,
    write: Callable[[str], object],
    selection: MessageSelection,
    codec: Codec | None = None,
    *,
    notes: Notes,
    max_messages: int = MAX_MESSAGES,
) -> int:
    """Hand the selected messages of a stream to `write`, as JSON lines; return their number.

    The format is that of docs/messages_jsonl.md. `notes` is told of SEI NAL units that cannot be
    read. Of a stream in a container, places are those in the byte stream that it holds. Raises
    `InputError` when the file is no VVC, HEVC or H.264 stream, `StreamError` when it breaks off.
    """
    # The header, which comes first, is known last.
    with KeptLines() as lines:
        with as_byte_stream(path, codec, notes) as stream:
            facts, messages = _write_lines(
                stream.path, lines.write, selection, codec, stream.notes, max_messages
            )
        write(header_line(facts))
        for line in lines:
            write(line)
    return messages


def _write_lines(
    path: Path,
    write: Callable[[str], object],
    selection: MessageSelection,
    codec: Codec | None,
    notes: Notes,
    max_messages: int,
) -> tuple[StreamFacts, int]:
    gatherer = FactsGatherer(selection)
    cuts: deque[Cut] = deque(maxlen=1)

    def units() -> Iterator[NalUnit]:
        for unit in read_nal_units(path, codec, max_messages):
            cut = gatherer.add(unit)
            cuts.append(cut)
            # What is not taken apart has no messages to be looked at either.
            bare = unit.data[: unit.header_size] + _NO_MESSAGES
            yield replace(unit, data=bare) if cut.crowded else unit

    messages = 0
    damaged = DamageNotes(notes, path, "left alone")
    taken: Iterator[TakenMessage] = iter(())
    # Face messages that are not selected say how later ones are to be read.
    looked_at = selection.payload_types | FACE_PAYLOADS
    try:
        for inspected in inspect_units(units(), looked_at, limit=ReadingLimit(max_messages)):
            cut = cuts[0]
            if isinstance(inspected, InspectedUnit):
                taken = iter(cut.taken)
                damaged.add(inspected.nal, cut.damage)
            elif cut.taken and inspected.sei_message and selection.takes(inspected.sei_message):
                where = inspected.where
                record = record_of(path, cut, next(taken), where.nal, where.access_unit)
                write(message_line(record, inspected))
                messages += 1
    except LimitError as error:
        raise StreamError(f"{path}: {error}") from None
    damaged.finish()
    return gatherer.finish(path.name), messages


def extract_payloads(
    path: Path,
    folder: Path,
    selection: MessageSelection,
    codec: Codec | None = None,
    *,
    force: bool,
    notes: Notes = unheard,
    max_messages: int = MAX_MESSAGES,
) -> int:
    """Write the payload of each selected message to a file of its own; return their number.

    The files are named by picture, NAL unit, number among those taken from it, and type. Raises as
    `extract_messages` does, and `OutputError` when the folder exists and may not be replaced.
    """
    count = index = 0
    nal_unit: int | None = None
    with (
        replaced_when_complete(
            folder, force=force, folder_of=_PAYLOAD_NAMES, sources=[path]
        ) as temporary,
        as_byte_stream(path, codec, notes) as stream,
    ):
        for record in stream_records(stream.path, selection, codec, max_messages):
            index = index + 1 if record.nal_unit == nal_unit else 0
            nal_unit = record.nal_unit
            name = (
                f"picture{record.picture:06}_nal{nal_unit:06}_message{index:03}"
                f"_type{record.message.payload_type}.bin"
            )
            (temporary / name).write_bytes(record.message.payload)
            count += 1
    return count
