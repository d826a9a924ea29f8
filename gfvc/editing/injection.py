"""Putting messages into a stream: where they were, or else at their pictures."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from gfvc.contained_streams import as_byte_stream
from gfvc.editing.attaching import attach_to_pictures
from gfvc.editing.cutting import MessageSelection
from gfvc.editing.end_watch import EndWatch
from gfvc.editing.extraction import gather_facts, stream_records
from gfvc.editing.group_queue import GroupQueue
from gfvc.editing.json_lines import EXPORT_FORMAT, read_export, read_json_lines
from gfvc.editing.records import FingerprintTaker, MessageRecord, StreamFacts
from gfvc.editing.restoring import HeaderWatch, put_back
from gfvc.errors import InputError
from gfvc.output import check_writable
from gfvc.stream.byte_stream import read_head, read_nal_units
from gfvc.stream.nal_source import file_bytes, reading
from gfvc.stream.names import units_for
from gfvc.stream.signatures import SignatureWatch
from gfvc.telling import Notes
from sei import Codec, SeiError, WrongCodecError, split_annex_b
from sei.limits import MAX_MESSAGES

_HASHED_AT_ONCE = 2**16
_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"
# Two tokens, so that no stream looks like them.
_ARRAY = re.compile(rb"\[\s*([{\]]|\Z)")
_WIDE_JSON = re.compile(r'\ufeff?\s*[{[]\s*["{}\]]')
_EXPORT = re.compile(rb'\{\s*"format"\s*:\s*"' + EXPORT_FORMAT.encode() + b'"')


@dataclass(frozen=True, slots=True)
class InjectionSummary:
    """What was put into a stream: messages, and NAL units that they went into.

    `at_old_places` says that the base stream is what is left of the one that the messages were
    taken from, so that they are where they were; else they are at their pictures. `restored` is
    the name of that stream when it came out again byte for byte.
    """

    messages: int
    nal_units: int
    at_old_places: bool
    restored: str | None


def inject_messages(
    base: Path,
    messages: Path,
    output: Path,
    *,
    selection: MessageSelection | None = None,
    codec: Codec | None = None,
    force: bool,
    notes: Notes,
    max_messages: int = MAX_MESSAGES,
) -> InjectionSummary:
    """Write the stream `base` with messages put into it.

    `messages` holds JSON lines (docs/messages_jsonl.md) or is what `gfvc export` wrote as JSON
    (docs/export.md), or is another stream, of which
    `selection` (None: all face messages) is taken. `notes` is told when the messages come to stand
    beside face messages that were there before, or at pictures that are not in output order, of
    digital signatures that do not hold for it, and of a last picture that counts as cut off.
    `codec` names the codec of the streams where they do not tell. Streams may be in containers;
    where `base` is, `output` may be an MP4 file.

    Raises `InputError` when a file is not what it should be, or a message cannot be put into
    `base`; `StreamError` when a stream breaks off; `OutputError` when the output cannot be
    written. The output is then as it was.
    """
    check_writable(output, force=force, sources=[base, messages])
    result, signatures, headers = FingerprintTaker(), SignatureWatch(), HeaderWatch()
    end = EndWatch()
    with (
        _opened_messages(messages, selection, codec, notes, max_messages) as (facts, records),
        as_byte_stream(base, codec, notes) as stream,
    ):
        queue = GroupQueue(records)
        old_codec = facts.codec
        at_old_places = _is_base(stream.path, facts)
        if at_old_places:
            _check_codec(stream.path, facts)
        with stream.rewritten(output, force=force, sources=[messages]) as temporary:
            if old_codec is not None and at_old_places:
                units = signatures.passed(read_nal_units(stream.path, old_codec, max_messages))
                pieces = put_back(units_for(output, units), old_codec, queue, headers, end)
            else:
                units = signatures.passed(read_nal_units(stream.path, codec, max_messages))
                pieces = attach_to_pictures(units_for(output, units), queue, end, notes)
            with temporary.open("wb") as file:
                for piece in pieces:
                    result.add(piece)
                    file.write(piece)
            restored = at_old_places and result.fingerprint == facts.source
            if headers.misfit is not None and not restored:
                raise headers.misfit
    if not restored:
        signatures.tell(notes, base, output)
        end.tell(notes, output)
    return InjectionSummary(
        queue.messages, queue.nal_units, at_old_places, facts.name if restored else None
    )


@contextlib.contextmanager
def _opened_messages(
    path: Path,
    selection: MessageSelection | None,
    codec: Codec | None,
    notes: Notes,
    max_messages: int,
) -> Iterator[tuple[StreamFacts, Iterator[MessageRecord]]]:
    start = read_head(path)
    head = start.lstrip(_BEFORE_JSON)
    if _is_wide(start):
        raise InputError(f"{path}: JSON in UTF-16; save it as UTF-8")
    if _ARRAY.match(head):
        raise InputError(f"{path}: a JSON array; one object a line is read (jq -c '.[]' writes so)")
    if head.startswith(b"{") or not head:
        if selection is not None:
            raise InputError(f"{path}: holds JSON, of which all messages are taken; none is chosen")
        yield read_export(path) if _EXPORT.match(head) else read_json_lines(path)
        return
    selection = selection or MessageSelection()
    with as_byte_stream(path, codec, notes) as stream:
        facts = gather_facts(stream.path, selection, codec, max_messages)
        yield facts, stream_records(stream.path, selection, codec, max_messages)


def _is_wide(start: bytes) -> bool:
    """Whether a file begins as JSON in UTF-16, as shells of Windows write it."""
    texts = (start.decode(encoding, "ignore") for encoding in ("utf-16-le", "utf-16-be"))
    return any(map(_WIDE_JSON.match, texts))


def _is_base(path: Path, facts: StreamFacts) -> bool:
    """Whether a file is the base stream of the messages: by its bytes, whatever its codec is."""
    if facts.base is None or file_bytes(path) != facts.base.size:
        return False
    digest = sha256()
    with reading(path), path.open("rb") as file:
        for part in iter(partial(file.read, _HASHED_AT_ONCE), b""):
            digest.update(part)
    return digest.hexdigest() == facts.base.sha256


def _check_codec(base: Path, facts: StreamFacts) -> None:
    """Raise `InputError` where it is written that a stream is of another codec than it is."""
    if facts.codec is None or facts.stated_in is None:
        return
    with reading(base), base.open("rb") as file:
        try:
            next(split_annex_b(file, named=facts.codec), None)
        except WrongCodecError:
            file.seek(0)
            told = next(split_annex_b(file)).codec
            raise InputError(
                f"{facts.stated_in}: 'codec' is {facts.codec.value}, and the base stream of these "
                f"messages, {base}, is of {told.value}; write {told.value} there"
            ) from None
        except SeiError:
            return  # which is told where the stream is read
