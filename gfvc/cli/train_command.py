"""Train an animation network on a folder of clips.

DIR gets the state to go on from (state.pt), weights (MODEL-latest and MODEL-best.safetensors),
tables of losses and validation scores, sheets of pictures, and a line of options for each run.
docs/training.md says what to make of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from gfvc.cli.engine_arguments import add_engine_arguments, engine_from, is_one_by_one
from models.training.arguments import add_arguments as add_training_arguments
from models.training.arguments import run_with
from sei.escaping import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gfvc.batch.engine import EngineChoice

HELP = "train a network on your own clips"
EPILOG = """\
examples:
  gfvc train clips --out runs/face --minutes 600 --adversarial-from 20000
  gfvc train clips --out runs/face --minutes 600 --adversarial-from 20000 --resume
  gfvc train clips --out runs/fomm --model fomm --steps 100000 --device cuda

Ctrl-C ends the step that runs and leaves a state; --resume goes on from there.
"""

MEGABYTES = 1000
"""Memory that a process takes which tracks faces."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_training_arguments(parser)
    add_engine_arguments(
        parser.add_argument_group("reading clips, before training"), what="decoded and tracked"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    engine = engine_from(options, MEGABYTES)
    return run_with(options, printable, None if is_one_by_one(engine) else _by(engine))


def _by(
    choice: EngineChoice,
) -> Callable[[Callable[..., object], Sequence[tuple[object, ...]]], Iterator[object]]:
    """What calls a function for several clips at a time, by an engine."""

    def spread(
        function: Callable[..., object], calls: Sequence[tuple[object, ...]]
    ) -> Iterator[object]:
        from gfvc.batch.engine import Task, completed, open_engine

        tasks = (Task(number, function, arguments) for number, arguments in enumerate(calls))
        with open_engine(choice) as engine:
            for _, future in completed(engine, tasks, retries=1):
                yield future.result()

    return spread
