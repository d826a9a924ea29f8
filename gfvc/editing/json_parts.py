"""A JSON object of any size, read part by part: its members, and the items of long lists.

How it is laid out in lines does not matter. No more than a part is held in memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gfvc.errors import InputError, system_errors
from gfvc.json_checking import parse_json

_READ_AT_ONCE = 2**16
_BOM = b"\xef\xbb\xbf"
# A bracket, or a text, which may go on after what was read.
_MARK = re.compile(rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[\[\]{}]')
_QUOTE = b'"'[0]
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
_AFTER_SIMPLE = re.compile(rb"[\s,:\[\]{}\"]")


@dataclass(frozen=True, slots=True)
class JsonPart:
    """The text of a member, or of an item of one; `number` counts items from 0.

    A member that is read by its items comes before them, as an empty list.
    """

    name: str
    number: int | None
    text: bytes


def json_parts(path: Path, lists: Collection[str], most_bytes: int) -> Iterator[JsonPart]:
    """The members of the object in a file, those in `lists` by their items where they are lists.

    Texts of parts are checked by whoever parses them. Raises `InputError`, which says where, when
    the file cannot be read, is no such object, has a member twice, or a part that is longer than
    `most_bytes`.
    """
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        text = _Text(path, file, most_bytes)
        names: set[str] = set()
        text.expect(b"{")
        if not text.comes(b"}"):
            while True:
                name = text.name()
                if name in names:
                    raise text.wrong(f"member {name!r} stands twice in an object")
                names.add(name)
                text.expect(b":")
                if name in lists and text.comes(b"["):
                    yield JsonPart(name, None, b"[]")
                    yield from _items(text, name)
                else:
                    yield JsonPart(name, None, text.value(name))
                if not text.comes(b","):
                    break
            text.expect(b"}")
        text.end()


def _items(text: _Text, name: str) -> Iterator[JsonPart]:
    if text.comes(b"]"):
        return
    number = 0
    while True:
        yield JsonPart(name, number, text.value(f"{name}[{number}]"))
        number += 1
        if not text.comes(b","):
            break
    text.expect(b"]")


class _Text:
    """What is left of a file, from the next token on."""

    def __init__(self, path: Path, file: BinaryIO, most_bytes: int) -> None:
        self._path = path
        self._file = file
        self._most_bytes = most_bytes
        self._buffer = file.read(_READ_AT_ONCE).removeprefix(_BOM)
        self._place = 0  # in the buffer
        self._before = file.tell() - len(self._buffer)

    def comes(self, mark: bytes) -> bool:
        """Whether the next token is this one, which is then passed."""
        if self._next() != mark:
            return False
        self._place += 1
        return True

    def expect(self, mark: bytes) -> None:
        """Pass a token that must come."""
        if not self.comes(mark):
            raise self.wrong(f"no {mark.decode()}")

    def end(self) -> None:
        """Raise `InputError` where anything comes."""
        if self._next():
            raise self.wrong("more after its end")

    def name(self) -> str:
        """The name of a member."""
        if self._next() != b'"':
            raise self.wrong("no name of a member")
        name = parse_json(self.value("a name"), self._path)
        assert isinstance(name, str)
        return name

    def value(self, what: str) -> bytes:
        """The text of a value, which is to be parsed; in errors it is `what`."""
        first = self._next()
        end = self._end(what) if first in {b'"', b"[", b"{"} else self._simple_end(what)
        if end == self._place:
            raise self.wrong("no value")
        self._check_length(end, what)
        found = self._buffer[self._place : end]
        self._place = end
        return found

    def wrong(self, problem: str) -> InputError:
        """The error that says what is not right at the next token."""
        return InputError(f"{self._path}: no JSON: {problem} at byte {self._before + self._place}")

    def _next(self) -> bytes:
        """The first byte of the next token, nothing at the end."""
        while True:
            found = _NOT_BLANK.search(self._buffer, self._place)
            if found:
                self._place = found.start()
                return found[0]
            self._place = len(self._buffer)
            if not self._more("blank"):
                return b""

    def _simple_end(self, what: str) -> int:
        """Where a number or word ends."""
        while True:
            found = _AFTER_SIMPLE.search(self._buffer, self._place)
            if found:
                return found.start()
            if not self._more(what):
                return len(self._buffer)

    def _end(self, what: str) -> int:
        """Where a text, list or object ends."""
        depth, done = 0, 0  # done: bytes of the value that were looked at
        while True:
            for found in _MARK.finditer(self._buffer, self._place + done):
                first = self._buffer[found.start()]
                if first == _QUOTE and not found[1]:
                    done = found.start() - self._place
                    break
                done = found.end() - self._place
                depth += (first in b"[{") - (first in b"]}")
                if depth <= 0:
                    return found.end()
            if not self._more(what):
                raise self.wrong(f"{what} does not end; it begins")

    def _more(self, what: str) -> bool:
        """Read on; False at the end of the file. What was passed is forgotten."""
        left = len(self._buffer) - self._place
        self._check_length(len(self._buffer), what)
        # As much again, so that a long text is not gone through many times.
        read = self._file.read(max(_READ_AT_ONCE, left))
        self._buffer, self._before = self._buffer[self._place :] + read, self._before + self._place
        self._place = 0
        return bool(read)

    def _check_length(self, end: int, what: str) -> None:
        if end - self._place > self._most_bytes:
            raise InputError(
                f"{self._path}: {what}, at byte {self._before + self._place}, is longer than "
                f"{self._most_bytes} bytes"
            )
