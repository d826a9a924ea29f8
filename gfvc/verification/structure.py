"""Checks of single SEI messages: that they can be read, where they may stand, reserved values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gfvc.stream.sei_headers import HeaderFit
from gfvc.verification.findings import Check, Finding, Place
from sei import FACE_PAYLOADS, Codec, GenerativeFaceVideo, NetworkReserved
from sei.inspection import InspectedMessage, InspectedUnit
from sei.payload_kinds import payload_kind

_FIRST_RESERVED_TYPE = 32  # of matrices


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


class HeaderCheck(Check):
    """Headers of NAL units: what none may have, and SEI that does not fit the picture it is with.

    In VVC TemporalId must be that of the picture (H.266 clause 7.4.2.2), in HEVC it may be higher.
    Each kind of misfit is told once, with the first place.
    """

    name = "header"

    def __init__(self) -> None:
        self._fit = HeaderFit[Place]()
        self._told: set[str] = set()
        self._codec: Codec | None = None

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        self._codec = unit.codec
        self._fit.see(unit, place)
        if unit.header_fault is None:
            return ()
        return (self.error(place, f"a header that must not be: {unit.header_fault}"),)

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        for place, what in self._fit.end():
            kind = what.split(",")[0]  # however many pictures of other layers there are
            if kind in self._told:
                continue
            self._told.add(kind)
            text = f"an SEI NAL unit of {what}"
            if self._codec is Codec.VVC and what.startswith("TemporalId"):
                yield self.error(place, f"{text}; the reference decoder fails on it")
            else:
                lost = "its messages do not go with the picture"
                yield self.warning(
                    place, f"{text}: where layers or sub-layers are left out, {lost}"
                )


class ReservedValueCheck(Check):
    """Values that H.274 reserves: receivers of today ignore them, or the whole message."""

    name = "reserved"

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if message is None:
            return
        if isinstance(message, GenerativeFaceVideo) and message.is_reserved:
            yield self.warning(
                place, f"gfv_id {message.gfv_id} is reserved: receivers ignore the message"
            )
            return
        if isinstance(message.network, NetworkReserved):
            yield self.warning(place, f"nn_mode_idc {message.network.mode_idc} is reserved")
        if message.matrices is not None and message.matrices.layout is not None:
            for shape in message.matrices.layout.shapes:
                if shape.type_idx is not None and shape.type_idx >= _FIRST_RESERVED_TYPE:
                    yield self.warning(place, f"matrix type {shape.type_idx} is reserved")
        if message.extension is not None:
            yield self.warning(
                place,
                f"{len(message.extension)} bits of extension data or trailing bits after the last "
                "element",
            )
