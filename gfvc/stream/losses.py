"""What a stream lacks, counted while it is read, and told in a line of each kind."""

from __future__ import annotations

from pathlib import Path

from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.sequence import SequenceSchedule
from gfvc.telling import Notes


class Losses:
    """Coded pictures and face messages that are not there."""

    def __init__(self) -> None:
        self._pictures = 0  # coded ones that were announced
        self._pictures_from = ""  # where the first of them should be
        self.gap: str | None = None
        """Where the first coded picture is missing between others of its sequence."""
        self.messages = 0
        """Face messages that user data announce, and that are missing."""
        self._messages_of: int | None = None  # byte of the first picture that lacks some
        self._at_least = False  # where nothing says how many there were
        self._bare = 0  # pictures of which nothing says that they have no messages
        self._bare_at: int | None = None  # byte of the first of them
        self._keys = 0  # key pictures without user data
        self._keys_at: int | None = None  # byte of the first of them

    def see_gap(self, pictures: int, where: str) -> None:
        """Count coded pictures that are missing between others of their sequence."""
        self._pictures += pictures
        self._pictures_from = self._pictures_from or where
        self.gap = self.gap or where

    def end_sequence(self, sequence: SequenceSchedule | None, due: int, where: str) -> None:
        """Count the coded pictures of a sequence that did not come, from the one that is due on."""
        announced = 0 if sequence is None else len(sequence.driven)
        if due < announced:
            self._pictures += announced - due
            self._pictures_from = self._pictures_from or where

    def see_key_without_user_data(self, at: int | None) -> None:
        """Count a picture at a byte whose messages nothing announces.

        What it drives without a message is not known.
        """
        self._keys_at = self._keys_at if self._keys else at
        self._keys += 1

    def end_picture(self, picture: PictureUnit, at: int | None, *, is_cut: bool) -> None:
        """Count the messages that a picture at a byte lacks.

        Where the stream is cut off after it, those of further faces may lie beyond.
        """
        missing = picture.missing_messages
        if not is_cut:
            missing += sum(face.unit.missing_messages for face in picture.further)
        if missing and not self.messages:
            self._messages_of = at
        self.messages += missing
        self._at_least |= missing > 0 and picture.announced_messages is None
        if not (picture.messages or picture.base_announced or picture.shown_as_coded):
            self._bare_at = self._bare_at if self._bare else at
            self._bare += 1

    def tell(self, path: Path, notes: Notes, *, any_user_data: bool) -> None:
        """Say what is missing; a stream that has no user data at all lacks none."""
        if self._keys and any_user_data:
            notes(
                f"{path}: user data is missing at key pictures, {self._keys} of them, the first at "
                f"byte {self._keys_at}; pictures without a face message of their own are left out "
                "there"
            )
        if self._pictures:
            notes(
                f"{path}: coded pictures that user data announces are missing, {self._pictures} of "
                f"them, the first {self._pictures_from}; what is drawn from them is left out"
            )
        if self.messages:
            notes(
                f"{path}: face messages that user data announces are missing, "
                f"{'at least ' if self._at_least else ''}{self.messages} of them, the first of the "
                f"coded picture at byte {self._messages_of}; faces do not move there as they were "
                "filmed"
            )
        if self._bare:
            notes(
                f"{path}: coded pictures without face messages of which no user data tells, "
                f"{self._bare} of them, the first at byte {self._bare_at}; they are shown as coded"
            )
