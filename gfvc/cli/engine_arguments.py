"""Options about where clips are worked on, for every command that works on many."""

from __future__ import annotations

import argparse
import re

from gfvc.cli.option_arguments import UsageError, reader_of
from gfvc.options.kinds import either, whole, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gfvc.batch.engine import EngineChoice

_JOBS = either(words(auto=None), whole(1, 256, of="a number of clips"))


def _scheduler(text: str) -> str:
    if not re.fullmatch(r"[a-z]+://\S+:\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as tcp://HOST:8786")
    return text


def add_engine_arguments(
    parser: argparse._ActionsContainer, *, what: str, automatic: bool = False
) -> None:
    """Describe --jobs, --engine and --scheduler; `what` is done to several clips at a time."""
    default = "auto, as cores and memory allow" if automatic else "1"
    parser.add_argument(
        "--jobs",
        type=reader_of(_JOBS),
        default=None if automatic else 1,
        metavar="N|auto",
        help=f"clips {what} at a time on this machine (default: {default})",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="local: processes of this machine; dask: workers of a Dask cluster, which see the "
        "same files (default: local)",
    )
    parser.add_argument(
        "--scheduler",
        type=_scheduler,
        metavar="tcp://HOST:PORT",
        help="the cluster's scheduler, with --engine dask",
    )


def engine_from(options: argparse.Namespace, megabytes: int) -> EngineChoice:
    """The engine that is asked for; a process of it takes so much memory.

    Raises `UsageError` when the scheduler is missing, or nobody asks for it.
    """
    from gfvc.batch.engine import EngineChoice

    if options.engine == "dask" and not options.scheduler:
        raise UsageError("--engine dask needs --scheduler tcp://HOST:PORT")
    if options.engine != "dask" and options.scheduler:
        raise UsageError("--scheduler is for --engine dask; give both")
    return EngineChoice(options.engine, options.jobs, options.scheduler or "", megabytes)


def is_one_by_one(choice: EngineChoice) -> bool:
    """Whether there is nothing to share out: one process of this machine."""
    return choice.name == "local" and choice.workers == 1
