"""What `gfvc batch` does to a file: one of our own commands, as a user would call it."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gfvc import __version__
from gfvc.batch.jobs import Naming, Options
from gfvc.batch.work import Performed
from gfvc.ending import EXIT_OF_SIGNAL, ended_by
from gfvc.given import neither, no_file, no_folder
from gfvc.options.declaration import plain

if TYPE_CHECKING:
    from gfvc.options.encoding import EncodeOptions

_VIDEOS = frozenset(
    {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".3gp", ".flv", ".mxf", ".wmv", ".ogv", ".nut", ".y4m", ".dv"}
)
_BYTE_STREAMS = frozenset({".266", ".vvc", ".265", ".hevc", ".bit", ".bin"})


@dataclass(frozen=True, slots=True)
class _Verb:
    """A command: what it reads, what its outputs are called, and memory that it takes in MB.

    Memory is half more than the record of a clip of the demo says (`peak_megabytes`), on one core.
    `prints` says that its output is what it prints; `product` names the file that stands for an
    output that is a folder. `idle` are options that change nothing of an output, though there may
    be none for them.
    """

    inputs: frozenset[str]
    suffix: str | None
    megabytes: int
    prints: bool = False
    product: str | None = None
    idle: frozenset[str] = frozenset()


_NAMES = frozenset({"command", "input", "output", "out", "clips"})
_OURS = frozenset({"force", "json"})
_IN, _OUT = Path("/an input of gfvc batch"), Path("/an output of gfvc batch")
"""What stands for a clip and its output where options are looked at before there is any."""
_PATIENCE = frozenset({"timeout"})
_BOUNDS = frozenset({"max_pictures", "max_area", "max_size", "ignore_restrictions"})
_ENGINE = frozenset({"jobs", "engine", "scheduler", "resume"})

VERBS = {
    "encode": _Verb(_VIDEOS, ".266", 1200, idle=_PATIENCE),
    "decode": _Verb(_BYTE_STREAMS | {".mp4"}, ".mp4", 620, idle=_PATIENCE | _BOUNDS),
    "transcode": _Verb(_BYTE_STREAMS, None, 75),
    "verify": _Verb(_BYTE_STREAMS | {".264", ".avc"}, ".jsonl", 75, prints=True),
    "inspect": _Verb(_BYTE_STREAMS | {".264", ".avc"}, ".jsonl", 75, prints=True),
    "bench": _Verb(_VIDEOS, "", 1750, product="bench.json", idle=_ENGINE),
}


@dataclass(frozen=True, slots=True)
class CommandCraft:
    """Works on files by a command of `VERBS`; `suffix` is that of outputs, None for the usual.

    `part_seconds` is how long parts of clips shall be that are encoded; None does not split them.
    """

    verb: str
    suffix: str | None = None
    part_seconds: float | None = None

    @property
    def splits(self) -> bool:
        """Whether clips are coded in parts."""
        return self.part_seconds is not None

    @property
    def naming(self) -> Naming:
        """Which files are taken, and what outputs are called."""
        return Naming(VERBS[self.verb].inputs, self.suffix_of, self.problem_of, self.check_output)

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

    def problem_of(self, name: str, folder: Path, options: Options) -> str | None:
        """Why an output cannot have a name in a folder; raises `GfvcError` where it says that."""
        if VERBS[self.verb].product is not None:
            return no_folder(name)
        if self.verb != "decode":
            problem = no_file(name)
            if problem is None and self.verb == "encode":
                from gfvc.stream.names import choose_codec

                choose_codec(Path(name), self.parsed(options).codec)
            return problem
        problem = neither(name)
        if problem is None and not (folder / name).is_dir():
            from gfvc.video_writer import is_folder_output

            is_folder_output(Path(name))
        return problem

    def check_output(self, source: Path, output: Path, options: Options) -> None:
        """Raise `GfvcError` where `transcode` cannot give what it makes of a file such a name."""
        if self.verb != "transcode":
            return
        from gfvc.cli.arguments import codec_from
        from gfvc.errors import InputError, StreamError
        from gfvc.stream.byte_stream import read_nal_units
        from gfvc.stream.containers import is_container
        from gfvc.stream.names import CODEC_OF_SUFFIX, check_suffix, is_mp4, mp4_of_byte_stream

        if is_mp4(output):
            with contextlib.suppress(InputError):
                if not is_container(source):
                    raise mp4_of_byte_stream(output)
            return
        codec, wanted = (CODEC_OF_SUFFIX.get(path.suffix.lower()) for path in (source, output))
        of_stream: str = wanted or "vvc"
        if wanted != codec and wanted is not None:
            # The input's name may lie. What cannot be read is a failure of that clip.
            with contextlib.suppress(InputError, StreamError):
                for unit in read_nal_units(source, codec_from(self.parsed(options))):
                    of_stream = unit.codec.value
                    break
        check_suffix(output, of_stream)

    def versions(self, options: Options) -> dict[str, str]:
        """Versions of gfvc, and of the model and base encoder that options of encode ask for."""
        return dict(_versions(self, options))

    def meaning(self, options: Options) -> dict[str, Any]:
        """Those that are not what they would be anyway, and change something of an output."""
        return dict(_meaning(self, options))

    def parsed(self, options: Options) -> argparse.Namespace:
        """Options as the command's parser has them; raises `UsageError` where it has not."""
        return argparse.Namespace(**vars(_parsed(self, options)))

    def arguments(self, source: Path, output: Path, options: Options, *, force: bool) -> list[str]:
        """What the command is called with after its name."""
        named = [str(source)]
        if VERBS[self.verb].product is not None:
            named += ["--out", str(output)]
        elif not VERBS[self.verb].prints:
            named += [str(output), *(["--force"] if force else [])]
        return [*named, *options]

    def product(self, output: Path) -> Path:
        """What stands for an output: itself, or the results of a benchmark in it."""
        name = VERBS[self.verb].product
        return output if name is None else output / name

    def is_whole(self, output: Path) -> bool:
        """Whether a benchmark has all files that its results name; all else is compared whole."""
        if self.verb != "bench":
            return True
        from gfvc.bench.results import has_all_files

        return has_all_files(output)

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        """Call the command; what it says on standard error are notes, and why it failed."""
        from gfvc.cli.main import main

        arguments = self.arguments(source, output, options, force=force)

        def call(said: io.StringIO) -> Performed:
            with (
                contextlib.suppress(_BrokenOffError),
                self._printed(source, output, force=force) as out,
            ):
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
                    status = main([self.verb, "--json", *arguments])
                notes, reason = _lines(said), None
                if status:
                    reason = notes.pop() if notes else f"ended with exit status {status}"
                broke_off = reason is not None and reason.startswith(f"gfvc {self.verb}: ")
                tells = reason is not None and VERBS[self.verb].prints and not broke_off
                result = (
                    json.loads(out.getvalue() or "null") if isinstance(out, io.StringIO) else None
                )
                if broke_off:
                    raise _BrokenOffError
            return Performed(result, tuple(notes), reason, tells)

        return _guarded(self.verb, call)

    def plan(self, source: Path, output: Path, options: Options) -> Performed:
        """Cut a clip into parts."""
        from gfvc.part_encoding import plan_parts

        assert self.part_seconds is not None
        seconds = self.part_seconds

        def call(said: io.StringIO) -> Performed:
            return Performed(plan_parts(source, output, self.encode_options(options), seconds))

        return _guarded(self.verb, call)

    def perform_part(self, source: Path, output: Path, plan: Any, part: int, to: Path) -> Performed:
        """Encode a part of a clip."""
        from gfvc.part_encoding import encode_part

        return _guarded(
            self.verb,
            lambda said: Performed(encode_part(source, output, plan, part, to).to_json()),
        )

    def join(
        self,
        source: Path,
        output: Path,
        plan: Any,
        parts: Sequence[tuple[Path, dict[str, Any]]],
        *,
        force: bool,
    ) -> Performed:
        """Make a stream of the parts of a clip."""
        from gfvc.encoding.clip_part import CodedPart
        from gfvc.part_encoding import join_parts

        def call(said: io.StringIO) -> Performed:
            coded = [(path, CodedPart.from_json(result, path)) for path, result in parts]
            notes: list[str] = []
            summary = join_parts(source, output, plan, coded, force=force, notes=notes.append)
            return Performed(summary.to_json(), tuple(notes))

        return _guarded(self.verb, call)

    def encode_options(self, options: Options) -> EncodeOptions:
        """Options of encode; raises `UsageError` where they are wrong."""
        from gfvc.cli.arguments import parsed_options, runtime_from
        from gfvc.options.encoding import EncodeOptions

        parsed = self.parsed(options)
        return parsed_options(EncodeOptions, parsed, runtime=runtime_from(parsed))

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


