"""Check for values that H.274 reserves for the future."""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.verification.findings import Check, Finding, Place
from sei import GenerativeFaceVideo, NetworkReserved
from sei.inspection import InspectedMessage

_FIRST_RESERVED_TYPE = 32


class ReservedValueCheck(Check):
    """Reserved values: receivers of today ignore them, or the whole message."""

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
