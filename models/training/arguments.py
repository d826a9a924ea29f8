"""The command line of training.

Importing this needs neither PyTorch nor OpenCV.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from pathlib import Path

from models.errors import TrainingError
from models.family import trained_families
from models.training.configuration import Augmentation, LossWeights, TrainingConfiguration
from models.training.recipes import build_task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from models.training.run import Spread


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER") from None


def _names(kind: type[LossWeights] | type[Augmentation]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def _defaults(kind: type[LossWeights] | type[Augmentation]) -> str:
    return ", ".join(f"{item.name}={item.default:g}" for item in fields(kind))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    _add_data(parser)
    _add_length(parser)
    _add_recipe(parser)
    _add_machine(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument_group("clips and results").add_argument
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder of square clips of one face each"
    )
    option(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for state, weights, tables and sheets",
    )
    option(
        "--index",
        type=Path,
        metavar="CSV",
        help="table with the columns file, identity and split (train, validation; others are left "
        "alone); default: DATA/INDEX.csv, else the sub-folders train and validation",
    )
    option(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder for decoded pictures and landmarks (default: OUT/cache)",
    )
    option(
        "--skip",
        action="append",
        default=[],
        metavar="NAME",
        help="leave out a clip; may be given more than once",
    )


def _add_length(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument_group("beginning and end").add_argument
    option("--minutes", type=float, metavar="N", help="time budget, over all resumed runs")
    option(
        "--steps",
        type=int,
        metavar="N",
        help="step budget, over all resumed runs; 0 validates and exports only",
    )
    option("--resume", action="store_true", help="go on from the state in DIR")
    option(
        "--weights",
        type=Path,
        metavar="FILE",
        help="start from these weights, exported by a training or published",
    )
    option(
        "--checkpoint-minutes",
        type=float,
        default=10,
        metavar="N",
        help="time between states (default: 10)",
    )
    option(
        "--validation-minutes",
        type=float,
        default=20,
        metavar="N",
        help="time between validations (default: 20)",
    )


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument_group("recipe").add_argument
    option(
        "--model", choices=tuple(trained_families()), default="face", help="network (default: face)"
    )
    option("--batch", type=int, default=8, metavar="N", help="pairs in a step (default: 8)")
    option("--size", type=int, default=256, metavar="N", help="picture width (default: 256)")
    option(
        "--window",
        type=int,
        metavar="N",
        help="width of the part that face draws in a step, and that the discriminator sees "
        "(default: 128 for face, else the whole picture)",
    )
    option(
        "--learning-rate",
        type=float,
        metavar="X",
        help="highest learning rate (default: 8e-4 for face, else 2e-4)",
    )
    option(
        "--adversarial-from",
        type=int,
        metavar="STEP",
        help="step from which the discriminator takes part (default: never)",
    )
    option(
        "--vgg",
        type=Path,
        metavar="FILE",
        help="published VGG-19 weights, for a perceptual loss (default: go without)",
    )
    option(
        "--loss",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME=WEIGHT",
        help=f"weight of a loss ({_defaults(LossWeights)}, or one of the network's own)",
    )
    option(
        "--augmentation",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help=f"share of pairs that are changed so ({_defaults(Augmentation)})",
    )
    option(
        "--compact-features",
        type=int,
        default=0,
        metavar="K",
        help="values 0..8 beside the landmarks, of face (default: 0)",
    )
    option(
        "--values-sent",
        type=int,
        default=0,
        metavar="N",
        help="how many of them validation sends (default: 0)",
    )
    option(
        "--variant",
        metavar="NAME",
        help="published copy that fomm, cfte and fv2v compute like (default: jvet_v2)",
    )
    option("--seed", type=int, default=0, metavar="N", help="seed (default: 0)")


def _add_machine(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument_group("machine").add_argument
    option("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(default: auto)")
    option("--full-precision", action="store_true", help="compute in float32 instead of bfloat16")
    option("--threads", type=int, metavar="N", help="threads of PyTorch (default: its own choice)")
    option(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="threads that prepare batches (default: 1)",
    )


def configuration_from(options: argparse.Namespace) -> TrainingConfiguration:
    """The configuration that options ask for; raise `TrainingError` where they make no sense."""
    recipe = trained_families()[options.model].recipe
    assert recipe is not None
    index = options.index
    if index is None and (options.data / "INDEX.csv").is_file():
        index = options.data / "INDEX.csv"
    window = options.window or recipe.window or options.size
    rate = options.learning_rate
    return TrainingConfiguration(
        data=options.data,
        out=options.out,
        index=index,
        cache=options.cache,
        skip=tuple(options.skip),
        start_from=options.weights,
        size=options.size,
        window=window,
        batch=options.batch,
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed,
        learning_rate=recipe.learning_rate if rate is None else rate,
        gradient_scales=recipe.gradient_scales,
        vgg=options.vgg,
        adversarial_from=options.adversarial_from,
        weights=LossWeights(**_chosen(options.loss, _names(LossWeights))),
        augmentation=Augmentation(**_all_known(options.augmentation, _names(Augmentation))),
        checkpoint_minutes=options.checkpoint_minutes,
        validation_minutes=options.validation_minutes,
        device=options.device,
        half_precision=not options.full_precision,
        threads=options.threads,
        workers=options.workers,
    )


def _chosen(given: Collection[tuple[str, float]], names: Collection[str]) -> dict[str, float]:
    return {name: value for name, value in given if name in names}


def _all_known(given: Collection[tuple[str, float]], names: Collection[str]) -> Mapping[str, float]:
    for name, _ in given:
        if name not in names:
            raise TrainingError(f"no augmentation {name!r} (there are: {', '.join(names)})")
    return dict(given)


def run_with(
    options: argparse.Namespace,
    shown: Callable[[str], str] = str,
    spread: Spread | None = None,
) -> int:
    """Train as the options say; return the exit status.

    What people are told goes through `shown` first, for names of files are in it. `spread` has
    several clips read at a time.
    """
    configuration = configuration_from(options)
    shared = _names(LossWeights)
    task = build_task(
        options.model,
        compact_features=options.compact_features,
        values_sent=options.values_sent,
        variant=options.variant,
        weights={name: weight for name, weight in options.loss if name not in shared},
    )
    from models.training.console import training_console
    from models.training.run import train

    with training_console(shown) as (report, progress):
        recipe = trained_families()[options.model].recipe
        if recipe is not None and recipe.perceptual and configuration.vgg is None:
            report(
                "note: without VGG-19 weights (--vgg FILE) there is no perceptual loss, which the "
                f"published {options.model} was trained with"
            )
        result = train(
            configuration,
            task,
            resume=options.resume,
            report=report,
            progress=progress,
            spread=spread,
        )
    for name, value in result.validation.scores.items():
        sys.stdout.write(f"{name}\t{value:.4f}\n")
    return 0
