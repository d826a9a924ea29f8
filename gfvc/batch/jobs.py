"""What is to be done: files, folders and lists become jobs, each with an output of its own."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gfvc.batch.folder import is_reserved
from gfvc.batch.manifest import is_manifest, is_other_list, read_manifest
from gfvc.batch.records import record_path
from gfvc.errors import GfvcError, InputError
from gfvc.given import neither, no_file, not_a_file

MOST_FOLDERS = 100
"""Parts of the longest path in the output folder: a line of a list could name thousands."""

Options = tuple[str, ...]
"""Options of a command as they are given to it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file to work on, where what comes out goes, and with which options.

    Both paths are absolute. `stated` is where the job comes from, for messages.
    """

    input: Path
    output: Path
    options: Options
    stated: str


def _problem_of(name: str, folder: Path, options: Options) -> str | None:
    return neither(name)


def _check_output(source: Path, output: Path, options: Options) -> None:
    """Any is right."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Which files of a folder are taken, and what outputs are called.

    `inputs` are suffixes in lower case; `suffix` gives that of an output by its input and options.
    `problem_of` says why an output cannot have the name, in a folder, that a list gives it with
    these options; None where it can. `check_output` is given an input, its output and options.
    All may raise `GfvcError`.
    """

    inputs: frozenset[str]
    suffix: Callable[[Path, Options], str]
    problem_of: Callable[[str, Path, Options], str | None] = _problem_of
    check_output: Callable[[Path, Path, Options], None] = _check_output


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to work on, and its place in the output folder; `named` if that is the output's."""

    path: Path
    place: Path
    options: Options
    stated: str
    named: bool = False


def find_jobs(
    sources: Sequence[Path], folder: Path, naming: Naming, options: Options = ()
) -> list[Job]:
    """Jobs of files, folders (with all that is in them) and lists, in an order that stays.

    Outputs go to `folder`: a file under its name, the files of a folder as they lie there, with
    the folder's name above them where there is more than one, and those of a list as they lie
    beneath it, or as it says. Inputs that differ in their suffix alone keep it.

    Raises `InputError` for what is not there, or lies in `folder` itself, for a list that is
    wrong, for two inputs of the same output, for outputs that cannot be of their inputs, and where
    there is nothing to do.
    """
    target = Path(os.path.realpath(folder))
    folders = [source for source in sources if source.is_dir()]
    found: list[_Found] = []
    for source in sources:
        if Path(os.path.realpath(source)).is_relative_to(target):
            raise InputError(
                f"{source}: lies in {folder}, where outputs go; choose another name for --out"
            )
        if source.is_dir():
            below = Path(source.resolve().name if len(folders) > 1 else "")
            found += _in_folder(source, below, target, naming.inputs, options)
        elif source == Path("-"):
            raise InputError("-: batch reads files, folders and lists; write the list into a file")
        elif not source.exists():
            raise InputError(f"{source}: no such file or folder")
        elif not source.is_file():
            raise InputError(f"{source}: is neither a file nor a folder")
        elif is_manifest(source):
            found += _in_manifest(source, target, naming, options)
        elif is_other_list(source) and source.suffix.lower() not in naming.inputs:
            raise InputError(
                f"{source}: is no clip; a list of clips is a .csv with a column input, or a .jsonl "
                "with such a member; output and options may stand there, too"
            )
        else:
            found.append(_Found(source, Path(source.name), options, str(source)))
    if not found:
        known = ", ".join(sorted(naming.inputs))
        what = f"no file is named as one of {known}" if folders else "no clip is in the list"
        raise InputError(f"{', '.join(map(str, sources))}: nothing to do: {what}")
    return _named(found, target, naming)


def part_of(jobs: Sequence[Job], part: int, parts: int) -> list[Job]:
    """Part 1..`parts` of the jobs: together they are all, and none is in two."""
    return list(jobs[part - 1 :: parts])


def _in_folder(
    source: Path, below: Path, target: Path, suffixes: frozenset[str], options: Options
) -> Iterator[_Found]:
    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from None

    root = Path(os.path.realpath(source))
    linked: set[Path] = set()

    def is_entered(path: Path) -> bool:
        """Whether to look into a sub-folder; a linked one once, if it is not below anyway."""
        real = Path(os.path.realpath(path))
        if path.name.startswith(".") or real == target:
            return False
        if path.is_symlink():
            if real in linked or real.is_relative_to(root) or root.is_relative_to(real):
                return False
            linked.add(real)
        return True

    for parent, names, files in os.walk(source, onerror=fail, followlinks=True):
        names[:] = [name for name in sorted(names) if is_entered(Path(parent, name))]
        for name in sorted(files):
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in suffixes:
                continue
            # Reading a pipe or a device may never end; a dangling link fails as the others say.
            if path.is_file() or not path.exists():
                yield _Found(path, below / path.relative_to(source), options, str(path))


