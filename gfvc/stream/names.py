"""What a stream is called tells what it is: the suffix of its file, the URI of its model.

A stream in another layout than its model's carries the model's URI with `;repacked` behind it. A
decoder of ours takes that off, finds the model, and puts the numbers back; one that
does not know it finds no such model, and draws nothing rather than nonsense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from base_codec_adapters import Codec
from gfvc.errors import OutputError
from sei.nal import NalUnit

MP4_SUFFIX = ".mp4"
# Names that do not tell a codec: VVC unless asked otherwise.
OTHER_SUFFIXES = ("", ".bin", ".bit")
# Of containers, into which streams are not put.
_OTHER_CONTAINERS = (".mkv", ".webm", ".mov", ".m4v", ".avi", ".ts", ".mts", ".m2ts", ".flv")
CODEC_OF_SUFFIX: dict[str, Codec] = {".266": "vvc", ".vvc": "vvc", ".265": "hevc", ".hevc": "hevc"}

_REPACKED = ";repacked"


def choose_codec(output: Path, codec: Codec | None) -> Codec:
    """The base codec asked for, or that of the output's suffix; VVC when that is silent.

    Raises `OutputError` when the two disagree, or the suffix is none of a stream.
    """
    by_suffix = CODEC_OF_SUFFIX.get(output.suffix.lower())
    if codec and by_suffix and codec != by_suffix:
        raise OutputError(
            f"{output}: the suffix means {by_suffix} and --codec says {codec}; change one of them"
        )
    if by_suffix is None and output.suffix.lower() not in (*OTHER_SUFFIXES, MP4_SUFFIX):
        known = ", ".join([*CODEC_OF_SUFFIX, *OTHER_SUFFIXES[1:], MP4_SUFFIX])
        raise OutputError(f"{output}: no suffix of a stream; use one of {known}")
    return codec or by_suffix or "vvc"


def check_suffix(output: Path, codec: str) -> None:
    """Raise `OutputError` when a stream of a codec cannot have this name."""
    if output.suffix.lower() in _OTHER_CONTAINERS:
        raise OutputError(
            f"{output}: the suffix means a container, and of those only {MP4_SUFFIX} is written"
        )
    by_suffix = CODEC_OF_SUFFIX.get(output.suffix.lower())
    if by_suffix is not None and by_suffix != codec:
        raise OutputError(f"{output}: the suffix means {by_suffix} and the stream is {codec}")


def is_mp4(output: Path) -> bool:
    """Whether an output is an MP4 file."""
    return output.suffix.lower() == MP4_SUFFIX


def mp4_of_byte_stream(output: Path) -> OutputError:
    """The error that an MP4 file was to be made of a byte stream, which tells no times."""
    return OutputError(
        f"{output}: of a byte stream a byte stream is made (.266 or .265), for it has no times and "
        f"no sound; of an {MP4_SUFFIX} file an {MP4_SUFFIX} file can be made"
    )


def units_for(output: Path, units: Iterable[NalUnit]) -> Iterator[NalUnit]:
    """NAL units that are to be written to a file; raise `OutputError` as `check_suffix` does."""
    for number, unit in enumerate(units):
        if not number:
            check_suffix(output, unit.codec.value)
        yield unit


def is_repacked(uri: str) -> bool:
    """Whether a stream of this URI has another layout than its model."""
    return uri.endswith(_REPACKED)


def model_uri(uri: str) -> str:
    """The URI of the model itself."""
    return uri.removesuffix(_REPACKED)


def repacked_uri(uri: str) -> str:
    """The URI of a model for a stream that has another layout."""
    return model_uri(uri) + _REPACKED
