"""Text that is not ours, made safe to print: names, URIs and strings from streams and files."""

from __future__ import annotations

import os
import re
import unicodedata

from sei.arguments import wrong_kind

# What a terminal may act on, or what hides or reorders the text around it: control, format
# (bidirectional marks among them), surrogate, private and unassigned characters, line and paragraph
# separators.
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NOT_ASCII_PRINTABLE = re.compile(r"[^ -~]")


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if unicodedata.category(character) not in _ESCAPED_CATEGORIES:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return {"\t": r"\t", "\n": r"\n", "\r": r"\r"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable(text: str | bytes | os.PathLike[str]) -> str:
    r"""The text, or path, with what is not to be printed as it is written as an escape.

    Letters and signs of all scripts stay. Control, format, private and unassigned characters and
    line separators become ``\x1b``, ``\u202e`` or ``\U000e0001``; bytes that are no UTF-8, as
    Python's file names hold them, become ``\xff``. The result is one line that any terminal and
    any encoder of UTF-8 takes. A backslash stays, so the escapes cannot be taken back.

    >>> printable("talk\x1b[2J.266")
    'talk\\x1b[2J.266'
    """
    try:
        text = os.fsdecode(text)
    except TypeError:
        raise wrong_kind("text", "a text or a path", text) from None
    return text if text.isprintable() else _NOT_ASCII_PRINTABLE.sub(_escape, text)


# A number of thousands of digits, say, before the words that say what is wrong with it.
_LONG_WORD = re.compile(r"(\S{40})\S{200,}")


def shorten(text: str) -> str:
    """The text, of words beyond 240 characters only the beginning.

    >>> shorten("9" * 300 + " is too much")
    '9999999999999999999999999999999999999999... (300 characters) is too much'
    """
    return _LONG_WORD.sub(lambda word: f"{word[1]}... ({len(word[0])} characters)", text)


_MOST = 10_000
_KEPT = 4_500  # at either end: more than a path can have


def cut(text: str) -> str:
    """The text, without its middle where it is far longer than anybody reads.

    A name in a list, say, can have a million characters.
    """
    if len(text) <= _MOST:
        return text
    left_out = len(text) - 2 * _KEPT
    return f"{text[:_KEPT]} ... ({left_out} characters) ... {text[-_KEPT:]}"
