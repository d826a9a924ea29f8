"""Errors of the application.

GfvcError
├── InputError      an input file is not what it should be
│   └── KeyPictureTooCoarseError   its coded key pictures show no face
├── StreamError     a bitstream does not hold what is needed to decode it
├── OutputError     an output cannot be written, or exists already
│   └── StandardOutputError        standard output cannot be written (gfvc.cli)
├── NoProcessesError               processes that work together cannot be had
└── MemoryLimitError               too little memory is allowed (gfvc.cli)

The rooms below raise their own: `sei.SeiError`, `base_codec_adapters.BaseCodecError`,
`models.ModelError`. The command line prints any of these as one line.
"""

from __future__ import annotations

import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class GfvcError(Exception):
    """Anything that keeps the application from doing what it was asked; the text is one line.

    Options go by their names on the command line in it, and in notes: `--key-qp` is `key_qp` of
    `EncodeOptions`. The help of the options' classes says where the two are different words.
    """


class InputError(GfvcError):
    """An input file is missing, damaged or of the wrong kind."""


class KeyPictureTooCoarseError(InputError):
    """Key pictures show a face before they are coded, but not after."""


class StreamError(GfvcError):
    """A bitstream does not hold what is needed to decode it."""


class OutputError(GfvcError):
    """An output cannot be written, or exists already."""


class NoProcessesError(GfvcError):
    """The system has no place for what processes need to work together."""


def let_deadline_by(error: BaseException) -> None:
    """Raise a `TimeoutError` again that has no number of the system.

    Such come from handlers of signals (`signal.alarm`) of the caller, wherever the program is.
    """
    if isinstance(error, TimeoutError) and error.errno is None:
        raise error


@contextlib.contextmanager
def system_errors(kind: type[GfvcError], name: object, problem: str) -> Iterator[None]:
    """Turn what the system says of a file or folder of this name into an error of ours."""
    try:
        yield
    except OSError as error:
        let_deadline_by(error)
        raise kind(f"{name}: {problem} ({error.strerror or error})") from error
