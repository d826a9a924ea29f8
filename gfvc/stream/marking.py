"""Marks: what a stream says of its pictures being generated, and of being edited.

A mark is a text_description message of purpose `AI_MARKING` (VSEI version 4, payload type 219) in a
prefix SEI NAL unit of each IDR picture from which others are drawn; ordinary video has none. It
holds up to the next IDR picture. Whoever edits face messages writes the stream by `marked_again`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gfvc.errors import StreamError
from gfvc.stream.information import stated_by
from gfvc.stream.sei_rewriting import has_message, rewritable_sei, sei_data
from sei import (
    USER_DATA_UNREGISTERED,
    AccessUnitBoundaries,
    NalUnit,
    PayloadError,
    SeiError,
    SeiMessage,
    make_sei_nal_unit,
)
from sei.content_messages import AI_MARKING, TEXT_DESCRIPTION, TextDescription
from sei.escaping import printable

DIGITAL_SOURCE_TYPE = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
"""What decoded pictures are in the words of IPTC and C2PA: filmed, and drawn by networks."""

GENERATED = "Artificially generated faces (gfvc)"
EDITED = "Artificially generated and edited faces (gfvc)"

MAX_MARK = 256
"""Characters of the marks of a stream that go into decoded files."""

# Which of the texts of a stream are ours: those of this identifier that end so.
_DESCRIPTION_ID = 0
_OURS = "(gfvc)"
_LANGUAGE = "en"
_MOST_OF_OTHERS = 16
_TEXT_DESCRIPTIONS = frozenset({TEXT_DESCRIPTION})


def mark_message(text: str = GENERATED) -> SeiMessage:
    """The message of a mark, for a prefix SEI NAL unit; `text` is `GENERATED` or `EDITED`."""
    description = TextDescription(AI_MARKING, _DESCRIPTION_ID, ((_LANGUAGE, text),))
    return SeiMessage(TEXT_DESCRIPTION, description.to_payload())


def mark_text(message: SeiMessage) -> str | None:
    """What a mark says, whoever set it; None of messages that are no mark, or damaged.

    Of a text in several languages the first one is taken.
    """
    description = _description(message)
    return description.texts[0][1] if description is not None and description.texts else None


class Marks:
    """What the marks of a stream say together, for decoded files."""

    def __init__(self) -> None:
        self._own: str | None = None
        self._of_others: list[str] = []

    def add(self, message: SeiMessage) -> None:
        """Take the next message of the stream, which may be a mark."""
        text = (mark_text(message) or "")[:MAX_MARK]
        if not text:
            return
        if _is_ours(message):
            # A stream of which a part is edited is edited.
            self._own = self._own if self._own == EDITED else text
        elif text not in self._of_others and len(self._of_others) < _MOST_OF_OTHERS:
            self._of_others.append(text)

    @property
    def text(self) -> str | None:
        """Our mark, by which edited faces are told, then those of others; None without any.

        It is fit to be printed, and has `MAX_MARK` characters at most.
        """
        texts = ([] if self._own is None else [self._own]) + self._of_others
        return printable("; ".join(texts))[:MAX_MARK] or None


def is_edited(text: str) -> bool:
    """Whether a mark says that face messages were edited."""
    return text == EDITED


def marked_again(units: Iterable[NalUnit], text: str = EDITED) -> Iterator[NalUnit]:
    """The NAL units of a stream, given in order, with `text` as its mark.

    Marks of gfvc are replaced where they are. IDR pictures without one, from which pictures are
    drawn, get one in a prefix SEI NAL unit of its own. Every other NAL unit comes out as it is, and
    so does every other message, marks of others and damaged ones among them. Works on streams of
    any length; nothing is held back. Marking a marked stream with the same text changes nothing.
    """
    boundaries = AccessUnitBoundaries()
    is_marked = as_coded = coded = False  # of this access unit
    for unit in units:
        starts = boundaries.starts_here(unit)
        if starts:
            is_marked = as_coded = coded = False
        if unit.is_sei and not unit.layer_id:
            as_coded |= _says_as_coded(unit)
            remarked = _remarked(unit, text)
            is_marked |= remarked is not None
            yield unit if remarked is None else remarked
            continue
        if unit.is_vcl and not coded and boundaries.in_base_layer(unit):
            coded = True
            if unit.is_irap and not is_marked and not as_coded:
                # The first NAL unit of an access unit has a zero byte before its start code.
                yield make_sei_nal_unit(
                    [mark_message(text)], unit.codec, suffix=False, start_code_size=3 + starts
                )
        yield unit


def _remarked(unit: NalUnit, text: str) -> NalUnit | None:
    """An SEI NAL unit with another text in its mark of ours; None of one without."""
    if not has_message(unit, _TEXT_DESCRIPTIONS):
        return None
    try:
        rbsp = rewritable_sei(unit)
    except (SeiError, StreamError):
        return None
    ours = [_is_ours(message) for message in rbsp.messages]
    if not any(ours):
        return None
    new = mark_message(text)
    messages = tuple(
        new if is_ours else message for message, is_ours in zip(rbsp.messages, ours, strict=True)
    )
    return replace(unit, data=sei_data(unit, replace(rbsp, messages=messages)))


def _is_ours(message: SeiMessage) -> bool:
    description = _description(message)
    return (
        description is not None
        and description.description_id == _DESCRIPTION_ID
        and any(text.endswith(_OURS) for _, text in description.texts)
    )


def _description(message: SeiMessage) -> TextDescription | None:
    """A text about generated content."""
    if message.payload_type != TEXT_DESCRIPTION:
        return None
    try:
        description = TextDescription.from_payload(message.payload)
    except PayloadError:
        return None
    return description if description.purpose == AI_MARKING else None


def _says_as_coded(unit: NalUnit) -> bool:
    """Whether our user data in an SEI NAL unit say that the pictures are shown as coded."""
    if not has_message(unit, frozenset({USER_DATA_UNREGISTERED})):
        return False
    try:
        for message in rewritable_sei(unit).messages:
            information = stated_by(unit, message)
            if information is not None:
                return information.shown_as_coded
    except (SeiError, StreamError):
        return False
    return False
