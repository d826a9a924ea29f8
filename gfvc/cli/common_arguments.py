"""Arguments that several commands have: the codec, how networks run, what becomes of a result."""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.option_arguments import add_options, parsed_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from models.runtime import Runtime
    from sei import Codec


def add_out(parser: argparse.ArgumentParser, help: str) -> None:  # noqa: A002 (argparse's word)
    """Describe --out of a command that fills a folder."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=help)


def add_result_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe --force and --json of a command that writes one file."""
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


def add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe --device, --runtime and --bfloat16."""
    from gfvc.options.running import RuntimeOptions

    add_options(parser, RuntimeOptions)


def runtime_from(options: argparse.Namespace) -> Runtime:
    """What the options ask for."""
    from gfvc.options.running import RuntimeOptions

    return parsed_options(RuntimeOptions, options).as_runtime
