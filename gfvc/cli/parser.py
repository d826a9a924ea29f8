"""The parser of all commands."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from gfvc import __version__
from gfvc.cli.arguments import file_name

COMMANDS = (
    "encode",
    "decode",
    "inspect",
    "extract",
    "inject",
    "remove",
    "edit",
    "transcode",
    "export",
    "verify",
    "batch",
    "bench",
    "report",
    "demo",
    "models",
    "train",
)

_DESCRIPTION = """\
Generative face video codec: a talking head at a few kbit/s inside a standard VVC or HEVC stream.

A few pictures are coded by a real VVC or HEVC encoder. The decoder draws the others from them;
generative face video SEI messages (H.274) of the same stream say how the face moves, a handful of
numbers each. Decoded pictures are synthetic.
"""

_EXAMPLES = """\
examples:
  gfvc demo                       make a talking head, encode it, decode it, look at it
  gfvc encode talk.mp4 talk.266   encode a video as VVC with face parameters
  gfvc decode talk.266 out.mp4    make a video of it again
  gfvc inspect talk.266           show what is in the stream

exit status: 0 done, 1 failed (one line on stderr says why), 2 wrong usage
"""


class _Name(str):
    """An argument after "--": no option, however it begins."""

    __slots__ = ()


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints show arguments as text, whatever is in them.

    `after_dashes` names the attribute for what follows "--", where a command passes that on.
    `is_command` says that it is the parser of a command, and has its arguments.
    """

    after_dashes: str | None = None
    is_command = False
    _is_mixing = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.register("type", Path, file_name)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what is before "--", and keep what follows it."""
        if not self.is_command or args is None or self._is_mixing:
            return self._parse_mixed(args, namespace)
        given = list(args)
        cut = given.index("--") if "--" in given else len(given)
        if self.after_dashes is None:
            names = map(_Name, given[cut + 1 :])
            return self._parse_mixed([*given[: cut + 1], *names], namespace)
        parsed, unknown = self._parse_mixed(given[:cut], namespace)
        setattr(parsed, self.after_dashes, given[cut + 1 :])
        return parsed, unknown

    def _parse_mixed(self, args: Any, namespace: Any) -> Any:
        """Parse files and options in any order; a command itself says what it does not know.

        The usual way takes a file that may be left out for left out where an option comes before
        it. The mixed way does not, and has the last word on what is left over.
        """
        parsed, unknown = super().parse_known_args(args, namespace)
        if self._is_mixing or not self.is_command or not unknown:
            return parsed, unknown
        self._is_mixing = True
        try:
            parsed, unknown = super().parse_known_intermixed_args(args, namespace)
        finally:
            self._is_mixing = False
        if unknown:
            names = [name for name in unknown if isinstance(name, _Name) and name.startswith("-")]
            why = " (what follows -- is a name, never an option)" if names else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{why}")
        return parsed, unknown

    def _parse_optional(self, arg_string: str) -> Any:
        """Tell an option from a name; the mixed way asks again when "--" is gone."""
        return None if isinstance(arg_string, _Name) else super()._parse_optional(arg_string)

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        from sei.escaping import printable, shorten

        super().error(printable(shorten(message)))


def keep_after_dashes(parser: argparse.ArgumentParser, name: str) -> None:
    """Have what follows "--" kept as a list of that name, for another command."""
    assert isinstance(parser, _Parser)
    parser.after_dashes = name


def build_parser(*complete: str) -> argparse.ArgumentParser:
    """The parser of all commands.

    Those named in `complete` have their arguments, the others only their line of help: what it
    takes to describe all of them is not wanted where one runs.
    """
    parser = _Parser(
        prog="gfvc",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gfvc {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = command_module(name)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=getattr(module, "EPILOG", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.is_command = name in complete
        if command.is_command:
            module.add_arguments(command)
    return parser


def command_module(name: str) -> ModuleType:
    """The module of a command: HELP, EPILOG, `add_arguments` and `run`."""
    return importlib.import_module(f"gfvc.cli.{name}_command")
