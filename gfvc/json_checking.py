"""JSON that came from a file, whose members are checked as they are taken.

Anybody can have changed a file. What is taken from here is of the type, in the range and of the
length that was asked for, and text can be printed and written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeGuard

from gfvc.errors import InputError, system_errors
from gfvc.given import not_a_file
from sei import printable

LARGEST = 1e12
"""Most that a number may be, either way: what is measured here is far from it."""

_MOST_DIGITS = 1000
_SMALLEST = 1e-30  # what is nearer to 0 is 0: one divides by less
_MAX_RATE_TERM = 1001


def read_json(path: Path, most_bytes: int) -> object:
    """What a JSON file holds.

    Raises `InputError` when it cannot be read, is no JSON, or has more than `most_bytes`.
    """
    return parse_json(read_bytes(path, most_bytes), path)


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """What a file holds; raise `InputError` when it cannot be read or is larger."""
    with system_errors(InputError, path, "cannot be read"):
        if not path.is_file():
            raise InputError(f"{path}: {not_a_file(path)}")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise InputError(f"{path}: has more than the {most_bytes} bytes that are taken")
    return content


def parse_json(content: bytes, source: Path | str) -> object:
    """The value that a text of JSON says. Raises `InputError`, which names the source."""
    try:
        value: object = json.loads(
            content, object_pairs_hook=_object, parse_int=_integer, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        reason = f"{error.msg} at {line}column {error.colno}"
    except UnicodeDecodeError:
        reason = "no text in UTF-8"
    except ValueError as error:  # what the hooks refuse
        reason = str(error)
    except RecursionError:
        reason = "is nested too deep"
    else:
        return value
    raise InputError(f"{source}: no JSON: {reason}")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raise `ValueError` where two members have one name."""
    made: dict[str, Any] = {}
    for name, value in members:
        if name in made:
            raise ValueError(f"member {name!r} stands twice in an object")
        made[name] = value
    return made


def _integer(digits: str) -> int:
    """An integer; raise `ValueError` for one that nobody means."""
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits, and {_MOST_DIGITS} are taken")
    return int(digits)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number there")


