"""Escaping of text that comes from streams and file names."""

import os
import unicodedata
from pathlib import Path

import pytest

from sei import printable
from sei.escaping import cut


@pytest.mark.parametrize(
    "text",
    [
        "talk.266",
        "urn:uuid:81724027, 100 % \\ 'done'",
        "Ελληνικά, кириллица, 日本語, العربية, עברית, हिन्दी, ไทย, 👋",
        "e\u0301, 5\u00a0kB, 9\u202fam",
        "",
    ],
)
def test_what_is_printable_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\tb\r\nc\0", r"a\tb\r\nc\x00"),
        ("\x7f\x9b2J", r"\x7f\u009b2J"),
        ("gpj\u202e.266", r"gpj\u202e.266"),
        ("a\u200bb\u2066c\ufeff", r"a\u200bb\u2066c\ufeff"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("\ue000\U000f0000\U000e0041", r"\ue000\U000f0000\U000e0041"),
        ("\udcff\udc80.266", r"\xff\x80.266"),
        ("\ud800", r"\ud800"),
        ("\ufdd0", r"\ufdd0"),
    ],
)
def test_escapes(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_every_character_comes_out_fit_to_print() -> None:
    text = printable("".join(map(chr, range(0x110000))))
    text.encode("utf-8")
    categories = {unicodedata.category(character) for character in text}
    assert categories.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def test_a_file_name_that_is_no_utf8() -> None:
    assert printable(Path(os.fsdecode(b"talk\xe9.266"))) == r"talk\xe9.266"


def test_only_what_nobody_reads_is_cut() -> None:
    path = "/" + "x" * 4095
    line = f"{path}: {path}: is the input itself"
    assert cut(line) == line
    text = cut("begins " + "y" * 1_000_000 + " ends")
    assert len(text) < 10_000
    assert text.startswith("begins yy")
    assert "yy ... (991012 characters) ... yy" in text
    assert text.endswith("yy ends")
