"""Putting messages back into the base stream that they were taken from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from gfvc.editing.end_watch import EndWatch
from gfvc.editing.group_queue import Group, GroupQueue, check_size
from gfvc.editing.records import MessagePlace, MessageRecord
from gfvc.errors import InputError, StreamError
from gfvc.stream.byte_stream import Spacing, spaced
from gfvc.stream.sei_headers import HeaderFit
from gfvc.stream.sei_rewriting import rewritable_sei, sei_data
from sei import AccessUnitBoundaries, Codec, NalUnit, SeiError, SeiMessage, SeiRbsp


class HeaderWatch:
    """Whether the headers of NAL units that are put back fit the pictures that they stand with.

    `misfit` is the error of the first that does not, None where all do. It is one only where a
    stream is made that has not been: what was so in a stream comes back.
    """

    def __init__(self) -> None:
        self._boundaries = AccessUnitBoundaries()
        self._fit = HeaderFit[MessageRecord]()
        self.misfit: InputError | None = None

    def see(self, unit: NalUnit, first: MessageRecord | None = None) -> None:
        """Take the next NAL unit, and the record of its first message where it is put back."""
        if self._boundaries.starts_here(unit):
            self.end()
        self._fit.see(unit, first)

    def end(self) -> None:
        """Take the end of the stream, or of an access unit."""
        for record, what in self._fit.end():
            self.misfit = self.misfit or InputError(
                f"{record.source}: 'nal_header' does not fit its picture: {what}"
            )


def put_back(
    units: Iterable[NalUnit], codec: Codec, queue: GroupQueue, watch: HeaderWatch, end: EndWatch
) -> Iterator[bytes]:
    """The pieces of the stream with the messages where they were; `watch`, `end` see all of it.

    Raises `InputError` when a message has no place, or one that cannot be.
    """
    spacing = Spacing()
    number = 0
    for unit in units:
        zero_bytes = spacing.before(unit)
        yield from _new_units(queue, codec, number, watch, end)
        group = queue.take(partial(_is_at, number, is_new=False))
        watch.see(unit)
        end.see(unit)
        end.put(group or [])
        yield spaced(zero_bytes, unit.data if group is None else _merged(unit, group))
        number += 1
    yield from _new_units(queue, codec, number, watch, end)
    watch.end()
    if queue.first is not None:
        _place(queue.first)
        raise InputError(
            f"{queue.first.source}: its place is out of order, or beyond the {number} NAL units "
            "of the base stream"
        )
    yield bytes(spacing.tail)


def _new_units(
    queue: GroupQueue, codec: Codec, number: int, watch: HeaderWatch, end: EndWatch
) -> Iterator[bytes]:
    """NAL units that the base stream does not have, up to its NAL unit with this number."""
    for group in queue.take_all(partial(_is_at, number, is_new=True)):
        end.put(group)
        yield _made(group, codec, watch)


def _is_at(number: int, record: MessageRecord, *, is_new: bool) -> bool:
    place = _place(record)
    return place.base_nal_unit == number and (place.kept_before is None) == is_new


def _place(record: MessageRecord) -> MessagePlace:
    if record.place is None:
        raise InputError(
            f"{record.source}: has no 'place'; give it one, or take 'base' out of the header to "
            "have all messages put at their pictures"
        )
    return record.place


def _made(group: Group, codec: Codec, watch: HeaderWatch) -> bytes:
    """A NAL unit as the place of its messages describes it."""
    first = group[0]
    place = _place(first)
    unit = _sei_header(place.nal_header, codec)
    if unit is None:
        raise InputError(
            f"{first.source}: 'nal_header' is no header of an SEI NAL unit in {codec.value}"
        )
    if unit.header_fault is not None:
        raise InputError(f"{first.source}: 'nal_header' must not be so: {unit.header_fault}")
    watch.see(unit, first)
    rbsp = SeiRbsp(tuple(record.message for record in group), place.rbsp_trailing)
    return spaced(place.zero_bytes, check_size(sei_data(unit, rbsp), first))


def _sei_header(header: bytes, codec: Codec) -> NalUnit | None:
    """A NAL unit of nothing but its header; None when that is not one of an SEI NAL unit."""
    try:
        unit = NalUnit(codec, header)
    except SeiError:
        return None
    return unit if len(header) == unit.header_size and unit.is_sei else None


def _merged(unit: NalUnit, group: Group) -> bytes:
    """A NAL unit of the base stream with messages put between its own."""
    try:
        rbsp = rewritable_sei(unit)
    except (SeiError, StreamError) as error:
        raise InputError(f"{group[0].source}: cannot go into its NAL unit: {error}") from None
    messages: list[SeiMessage] = []
    kept = 0
    for record in group:
        kept_before = _place(record).kept_before
        if kept_before is None or not kept <= kept_before <= len(rbsp.messages):
            raise InputError(
                f"{record.source}: 'kept_before' must be within {kept}..{len(rbsp.messages)}"
            )
        messages += rbsp.messages[kept:kept_before]
        messages.append(record.message)
        kept = kept_before
    messages += rbsp.messages[kept:]
    return check_size(sei_data(unit, SeiRbsp(tuple(messages), rbsp.trailing)), group[0])
