"""Putting messages at the pictures of a stream that they were not taken from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gfvc.editing.end_watch import EndWatch
from gfvc.editing.group_queue import Group, GroupQueue
from gfvc.editing.records import MessageRecord
from gfvc.errors import InputError
from gfvc.stream.byte_stream import START_CODE, Spacing, spaced
from gfvc.stream.information import StreamInformation, find_information, information_of
from gfvc.stream.picture_order import WANTED_ORDER, PictureOrder
from gfvc.stream.sei_rewriting import has_message
from gfvc.telling import Notes
from sei import (
    FACE_PAYLOADS,
    AccessUnitBoundaries,
    Codec,
    NalUnit,
    SeiError,
    make_sei_nal_unit,
)

_END_OF_SEQUENCE = frozenset({"EOS", "EOB"})


def attach_to_pictures(
    units: Iterable[NalUnit], queue: GroupQueue, end: EndWatch, notes: Notes
) -> Iterator[bytes]:
    """The pieces of the stream with the messages at the pictures whose numbers they have.

    Messages that precede their picture go right before it, those that follow it go behind all
    else of its access unit; in H.264, which has no suffix SEI messages, all go before it. `end`
    sees what comes together. `notes` is told when face messages come to a stream that has some
    already, or to pictures that are not in output order. Raises `InputError` when a message belongs
    to a picture that the stream does not have.
    """
    spacing = Spacing()
    watch = _Watch(end)
    boundaries = AccessUnitBoundaries()
    number = -1
    coded: NalUnit | None = None
    has_faces = False
    for unit in units:
        starts = boundaries.starts_here(unit)
        if coded is not None and (starts or unit.type_name in _END_OF_SEQUENCE):
            yield from _attached(queue, watch, number, coded, before=False)
        if starts:
            number, coded = number + 1, None
        watch.see(unit, number)
        if unit.starts_picture and coded is None:
            coded = unit
            yield from _attached(queue, watch, number, coded, before=True, opens=starts)
        has_faces = has_faces or (unit.is_sei and has_message(unit, FACE_PAYLOADS))
        yield spaced(spacing.before(unit), unit.data)
    if coded is not None:
        yield from _attached(queue, watch, number, coded, before=False)
    if queue.first is not None:
        raise _left_over(queue.first, number + 1)
    if has_faces and queue.has_faces:
        notes("the base stream has face messages of its own, which stay; see gfvc remove")
    if watch.first is not None:
        notes(
            f"picture {watch.first} of the base stream is shown before one that it follows there, "
            f"among face messages, and gfvc decode refuses this: {WANTED_ORDER}"
        )
    yield bytes(spacing.tail)


class _Watch:
    """Looks for pictures that face messages come to, and that are not in output order.

    In sequences whose user data say what belongs to each picture they may come in any order.
    `first` is the number of the first one. It has the end of the stream watched, too.
    """

    def __init__(self, end: EndWatch) -> None:
        self._end = end
        self._order = PictureOrder()
        self._are_numbered = False  # by the last user data
        self._is_informed = False  # of the next picture
        self.first: int | None = None

    def see(self, unit: NalUnit, number: int) -> None:
        """See a NAL unit of the picture of a number."""
        self._end.see(unit)
        if unit.is_prefix_sei:
            self._inform(find_information(unit))
        if unit.starts_picture:
            self._are_numbered &= self._is_informed or not unit.is_irap
            self._is_informed = False
        if self._order.see(unit) and self.first is None:
            self.first = number

    def attach(self, group: Group, number: int) -> None:
        """See what comes to it."""
        self._end.put(group)
        for record in group:
            self._inform(information_of(record.message))
        has_faces = any(record.message.payload_type in FACE_PAYLOADS for record in group)
        if has_faces and not self._are_numbered and self._order.drive() and self.first is None:
            self.first = number

    def _inform(self, information: StreamInformation | None) -> None:
        if information is not None:
            self._is_informed = True
            self._are_numbered = information.sequence is not None


def _attached(
    queue: GroupQueue,
    watch: _Watch,
    number: int,
    coded: NalUnit,
    *,
    before: bool,
    opens: bool = False,
) -> Iterator[bytes]:
    """New NAL units with the messages of a picture that go before, or after, it."""
    codec = coded.codec

    def belongs_here(record: MessageRecord) -> bool:
        goes_before = codec is Codec.AVC or not record.is_suffix
        return record.picture == number and goes_before == before

    for group in queue.take_all(belongs_here):
        watch.attach(group, number)
        yield _made(group, coded, before=before, opens=opens)
        opens = False


def _made(group: Group, coded: NalUnit, *, before: bool, opens: bool) -> bytes:
    """A NAL unit of its picture's layer and sub-layer; the first of an access unit has a zero byte.

    H.266 clause B.2.2: zero_byte.
    """
    try:
        unit = make_sei_nal_unit(
            [record.message for record in group],
            coded.codec,
            suffix=not before,
            layer_id=coded.layer_id,
            temporal_id=max(coded.temporal_id, 0),
            start_code_size=len(START_CODE) + opens,
        )
    except SeiError as error:
        raise InputError(f"{group[0].source}: {error}") from None
    return unit.to_annex_b()


def _left_over(record: MessageRecord, pictures: int) -> InputError:
    if record.picture < pictures:
        return InputError(
            f"{record.source}: is out of order among the messages of picture {record.picture}; "
            "messages must come in the order of the stream"
        )
    return InputError(
        f"{record.source}: belongs to picture {record.picture}, but the base stream has "
        f"{pictures} pictures, numbered from 0"
    )
