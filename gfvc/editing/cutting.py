"""Taking messages out of NAL units: which, and where they were.

What is left of a stream is its base stream. Places are told in terms of that, so that the messages
can be put back whatever happens to some of them meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gfvc.errors import InputError, StreamError
from gfvc.stream.byte_stream import Spacing, spaced
from gfvc.stream.sei_rewriting import CrowdedNalUnitError, rewritable_sei, sei_data
from sei import (
    FACE_PAYLOADS,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    NalUnit,
    PayloadError,
    SeiError,
    SeiMessage,
    SeiRbsp,
)
from sei.coder import UNREAD, Reader


@dataclass(frozen=True, slots=True)
class MessageSelection:
    """Messages of these payload types, and with `face_ids` only those of these faces.

    A face is known by its gfv_id, in an enhancement message gfve_gfv_id. Raises `InputError` when
    faces are asked for among payloads that have none.
    """

    payload_types: frozenset[int] = FACE_PAYLOADS
    face_ids: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.face_ids is not None and not self.payload_types <= FACE_PAYLOADS:
            raise InputError("only messages of payload types 223 and 224 have a gfv_id")

    def takes(self, message: SeiMessage) -> bool:
        """Whether the message is one of them."""
        if message.payload_type not in self.payload_types:
            return False
        return self.face_ids is None or _face_id(message) in self.face_ids


def _face_id(message: SeiMessage) -> int | None:
    """The gfv_id of a face message; None where it cannot be read."""
    reader = Reader(message.payload)
    try:
        if message.payload_type == GENERATIVE_FACE_VIDEO_ENHANCEMENT:
            reader.ue("gfve_id", UNREAD)
            return reader.ue("gfve_gfv_id", UNREAD)
        return reader.ue("gfv_id", UNREAD)
    except PayloadError:
        return None


MOST_NOTES = 5
"""Damaged NAL units that are told of one by one; of further ones only how many."""


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message taken out: its number in its NAL unit, and how many that stay come before it."""

    index: int
    kept_before: int
    message: SeiMessage


@dataclass(frozen=True, slots=True)
class Cut:
    """A NAL unit after the selected messages were taken out of it.

    `zero_bytes` stand before its start code, `base_nal_units` NAL units of the base stream before
    it. `kept` is what stays of it, header included; None when nothing does. `rbsp_trailing` are
    the bytes after its last message. `damage` says why messages could not be looked for, and
    `crowded` that it is because they are too many.
    """

    unit: NalUnit
    zero_bytes: int
    base_nal_units: int
    kept: bytes | None
    taken: tuple[TakenMessage, ...] = ()
    rbsp_trailing: bytes = b""
    damage: str | None = None
    crowded: bool = False

    @property
    def base_bytes(self) -> bytes:
        """What the NAL unit leaves in the base stream."""
        return b"" if self.kept is None else spaced(self.zero_bytes, self.kept)


class Cutter:
    """Takes the selected messages out of the NAL units of a stream, one NAL unit after the other.

    A damaged SEI NAL unit stays as it is.
    """

    def __init__(self, selection: MessageSelection) -> None:
        self._selection = selection
        self._spacing = Spacing()
        self._base_nal_units = 0

    @property
    def tail(self) -> bytes:
        """Zero bytes after the last NAL unit; they belong to the base stream."""
        return bytes(self._spacing.tail)

    def cut(self, unit: NalUnit) -> Cut:
        """Take the selected messages out of the next NAL unit."""
        cut = self._cut(unit, self._spacing.before(unit))
        self._base_nal_units += cut.kept is not None
        return cut

    def _cut(self, unit: NalUnit, zero_bytes: int) -> Cut:
        untouched = Cut(unit, zero_bytes, self._base_nal_units, unit.data)
        if not unit.is_sei:
            return untouched
        try:
            rbsp = rewritable_sei(unit)
        except (SeiError, StreamError) as error:
            crowded = isinstance(error, CrowdedNalUnitError)
            return replace(untouched, damage=str(error), crowded=crowded)
        taken: list[TakenMessage] = []
        kept: list[SeiMessage] = []
        for index, message in enumerate(rbsp.messages):
            if self._selection.takes(message):
                taken.append(TakenMessage(index, len(kept), message))
            else:
                kept.append(message)
        if not taken:
            return untouched
        data = sei_data(unit, SeiRbsp(tuple(kept), rbsp.trailing)) if kept else None
        return Cut(unit, zero_bytes, self._base_nal_units, data, tuple(taken), rbsp.trailing)


class DamageNotes:
    """Tells `notes` of damaged NAL units of a stream: what becomes of them is `fate`."""

    def __init__(self, notes: Callable[[str], None], path: Path, fate: str) -> None:
        self._notes = notes
        self._path = path
        self._fate = fate
        self._damaged = 0

    def add(self, nal: int, damage: str | None) -> None:
        """Tell of the NAL unit of a number if it is damaged."""
        if damage is None:
            return
        self._damaged += 1
        if self._damaged <= MOST_NOTES:
            self._notes(f"{self._path}: NAL unit {nal} is {self._fate}: {damage}")

    def finish(self) -> None:
        """Tell how many there were besides."""
        further = self._damaged - MOST_NOTES
        if further > 0:
            self._notes(
                f"{self._path}: so are {further} further damaged SEI NAL units; gfvc verify tells "
                "of each"
            )
