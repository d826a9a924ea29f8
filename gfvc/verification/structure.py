"""Checks of what any SEI message has: that it can be read, and where it may stand."""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.verification.findings import Check, Finding, Place
from sei import FACE_PAYLOADS, Codec
from sei.inspection import InspectedMessage, InspectedUnit
from sei.payload_kinds import payload_kind


class DamageCheck(Check):
    """Messages and SEI NAL units that cannot be read.

    That covers elements outside their range, predicted messages without a message to predict
    from, layouts that do not fit what is inherited, and pupils that the base message did not have.
    """

    name = "damage"

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        if inspected.error is None:
            return
        what = "the SEI NAL unit" if inspected.sei_message is None else inspected.payload_name
        yield self.error(place, f"{what} cannot be read: {inspected.error}")


class PlacementCheck(Check):
    """Messages in a kind of SEI NAL unit where they may not stand (H.265 table F.2, H.274).

    H.264 has one kind only. A stream without any picture has no place for messages at all.
    """

    name = "placement"

    def __init__(self) -> None:
        self._coded = False  # a picture of this access unit
        self._any = False  # a picture at all

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if inspected.starts_access_unit:
            self._coded = False
        self._coded |= unit.is_vcl
        self._any |= unit.is_vcl
        if unit.is_suffix_sei and not self._coded:
            yield self.error(place, "a suffix SEI NAL unit with no picture before it")

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if not self._any:
            yield self.error(Place(), "the stream holds no coded picture")

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        unit, message = inspected.where.unit, inspected.sei_message
        if message is None or unit.codec is Codec.AVC:
            return
        kind = payload_kind(message.payload_type, unit.codec)
        if kind.in_suffix if unit.is_suffix_sei else kind.in_prefix:
            return
        here = "suffix" if unit.is_suffix_sei else "prefix"
        text = f"{kind.name} ({message.payload_type}) must not stand in a {here} SEI NAL unit"
        if message.payload_type in FACE_PAYLOADS:
            yield self.error(place, f"{text}; the reference decoder fails on it")
        else:
            yield self.warning(place, text)