class CheckedObject:
    """A JSON object. Whatever is not as asked for raises `InputError`, which says where it is.

    `source` is the file, or the line of a file, that holds it, `where` its place there; `remedy` is
    what the user is to do.
    """

    def __init__(
        self, value: object, source: Path | str, remedy: str = "", where: str = ""
    ) -> None:
        self.source = source
        self._where = where
        self._remedy = remedy
        if not isinstance(value, dict):
            raise self.wrong("", "an object")
        self._value: dict[str, Any] = value

    def wrong(self, key: str, wanted: str) -> InputError:
        """The error that says what a member is not; "" is the object itself."""
        where = f"{self._where}.{key}".strip(".") or "all of it"
        return self._error(f"{where} is not {wanted}")

    def refuse(self, problem: str) -> InputError:
        """The error that says what is wrong with the object."""
        where = f"{self._where}: " if self._where else ""
        return self._error(f"{where}{problem}")

    def _error(self, problem: str) -> InputError:
        remedy = f"; {self._remedy}" if self._remedy else ""
        return InputError(f"{self.source}: {problem}{remedy}")

    def has(self, key: str) -> bool:
        """Whether there is such a member; null counts as none."""
        return self._value.get(key) is not None

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def hexadecimal(self, key: str) -> bytes:
        """Bytes in hexadecimal digits."""
        try:
            return bytes.fromhex(self.name(key))
        except ValueError:
            raise self.wrong(key, "bytes in hexadecimal digits") from None

    def pairs(self, key: str) -> list[tuple[str, int | str]]:
        """A list of names, each with an integer or a text."""
        value = self._value.get(key)
        if not isinstance(value, list) or not all(map(_is_pair, value)):
            raise self.wrong(key, "a list of [name, integer or text]")
        return [(name, content) for name, content in value]

    def equal(self, key: str, wanted: object) -> None:
        """A member that is known beforehand."""
        if self._value.get(key) != wanted:
            raise self.wrong(key, f"{wanted!r}")

    def text(self, key: str) -> str:
        """A string, in which what is not to be printed is escaped."""
        return printable(self.name(key))

    def name(self, key: str) -> str:
        """A string as it is: a name of a file, say, in which every character counts."""
        value = self._value.get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(map(printable, self.names(key)))

    def names(self, key: str) -> tuple[str, ...]:
        """A list of strings as they are."""
        value = self._value.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def is_list(self, key: str) -> bool:
        """Whether a member is a list."""
        return isinstance(self._value.get(key), list)

    def whole(self, key: str, low: int = 0, high: int = 1 << 53) -> int:
        """An integer within bounds."""
        value = self._value.get(key)
        if not _is_whole(value) or not low <= value <= high:
            raise self.wrong(key, f"a whole number in {low}..{high}")
        return value

    def whole_or_none(self, key: str, low: int = 0, high: int = 1 << 53) -> int | None:
        """An integer within bounds, or None where there is none."""
        return self.whole(key, low, high) if self.has(key) else None

    def number(self, key: str) -> float:
        """A number."""
        value = self._value.get(key)
        if not _is_number(value):
            is_large = isinstance(value, (int, float)) and not isinstance(value, bool)
            within = f" in {-LARGEST:.0f}..{LARGEST:.0f}" if is_large else ""
            raise self.wrong(key, f"a number{within}")
        return _plain(value)

    def positive(self, key: str) -> float:
        """A number above zero."""
        value = self.number(key)
        if value <= 0:
            raise self.wrong(key, "above zero")
        return value

    def rate(self, key: str, low: Fraction, high: Fraction) -> Fraction:
        """A rate within bounds, as a fraction of small terms."""
        value = self.number(key)
        if not low <= value <= high:
            raise self.wrong(key, f"a rate in {low}..{high}")
        return Fraction(value).limit_denominator(_MAX_RATE_TERM)

    def number_or_none(self, key: str) -> float | None:
        """A number, or None where there is none."""
        return self.number(key) if self.has(key) else None

    def numbers(self, key: str, count: int) -> tuple[float | None, ...]:
        """A list of a certain length with numbers and None."""
        value = self._value.get(key)
        if not _is_list(value, count, lambda item: item is None or _is_number(item)):
            raise self.wrong(key, f"a list of {count} numbers in {-LARGEST:.0f}..{LARGEST:.0f}")
        return tuple(None if item is None else _plain(item) for item in value)

    def whole_numbers_or_none(self, key: str, count: int) -> tuple[int, ...] | None:
        """A list of a certain length with whole numbers from 0, or None."""
        value = self._value.get(key)
        if value is None:
            return None
        if not _is_list(value, count, lambda item: _is_whole(item) and 0 <= item <= LARGEST):
            raise self.wrong(key, f"a list of {count} whole numbers in 0..{LARGEST:.0f}")
        return tuple(value)

    def whole_numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from 0, however long."""
        value = self._value.get(key)
        found = self.whole_numbers_or_none(key, len(value)) if isinstance(value, list) else None
        if found is None:
            raise self.wrong(key, f"a list of whole numbers in 0..{LARGEST:.0f}")
        return found

    def object(self, key: str) -> CheckedObject:
        """An object."""
        where = f"{self._where}.{key}".strip(".")
        return CheckedObject(self._value.get(key), self.source, self._remedy, where)

    def object_or_none(self, key: str) -> CheckedObject | None:
        """An object, or None where there is none."""
        return self.object(key) if self.has(key) else None

    def objects(self, key: str) -> list[CheckedObject]:
        """A list of objects."""
        where = f"{self._where}.{key}".strip(".")
        return [
            CheckedObject(item, self.source, self._remedy, f"{where}[{number}]")
            for number, item in enumerate(self.items(key))
        ]

    def items(self, key: str) -> list[Any]:
        """A list, whose members are yet to be checked."""
        value = self._value.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def keys(self) -> list[str]:
        """The names of all members."""
        return list(self._value)

    def file(self, key: str, folder: Path) -> Path:
        """The path of a file inside `folder`, links followed."""
        name = self.name(key)
        try:
            path = (folder / name).resolve()
            inside = path.is_relative_to(folder.resolve())
        except (OSError, ValueError, RuntimeError):
            inside = False
        if not inside:
            raise self.wrong(key, f"a file inside {folder}")
        return path

    def choice(self, key: str, known: Mapping[str, Any]) -> Any:
        """What a word stands for."""
        word = self.text(key)
        if word not in known:
            raise self.wrong(key, f"one of {', '.join(known)}")
        return known[word]


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: object, count: int, holds: Callable[[Any], bool]) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and len(value) == count and all(map(holds, value))


def _is_pair(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return isinstance(value[1], str) or _is_whole(value[1])


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -LARGEST <= value <= LARGEST  # NaN is neither


def _plain(value: float) -> float:
    number = float(value)
    return number if abs(number) > _SMALLEST else 0.0
