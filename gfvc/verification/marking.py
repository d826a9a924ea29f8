"""Check of what a stream says of its content: generated, edited, restricted in its use, signed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gfvc.stream.marking import is_edited, mark_text
from gfvc.stream.signatures import signed_content
from gfvc.stream.stated_content import TOO_MUCH, ContentBytes, says_of_content
from gfvc.verification.findings import Check, Finding, Place
from sei import PayloadError, SeiMessage
from sei.content_messages import AI_USAGE_RESTRICTIONS, Restriction, UsageRestrictions
from sei.inspection import InspectedMessage

# Of a message; the rest is told by its number.
_MOST_TOLD = 16


class MarkingCheck(Check):
    """Marks, restrictions and signatures are told where they appear or change."""

    name = "marking"

    def __init__(self) -> None:
        self._mark: str | None = None
        self._restrictions: dict[Restriction, None] = {}
        self._bytes = ContentBytes()
        self._is_told = False
        self._covers_sei: bool | None = None  # what the last signatures do; None: there are none
        self._edited: Place | None = None

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.sei_message
        if message is None:
            return
        yield from self._signatures(place, message)
        if not says_of_content(message):
            return
        self._bytes.take(message)
        if self._bytes.are_too_many:
            if not self._is_told:
                yield self.warning(place, f"{TOO_MUCH}; gfvc decode refuses this")
            self._is_told = True
            return
        text = mark_text(message)
        if text is not None:
            if text != self._mark:
                yield self.information(place, f"marked: {text}")
            self._mark = text
            if is_edited(text):
                self._edited = self._edited or place
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
        # Said once, however often a message says it.
        distinct = dict.fromkeys(restrictions)
        if distinct != self._restrictions:
            what = "use by artificial intelligence is"
            for restriction in islice(distinct, _MOST_TOLD):
                yield self.warning(place, f"{what} restricted: {_told(restriction)}")
            if len(distinct) > _MOST_TOLD:
                yield self.warning(
                    place, f"{what} restricted in {len(distinct) - _MOST_TOLD} more ways"
                )
            if not distinct:
                yield self.information(place, f"{what} free again")
        self._restrictions = distinct

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
