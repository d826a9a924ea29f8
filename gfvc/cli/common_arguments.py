"""Arguments that several commands have: the codec, how networks run, what becomes of a result."""

from __future__ import annotations

import argparse
import re

from models.runtime import ENGINES, Runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sei import Codec


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


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of auto, cpu, cuda, cuda:N")
    return text


def add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe --device, --runtime and --bfloat16."""
    parser.add_argument(
        "--device",
        type=_device,
        default="auto",
        metavar="auto|cpu|cuda[:N]",
        help="where networks run (default: auto, a GPU if there is one)",
    )
    parser.add_argument(
        "--runtime",
        choices=ENGINES,
        default="auto",
        help="library that runs networks (default: auto, the fastest that a model has)",
    )
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="draw with fomm, cfte and fv2v in bfloat16: faster on some processors and GPUs, and a "
        "little less exact",
    )


def runtime_from(options: argparse.Namespace) -> Runtime:
    """What the options ask for."""
    return Runtime(options.device, options.runtime, options.bfloat16)
