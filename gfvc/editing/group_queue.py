"""Records that wait to be put into a stream, grouped by NAL unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gfvc.editing.records import MessageRecord, nal_unit_groups
from gfvc.errors import InputError
from sei import FACE_PAYLOADS
from sei.rbsp import MAX_SEI_SIZE

Group = list[MessageRecord]


class GroupQueue:
    """Groups of records in the order of their stream, one held at a time.

    `first` is the first record of the next group, None when there is none; `messages` and
    `nal_units` count what was taken, `has_faces` says whether face messages were among it.
    """

    def __init__(self, records: Iterable[MessageRecord]) -> None:
        self._groups: Iterator[Group] = nal_unit_groups(records)
        self._next = next(self._groups, None)
        self.messages = 0
        self.nal_units = 0
        self.has_faces = False

    @property
    def first(self) -> MessageRecord | None:
        """First record of the next group."""
        return None if self._next is None else self._next[0]

    def take(self, wanted: Callable[[MessageRecord], bool]) -> Group | None:
        """Take the next group if its first record is wanted."""
        group = self._next
        if group is None or not wanted(group[0]):
            return None
        self._next = next(self._groups, None)
        self.messages += len(group)
        self.nal_units += 1
        self.has_faces |= any(each.message.payload_type in FACE_PAYLOADS for each in group)
        return group

    def take_all(self, wanted: Callable[[MessageRecord], bool]) -> Iterator[Group]:
        """Take groups as long as the first record of the next one is wanted."""
        while (group := self.take(wanted)) is not None:
            yield group


def check_size(data: bytes, record: MessageRecord) -> bytes:
    """The data of a NAL unit with the record's message, unless it is too long to be read again."""
    if len(data) > MAX_SEI_SIZE:
        raise InputError(
            f"{record.source}: the NAL unit with it has {len(data)} bytes, "
            f"at most {MAX_SEI_SIZE} can be read"
        )
    return data
