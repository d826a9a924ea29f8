"""Packets of MPEG transport streams (ISO/IEC 13818-1, 2.4.3), as they lie in a file.

Each packet of a stream has a number from 0 to 15, one more than that before: so a loss is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SYNC = 0x47
"""The first byte of a packet."""

# Of cameras and discs they have 4 bytes of time before, of broadcasts 16 bytes behind.
_KINDS = ((188, 0), (192, 4), (204, 0))
_ALIKE, _HEADER = 5, 5
LOOKED_AT = 8192
"""Bytes of the start of a file that tell of its packets."""

_TABLE_OF_PROGRAMMES = 0
# The picture at which libavformat tells of a jump is the one in which it is, or the one before.
_PICTURES = 2

# Of the second byte of a packet, of the fourth, and of the flags of its adaptation field.
_ERROR, _STARTS = 0x80, 0x40
_HAS_FIELD, _HAS_PAYLOAD = 0x20, 0x10
_JUMP_IS_MEANT, _CLOCK, _ORIGINAL_CLOCK, _SPLICE, _MORE = 0x80, 0x10, 0x08, 0x04, 0x03


class PacketLayout(NamedTuple):
    """How packets lie in a file, in bytes: of which size, with how many before each, and where.

    `first` is where the first is with its sync byte.
    """

    size: int
    before: int
    first: int


def layout_of(head: bytes) -> PacketLayout | None:
    """How packets lie in a file that starts so; None where that is no transport stream.

    Zeros may come before the first.
    """
    zeros = len(head) - len(head.lstrip(b"\0"))
    for size, before in _KINDS:
        for first in range(zeros, zeros + size):
            syncs = head[first::size]
            if len(syncs) >= _ALIKE and set(syncs) == {SYNC}:
                return PacketLayout(size, before, first)
    return None


def only_joined(path: Path, stream: int, place: int) -> bool:
    """Whether numbers of a stream jump behind a picture only since whole files were joined there.

    `place` is where the picture is in the file. Nothing is lost where the packet before the jump is
    one that was filled up, as at the end of a picture, and table and stream start anew, from number
    0; a loss hardly looks so. Raises `OSError` as reading does.
    """
    with path.open("rb") as file:
        layout = layout_of(file.read(LOOKED_AT))
        if layout is None:
            return False
        file.seek(place + (layout.first - place) % layout.size)
        return _jump_at_joints(stream, iter(lambda: file.read(layout.size), b""))


def _jump_at_joints(stream: int, packets: Iterator[bytes]) -> bool:
    last: int | None = None
    has_joint = has_ended = has_table = False
    starts = 0
    for packet in packets:
        if len(packet) < _HEADER or packet[0] != SYNC:
            return False
        flags, kind = packet[1], packet[3]
        of = (flags & 0x1F) << 8 | packet[2]
        is_start = bool(flags & _STARTS)
        number, has_payload = kind & 0xF, bool(kind & _HAS_PAYLOAD)
        if of == _TABLE_OF_PROGRAMMES:
            has_table |= is_start and number == 0
        if of != stream:
            continue
        field = packet[5 : 5 + packet[4]] if kind & _HAS_FIELD else None
        is_meant = bool(field and field[0] & _JUMP_IS_MEANT)
        if last is not None and not is_meant and number != (last + has_payload) & 0xF:
            has_joint = has_ended and has_table and is_start and number == 0
            if not has_joint:
                return False
        if flags & _ERROR:
            return False
        starts += is_start
        if starts > _PICTURES:
            break
        if has_payload:
            has_ended = field is not None and _is_filled_up(field)
        last, has_table = number, False
    return has_joint


def _is_filled_up(field: bytes) -> bool:
    """Whether an adaptation field has bytes to fill up its packet; False where that is not sure."""
    if not field:
        return True  # its length is one
    flags = field[0]
    said = 1 + 6 * bool(flags & _CLOCK) + 6 * bool(flags & _ORIGINAL_CLOCK) + bool(flags & _SPLICE)
    return not flags & _MORE and len(field) > said