class _BrokenOffError(Exception):
    """A command broke off; what it printed is not all."""


@lru_cache(maxsize=256)
def _parsed(craft: CommandCraft, options: Options) -> argparse.Namespace:
    from gfvc.cli.arguments import UsageError

    arguments = craft.arguments(_IN, _OUT, options, force=False)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return _parser(craft.verb).parse_args([craft.verb, *arguments])
    except SystemExit as end:
        if not end.code:
            raise UsageError(
                f"options after -- are for each clip; gfvc {craft.verb} --help has them"
            ) from None
        _, _, problem = said.getvalue().strip().rpartition("error: ")
        raise UsageError(f"gfvc {craft.verb} says: {problem}") from None


@lru_cache(maxsize=len(VERBS))
def _parser(verb: str) -> argparse.ArgumentParser:
    """The parser of a command; building it takes ten times as long as parsing a row's options."""
    from gfvc.cli.parser import build_parser

    return build_parser(verb)


@lru_cache(maxsize=256)
def _meaning(craft: CommandCraft, options: Options) -> tuple[tuple[str, Any], ...]:
    from gfvc.cli.arguments import UsageError

    given = vars(craft.parsed(options))
    try:
        usual = vars(craft.parsed(()))
    except UsageError:
        usual = {}  # of a command that wants one
    without = _NAMES | _OURS | VERBS[craft.verb].idle
    return tuple(
        (name, plain(value))
        for name, value in given.items()
        if name not in without and value != usual.get(name)
    )


