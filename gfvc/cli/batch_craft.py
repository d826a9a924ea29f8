"""What `gfvc batch` does to a file: one of our own commands, as a user would call it."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from gfvc import __version__
from gfvc.batch.jobs import Naming, Options
from gfvc.batch.work import Performed
from gfvc.ending import EXIT_OF_SIGNAL, ended_by

_VIDEOS = frozenset(
    {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".3gp", ".flv", ".mxf", ".wmv", ".ogv", ".nut", ".y4m", ".dv"}
)
_BYTE_STREAMS = frozenset({".266", ".vvc", ".265", ".hevc", ".bit", ".bin"})


@dataclass(frozen=True, slots=True)
class _Verb:
    """A command: what it reads, what its outputs are called, and memory that it takes in MB.

    `prints` says that its output is what it prints; `product` names the file that stands for an
    output that is a folder.
    """

    inputs: frozenset[str]
    suffix: str | None
    megabytes: int
    prints: bool = False
    product: str | None = None


VERBS = {
    "encode": _Verb(_VIDEOS, ".266", 900),
    "decode": _Verb(_BYTE_STREAMS | {".mp4"}, ".mp4", 700),
    "transcode": _Verb(_BYTE_STREAMS, None, 150),
    "verify": _Verb(_BYTE_STREAMS | {".264", ".avc"}, ".jsonl", 150, prints=True),
    "inspect": _Verb(_BYTE_STREAMS | {".264", ".avc"}, ".jsonl", 150, prints=True),
    "bench": _Verb(_VIDEOS, "", 1500, product="bench.json"),
}


@dataclass(frozen=True, slots=True)
class CommandCraft:
    """Works on files by a command of `VERBS`; `suffix` is that of outputs, None for the usual."""

    verb: str
    suffix: str | None = None

    @property
    def naming(self) -> Naming:
        """Which files are taken, and what outputs are called."""
        return Naming(VERBS[self.verb].inputs, self.suffix_of)

    def suffix_of(self, source: Path, options: Options) -> str:
        """The suffix of the output of a file."""
        if self.suffix is not None:
            return self.suffix
        usual = VERBS[self.verb].suffix
        if usual is None:
            return source.suffix
        if self.verb == "encode":
            return ".265" if self.parsed(options).codec == "hevc" else usual
        return usual

    def versions(self, options: Options) -> dict[str, str]:
        """Versions of gfvc, and of the model and base encoder that options of encode ask for."""
        return dict(_versions(self, options))

    def parsed(self, options: Options) -> argparse.Namespace:
        """Options as the command's parser has them; raises `UsageError` where it has not."""
        from gfvc.cli.option_arguments import UsageError
        from gfvc.cli.parser import build_parser

        arguments = self._arguments(Path("/in"), Path("/out"), options, force=False)
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                return build_parser(self.verb).parse_args(arguments)
        except SystemExit:
            _, _, problem = said.getvalue().strip().rpartition("error: ")
            raise UsageError(f"gfvc {self.verb} says: {problem}") from None

    def _arguments(self, source: Path, output: Path, options: Options, *, force: bool) -> list[str]:
        named = [str(source)]
        if VERBS[self.verb].product is not None:
            named += ["--out", str(output)]
        elif not VERBS[self.verb].prints:
            named += [str(output), *(["--force"] if force else [])]
        return [self.verb, *named, *options, "--json"]

    def product(self, output: Path) -> Path:
        """The file that stands for an output."""
        name = VERBS[self.verb].product
        return output if name is None else output / name

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        """Call the command; what it says on standard error are notes, and why it failed."""
        from gfvc.cli.main import main

        arguments = self._arguments(source, output, options, force=force)
        printing = self._printed(source, output, force=force)
        return _performed(self.verb, main, arguments, printing)

    @contextlib.contextmanager
    def _printed(self, source: Path, output: Path, *, force: bool) -> Iterator[IO[str]]:
        """Where what is printed goes: into the output, or into memory."""
        if not VERBS[self.verb].prints:
            yield io.StringIO()
            return
        from gfvc.output import replaced_when_complete

        with (
            replaced_when_complete(output, force=force, sources=[source]) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            yield file


@lru_cache(maxsize=256)
def _versions(craft: CommandCraft, options: Options) -> tuple[tuple[str, str], ...]:
    from base_codec_adapters import find_encoder
    from base_codec_adapters.requests import ProgramInfo
    from gfvc.cli.option_arguments import parsed_options
    from gfvc.options.encoding import EncodeOptions
    from gfvc.stream.names import choose_codec
    from models import default_registry

    versions = {"gfvc": __version__}
    parsed = craft.parsed(options)
    if craft.verb == "encode":
        asked = parsed_options(EncodeOptions, parsed)
        card = default_registry().find(asked.registered_model).card
        output = Path("out").with_suffix(craft.suffix_of(Path("in"), options))
        encoder = find_encoder(choose_codec(output, asked.codec), asked.base_encoder).probe()
        versions["model"] = f"{card.uri} {card.sha256 or ''}".strip()
        if isinstance(encoder, ProgramInfo):
            versions["encoder"] = encoder.version
    return tuple(versions.items())


def _performed(
    verb: str,
    call: Callable[[list[str]], int],
    arguments: list[str],
    printing: contextlib.AbstractContextManager[IO[str]],
) -> Performed:
    from gfvc.cli.failures import failure_of

    said = io.StringIO()
    result: Any = None
    reason: str | None = None
    try:
        with printing as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            status = call(arguments)
            if isinstance(out, io.StringIO):
                result = json.loads(out.getvalue() or "null")
    except Exception as error:
        failure = failure_of(error, f"gfvc {verb}")
        status = 1
        reason = failure[1] if failure else f"unforeseen {type(error).__name__}: {error}"
    if ended_by() is not None:
        sys.exit(EXIT_OF_SIGNAL + (ended_by() or 0))
    notes = [line.removeprefix("gfvc: ") for line in said.getvalue().splitlines()]
    if status and reason is None:
        reason = notes.pop() if notes else f"ended with exit status {status}"
    if reason is not None:
        reason = reason.strip().splitlines()[0].removeprefix(f"gfvc {verb}: ")
    return Performed(result, tuple(notes), reason)
