"""The command line of training.

Importing this needs neither PyTorch nor OpenCV.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.training.configuration import TrainingConfiguration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("data", type=Path, metavar="DATA", help="folder of square clips of one face each")
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
    option("--minutes", type=float, metavar="N", help="time budget, over all resumed runs")
    option("--steps", type=int, metavar="N", help="step budget, over all resumed runs")
    option("--resume", action="store_true", help="go on from the state in DIR")
    option("--batch", type=int, default=8, metavar="N", help="pairs in a step (default: 8)")
    option("--size", type=int, default=256, metavar="N", help="picture width (default: 256)")
    option(
        "--window",
        type=int,
        default=128,
        metavar="N",
        help="width of the part drawn in a step (default: 128)",
    )
    option("--rate", type=float, default=8e-4, metavar="X", help="learning rate (default: 8e-4)")
    option(
        "--adversarial-from",
        type=int,
        metavar="STEP",
        help="step from which the discriminator takes part (default: never)",
    )
    option(
        "--compact-features",
        type=int,
        default=0,
        metavar="K",
        help="values 0..8 beside the landmarks (default: 0)",
    )
    option("--seed", type=int, default=0, metavar="N", help="seed (default: 0)")
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
    index = options.index
    if index is None and (options.data / "INDEX.csv").is_file():
        index = options.data / "INDEX.csv"
    return TrainingConfiguration(
        data=options.data,
        out=options.out,
        index=index,
        cache=options.cache,
        skip=tuple(options.skip),
        size=options.size,
        window=options.window,
        batch=options.batch,
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.rate,
        adversarial_from=options.adversarial_from,
        checkpoint_minutes=options.checkpoint_minutes,
        validation_minutes=options.validation_minutes,
        device=options.device,
        half_precision=not options.full_precision,
        threads=options.threads,
        workers=options.workers,
    )


def _report(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run_with(options: argparse.Namespace) -> int:
    """Train as the options say; return the exit status."""
    configuration = configuration_from(options)
    from models.face.configuration import FaceConfiguration
    from models.face.task import FaceTask
    from models.training.errors import TrainingError
    from models.training.run import train

    try:
        network = FaceConfiguration(compact_features=options.compact_features)
    except ValueError as error:
        raise TrainingError(str(error)) from None
    result = train(configuration, FaceTask(network), resume=options.resume, report=_report)
    for name, value in result.validation.scores.items():
        sys.stdout.write(f"{name}\t{value:.4f}\n")
    return 0
