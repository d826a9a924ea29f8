"""One declaration of each option: a dataclass field that carries what all its users need to know.

From it come the check of a value that a program gives, the parser, `--help` and docs/cli.md
(`gfvc.cli.arguments`), the text of Python's `help`, and the options' JSON form.

A library that makes parsers of dataclasses (tyro, jsonargparse) was tried instead: one answers a
wrong value with a box of a dozen lines, the other cannot have `--key-qp` as a name.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePath
from typing import Any, ClassVar, TypeVar

from gfvc.given import check_kinds
from gfvc.options.kinds import Kind
from gfvc.options.values import items, shown, truth

_KEY = "option"

_FLAG = re.compile(r"(?<!\S)--([a-z][a-z-]*[a-z])")


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of an option beside its name and default.

    Attributes:
        kind: its values; None for a switch, which is True when it is given.
        help: what it does, for people; without the default.
        flag: its name on the command line, where that is not the field's.
        default: what the default means, where it is not the default itself.
        repeats: whether it may be given several times; the value is a tuple then.
        optional: whether None is a value, which says that another option or the input decides.
    """

    kind: Kind | None
    help: str
    flag: str | None = None
    default: str | None = None
    repeats: bool = False
    optional: bool = False

    def value_of(self, given: Any) -> Any:
        """The value that a program means, with the type that those who use it count on.

        Text means what it does on the command line. Raises `ValueError` for anything else, without
        saying what is wrong.
        """
        if given is None and self.optional:
            return None
        if self.kind is None:
            switched = truth(given)
            if switched is None:
                raise ValueError
            return switched
        if not self.repeats:
            return self._value_of_kind(given)
        in_no_order = isinstance(given, (set, frozenset))
        values = tuple(given) if in_no_order else items(given)
        if values is None:
            raise ValueError
        converted = map(self._value_of_kind, values)
        return tuple(sorted(converted) if in_no_order else converted)

    def _value_of_kind(self, given: Any) -> Any:
        assert self.kind is not None
        if self.kind.accepts(given):
            return self.kind.convert(given)
        if not isinstance(given, str):
            raise ValueError
        return self.kind.parse(given)

    def remarks(self, default: str | None) -> str:
        """What ends the help, in parentheses: the range of its values, and the default in words."""
        told = []
        if self.kind is not None and self.kind.limits and self.kind.limits not in self.help:
            told.append(self.kind.limits)
        if default is not None:
            told.append(f"default: {default}")
        return f" ({'; '.join(told)})" if told else ""

    @property
    def wanted(self) -> str:
        """What it accepts, in words."""
        if self.kind is None:
            return "True or False"
        wanted = self.kind.wanted
        return f"a list of which each is {wanted}" if self.repeats else wanted


def option(
    kind: Kind,
    help_text: str,
    default: Any = None,
    *,
    flag: str | None = None,
    shown: str | None = None,
    repeats: bool = False,
) -> Any:
    """A dataclass field that is an option; `shown` says what its default means.

    None is allowed where it is the default.
    """
    described = Option(kind, help_text, flag, shown, repeats, optional=default is None)
    return dataclasses.field(default=default, metadata={_KEY: described})


def switch(help_text: str) -> Any:
    """A dataclass field that is off unless it is asked for."""
    return dataclasses.field(default=False, metadata={_KEY: Option(None, help_text)})


def described_options(group: type) -> dict[str, tuple[Option, Any]]:
    """The options that a class declares or inherits, by field name, with their defaults."""
    return {
        field.name: (field.metadata[_KEY], field.default)
        for field in dataclasses.fields(group)
        if _KEY in field.metadata
    }


class OptionConflictError(ValueError):
    """Options that exclude each other.

    The message names them in braces, `{key_qp}`; as text they are the names of the fields.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message.format_map(_Names())


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


@dataclass(frozen=True, kw_only=True)
class OptionGroup:
    """Base of the classes that declare options: values are checked when an object is made.

    A rate that is given as 25 or "25" is the fraction from then on, a list or set a tuple: text
    means what it does on the command line, and numbers may be of any type.
    A class says its `title`, the heading of the group in `--help`, or has that of its first base.
    Raises `ValueError` for a value that an option cannot have, `OptionConflictError` for options
    that exclude each other, and `TypeError` for a further object of another class.
    """

    title: ClassVar[str] = "options"

    def __init_subclass__(cls, title: str | None = None) -> None:
        cls.title = title or cls.title

    def __post_init__(self) -> None:
        for name, (described, _) in described_options(type(self)).items():
            given = getattr(self, name)
            try:
                value = described.value_of(given)
            except ValueError:
                text = f"{name} cannot be {shown(given)}: give {described.wanted}"
                raise ValueError(text) from None
            object.__setattr__(self, name, value)
        for field in dataclasses.fields(self):
            # What is no option has a class that makes its default.
            if _KEY not in field.metadata and isinstance(field.default_factory, type):
                check_kinds(**{field.name: (getattr(self, field.name), field.default_factory)})
        for group in type(self).__mro__:
            if issubclass(group, OptionGroup) and "conflict" in vars(group):
                message = group.conflict(self)
                if message is not None:
                    raise OptionConflictError(message)

    def conflict(self) -> str | None:
        """What is wrong with values that are right each by itself; None when nothing is.

        Names of options stand in braces.
        """
        return None

    def to_json(self) -> dict[str, Any]:
        """All options as a JSON object; fractions and further objects as text or objects."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


G = TypeVar("G", bound=type[OptionGroup])


def documented(group: G) -> G:
    """Class decorator: puts what all groups raise, and the options' help, into the docstring.

    Options go by their names in Python there. Errors and notes name them as the command line does,
    `--key-qp`; where that is another name, the help says so.
    """
    raises = "Raises `ValueError` for a value that an option cannot have"
    if group.conflict is not OptionGroup.conflict:
        raises += ", `OptionConflictError` for options that exclude each other"
    options = described_options(group)
    names = {described.flag: name for name, (described, _) in options.items() if described.flag}

    def in_python(text: str) -> str:
        return _FLAG.sub(lambda found: names.get(found[1], found[1].replace("-", "_")), text)

    lines = []
    for name, (described, default) in options.items():
        shown = described.default or (repr(default) if default is not None else None)
        text = in_python(f"    {name}: {described.help}{described.remarks(shown)}")
        lines.append(text + (f"; --{described.flag} in messages" if described.flag else ""))
    about = inspect.cleandoc(group.__doc__ or "")
    group.__doc__ = f"{about}\n\n{raises}.\n\nOptions:\n" + "\n".join(lines)
    return group


def plain(value: Any) -> Any:
    """A value of an option as JSON has it; fractions, paths and further objects as text."""
    if isinstance(value, (Fraction, PurePath)):
        return str(value)
    if isinstance(value, (tuple, list)):
        return list(map(plain, value))
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
