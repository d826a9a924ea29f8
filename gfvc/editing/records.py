"""A message on its own, outside of a stream, and where it belongs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gfvc.editing.cutting import Cut, TakenMessage
from gfvc.errors import InputError
from gfvc.stream.sei_rewriting import MAX_UNIT_MESSAGES
from sei import Codec, SeiMessage
from sei.rbsp import MAX_SEI_SIZE


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """Where a message was in its stream, in terms of the base stream: what is left without it.

    `base_nal_unit` is the number of the NAL unit of the base stream, from 0, that the message goes
    into, after `kept_before` of its messages. With `kept_before` None the base stream does not
    have the NAL unit; it is made, with `nal_header`, and put before the one with that number.
    `zero_bytes` stand before its start code 00 00 01; `rbsp_trailing` ends it.
    """

    base_nal_unit: int
    kept_before: int | None
    nal_header: bytes
    zero_bytes: int
    rbsp_trailing: bytes


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message, the picture that it belongs to, and its place.

    `picture` is the number of the access unit, from 0. Messages with one `nal_unit` share a NAL
    unit, None stands for one of its own. `is_suffix`: whether it follows its picture. `source`
    says in errors where the record comes from.
    """

    message: SeiMessage
    picture: int
    nal_unit: int | None
    is_suffix: bool
    place: MessagePlace | None
    source: str


def record_of(
    path: Path, cut: Cut, taken: TakenMessage, nal_unit: int, picture: int
) -> MessageRecord:
    """The record of a message that was taken out of a NAL unit of a file."""
    unit = cut.unit
    place = MessagePlace(
        cut.base_nal_units,
        None if cut.kept is None else taken.kept_before,
        unit.data[: unit.header_size],
        cut.zero_bytes,
        cut.rbsp_trailing,
    )
    source = f"{path}, message {taken.index} of the NAL unit at byte {unit.offset}"
    return MessageRecord(taken.message, picture, nal_unit, unit.is_suffix_sei, place, source)


def nal_unit_groups(records: Iterable[MessageRecord]) -> Iterator[list[MessageRecord]]:
    """Group the records, which come in the order of their stream, by NAL unit.

    Raises `InputError` when records of a NAL unit disagree about it, or are too many.
    """
    group: list[MessageRecord] = []
    size = 0
    for record in records:
        if group and (record.nal_unit is None or record.nal_unit != group[0].nal_unit):
            yield group
            group, size = [], 0
        if group:
            _check_company(group[-1], record)
        size += record.message.size
        if size > MAX_SEI_SIZE:
            raise InputError(
                f"{record.source}: the messages of its NAL unit pass {MAX_SEI_SIZE} bytes"
            )
        if len(group) == MAX_UNIT_MESSAGES:
            raise InputError(
                f"{record.source}: a NAL unit can be given {MAX_UNIT_MESSAGES} messages, not more"
            )
        group.append(record)
    if group:
        yield group


def _check_company(first: MessageRecord, second: MessageRecord) -> None:
    """Make sure that two records can share a NAL unit."""
    if _of_nal_unit(first) != _of_nal_unit(second):
        raise InputError(
            f"{second.source}: states another place or picture than the message before, "
            "which is in the same NAL unit"
        )


def _of_nal_unit(record: MessageRecord) -> tuple[int, bool, MessagePlace | None, bool]:
    """What the records of a NAL unit have in common."""
    place = record.place
    is_new = place is not None and place.kept_before is None
    common = None if place is None else replace(place, kept_before=None)
    return record.picture, record.is_suffix, common, is_new


_HASHED_AT_ONCE = 2**16


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a stream from any other. `sha256` is in hexadecimal digits."""

    size: int
    nal_units: int
    sha256: str


class FingerprintTaker:
    """Collects the fingerprint of a stream from its bytes."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pending = bytearray()  # not yet hashed: a call for each tiny NAL unit would cost more
        self._size = 0
        self._nal_units = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes: a NAL unit with its start code, or zero bytes after the last one."""
        self._pending += data
        if len(self._pending) > _HASHED_AT_ONCE:
            self._hash.update(self._pending)
            self._pending.clear()
        self._size += len(data)
        self._nal_units += data.count(0) != len(data)

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the bytes so far."""
        self._hash.update(self._pending)
        self._pending.clear()
        return Fingerprint(self._size, self._nal_units, self._hash.hexdigest())


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A stream with messages to be taken out: itself, what stays, and what is taken.

    `name` is the file's. `pictures` counts access units. `base` is None when unknown, as for
    records that were written by hand. `stated_in` says in errors where the facts were written,
    None where they were gathered from the stream itself.
    """

    codec: Codec | None
    name: str | None = None
    pictures: int | None = None
    messages: int | None = None
    source: Fingerprint | None = None
    base: Fingerprint | None = None
    stated_in: str | None = None
