"""The parser's arguments: of declared options, and those that several commands have."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gfvc.errors import GfvcError
from gfvc.given import neither, no_file, no_folder
from gfvc.options.declaration import (
    Option,
    OptionConflictError,
    OptionGroup,
    described_options,
)
from gfvc.options.kinds import Kind

if TYPE_CHECKING:
    from models.runtime import Runtime
    from sei import Codec

STREAM = "VVC or HEVC stream with GFV messages, or an .mp4 that holds one"
"""What IN is of commands that decode."""

T = TypeVar("T", bound=OptionGroup)


def add_options(parser: argparse.ArgumentParser, options: type[OptionGroup]) -> None:
    """Describe the options of a class: those of each base class in a group with its title.

    What a class declares anew stays in the group of its base class.
    """
    left = described_options(options)
    groups = [base for base in options.__mro__ if issubclass(base, OptionGroup)]
    for group in reversed(groups):
        names = [name for name in inspect.get_annotations(group) if name in left]
        if names:
            section = parser.add_argument_group(group.title)
            for name in names:
                _add(section, name, *left.pop(name))


def parsed_options(options: type[T], parsed: argparse.Namespace, **further: Any) -> T:
    """The options that were given; `further` are those that no argument is made from.

    Raises `UsageError` for options that exclude each other.
    """
    values = {
        name: getattr(parsed, name) for name in described_options(options) if hasattr(parsed, name)
    }
    try:
        return options(**values, **further)
    except OptionConflictError as error:
        flags = {
            name: flag(name, described)
            for name, (described, _) in described_options(options).items()
        }
        raise UsageError(error.message.format_map(flags)) from None


def reader_of(kind: Kind) -> Callable[[str], Any]:
    """What makes a value of an argument's text, or a usage error."""

    def read(given: str) -> Any:
        try:
            return kind.parse(given)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def file_name(text: str) -> Path:
    """A file that is named. An empty name would be the current folder, which nobody named."""
    return _named(text, no_file(text))


def file_text(text: str) -> str:
    """A file that is named, as text."""
    file_name(text)
    return text


def folder_name(text: str) -> Path:
    """A folder that is named."""
    return _named(text, no_folder(text))


def file_or_folder_name(text: str) -> Path:
    """A file or folder that is named."""
    return _named(text, neither(text))


def _named(text: str, problem: str | None) -> Path:
    if problem is not None:
        raise argparse.ArgumentTypeError(problem)
    return Path(text)


class UsageError(GfvcError):
    """Options that exclude each other; the message names them as they are given."""


def flag(name: str, described: Option) -> str:
    """How an option is given: `--key-qp`."""
    return f"--{described.flag or name.replace('_', '-')}"


def _add(section: argparse._ArgumentGroup, name: str, described: Option, default: Any) -> None:
    text = described.help.replace("%", "%%")
    if described.kind is None:
        section.add_argument(flag(name, described), dest=name, action="store_true", help=text)
        return
    shown = described.default
    if shown is None and default is not None and not described.repeats:
        shown = f"{default:g}" if isinstance(default, float) else str(default)
    text += described.remarks(shown).replace("%", "%%")
    section.add_argument(
        flag(name, described),
        dest=name,
        type=reader_of(described.kind),
        action=_Append if described.repeats else "store",
        default=default if default is not dataclasses.MISSING else None,
        metavar=described.kind.metavar,
        help=text,
    )


class _Append(argparse.Action):
    """Collects the values of an option that is given several times in a tuple."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), values))


def add_files(
    parser: argparse.ArgumentParser,
    given: str,
    written: str = "stream to write",
    output: Callable[[str], Path] = file_name,
) -> None:
    """Describe IN and OUT of a command that makes one file of another; `output` reads OUT's."""
    parser.add_argument("input", type=file_name, metavar="IN", help=given)
    parser.add_argument("output", type=output, metavar="OUT", help=written)


def add_out(parser: argparse.ArgumentParser, help: str) -> None:  # noqa: A002 (argparse's word)
    """Describe --out of a command that fills a folder."""
    parser.add_argument("--out", type=folder_name, required=True, metavar="DIR", help=help)


def add_result_arguments(parser: argparse.ArgumentParser, *, runs_networks: bool = False) -> None:
    """Describe --force and --json of a command that writes one file.

    And --device, --runtime and --bfloat16 of one that runs networks for it.
    """
    if runs_networks:
        from gfvc.options.running import RuntimeOptions

        add_options(parser, RuntimeOptions)
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object about the result"
    )


def add_codec(parser: argparse.ArgumentParser, of: str = "the stream") -> None:
    """Describe --codec of a command that reads a byte stream."""
    parser.add_argument(
        "--codec",
        choices=("vvc", "hevc", "avc"),
        help=f"codec of {of}, where its parameter sets do not tell",
    )


def codec_from(options: argparse.Namespace) -> Codec | None:
    """The codec that was named."""
    from sei import Codec

    return None if options.codec is None else Codec(options.codec)


def runtime_from(options: argparse.Namespace) -> Runtime:
    """What the options ask for."""
    from gfvc.options.running import RuntimeOptions

    return parsed_options(RuntimeOptions, options).as_runtime
