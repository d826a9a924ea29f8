"""Digital signatures in streams (payload types 220 to 222), and what an edit does to them.

NAL units that carry them are kept byte for byte by all that edits streams, for whoever checks them
shall find what was signed. Signatures that cover SEI messages do not hold once these have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gfvc.stream.sei_messages import readable_messages
from gfvc.telling import Notes
from sei import NalUnit, PayloadError, SeiMessage
from sei.signed_content import SIGNED_CONTENT_INITIALIZATION, SignedContent


def signed_content(message: SeiMessage) -> SignedContent | None:
    """What is signed from here on; None of other or damaged messages."""
    if message.payload_type != SIGNED_CONTENT_INITIALIZATION:
        return None
    try:
        return SignedContent.from_payload(message.payload)
    except PayloadError:
        return None


class SignatureWatch:
    """Looks at the NAL units of a stream that is edited on their way."""

    def __init__(self) -> None:
        self._covers_sei = False

    def passed(self, units: Iterable[NalUnit]) -> Iterator[NalUnit]:
        """The NAL units as they are."""
        for unit in units:
            if unit.is_sei and not self._covers_sei:
                self._covers_sei = _signs_sei(unit)
            yield unit

    def tell(self, notes: Notes, source: Path, output: Path) -> None:
        """Say that signatures do not hold, where some cover SEI messages, which have changed."""
        if self._covers_sei:
            notes(
                f"{source}: its digital signatures cover SEI messages, and do not hold for "
                f"{output}; they are kept as they are"
            )


def _signs_sei(unit: NalUnit) -> bool:
    found = map(signed_content, readable_messages(unit))
    return any(content is not None and content.covers_sei for content in found)