def _in_manifest(source: Path, target: Path, naming: Naming, options: Options) -> Iterator[_Found]:
    for row in read_manifest(source):
        problem = no_file(row.input)
        if problem is None and row.output is not None:
            with _stated(row.stated):
                problem = naming.problem_of(row.output, target, (*options, *row.options))
        if problem is not None:
            raise InputError(f"{row.stated}: {problem}")
        path = source.parent / row.input
        _check_input(path, row.stated)
        place = Path(row.output or row.input)
        if place.is_absolute() and row.output is None:
            place = Path(place.name)
        inside = Path(os.path.normpath(target / place))
        if inside == target or not inside.is_relative_to(target):
            raise InputError(f"{row.stated}: {place} lies outside of the output folder")
        place = inside.relative_to(target)
        yield _Found(path, place, (*options, *row.options), row.stated, row.output is not None)


def _check_input(path: Path, stated: str) -> None:
    """Raise `InputError` unless a list's input is a file."""
    try:
        if path.is_file():
            return
        problem = not_a_file(path)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    raise InputError(f"{stated}: {path}: {problem}")


def _named(found: Iterable[_Found], target: Path, naming: Naming) -> list[Job]:
    """Jobs with outputs, each a name of its own.

    Where several would have the same one, or one that is a table's or a folder of others, their
    inputs' suffixes stay.
    """
    files = list(found)
    plain = [_output(file, naming) for file in files]
    for file, output in zip(files, plain, strict=True):
        if len(output.parts) > MOST_FOLDERS:
            raise InputError(
                f"{file.stated}: its output would lie {len(output.parts) - 1} folders deep, where "
                f"{MOST_FOLDERS - 1} are the most; give it another place"
            )
    taken = Counter(plain)
    taken.update(folder for output in set(plain) for folder in output.parents)
    jobs: dict[Path, Job] = {}
    for file, output in zip(files, plain, strict=True):
        if (taken[output] > 1 or is_reserved(output)) and not file.named:
            output = file.place.with_name(file.place.name + _suffix(file, naming))
        if is_reserved(output):
            raise InputError(f"{file.stated}: {output} is a name of the batch's own; give another")
        job = Job(file.path.absolute(), target / output, file.options, file.stated)
        if output in jobs and _is_same(job.input, jobs[output].input):
            other = jobs[output].stated
            where = f"was given before, by {other}" if other != file.stated else "is given twice"
            name = f" {file.path}" if file.stated != str(file.path) else ""
            raise InputError(
                f"{file.stated}:{name} {where}; leave one out, or name the output of each in a list"
            )
        if output in jobs:
            raise InputError(
                f"{file.stated}: its output would be {output}, as that of {jobs[output].stated}; "
                "give a folder above them, or name outputs in a list"
            )
        jobs[output] = job
    _check_places(jobs)
    for output, job in jobs.items():
        with _stated(job.stated):
            naming.check_output(job.input, output, job.options)
    return [jobs[output] for output in sorted(jobs)]


def _check_places(jobs: Mapping[Path, Job]) -> None:
    """Raise `InputError` where an output is the record of another, or would lie in one of these."""
    records = {record_path(output): output for output in jobs}
    for output, job in jobs.items():
        for place in (output, *output.parents):
            if place in records:
                what, owner = "the record of that", jobs[records[place]]
            elif place != output and place in jobs:
                what, owner = "that", jobs[place]
            else:
                continue
            raise InputError(
                f"{job.stated}: its output would be {output}, and {place} is {what} of "
                f"{owner.stated}; give another name"
            )


def _output(file: _Found, naming: Naming) -> Path:
    if file.named:
        return file.place
    return file.place.with_suffix(_suffix(file, naming))


def _suffix(file: _Found, naming: Naming) -> str:
    with _stated(file.stated):
        return naming.suffix(file.path, file.options)


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


@contextlib.contextmanager
def _stated(stated: str) -> Iterator[None]:
    """Errors say where a job comes from."""
    try:
        yield
    except GfvcError as error:
        raise InputError(f"{stated}: {error}") from None
