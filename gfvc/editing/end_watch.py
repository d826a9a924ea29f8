"""Whether the last coded picture of a stream that messages are put into counts as cut off.

The rule is that of `gfvc.stream.reader`: a picture without face messages is whole only where
something says so that follows it. Encoders write an end of sequence seldom.
"""

from __future__ import annotations

from pathlib import Path

from gfvc.editing.group_queue import Group
from gfvc.stream.information import shows_as_coded
from gfvc.stream.picture_count import StreamEnd
from gfvc.stream.sei_messages import readable_messages
from gfvc.stream.sei_rewriting import has_message
from gfvc.telling import Notes
from sei import (
    GENERATIVE_FACE_VIDEO,
    Codec,
    NalUnit,
)
from sei.nal import end_of_sequence

_FACES = frozenset({GENERATIVE_FACE_VIDEO})


class EndWatch:
    """Sees the NAL units of a stream, and the messages that are put between them, in order."""

    def __init__(self) -> None:
        self._end = StreamEnd()
        self._codec: Codec | None = None
        self._drives = False  # the last coded picture has face messages
        self._is_face_stream = False  # which gfvc decode takes

    def see(self, unit: NalUnit) -> None:
        """See the next NAL unit that was there."""
        if unit.layer_id:
            return
        self._codec = unit.codec
        self._end.see(unit)
        if unit.starts_picture:
            self._drives = False
        elif unit.is_sei and has_message(unit, _FACES):
            self._drives = self._is_face_stream = True
        elif unit.is_prefix_sei and not self._is_face_stream:
            self._is_face_stream = any(map(shows_as_coded, readable_messages(unit)))

    def put(self, group: Group) -> None:
        """See messages that are put behind it."""
        for record in group:
            is_face = record.message.payload_type in _FACES
            self._drives |= is_face
            shows = not record.is_suffix and shows_as_coded(record.message)
            self._is_face_stream |= is_face or shows

    def tell(self, notes: Notes, output: Path) -> None:
        """Say at the end of the stream that its last picture counts as cut off, if it does."""
        if (
            self._codec in (None, Codec.AVC)  # which is not decoded
            or not self._is_face_stream
            or self._drives
            or self._end.is_followed
        ):
            return
        assert self._codec is not None
        end = end_of_sequence(self._codec).to_annex_b().hex(" ")
        notes(
            f"{output}: its last coded picture has no face messages, and nothing says that it is "
            "whole: gfvc decode leaves it out; if it is, put an end of sequence NAL unit "
            f"({end}) at the end of the file"
        )
