"""How much of a stream is read: bounds on the work that a small file can cause."""

from __future__ import annotations

from sei.errors import StreamError
from sei.nal import NalUnit

MAX_MESSAGES = 50_000
"""SEI messages, and NAL units, that are read beyond one for every 8 bytes."""

ELEMENTS_PER_MESSAGE = 160
"""Elements of face messages that are read, for each message that may be beyond those."""

LEAST_ELEMENTS = 32
"""Elements that a face message counts as at least: what it costs beside them takes that long."""

_BYTES_EACH = 8


class LimitError(StreamError):
    """A stream holds more than is read."""


class ReadingLimit:
    """Counts what a stream holds, and ends the reading where that is too much.

    Messages and NAL units cost much for their bytes where they have next to none. Those of the
    usual size do not count, however many there are: the face message of `mesh` that changes nothing
    has 8 bytes, and key pictures come besides. 8 million elements are, of 50 in a message, an hour
    and three quarters at 25 messages a second, and no more than 250 000 messages however few they
    have. ``max_messages`` raises all bounds in proportion.
    """

    def __init__(self, max_messages: int = MAX_MESSAGES) -> None:
        self._max_messages = max_messages
        self._messages = 0
        self._elements = 0
        self._nal_units = 0
        self._bytes = 0
        self._most = max_messages

    def take_unit(self, unit: NalUnit) -> None:
        """Count a NAL unit.

        Raises:
            LimitError: it is one too many.
        """
        self._nal_units += 1
        self._bytes += len(unit.data)
        self._most = self._max_messages + self._bytes // _BYTES_EACH
        if self._nal_units > self._most:
            raise LimitError(self._text(f"{self._max_messages} very small NAL units"), unit.offset)

    def take_message(self, unit: NalUnit) -> None:
        """Count an SEI message of a NAL unit, before it is read.

        Raises:
            LimitError: it is one too many, or the elements of those before were.
        """
        self._messages += 1
        if self._messages > self._most:
            what = f"{self._max_messages} very small SEI messages"
            raise LimitError(self._text(what), unit.offset)
        most = self._max_messages * ELEMENTS_PER_MESSAGE
        if self._elements > most:
            what = f"{most} elements of messages, {LEAST_ELEMENTS} at least in each of a face"
            raise LimitError(self._text(what), unit.offset)

    def take_elements(self, count: int) -> None:
        """Count the elements of a message that was read; 0 of one that is no face message."""
        self._elements += max(count, LEAST_ELEMENTS) if count else 0

    def take_others(self, count: int) -> None:
        """Count the elements of a message that is no face message, but for the first 32.

        Few have more: user data with very many runs, say.
        """
        self._elements += max(count - LEAST_ELEMENTS, 0)

    @staticmethod
    def _text(what: str) -> str:
        return f"more than {what}: the rest is not read (--max-messages raises the limit)"
