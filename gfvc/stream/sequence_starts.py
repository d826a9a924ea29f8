"""Sequences whose IDR picture was lost, told by what our user data say of the pictures around.

User data stand at IDR pictures, and tell of all up to the next one. What they contradict belongs to
an IDR picture that is not there: decoders would draw it from the pictures of the sequence before.
Of sequences whose pictures are numbered, `gfvc.stream.sequence_places` tells more.
"""

from __future__ import annotations

from gfvc.stream.information import StreamInformation
from gfvc.stream.sequence_places import LACKS_IDR
from sei import NalUnit

_NO_START = f"has user data, which stand at IDR pictures, and is none; {LACKS_IDR}"
_MESSAGE_NOT_DUE = f"comes where user data say that pictures are shown as coded; {LACKS_IDR}"
_PICTURE_NOT_DUE = (
    f"comes after a key picture whose user data announce no further one, and has no face message; "
    f"{LACKS_IDR}"
)

COUNTED_TWICE = f"has the order count of one before it in its sequence; {LACKS_IDR}"
"""What is wrong with a picture of ordinary video that is counted as if nothing started anew."""

NOT_ANNOUNCED = (
    "comes where the user data of the sequence announce none, and its coded picture is missing; "
    "cut the stream off there, or take out all up to the next IDR picture"
)
"""What is wrong with a message of the first face after a numbered picture that has none."""


class SequenceStarts:
    """Is shown the coded pictures of the base layer and messages of the first face, in order.

    What it finds is what is wrong with the picture or message, and what to do, to be put after its
    name and place.
    """

    def __init__(self) -> None:
        self._stated: StreamInformation | None = None  # of the sequence
        # Of the last picture; the second is not known before its first slice.
        self._is_stated = False
        self._is_irap: bool | None = None
        self._has_messages = False

    @property
    def shown_as_coded(self) -> bool:
        """Whether user data say so of the pictures here."""
        return self._stated is not None and self._stated.shown_as_coded

    @property
    def is_untold(self) -> bool:
        """Whether the picture has no message so far, and no user data say that this is right."""
        return self._stated is None and not self._has_messages

    def start_picture(self, stated: StreamInformation | None) -> None:
        """A coded picture starts, with the user data before it."""
        self._stated = stated or self._stated
        self._is_stated = stated is not None
        self._is_irap, self._has_messages = None, False

    def see_slice(self, unit: NalUnit) -> str | None:
        """See a slice of the picture; what is wrong where it has user data and starts nothing."""
        if self._is_irap is not None:
            return None
        self._is_irap = unit.is_irap
        if self._is_stated:
            return None if unit.is_irap else _NO_START
        # Ordinary video may have further ones.
        if unit.is_irap and not self.shown_as_coded:
            self._stated = None
        return None

    def see_message(self) -> str | None:
        """See a message of the picture; what is wrong where pictures are shown as coded."""
        self._has_messages = True
        if self._is_irap and not self._is_stated:
            self._stated = None  # A key picture, whose user data are missing.
        return _MESSAGE_NOT_DUE if self.shown_as_coded else None

    def end_picture(self) -> str | None:
        """See the end of the picture; what is wrong where none was due."""
        stated = self._stated
        if stated is None or stated.sequence is not None or stated.shown_as_coded:
            return None
        is_due = self._is_stated or self._is_irap is not False or self._has_messages
        return None if is_due else _PICTURE_NOT_DUE
