"""Options about how networks run, for every command that runs one."""

from __future__ import annotations

import argparse
import re

from models.runtime import ENGINES, Runtime


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