@lru_cache(maxsize=256)
def _versions(craft: CommandCraft, options: Options) -> tuple[tuple[str, str], ...]:
    from base_codec_adapters import find_encoder
    from base_codec_adapters.requests import ProgramInfo
    from gfvc.stream.names import choose_codec
    from models import default_registry

    versions = {"gfvc": __version__}
    parsed = craft.parsed(options)
    _check_own(parsed)
    if craft.verb == "encode":
        asked = craft.encode_options(options)
        if craft.splits:
            from gfvc.part_encoding import check_independent

            check_independent(asked)
            versions["parts"] = f"{craft.part_seconds:g} s"
        card = default_registry().find(asked.registered_model).card
        output = Path("out").with_suffix(craft.suffix_of(Path("in"), options))
        with _about_suffix(craft, output):
            codec = choose_codec(output, asked.codec)
        encoder = find_encoder(codec, asked.base_encoder).probe()
        versions["model"] = f"{card.uri} {card.sha256 or ''}".strip()
        if isinstance(encoder, ProgramInfo):
            versions["encoder"] = encoder.version
    elif craft.verb == "decode":
        _check_video_suffix(Path("out").with_suffix(craft.suffix_of(Path("in"), options)))
    return tuple(versions.items())


@contextlib.contextmanager
def _about_suffix(craft: CommandCraft, output: Path) -> Iterator[None]:
    """Errors say that of the suffix which they say of an output that nobody named."""
    from gfvc.errors import OutputError

    try:
        yield
    except OutputError as error:
        problem = str(error).removeprefix(f"{output}: ")
        raise OutputError(f"--suffix {craft.suffix}: {problem}") from None


def _check_video_suffix(output: Path) -> None:
    """Raise `OutputError` for a suffix that is none of a video: folders of pictures have none."""
    from gfvc.errors import OutputError
    from gfvc.video_writer import VIDEO_SUFFIXES

    if output.suffix.lower() not in VIDEO_SUFFIXES:
        raise OutputError(
            f"--suffix {output.suffix}: cannot be written; use one of {', '.join(VIDEO_SUFFIXES)}, "
            "or name outputs without a suffix in a list, for folders of PNG files"
        )


def _check_own(parsed: argparse.Namespace) -> None:
    """Raise `UsageError` for what is up to batch itself: inputs and outputs above all."""
    from gfvc.cli.arguments import UsageError

    given = [name for name in _OURS if getattr(parsed, name, False)]
    if getattr(parsed, "out", _OUT) != _OUT:
        given.append("out")
    if given:
        raise UsageError(f"--{min(given)} is an option of gfvc batch itself; give it before --")
    if getattr(parsed, "plot", None) is not None:
        raise UsageError("--plot names one file, and all clips would draw it; leave it out")
    if getattr(parsed, "clips", [_IN]) != [_IN]:
        raise UsageError("clips are named to gfvc batch itself; name them before --")


def _guarded(verb: str, call: Callable[[io.StringIO], Performed]) -> Performed:
    """What a call makes, or why it failed; it gets what standard error is led to."""
    from gfvc.cli.failures import failure_of

    said = io.StringIO()
    try:
        performed = call(said)
    except Exception as error:
        failure = failure_of(error, f"gfvc {verb}")
        reason = failure[1] if failure else f"unforeseen {type(error).__name__}: {error}"
        performed = Performed(None, tuple(_lines(said)), reason)
    number = ended_by()
    if number is not None:
        sys.exit(EXIT_OF_SIGNAL + number)
    if performed.reason is None:
        return performed
    reason = performed.reason.strip().splitlines()[0].removeprefix(f"gfvc {verb}: ")
    return replace(performed, reason=reason)


def _lines(said: io.StringIO) -> list[str]:
    return [line.removeprefix("gfvc: ") for line in said.getvalue().splitlines()]
