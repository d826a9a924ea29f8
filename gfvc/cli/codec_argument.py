"""The option ``--codec`` of the commands that read a byte stream."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sei import Codec


def add_codec(parser: argparse.ArgumentParser, of: str = "the stream") -> None:
    """Describe the option."""
    parser.add_argument(
        "--codec",
        choices=("vvc", "hevc", "avc"),
        help=f"codec of {of}, where its parameter sets do not tell",
    )


def codec_from(options: argparse.Namespace) -> Codec | None:
    """The codec that was named."""
    from sei import Codec

    return None if options.codec is None else Codec(options.codec)
