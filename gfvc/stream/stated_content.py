"""What a stream says of its content, as a decoder heeds it: marks, and uses that are restricted.

Both are messages of parts that take two bits or two bytes each, which are read one by one. So that
a small stream cannot make a decoder read for minutes, their bytes are bounded.
"""

from __future__ import annotations

from gfvc.errors import StreamError
from gfvc.stream.marking import Marks
from sei import SeiError, SeiMessage
from sei.content_messages import (
    AI_MARKING,
    AI_USAGE_RESTRICTIONS,
    TEXT_DESCRIPTION,
    UsageRestrictions,
)

MAX_CONTENT_BYTES = 2**17
"""Bytes of marks and restrictions in a stream, each counted once, however often it is repeated."""

TOO_MUCH = (
    f"the stream has more than {MAX_CONTENT_BYTES} bytes of marks and restrictions of use of which "
    "no two are alike; nothing means that: take them out, or repair the stream"
)


class ContentBytes:
    """Tells which messages say something new of the content, and counts their bytes."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, bytes]] = set()
        self._size = 0

    @property
    def are_too_many(self) -> bool:
        """Whether there were more than are read."""
        return self._size > MAX_CONTENT_BYTES

    def take(self, message: SeiMessage) -> bool:
        """Count a message; tell whether it is a mark, or restricts uses, and none was the same."""
        kind, payload = message.payload_type, message.payload
        if not says_of_content(message) or (kind, payload) in self._seen:
            return False
        self._size += len(payload)
        if not self.are_too_many:
            self._seen.add((kind, payload))
        return True


def says_of_content(message: SeiMessage) -> bool:
    """Whether a message is a mark, or restricts uses."""
    is_mark = message.payload[:1] == bytes((AI_MARKING,))
    return message.payload_type == AI_USAGE_RESTRICTIONS or (
        message.payload_type == TEXT_DESCRIPTION and is_mark
    )


class StatedContent:
    """What the messages of a stream say of its content, given in their order."""

    def __init__(self) -> None:
        self._bytes = ContentBytes()
        self._marks = Marks()
        self._restricted_uses: set[int] = set()

    def see(self, message: SeiMessage) -> None:
        """Take a message; raise `StreamError` where there is more than is read."""
        if not self._bytes.take(message):
            return
        if self._bytes.are_too_many:
            raise StreamError(TOO_MUCH)
        if message.payload_type == TEXT_DESCRIPTION:
            self._marks.add(message)
        else:
            self._restricted_uses |= _restricted_uses(message)

    @property
    def mark(self) -> str | None:
        """What the marks say together, see `Marks.text`."""
        return self._marks.text

    @property
    def restricted_uses(self) -> tuple[int, ...]:
        """Kinds of use by artificial intelligence that are restricted, in order."""
        return tuple(sorted(self._restricted_uses))


def _restricted_uses(message: SeiMessage) -> set[int]:
    """Kinds of use that a message restricts; a damaged one is as if it were not there."""
    try:
        restrictions = UsageRestrictions.from_payload(message.payload).restrictions
    except SeiError:
        return set()
    return {restriction.kind for restriction in restrictions if not restriction.excluded}
