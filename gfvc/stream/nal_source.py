"""NAL units of a byte stream, a container file, or standard input."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import cast

from gfvc.errors import InputError, let_deadline_by
from gfvc.given import not_a_file
from gfvc.stream.containers import (
    HEAD_BYTES,
    open_container,
    read_opened,
    refuse_container,
    refuse_mpeg,
)
from gfvc.stream.edit_lists import tell_of_edits
from gfvc.stream.stated_size import tell_of_cut
from gfvc.telling import Notes, unheard
from sei import Codec, NalUnit, StreamError, UnknownCodecError, split_annex_b

STANDARD_INPUT = Path("-")

NOT_READ = "standard input is not read here, for it cannot be read twice; name a file"
"""What is said where a stream that must be read twice is given as "-"."""


def file_bytes(path: Path) -> int:
    """Bytes of a file; 0 where it has none, or cannot be opened, as whoever does that tells."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


@contextlib.contextmanager
def open_nal_units(
    source: str | Path, codec: str | None = None, notes: Notes = unheard
) -> Iterator[Iterator[NalUnit]]:
    """The NAL units of a stream, read as they are asked for; "-" is standard input.

    Containers (MP4, QuickTime, Matroska, MPEG-TS and a few more) are told by their content; their
    first VVC or HEVC track is read, or else one of H.264, all of it. `notes` is told of others, of
    what an edit list hides, and of a file that ends too early. `codec` counts where the stream does
    not tell. Raises `InputError` when the file cannot be read, is empty, or is no stream of a known
    codec, or of another than `codec`.
    """
    named = None if codec is None else Codec(codec)
    if Path(source) == STANDARD_INPUT:
        with reading(source):
            head = cast("BufferedReader", sys.stdin.buffer).peek(HEAD_BYTES)
            refuse_mpeg(source, head)
            refuse_container(source, head)
        yield _read(source, split_annex_b(sys.stdin.buffer, named=named))
        return
    path = Path(source)
    with contextlib.ExitStack() as stack:
        with reading(source):
            if not (path.is_file() or path.is_fifo()):
                raise InputError(f"{path}: {not_a_file(path)}")
            file = stack.enter_context(path.open("rb"))
            # A pipe cannot go back, and holds no container, which must be read here and there.
            head = file.peek(HEAD_BYTES)[:HEAD_BYTES]
        container = open_container(path, head) if path.is_file() and head else None
        if container is not None:
            with container:
                tell_of_cut(path, container.format.name, notes)
                tell_of_edits(path, container, notes)
                nothing = "holds a track without pictures, as before the parts of a live stream"
                yield _read(source, read_opened(path, container, notes), named, nothing)
        else:
            refuse_mpeg(source, head)
            refuse_container(source, head)
            yield _read(source, split_annex_b(file, named=named))


def _read(
    source: str | Path,
    units: Iterator[NalUnit],
    named: Codec | None = None,
    nothing: str = "is empty",
) -> Iterator[NalUnit]:
    """The NAL units. What fails where they are used, such as writing, is no failure of `source`.

    Raises `InputError` where there is none, for which `nothing` is the reason, or they are of
    another codec than was `named`.
    """
    with reading(source):
        try:
            first = next(units, None)
        except UnknownCodecError:
            raise
        except StreamError as error:
            raise InputError(f"{source}: {error}") from None
        if first is None:
            raise InputError(f"{source}: {nothing}")
        if named is not None and named is not first.codec:
            raise InputError(
                f"{source}: its track is of {first.codec.value}, and --codec says {named.value}; "
                "leave it out"
            )
        yield first
        yield from units


@contextlib.contextmanager
def reading(source: str | Path) -> Iterator[None]:
    """Turn what keeps a stream from being read, or its codec from being told, into `InputError`."""
    try:
        yield
    except OSError as error:
        let_deadline_by(error)
        is_closed = Path(source) == STANDARD_INPUT and error.errno == errno.EBADF
        problem = (
            "standard input is closed"
            if is_closed
            else f"cannot be read ({error.strerror or error})"
        )
        raise InputError(f"{source}: {problem}") from error
    except UnknownCodecError:
        raise InputError(
            f"{source}: neither a VVC, an HEVC nor an H.264 stream, or not told from its first NAL "
            "units; --codec names it"
        ) from None
