"""What a stream says of its content: descriptions in words, and what it may be used for.

The text description (payload type 219) and the AI usage restrictions (225) of VSEI version 4
(H.274). Each function codes one syntax structure, as those of `sei.syntax` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sei.arguments import WrongKindsTold
from sei.coder import UNREAD, Coder, Reader, Writer

TEXT_DESCRIPTION = 219
AI_USAGE_RESTRICTIONS = 225

AI_MARKING = 2
"""txt_descr_purpose of a text that says what of the pictures was generated."""

MAX_RESTRICTION = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextDescription:
    """A text_description message.

    ``texts`` are pairs of a language tag (BCP 47) and a text, 1 to 256 of them; none where the
    message ends the texts of the purpose (``cancels_all``) or of this identifier (``cancels``).
    With ``persists`` they hold up to the end of the coded video sequence, else for one picture.
    """

    purpose: int
    description_id: int = 0
    texts: tuple[tuple[str, str], ...] = ()
    persists: bool = True
    cancels_all: bool = False
    cancels: bool = False

    def to_payload(self) -> bytes:
        """The payload; raises `MessageError` for a value that cannot be coded."""
        return _payload(text_description, self)

    @classmethod
    def from_payload(cls, payload: bytes) -> TextDescription:
        """Read a payload; what follows its elements is ignored. Raises `PayloadError`."""
        return text_description(Reader(payload), UNREAD)


@dataclass(frozen=True, slots=True)
class Restriction:
    """A use of the content by artificial intelligence that is not wanted.

    ``kind`` is the use, 0 to `MAX_RESTRICTION`; ``context`` says where, None: everywhere.
    With ``excluded`` the context is where the restriction does not hold.
    """

    kind: int
    context: int | None = None
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class UsageRestrictions:
    """An ai_usage_restrictions message; one without restrictions ends those before it."""

    restrictions: tuple[Restriction, ...] = ()
    persists: bool = True

    def to_payload(self) -> bytes:
        """The payload; raises `MessageError` for a value that cannot be coded."""
        return _payload(ai_usage_restrictions, self)

    @classmethod
    def from_payload(cls, payload: bytes) -> UsageRestrictions:
        """Read a payload; what follows its elements is ignored. Raises `PayloadError`."""
        return ai_usage_restrictions(Reader(payload), UNREAD)


def _payload(syntax: Callable[[Coder, T], T], message: T) -> bytes:
    writer = Writer()
    with WrongKindsTold():
        syntax(writer, message)
    writer.trailing(None)
    return writer.to_bytes()


def text_description(c: Coder, given: Any) -> TextDescription:
    """Code the message of payloadType 219."""
    description_id, persists, texts = 0, True, []
    purpose = c.u("txt_descr_purpose", 8, given.purpose)
    cancel_flag, id_cancel_flag = c.flag("txt_cancel_flag", given.cancels_all), False
    if not cancel_flag:
        description_id = c.u("txt_descr_id", 13, given.description_id)
        id_cancel_flag = c.flag("txt_id_cancel_flag", given.cancels)
        if not id_cancel_flag:
            persists = c.flag("txt_persistence_flag", given.persists)
            num_strings_minus1 = c.u("txt_num_strings_minus1", 8, len(given.texts) - 1)
            for i, text in enumerate(
                c.items("texts", given.texts, num_strings_minus1 + 1, 16, (UNREAD, UNREAD))
            ):
                language = c.st("txt_descr_string_lang", text[0], (i,))
                texts.append((language, c.st("txt_descr_string", text[1], (i,))))
    return TextDescription(
        purpose, description_id, tuple(texts), persists, cancel_flag, id_cancel_flag
    )


def ai_usage_restrictions(c: Coder, given: Any) -> UsageRestrictions:
    """Code the message of payloadType 225."""
    persists, restrictions = True, []
    cancel_flag = c.flag("aur_cancel_flag", not given.restrictions)
    if not cancel_flag:
        persists = c.flag("aur_persistence_flag", given.persists)
        num_restrictions_minus1 = c.ue("aur_num_restrictions_minus1", len(given.restrictions) - 1)
        for i, one in enumerate(
            c.items("restrictions", given.restrictions, num_restrictions_minus1 + 1, 2, UNREAD)
        ):
            context, exclusion_flag = None, False
            kind = c.ue("aur_restriction", one.kind, 0, MAX_RESTRICTION, (i,))
            context_present_flag = c.flag(
                "aur_context_present_flag", one.context is not None, 0, (i,)
            )
            if context_present_flag:
                context = c.u("aur_context", 16, one.context, 0, None, (i,))
                exclusion_flag = c.flag("aur_exclusion_flag", one.excluded, 0, (i,))
            restrictions.append(Restriction(kind, context, exclusion_flag))
    return UsageRestrictions(tuple(restrictions), persists)
