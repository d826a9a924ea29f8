"""Messages as JSON lines, as docs/messages_jsonl.md describes them."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from gfvc.editing.element_writing import FaceMessageWriter
from gfvc.editing.json_parts import json_parts
from gfvc.editing.records import Fingerprint, MessagePlace, MessageRecord, StreamFacts
from gfvc.errors import InputError, system_errors
from gfvc.json_checking import CheckedObject, parse_json
from sei import FACE_PAYLOADS, Codec, SeiError, SeiMessage
from sei.escaping import shorten
from sei.inspection import InspectedMessage, json_object
from sei.payload_kinds import payload_kind

FORMAT = "gfvc-messages"
EXPORT_FORMAT = "gfvc-export"
"""The format of whole JSON files that have such messages among other things."""
VERSION = 1

# Of an export these are as long as its stream.
_EXPORTED = frozenset({"pictures", "messages"})

# A line holds at most 16 MiB of payload, twice, in hexadecimal digits.
MAX_LINE_SIZE = 2**27

# Lists, objects, and values in them: each takes up to some hundred bytes of memory. The largest
# message that can be read has three million.
MAX_PARTS = 2**22
_PARTS = b"[{,:"

# Numbers of NAL units and pictures; payloadType as it fits into an SEI NAL unit.
_MAX_NUMBER = 2**48
_MAX_PAYLOAD_TYPE = 2**24
# Zero bytes before a start code.
_MAX_ZERO_BYTES = 2**26

# What the lines may make of a stream: this many bytes for each of theirs, and some more once.
GROWTH = 4
FREE_GROWTH = 2**20

_RBSP_TRAILING = b"\x80"


def header_line(facts: StreamFacts) -> str:
    """The first line: what the messages were taken from."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "codec": None if facts.codec is None else facts.codec.value,
        "name": facts.name,
        "pictures": facts.pictures,
        "messages": facts.messages,
        "source": None if facts.source is None else asdict(facts.source),
        "base": None if facts.base is None else asdict(facts.base),
    }
    return json.dumps(header) + "\n"


def message_line(record: MessageRecord, inspected: InspectedMessage) -> str:
    """The line of a message: the object of `gfvc inspect --json`, its payload, and its place."""
    line = {"picture": record.picture} | json_object(inspected)
    line["suffix"] = record.is_suffix
    if record.place is not None:
        line["place"] = {
            "base_nal_unit": record.place.base_nal_unit,
            "kept_before": record.place.kept_before,
            "nal_header": record.place.nal_header.hex(),
            "zero_bytes": record.place.zero_bytes,
            "rbsp_trailing": record.place.rbsp_trailing.hex(),
        }
    line["payload"] = record.message.payload.hex()
    return json.dumps(line) + "\n"


def read_json_lines(path: Path) -> tuple[StreamFacts, Iterator[MessageRecord]]:
    """What the header says, and the messages, read as they are asked for.

    A message without a payload is written from its elements. Raises `InputError`, which names the
    line, when the file is not as described in docs/messages_jsonl.md, or asks for many more bytes
    (zero bytes, say) than it has: more than `GROWTH` times as many and `FREE_GROWTH`.
    """
    lines = _objects(path)
    first = next(lines, None)
    if first is None:
        raise InputError(f"{path}: holds no messages, only blank lines")
    return _facts(first), _records(lines)


def read_export(path: Path) -> tuple[StreamFacts, Iterator[MessageRecord]]:
    """What `read_json_lines` gives, of a JSON file that `gfvc export` wrote, however long.

    Raises `InputError` as that does. What is a line there is a message here.
    """
    return _facts(_exported_from(path)), _records(_exported(path))


def _exported_from(path: Path) -> CheckedObject:
    """The header of the messages, wherever it stands among the members."""
    for part in json_parts(path, _EXPORTED, MAX_LINE_SIZE):
        if part.name == "stream":
            value = _value(part.text, f"{path}: stream")
            document = CheckedObject({part.name: value}, str(path))
            if document.has(part.name):
                return document.object(part.name)
    raise InputError(f"{path}: holds no messages to put back: it was exported from a container")


def _exported(path: Path) -> Iterator[_Line]:
    """The messages; all else is checked to be JSON."""
    is_list = False
    for part in json_parts(path, _EXPORTED, MAX_LINE_SIZE):
        of_messages = part.name == "messages"
        is_list |= of_messages and part.text == b"[]"
        kind = {"messages": "message", "pictures": "picture"}.get(part.name, part.name)
        source = f"{path}: {kind}" if part.number is None else f"{path}: {kind} {part.number}"
        value = _value(part.text, source)
        if of_messages and part.number is not None:
            yield _Line(value, source, len(part.text))
    if not is_list:
        raise InputError(f"{path}: messages is not a list")


