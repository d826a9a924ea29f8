"""Check of what a stream says of its content: generated, edited, restricted in its use, signed."""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.stream.marking import is_edited, mark_text
from gfvc.stream.signatures import signed_content
from gfvc.verification.findings import Check, Finding, Place
from sei import PayloadError, SeiMessage
from sei.content_messages import AI_USAGE_RESTRICTIONS, Restriction, UsageRestrictions
from sei.inspection import InspectedMessage


class MarkingCheck(Check):
    """Marks, restrictions and signatures are told where they appear or change."""

    name = "marking"

    def __init__(self) -> None:
        self._mark: str | None = None
        self._restrictions: tuple[Restriction, ...] = ()
        self._covers_sei: bool | None = None  # what the last signatures do; None: there are none
        self._edited: Place | None = None

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.sei_message
        if message is None:
            return
        text = mark_text(message)
        if text is not None:
            if text != self._mark:
                yield self.information(place, f"marked: {text}")
            self._mark = text
            if is_edited(text):
                self._edited = self._edited or place
        yield from self._signatures(place, message)
        yield from self._uses(place, message)

    def _signatures(self, place: Place, message: SeiMessage) -> Iterator[Finding]:
        content = signed_content(message)
        if content is None:
            return
        if self._covers_sei is None:
            what = "coded pictures and SEI messages" if content.covers_sei else "coded pictures"
            yield self.information(
                place,
                f"digitally signed: {what}, with the key at {content.key_source_uri}; signatures "
                "are not checked here",
            )
        self._covers_sei = content.covers_sei or bool(self._covers_sei)

    def _uses(self, place: Place, message: SeiMessage) -> Iterator[Finding]:
        if message.payload_type != AI_USAGE_RESTRICTIONS:
            return
        try:
            restrictions = UsageRestrictions.from_payload(message.payload).restrictions
        except PayloadError:
            return  # The check of damage says so.
        if restrictions != self._restrictions:
            for restriction in restrictions:
                yield self.warning(
                    place, f"use by artificial intelligence is restricted: {_told(restriction)}"
                )
            if not restrictions:
                yield self.information(place, "use by artificial intelligence is free again")
        self._restrictions = restrictions

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if self._edited is not None and self._covers_sei:
            yield self.warning(
                self._edited,
                "faces were edited, and digital signatures cover SEI messages: they do not hold, "
                "unless the stream was signed after that",
            )


def _told(restriction: Restriction) -> str:
    """A restriction in words; H.274 says what the numbers stand for."""
    text = f"aur_restriction {restriction.kind}"
    if restriction.context is not None:
        text += f", {'except in' if restriction.excluded else 'in'} context {restriction.context}"
    return text