def _objects(path: Path) -> Iterator[_Line]:
    """The JSON objects of the lines; blank lines are passed over."""
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_SIZE + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(BOM_UTF8)
            source = f"{path}: line {number}"
            if len(line) > MAX_LINE_SIZE:
                raise InputError(f"{source}: is longer than {MAX_LINE_SIZE} bytes")
            if line.strip() in (b"{", b"["):
                raise InputError(
                    f"{source}: goes on in the next one; each message is one line (jq -c writes so)"
                )
            if line.strip():
                yield _parse(line, source)


def _parse(line: bytes, source: str) -> _Line:
    return _Line(_value(line, source), source, len(line))


def _value(line: bytes, source: str) -> object:
    if len(line) > MAX_PARTS and sum(line.count(mark) for mark in _PARTS) > MAX_PARTS:
        raise InputError(f"{source}: holds more than {MAX_PARTS} values")
    return parse_json(line, source)


class _Line(CheckedObject):
    """The object of a line of so many bytes."""

    def __init__(self, value: object, source: str, size: int) -> None:
        super().__init__(value, source)
        self.size = size


def _facts(header: CheckedObject) -> StreamFacts:
    if not header.has("format") or header.text("format") != FORMAT:
        raise header.refuse(f'the first line must be a header with "format": "{FORMAT}"')
    version = header.whole("version")
    if version != VERSION:
        raise header.refuse(f"version {version} of the format; this program reads {VERSION}")
    codecs = {codec.value: codec for codec in Codec}
    codec = header.choice("codec", codecs) if header.has("codec") else None
    return StreamFacts(
        codec,
        header.text("name") if header.has("name") else None,
        header.whole_or_none("pictures", high=_MAX_NUMBER),
        header.whole_or_none("messages", high=_MAX_NUMBER),
        _fingerprint(header.object_or_none("source")),
        _fingerprint(header.object_or_none("base")) if codec is not None else None,
        str(header.source),
    )


def _fingerprint(part: CheckedObject | None) -> Fingerprint | None:
    if part is None:
        return None
    size = part.whole("size", high=_MAX_NUMBER)
    nal_units = part.whole("nal_units", high=_MAX_NUMBER)
    return Fingerprint(size, nal_units, part.text("sha256"))


def _records(lines: Iterator[_Line]) -> Iterator[MessageRecord]:
    writer = FaceMessageWriter()
    allowed = FREE_GROWTH
    before: MessageRecord | None = None
    for line in lines:
        if line.has("format") and not line.has("payload_type"):
            raise line.refuse(
                "a second header, as of files that were joined; inject one file after the other"
            )
        payload_type = line.whole("payload_type", high=_MAX_PAYLOAD_TYPE)
        message = SeiMessage(payload_type, _payload(line, payload_type, writer))
        record = MessageRecord(
            message,
            line.whole("picture", high=_MAX_NUMBER),
            line.whole_or_none("nal", high=_MAX_NUMBER),
            line.flag("suffix", default=not payload_kind(payload_type, Codec.VVC).in_prefix),
            _place(line.object_or_none("place")),
            str(line.source),
        )
        allowed += GROWTH * line.size - _growth(record, before)
        if allowed < 0:
            raise line.refuse(
                f"the lines up to it ask for more than {GROWTH} times their own bytes; zero bytes "
                "before NAL units, or payload types, are far too large"
            )
        before = record
        yield record


def _growth(record: MessageRecord, before: MessageRecord | None) -> int:
    """Bytes that a record adds to a stream; those around its NAL unit count with its first one."""
    place = record.place
    is_first = before is None or record.nal_unit is None or record.nal_unit != before.nal_unit
    around = place.zero_bytes + len(place.rbsp_trailing) if place and is_first else 0
    return record.message.size + around


def _payload(line: _Line, payload_type: int, writer: FaceMessageWriter) -> bytes:
    is_face = payload_type in FACE_PAYLOADS
    if line.has("payload"):
        payload = line.hexadecimal("payload")
        if is_face:
            writer.follow(payload_type, payload)
        return payload
    if not is_face:
        raise line.refuse(f"'payload' is missing, and a message of type {payload_type} needs it")
    try:
        return writer.write(payload_type, line.pairs("elements"))
    except SeiError as error:
        raise line.refuse(f"cannot be written from its elements: {shorten(str(error))}") from None


def _place(part: CheckedObject | None) -> MessagePlace | None:
    if part is None:
        return None
    trailing = part.hexadecimal("rbsp_trailing")
    if trailing.rstrip(b"\0") != _RBSP_TRAILING or not len(trailing) & 1:
        raise part.wrong("rbsp_trailing", "80 and pairs of zero bytes")
    return MessagePlace(
        part.whole("base_nal_unit", high=_MAX_NUMBER),
        part.whole_or_none("kept_before", high=_MAX_NUMBER),
        part.hexadecimal("nal_header"),
        part.whole("zero_bytes", high=_MAX_ZERO_BYTES),
        trailing,
    )
